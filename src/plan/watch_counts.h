/* What a server counts while it works: transactions, statements, checkpoints; its log; its host's
 * swap. Read through a connection of its own, in the arena given. */
#pragma once
#include "pg/catalog.h"
#include "plan/plan.h"
#include "settings/host.h"

struct watch_statement {
    const char *key; /* database and query */
    double calls, total_ms;
};

struct watch_counts {
    double commits, rollbacks;
    double checkpoints;        /* requested ones */
    double checkpoint_seconds; /* counted since then */
    bool has_statements;
    LIST_OF(struct watch_statement) statements; /* by key */
    double swap_bytes;     /* written by the host since it started; -1: it is not this host */
    double errors, fatals; /* lines of the log since the watch began */
    bool has_log;
};

/* A server under watch. */
struct watch_server {
    const struct deck *deck;
    const struct plan_server *server;
    struct settings_host host;
    PGconn *connection; /* NULL: closed */
    const char *schema; /* of pg_stat_statements, in the connection's database; NULL: none */
    const char *log;    /* path; NULL: not readable */
    off_t log_read;     /* up to there */
    double errors, fatals;
};

/* Connects, to a database that has pg_stat_statements if there is one, and finds the log. */
bool
watch_server_open(struct arena *arena, struct watch_server *server, struct error *err) MUST_CHECK;
void watch_server_close(struct watch_server *server);
bool watch_counts_read(struct arena *arena, struct watch_server *server,
                       struct watch_counts *ret_counts, struct error *err) MUST_CHECK;
/* NULL: not counted yet. */
const struct watch_statement *
watch_find_statement(const struct watch_counts *counts, const char *key);
