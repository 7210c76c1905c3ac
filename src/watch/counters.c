// SPDX-License-Identifier: MIT
/* A server's own figures, and the counters of its databases, which may begin anew at any time. */
#include "watch/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double
watch_value(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

struct watch_collector *
watch_find_database(struct watch_collector *collector, unsigned oid)
{
    struct watch_generation *generation = collector->generation;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *one = &generation->collectors.items[i];
        if (one->server == collector->server && one->oid == oid)
            return one;
    }
    return NULL;
}

void
watch_read_server(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_server *server = collector->server;
    const char *grant = pg_value(result, 0, "grant_sql");

    (void)now;
    if (grant != NULL && server->grant_sql[0] == '\0')
        watch_log(collector->watch, "%s: what others' sessions do is not to be seen: %s",
                  server->server->name, grant);
    snprintf(server->grant_sql, sizeof(server->grant_sql), "%s", grant == NULL ? "" : grant);
    snprintf(server->version, sizeof(server->version), "%s", pg_value(result, 0, "version"));
    server->is_in_recovery = pg_bool(result, 0, "is_in_recovery");
    server->started_at = watch_value(result, 0, "started_at");
    server->max_connections = (int)pg_integer(result, 0, "max_connections");
    server->reserved_connections = (int)pg_integer(result, 0, "reserved_connections");
    server->replay_lag_s = watch_value(result, 0, "replay_lag_s");
    server->xid_age = watch_value(result, 0, "xid_age");
    server->multixact_age = watch_value(result, 0, "multixact_age");
    server->wal_bytes = watch_value(result, 0, "wal_bytes");
    server->is_known = true;
}

static const struct {
    const char *column;
    size_t offset;
} columns[] = {
#define COUNTER(name)                                                                              \
    {                                                                                              \
#name, offsetof(struct watch_counters, name)                                               \
    }
    COUNTER(commits),           COUNTER(rollbacks),    COUNTER(blocks_hit),
    COUNTER(blocks_read),       COUNTER(temp_files),   COUNTER(temp_bytes),
    COUNTER(deadlocks),         COUNTER(conflicts),    COUNTER(rows_read),
    COUNTER(rows_inserted),     COUNTER(rows_updated), COUNTER(rows_deleted),
    COUNTER(checksum_failures),
#undef COUNTER
};

static double *
counter(struct watch_counters *counters, size_t index)
{
    return (double *)(void *)((char *)counters + columns[index].offset);
}

/* What was counted since the reading before: where the counters began anew, all that they say. */
static void
add_counters(struct watch_collector *database, struct watch_counters *read, double now)
{
    struct watch_counters *before = &database->counters, deltas = {0};
    bool is_anew = !database->has_counters || read->counted_since != before->counted_since;

    for (size_t i = 0; i < WATCH_COUNTERS && !is_anew; i++)
        is_anew = *counter(read, i) < *counter(before, i);
    for (size_t i = 0; i < WATCH_COUNTERS; i++) {
        *counter(&deltas, i) = *counter(read, i) - (is_anew ? 0 : *counter(before, i));
        if (database->has_counters)
            *counter(&database->totals, i) += *counter(&deltas, i);
    }
    if (database->has_counters)
        watch_target_add(database->watch, database->server->deck, database->database->environment,
                         WATCH_CACHE_HIT, now,
                         (const double[]){deltas.blocks_hit, deltas.blocks_read});
    *before = *read;
    database->has_counters = true;
}

void
watch_read_databases(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_generation *generation = collector->generation;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *database = &generation->collectors.items[i];
        if (database->server != collector->server)
            continue;
        for (int row = 0; row < PQntuples(result); row++) {
            if (strcmp(pg_value(result, row, "name"), database->database->name) != 0)
                continue;
            struct watch_counters read = {.counted_since =
                                              watch_value(result, row, "counted_since")};
            for (size_t j = 0; j < WATCH_COUNTERS; j++)
                *counter(&read, j) = watch_value(result, row, columns[j].column);
            database->oid = (unsigned)pg_integer(result, row, "database_oid");
            database->xid_age = watch_value(result, row, "xid_age");
            add_counters(database, &read, now);
        }
    }
}
