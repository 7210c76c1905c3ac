// SPDX-License-Identifier: MIT
/* pgdeck's own pool, where its console can be had: whose clients wait, and RECONNECT or KILL. */
#include "maintenance/rescue_run.h"

#include "base/state.h"
#include "pg/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
rescue_ask_pool(const struct rescue *rescue, const char *sql, PGresult **ret_result,
                struct error *err)
{
    const struct deck_pooler *pooler = &rescue->options->deck->pooler;
    const char *folder = pooler->socket_folder;
    char port[16];

    if (folder == NULL) {
        if (!state_folder(rescue->arena, &folder, err))
            return false;
        folder = arena_printf(rescue->arena, "%s/pool", folder);
    }
    snprintf(port, sizeof(port), "%d", pooler->port);
    const char *const keys[] = {
        "host", "port", "user", "dbname", "application_name", "connect_timeout", NULL};
    const char *const values[] = {folder, port, "pgdeck", "pgdeck", "pgdeck", "2", NULL};
    AUTO_PGCONN connection = PQconnectdbParams(keys, values, 0);
    if (PQstatus(connection) != CONNECTION_OK)
        return error_set(err, ERROR_UNREACHABLE, "there is no pool here");
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        *ret_result = result;
        return true;
    }
    error_set(err, ERROR_REFUSED, "the pool: %s", PQresultErrorMessage(result));
    PQclear(result);
    return false;
}

void
rescue_look_at_pool(struct rescue *rescue)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (!rescue_ask_pool(rescue, "SHOW POOLS", &result, &ignored))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *database = pg_keep_text(rescue->arena, result, row, "database");
        long long waiting = pg_integer(result, row, "cl_waiting");
        bool is_kill = rescue->options->has_pool_kill;
        if (waiting == 0)
            continue;
        rescue_say(rescue, "pool", "warning", NULL, "%lld clients of %s wait for a connection",
                   waiting, database);
        *LIST_ADD(rescue->arena, &rescue->report->offers) = (struct rescue_offer){
            .sight = "pool",
            .what =
                arena_printf(rescue->arena, "%s pool %s", is_kill ? "kill" : "reconnect", database),
            .why = is_kill ? "its clients and servers are ended at once"
                           : "its servers are replaced as they come free",
            .how = "console",
            .sql = arena_printf(rescue->arena, "%s %s", is_kill ? "KILL" : "RECONNECT",
                                pg_identifier(rescue->arena, database)),
            .outcome = "",
        };
    }
}
