// SPDX-License-Identifier: MIT
/* The tree of sessions that wait for each other. */
#include "watch/document.h"

#include <stdlib.h>
#include <string.h>

bool
watch_is_blocked(const struct watch_collector *collector)
{
    const struct watch_server *server = collector->server;

    /* Locks are to be seen by all; who waits is not. */
    return server->waiting_for_lock > 0 || server->blocking != NULL || server->grant_sql[0] != '\0';
}

static json_t *
pids_of(const char *array)
{
    json_t *list = json_array();

    while (array != NULL && *array != '\0') {
        if (*array >= '0' && *array <= '9')
            json_array_append_new(list, json_integer(strtol(array, (char **)&array, 10)));
        else
            array++;
    }
    return list;
}

static json_t *
seconds(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? json_null() : watch_number(strtod(value, NULL));
}

static json_t *
session_of(const PGresult *result, int row)
{
    static const char *const texts[] = {"waits_for",   "lock_type", "database", "role",
                                        "application", "state",     "query",    "fix_sql"};
    json_t *session = json_object();

    json_object_set_new(session, "pid", json_integer(pg_integer(result, row, "pid")));
    json_object_set_new(session, "blockers", pids_of(pg_value(result, row, "blockers")));
    json_object_set_new(session, "waiting_s", seconds(result, row, "waiting_s"));
    json_object_set_new(session, "transaction_s", seconds(result, row, "transaction_s"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_object_set_new(session, texts[i], watch_json(pg_value(result, row, texts[i])));
    return session;
}

void
watch_read_blocking(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_server *server = collector->server;

    json_decref(server->blocking);
    server->blocking = NULL;
    server->blocking_at = now;
    if (PQntuples(result) > 0)
        server->blocking = json_array();
    for (int row = 0; row < PQntuples(result); row++)
        json_array_append_new(server->blocking, session_of(result, row));
}

json_t *
watch_blocking_document(struct watch *watch, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:f, s:o}", "deck", watch_json(server->deck->name), "server",
                      watch_json(server->server->name), "at", server->blocking_at, "sessions",
                      server->blocking == NULL ? json_array() : json_incref(server->blocking)));
    }
    return json_pack("{s:f, s:o}", "at", now, "servers", list);
}
