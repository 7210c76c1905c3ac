/* What the server has counted so far, kept in a file: two of them show what happened in between.
 * Everything is in the arena. */
#pragma once
#include "base/arena.h"
#include "pg/connection.h"

struct advise_counter { /* of one statement */
    const char *id;     /* queryid */
    const char *sql;
    double calls, total_ms, rows;
};
struct advise_scan { /* of one index */
    const char *schema, *name;
    double scans;
};

struct advise_snapshot {
    const char *database;
    const char *taken_at; /* by the server's clock */
    const char *ended_at; /* of the history: when what it is compared with had been done; NULL */
    size_t hidden;        /* statements of others, whose text this role may not read */
    size_t utilities;     /* statements that are no queries: VACUUM, SET ... */
    size_t beyond;        /* statements with less time than those that were read */
    LIST_OF(struct advise_counter) statements;
    LIST_OF(struct advise_scan) scans;
};

/* Errors: ERROR_SQL with a hint when pg_stat_statements is not there. */
bool advise_snapshot_read(struct arena *arena, PGconn *connection,
                          struct advise_snapshot *ret_snapshot, struct error *err) MUST_CHECK;
/* Database, time and scans alone. */
bool advise_snapshot_scans(struct arena *arena, PGconn *connection,
                           struct advise_snapshot *snapshot, struct error *err) MUST_CHECK;
/* From the history of the schema monitoring: before the newest apply that built indexes, and since
 * then (statements subtracted, scans as counted). Errors: there is none of these. */
bool advise_history_read(struct arena *arena, PGconn *connection,
                         struct advise_snapshot *ret_before, struct advise_snapshot *ret_now,
                         struct error *err) MUST_CHECK;
bool advise_snapshot_save(const struct advise_snapshot *snapshot, const char *path,
                          struct error *err) MUST_CHECK;
bool advise_snapshot_load(struct arena *arena, const char *path,
                          struct advise_snapshot *ret_snapshot, struct error *err) MUST_CHECK;
/* What was counted since before; what was reset in between counts whole. */
void
advise_snapshot_subtract(struct advise_snapshot *snapshot, const struct advise_snapshot *before);
const struct advise_counter *
advise_find_counter(const struct advise_snapshot *snapshot, const char *id);
const struct advise_scan *
advise_find_scan(const struct advise_snapshot *snapshot, const char *schema, const char *name);
