/* The tables that the statements name, with columns, statistics and indexes, read in three round
 * trips. */
#pragma once
#include "advise/read.h"

/* schemas: where unqualified names are looked for, text[] as text. Names that no table has are
 * left out. */
bool advise_tables_read(struct arena *arena, PGconn *connection, const struct advise_names *names,
                        const char *schemas, struct advise_tables *ret_tables,
                        struct error *err) MUST_CHECK;
/* Its name as statements take it, with its schema unless that is public. */
const char *advise_table_name(struct arena *arena, const struct advise_table *table);
