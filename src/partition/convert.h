/* Making an empty table a partitioned one, in the transaction of plan: all or nothing. */
#pragma once
#include "change/change.h"
#include "partition/part.h"

struct partition_conversion { /* struct change's argument */
    const struct deck_partition *partition;
    struct partition_parts parts;
};

extern const struct change_procedure partition_convert_procedure;

/* Why the table cannot be converted: clauses, joined. */
struct partition_obstacles {
    const char *hard;  /* by no means; NULL: nothing */
    const char *light; /* not in one step, but beside the table while it is in use; NULL: nothing */
};
bool partition_find_obstacles(struct arena *arena, PGconn *connection,
                              const struct deck_partition *partition,
                              struct partition_obstacles *ret_obstacles,
                              struct error *err) MUST_CHECK;

/* The script that converts the table, or (is_reverse) makes of it the ordinary table that it is
 * now. */
bool partition_convert_script(struct arena *arena, PGconn *connection,
                              const struct deck_partition *partition,
                              const struct partition_parts *parts, bool is_reverse,
                              const char **ret_script, struct error *err) MUST_CHECK;

/* For each part the script that adds it to the partitioned table; ret_scripts has as many. */
bool partition_attach_scripts(struct arena *arena, PGconn *connection,
                              const struct deck_partition *partition,
                              const struct partition_parts *parts, const char **ret_scripts,
                              struct error *err) MUST_CHECK;
