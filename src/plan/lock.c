// SPDX-License-Identifier: MIT
#include "plan/lock.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "plan/direct.h"
#include "plan/plan.h"

#include <stdio.h>
#include <unistd.h>

static bool
name_session(PGconn *connection, const char *purpose, struct error *err)
{
    char host[64] = "";
    char name[64];
    const char *parameters[1] = {name};
    AUTO_PGRESULT result = NULL;

    gethostname(host, sizeof(host) - 1);
    snprintf(name, sizeof(name), "pgdeck %s %.30s:%d", purpose, host, (int)getpid());
    return pg_query(connection, "SELECT set_config('application_name', $1, false)", 1, parameters,
                    &result, err);
}

static bool
name_holder(PGconn *connection, const struct deck_server *server, struct error *err)
{
    AUTO_PGRESULT holder = NULL;

    if (!pg_query(connection, embedded_file("plan/sql/lock_holder.sql")->text, 0, NULL, &holder,
                  err))
        return false;
    error_set(err, ERROR_LOCKED, "another apply or rollback runs on server \"%s\"", server->name);
    if (PQntuples(holder) > 0)
        error_detail(err, "\"%s\" (role %s, from %s, pid %s) holds the lock since %s.",
                     pg_value(holder, 0, "application_name"), pg_value(holder, 0, "role"),
                     pg_value(holder, 0, "address"), pg_value(holder, 0, "pid"),
                     pg_value(holder, 0, "since"));
    return error_hint(err, "Wait for its end, or give --wait.");
}

bool
plan_lock(const struct deck_server *server, const char *purpose, bool is_waiting,
          PGconn **ret_connection, struct error *err)
{
    /* Whoever was killed just now holds it until the server has noticed. */
    enum { RETRY_MS = 200, RETRIES = 10 };
    struct pg_target target = plan_target(server, NULL);
    PGconn *connection = NULL;

    if (!pg_connect(&target, &connection, err))
        return error_wrap(err, "server \"%s\"", server->name);
    if (!plan_is_direct(&target, connection, err)) {
        error_wrap(err, "server \"%s\"", server->name);
        goto fail;
    }
    if (!name_session(connection, purpose, err))
        goto fail;
    for (int tries = 0;; tries++) {
        AUTO_PGRESULT result = NULL;
        if (!pg_query(connection, embedded_file("plan/sql/lock_take.sql")->text, 0, NULL, &result,
                      err))
            goto fail;
        if (pg_bool(result, 0, "is_taken"))
            break;
        if (!is_waiting && tries == RETRIES) {
            name_holder(connection, server, err);
            goto fail;
        }
        if (!interrupt_sleep_ms(RETRY_MS, err))
            goto fail;
    }
    *ret_connection = connection;
    return true;
fail:
    PQfinish(connection);
    return false;
}

bool
plan_lock_is_held(PGconn *connection, struct error *err)
{
    if (pg_execute(connection, "SELECT 1", err))
        return true;
    return error_wrap(err, "the connection that holds the lock is gone");
}
