/* Making a table that is in use a partitioned one: beside it a partitioned table is filled, a log
 * of changes keeps up, and the two change places (docs/partitions.md). State is in the
 * schema pgdeck of the database; any run goes on where the last one ended. */
#pragma once
#include "change/advice.h"
#include "partition/part.h"

struct partition_live { /* struct change's argument */
    const struct deck *deck;
    const struct deck_partition *partition;
    const char *drained; /* table whose default partition is `partition`; NULL: none is */
};

extern const struct change_procedure partition_live_procedure;

enum { PARTITION_LIVE_ATTEMPT_MS = 80 }; /* all locks of one attempt */

/* Index of the key by whose columns rows are known, rows and bytes as the server estimates. */
struct partition_live_size {
    const char *key_index; /* oid; NULL: there is none */
    long long rows, bytes;
};
bool partition_live_size(struct arena *arena, PGconn *connection,
                         const struct deck_partition *partition,
                         struct partition_live_size *ret_size, struct error *err) MUST_CHECK;

/* First and last day or id of the range column; false in has_rows: there are none. */
struct partition_extent {
    bool has_rows;
    bool is_endless; /* infinity is among them */
    long long first, last;
    long long highest; /* ids: what the type of the column ends with; else 0 */
};
bool partition_read_extent(struct arena *arena, PGconn *connection,
                           const struct deck_partition *partition,
                           struct partition_extent *ret_extent, struct error *err) MUST_CHECK;
/* Where a table stands: today, or by ids the last one (0: it has no rows). */
bool partition_read_position(struct arena *arena, PGconn *connection,
                             const struct deck_partition *partition, long long today,
                             long long *ret_position, struct error *err) MUST_CHECK;

/* The partitions that the rows of the table and the deck want. */
bool partition_live_parts(struct arena *arena, PGconn *connection,
                          const struct deck_partition *partition, struct partition_parts *ret_parts,
                          struct error *err) MUST_CHECK;

/* The partitions for the rows of a default partition (partition->table) of `parent`, those ahead,
 * and a default for the rest; without what other partitions have. */
bool partition_drain_parts(struct arena *arena, PGconn *connection,
                           const struct deck_partition *partition, const char *parent,
                           struct partition_parts *ret_parts, struct error *err) MUST_CHECK;

/* Scripts that make the shadow ("shadow") and what it gets later ("indexes"; may be ""). */
struct partition_live_script {
    const struct deck_partition *partition;
    const char *stage;
    const char *key_index;
    const struct partition_parts *parts; /* NULL: none */
};
bool partition_live_script(struct arena *arena, PGconn *connection,
                           const struct partition_live_script *script, const char **ret_script,
                           struct error *err) MUST_CHECK;

/* How far a conversion has come; step NULL: none is open. */
struct partition_live_state {
    const char *id, *step, *key_index, *retired_name, *held_ms;
    long long copied;
};
bool partition_live_state(struct arena *arena, PGconn *connection,
                          const struct deck_partition *partition,
                          struct partition_live_state *ret_state, struct error *err) MUST_CHECK;

bool partition_live_install(struct arena *arena, PGconn *connection, const char *const *names,
                            size_t count, struct error *err) MUST_CHECK;

struct partition_live_advice {
    struct advice *advice;
    const struct deck_database *database;
    PGconn *connection;
    const struct deck_partition *partition;
    const char *kept; /* the old table of an earlier conversion; NULL: none */
};
/* Adds the change that goes on with a conversion that is open, if one is. ret_kept: the name of the
 * old table of one that is done; NULL: there is none. */
bool partition_live_go_on(const struct partition_live_advice *live, bool *ret_is_open,
                          const char **ret_kept, struct error *err) MUST_CHECK;
/* Why a table in use cannot be converted, clauses joined; NULL: nothing. */
bool partition_live_obstacles(const struct partition_live_advice *live, const char **ret_reasons,
                              struct error *err) MUST_CHECK;
/* "1.5 GB" */
const char *partition_size_text(struct arena *arena, long long bytes);
/* Adds the change that converts a table in use, or a note with what stands in the way. */
bool partition_live_advise(const struct partition_live_advice *live, struct error *err) MUST_CHECK;
