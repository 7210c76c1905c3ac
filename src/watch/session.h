/* The one connection of a collector. No call waits longer than it was told, whatever the server
 * does; after a fault that leaves the session in doubt it is closed. One thread. */
#pragma once
#include "pg/connection.h"

struct watch_session {
    PGconn *connection; /* NULL: closed */
    int stop;           /* readable: come to an end */
};

enum { WATCH_CONNECT_MS = 5000, WATCH_STATEMENT_MS = 5000, WATCH_ANSWER_MS = 8000 };

bool watch_session_open(struct watch_session *session, const struct pg_target *target,
                        struct error *err) MUST_CHECK;
void watch_session_close(struct watch_session *session);
bool watch_session_prepare(struct watch_session *session, const char *name, const char *sql,
                           struct error *err) MUST_CHECK;
/* Runs what was prepared with text parameters. ERROR_UNREACHABLE when there was no answer in time.
 */
bool watch_session_ask(struct watch_session *session, const char *name, int parameter_count,
                       const char *const *parameters, PGresult **ret_result,
                       struct error *err) MUST_CHECK;
/* Runs any statements by the simple protocol. */
bool watch_session_run(struct watch_session *session, const char *sql, int timeout_ms,
                       PGresult **ret_result, struct error *err) MUST_CHECK;
