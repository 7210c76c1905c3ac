// SPDX-License-Identifier: MIT
#include "plan/direct.h"

#include "base/embed.h"

enum { PROBES = 5, ANSWER_MS = 2000 };

static bool
refuse(const char *reason, struct error *err)
{
    error_set(err, ERROR_REFUSED, "the connection goes through a pooler that %s", reason);
    return error_hint(err, "Give host and port of the server itself in the deck's conninfo: locks "
                           "and settings must last as long as the connection.");
}

static bool
ask(PGconn *connection, long long *ret_pid, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("plan/sql/session.sql")->text, 0, NULL, &result, err))
        return false;
    if (!pg_bool(result, 0, "has_settings"))
        return refuse("leaves out the settings of the session", err);
    *ret_pid = pg_integer(result, 0, "pid");
    return true;
}

/* pid 0: no answer, as of a pooler whose servers are all kept by their clients. */
static bool
ask_in_time(PGconn *connection, long long *ret_pid, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    bool is_ready;

    *ret_pid = 0;
    if (!pg_send(connection, "SELECT pg_catalog.pg_backend_pid() AS pid", err) ||
        !pg_wait(connection, ANSWER_MS, &is_ready, err))
        return false;
    if (!is_ready)
        return true;
    if (!pg_receive(connection, &result, err))
        return false;
    *ret_pid = pg_integer(result, 0, "pid");
    return true;
}

/* Two sessions in turn: one server that serves both, or two that serve one, are shared. */
static bool
compare(PGconn *connection, PGconn *other, long long pid, struct error *err)
{
    for (int i = 0; i < PROBES; i++) {
        long long now;
        long long others;
        if (!ask_in_time(other, &others, err) || !ask(connection, &now, err))
            return false;
        if (others == pid || now != pid)
            return refuse("gives the session to others after each transaction", err);
        if (others == 0)
            return true;
    }
    return true;
}

bool
plan_is_direct(const struct pg_target *target, PGconn *connection, struct error *err)
{
    const struct pg_connecting how = {.parallel = 1, .timeout_ms = ANSWER_MS};
    AUTO_PGCONN other = NULL;
    struct error fault = {0};
    long long pid;

    if (!ask(connection, &pid, err))
        return false;
    if (pid == PQbackendPID(connection))
        return true; /* a pooler gives its clients keys of its own */
    if (!pg_connect_all(target, 1, &how, &other, &fault, err))
        return false;
    return other == NULL || compare(connection, other, pid, err);
}
