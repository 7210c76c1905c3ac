/* Making a table in use a partition of a new table that takes its name: no row is copied, one look
 * at all of them says that they fit (docs/partitions.md). For ranges. State is in the schema pgdeck
 * of the database; any run goes on where the last one ended. */
#pragma once
#include "partition/live.h"

struct partition_adoption { /* struct change's argument */
    const struct deck *deck;
    const struct deck_partition *partition;
};

extern const struct change_procedure partition_adopt_procedure;

/* The empty partitioned table beside the one in use: upper bound of the old rows, its partitions.
 */
struct partition_adopt_shape {
    const char *until;
    struct partition_parts parts;
};
bool partition_adopt_shape(struct arena *arena, PGconn *connection,
                           const struct deck_partition *partition,
                           struct partition_adopt_shape *ret_shape, struct error *err) MUST_CHECK;
/* The name that the old table gets as a partition. */
const char *partition_adopt_name(struct arena *arena, const struct deck_partition *partition);

/* How far an adoption has come; step NULL: none is open. */
struct partition_adopt_state {
    const char *id, *step, *until, *history_name, *held_ms;
};
bool partition_adopt_state(struct arena *arena, PGconn *connection,
                           const struct deck_partition *partition,
                           struct partition_adopt_state *ret_state, struct error *err) MUST_CHECK;

/* Adds the change, where this way fits and the deck or the table's size is for it. misfits: why the
 * rows cannot be copied; NULL: they can. */
bool partition_adopt_advise(const struct partition_live_advice *live,
                            const struct partition_live_size *size, const char *misfits,
                            bool *ret_is_adopted, struct error *err) MUST_CHECK;
/* Adds the change that goes on with an adoption that is open, if one is. */
bool partition_adopt_go_on(const struct partition_live_advice *live, bool *ret_is_open,
                           struct error *err) MUST_CHECK;
/* Adds a change for each way back that is past its time. */
bool
partition_adopt_remains(const struct partition_live_advice *about, struct error *err) MUST_CHECK;
