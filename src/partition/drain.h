/* A default partition whose rows are of several periods is drained: partitions beside it are filled
 * while clients work, a log of changes keeps up, and they take its place (live.h). */
#pragma once
#include "partition/live.h"

/* Adds the change, or a note with what stands in the way, where the table has such a default. */
bool partition_drain_advise(const struct partition_live_advice *about,
                            const struct catalog_table *table, bool *ret_is_drained,
                            struct error *err) MUST_CHECK;
