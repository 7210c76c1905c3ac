/* Partitions past their time: detached without stopping anybody, written to a file where the deck
 * wants that, dropped. */
#pragma once
#include "partition/live.h"

struct partition_retirement { /* struct change's argument */
    const struct deck *deck;
    const struct deck_partition *partition; /* NULL: of a table that the deck does not have */
    const char *database, *schema, *name;
};

extern const struct change_procedure partition_retire_procedure;

/* Adds a destructive change for each partition of the table that retain lets go. */
void partition_retire_advise(const struct partition_live_advice *about,
                             const struct catalog_table *table, long long today);
/* Adds one for each table that was a partition and whose removal was broken off. */
bool
partition_retire_go_on(const struct partition_live_advice *about, struct error *err) MUST_CHECK;
