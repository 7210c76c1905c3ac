/* What a statement asks of each of its tables: conditions, order, columns. */
#pragma once
#include "advise/advise.h"
#include "advise/tree.h"

/* Names of tables as statements write them ("t", "schema.t", quoted where needed), each once. */
struct advise_names {
    LIST_OF(const char *) list;
    LIST_OF(const char *) with; /* those that WITH gives */
};
const char *advise_written_name(struct arena *arena, const json_t *range); /* of a RangeVar */
void advise_read_names(struct arena *arena, const json_t *tree, struct advise_names *names);
#define ADVISE_CATALOGS_ONLY "reads system catalogs only"
#define ADVISE_TABLELESS "names no table"
/* Why none of the names can be a table of people's; NULL: one may be. */
const char *advise_no_table(const struct advise_names *names);

struct advise_tables {
    LIST_OF(const char *) written;
    LIST_OF(struct advise_table *) list; /* what each of them means */
};
struct advise_table *advise_find_table(const struct advise_tables *tables, const char *written);
const struct advise_column *advise_find_column(const struct advise_table *table, const char *name);

/* Fills in kind, references, target, assigned and what its parameters are compared with. */
void advise_read_statement(struct arena *arena, const json_t *tree,
                           const struct advise_tables *tables, struct advise_statement *statement);
