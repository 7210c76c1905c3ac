/* Whether a partitioned table has the shape that the deck gives it. */
#pragma once
#include "partition/live.h"

/* By the same column, in the same way. */
bool partition_is_alike(struct arena *arena, const struct deck_partition *partition,
                        const struct catalog_table *table);

/* The first difference in its partitions, as a clause: a period of another length, other values,
 * another number, rows in a default partition; NULL: none. */
bool partition_find_difference(const struct partition_live_advice *about,
                               const struct catalog_table *table, const char **ret_difference,
                               struct error *err) MUST_CHECK;
