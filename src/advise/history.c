// SPDX-License-Identifier: MIT
#include "advise/snapshot.h"

#include "base/embed.h"

#include <stdlib.h>
#include <string.h>

static double
number(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

static bool
check_there(PGconn *connection, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/history_there.sql")->text, 0, NULL, &result,
                  err))
        return false;
    if (pg_bool(result, 0, "has_journal") && pg_bool(result, 0, "has_history"))
        return true;
    error_set(err, ERROR_USAGE,
              pg_bool(result, 0, "has_history") ? "pgdeck has built no index in this database"
                                                : "this database keeps no history");
    return error_hint(err, "index review --since FILE compares with what pgdeck index advise "
                           "--save FILE kept.");
}

static bool
is_built(const PGresult *built, const struct advise_scan *scan)
{
    for (int row = 0; row < PQntuples(built); row++) {
        if (strcmp(pg_value(built, row, "schema"), scan->schema) == 0 &&
            strcmp(pg_value(built, row, "name"), scan->name) == 0)
            return true;
    }
    return false;
}

static bool
read_statements(struct arena *arena, PGconn *connection, struct advise_snapshot *before,
                struct advise_snapshot *now, struct error *err)
{
    const char *parameters[] = {before->taken_at, before->ended_at};
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/history_statements.sql")->text, 2,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct advise_counter counter = {.id = pg_keep_text(arena, result, row, "query_id"),
                                         .sql = pg_keep_text(arena, result, row, "query"),
                                         .calls = number(result, row, "before_calls"),
                                         .total_ms = number(result, row, "before_ms")};
        if (counter.calls > 0)
            *LIST_ADD(arena, &before->statements) = counter;
        counter.calls = number(result, row, "calls");
        counter.total_ms = number(result, row, "total_ms");
        counter.rows = number(result, row, "rows");
        if (counter.calls > 0)
            *LIST_ADD(arena, &now->statements) = counter;
    }
    if (now->statements.count > 0)
        return true;
    error_set(err, ERROR_SQL, "the history has nothing yet since the indexes were built (%s)",
              before->ended_at);
    return error_hint(err, "monitoring.record_performance_metrics() samples it: from the second "
                           "sample after the apply on there is something to compare.");
}

bool
advise_history_read(struct arena *arena, PGconn *connection, struct advise_snapshot *ret_before,
                    struct advise_snapshot *ret_now, struct error *err)
{
    struct advise_snapshot before = {0};
    struct advise_snapshot now = {0};
    AUTO_PGRESULT built = NULL;

    if (!check_there(connection, err) ||
        !pg_query(connection, embedded_file("advise/sql/history_built.sql")->text, 0, NULL, &built,
                  err))
        return false;
    if (PQntuples(built) == 0)
        return error_set(err, ERROR_USAGE, "pgdeck has built no index in this database");
    if (!advise_snapshot_scans(arena, connection, &now, err))
        return false;
    before.database = now.database;
    before.taken_at = pg_keep_text(arena, built, 0, "began");
    before.ended_at = pg_keep_text(arena, built, 0, "ended");
    for (size_t i = 0; i < now.scans.count; i++) {
        if (!is_built(built, &now.scans.items[i]))
            *LIST_ADD(arena, &before.scans) = now.scans.items[i];
    }
    if (!read_statements(arena, connection, &before, &now, err))
        return false;
    *ret_before = before;
    *ret_now = now;
    return true;
}
