/* A default partition whose rows are all of one period becomes the partition of that period; an
 * empty default takes its place. No row is copied, and all are seen all the time. */
#pragma once
#include "partition/live.h"

struct partition_promotion { /* struct change's argument */
    const struct deck *deck;
    const struct deck_partition *partition;
    const char *schema, *parent, *table; /* the default */
    const char *name, *owner;            /* what it becomes */
    const char *lower, *upper;
};

extern const struct change_procedure partition_promote_procedure;

/* Adds the change where the table has such a default. today: or the newest id. ret_promoted: the
 * bound that it gets; lower NULL: there is none. */
bool partition_promote_advise(const struct partition_live_advice *about,
                              const struct catalog_table *table, long long today,
                              struct partition_bound *ret_promoted, struct error *err) MUST_CHECK;
