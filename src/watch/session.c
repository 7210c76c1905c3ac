// SPDX-License-Identifier: MIT
#include "watch/session.h"

#include "base/embed.h"
#include "base/interrupt.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void
watch_session_close(struct watch_session *session)
{
    PQfinish(session->connection);
    session->connection = NULL;
}

static void
drop_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

bool
watch_session_open(struct watch_session *session, const struct pg_target *target, struct error *err)
{
    const struct pg_connecting how = {.timeout_ms = WATCH_CONNECT_MS};
    struct error fault = {0};
    PGresult *result;

    if (!pg_connect_all(target, 1, &how, &session->connection, &fault, err))
        return false;
    if (session->connection == NULL) {
        *err = fault;
        return false;
    }
    PQsetNoticeReceiver(session->connection, drop_notice, NULL);
    if (PQsetnonblocking(session->connection, 1) != 0 ||
        !watch_session_run(session, embedded_file("watch/sql/session.sql")->text, WATCH_ANSWER_MS,
                           &result, err)) {
        watch_session_close(session);
        return false;
    }
    PQclear(result);
    return true;
}

/* Waits for the socket; false: stopped, or out of time. */
static bool
wait_socket(struct watch_session *session, bool is_writing, long long deadline, struct error *err)
{
    struct pollfd waits[] = {
        {.fd = PQsocket(session->connection),
         .events = (short)(POLLIN | (is_writing ? POLLOUT : 0))},
        {.fd = session->stop, .events = POLLIN},
        {.fd = interrupt_descriptor(), .events = POLLIN},
    };
    long long left = deadline - now_ms();

    if (left <= 0)
        return error_set(err, ERROR_UNREACHABLE, "no answer from the server");
    poll(waits, sizeof(waits) / sizeof(waits[0]), (int)left);
    if (waits[1].revents != 0 || waits[2].revents != 0)
        return interrupt_error(err);
    return true;
}

/* The last result of what was sent; the session is closed when there is none. */
static bool
take_result(struct watch_session *session, int timeout_ms, PGresult **ret_result, struct error *err)
{
    PGconn *connection = session->connection;
    long long deadline = now_ms() + timeout_ms;
    PGresult *result = NULL, *next;
    bool is_done = false;

    while (!is_done) {
        int unsent = PQflush(connection);
        if (unsent < 0 || PQconsumeInput(connection) == 0) {
            pg_fault(connection, NULL, err);
            err->code = ERROR_CONNECTION_LOST;
            goto lost;
        }
        while (!is_done && !PQisBusy(connection)) {
            next = PQgetResult(connection);
            is_done = next == NULL;
            if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR) {
                PQclear(next); /* the first fault is the one that is told */
            } else if (next != NULL) {
                PQclear(result);
                result = next;
            }
        }
        if (!is_done && !wait_socket(session, unsent > 0, deadline, err))
            goto lost;
    }
    if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK) {
        *ret_result = result;
        return true;
    }
    pg_fault(connection, result, err);
    PQclear(result);
    if (PQstatus(connection) == CONNECTION_BAD) {
        err->code = ERROR_CONNECTION_LOST;
        watch_session_close(session);
    }
    return false;
lost:
    PQclear(result);
    watch_session_close(session);
    return false;
}

bool
watch_session_prepare(struct watch_session *session, const char *name, const char *sql,
                      struct error *err)
{
    PGresult *result;

    if (PQsendPrepare(session->connection, name, sql, 0, NULL) == 0) {
        pg_fault(session->connection, NULL, err);
        watch_session_close(session);
        return false;
    }
    if (!take_result(session, WATCH_ANSWER_MS, &result, err))
        return false;
    PQclear(result);
    return true;
}

bool
watch_session_ask(struct watch_session *session, const char *name, int parameter_count,
                  const char *const *parameters, PGresult **ret_result, struct error *err)
{
    if (PQsendQueryPrepared(session->connection, name, parameter_count, parameters, NULL, NULL,
                            0) == 0) {
        pg_fault(session->connection, NULL, err);
        watch_session_close(session);
        return false;
    }
    return take_result(session, WATCH_ANSWER_MS, ret_result, err);
}

bool
watch_session_run(struct watch_session *session, const char *sql, int timeout_ms,
                  PGresult **ret_result, struct error *err)
{
    if (PQsendQuery(session->connection, sql) == 0) {
        pg_fault(session->connection, NULL, err);
        watch_session_close(session);
        return false;
    }
    return take_result(session, timeout_ms, ret_result, err);
}
