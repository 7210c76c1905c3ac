/* What partitions there are, and what the deck will do with them next. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct partition_status { /* a partition, or (level 0) the partitioned table itself */
    const char *root_schema, *root, *schema, *name;
    const char *key;   /* "RANGE (created_at)"; NULL: is not partitioned itself */
    const char *bound; /* NULL: level 0 */
    int level;
    bool is_leaf, is_pending;
    long long rows, bytes, writes;
    const char *last_write;   /* of its file, at a checkpoint or so; NULL: not to be known */
    const char *last_analyze; /* NULL: never */
    const char *manager;      /* "deck", "pg_partman"; NULL: nobody */
    const char *made_next; /* level 0 of the deck: "events_y2027m02 on 2026-12-01"; NULL: nothing */
    const char *dropped_next; /* "events_y2026m05 on 2026-12-01" */
};

struct partition_statuses {
    LIST_OF(struct partition_status) list;
};

/* All partitioned tables of the database, each followed by its partitions. */
bool partition_read_statuses(struct arena *arena, PGconn *connection,
                             const struct deck_database *database,
                             struct partition_statuses *ret_statuses, struct error *err) MUST_CHECK;
