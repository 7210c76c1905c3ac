// SPDX-License-Identifier: MIT
#include "advise/snapshot.h"

#include "base/embed.h"
#include "base/file.h"
#include "pg/script.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static double
number(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

/* --- from the server ---------------------------------------------------------------------- */

static bool
read_statements(struct arena *arena, PGconn *connection, struct advise_snapshot *snapshot,
                struct error *err)
{
    AUTO_PGRESULT there = NULL;
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/statements_there.sql")->text, 0, NULL,
                  &there, err))
        return false;
    const char *schema = pg_value(there, 0, "schema");
    if (schema == NULL) {
        error_set(err, ERROR_SQL, "pg_stat_statements is not installed in this database");
        return error_hint(err, "Add it (the library in shared_preload_libraries, then CREATE "
                               "EXTENSION pg_stat_statements), or give a file of statements.");
    }
    if (!pg_query(connection,
                  pg_script(arena, "advise/sql/statements.sql", PG_VARIABLES({"schema", schema})),
                  0, NULL, &result, err))
        return error_wrap(err, "cannot read pg_stat_statements");
    for (int row = 0; row < PQntuples(result); row++) {
        if (row == 0) {
            snapshot->hidden = (size_t)pg_integer(result, row, "hidden");
            snapshot->utilities = (size_t)pg_integer(result, row, "utilities");
            snapshot->beyond = (size_t)pg_integer(result, row, "queries");
        }
        if (pg_bool(result, row, "is_aside"))
            continue;
        snapshot->beyond--;
        *LIST_ADD(arena, &snapshot->statements) =
            (struct advise_counter){.id = arena_strdup(arena, pg_value(result, row, "queryid")),
                                    .sql = arena_strdup(arena, pg_value(result, row, "query")),
                                    .calls = number(result, row, "calls"),
                                    .total_ms = number(result, row, "total_ms"),
                                    .rows = number(result, row, "rows")};
    }
    return true;
}

bool
advise_snapshot_scans(struct arena *arena, PGconn *connection, struct advise_snapshot *snapshot,
                      struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/scans.sql")->text, 0, NULL, &result, err))
        return false;
    snapshot->database = arena_strdup(arena, pg_value(result, 0, "database"));
    snapshot->taken_at = arena_strdup(arena, pg_value(result, 0, "taken_at"));
    for (int row = 0; row < PQntuples(result); row++) {
        if (pg_value(result, row, "name") == NULL)
            continue;
        *LIST_ADD(arena, &snapshot->scans) =
            (struct advise_scan){.schema = arena_strdup(arena, pg_value(result, row, "schema")),
                                 .name = arena_strdup(arena, pg_value(result, row, "name")),
                                 .scans = number(result, row, "scans")};
    }
    return true;
}

bool
advise_snapshot_read(struct arena *arena, PGconn *connection, struct advise_snapshot *ret_snapshot,
                     struct error *err)
{
    struct advise_snapshot snapshot = {0};

    if (!read_statements(arena, connection, &snapshot, err) ||
        !advise_snapshot_scans(arena, connection, &snapshot, err))
        return false;
    *ret_snapshot = snapshot;
    return true;
}

/* --- in a file ---------------------------------------------------------------------------- */

bool
advise_snapshot_save(const struct advise_snapshot *snapshot, const char *path, struct error *err)
{
    json_t *statements = json_array();
    json_t *scans = json_array();

    for (size_t i = 0; i < snapshot->statements.count; i++) {
        const struct advise_counter *counter = &snapshot->statements.items[i];
        json_array_append_new(statements,
                              json_pack("{s:s, s:s, s:f, s:f, s:f}", "id", counter->id, "sql",
                                        counter->sql, "calls", counter->calls, "total_ms",
                                        counter->total_ms, "rows", counter->rows));
    }
    for (size_t i = 0; i < snapshot->scans.count; i++) {
        const struct advise_scan *scan = &snapshot->scans.items[i];
        json_array_append_new(scans, json_pack("{s:s, s:s, s:f}", "schema", scan->schema, "name",
                                               scan->name, "scans", scan->scans));
    }
    json_t *all = json_pack("{s:s, s:s, s:o, s:o}", "database", snapshot->database, "taken_at",
                            snapshot->taken_at, "statements", statements, "scans", scans);
    char *text = all == NULL ? NULL : json_dumps(all, JSON_INDENT(1));
    json_decref(all);
    if (text == NULL)
        return error_set(err, ERROR_INTERNAL, "a statement is not UTF-8");
    bool is_fine = file_write(path, text, strlen(text), 0600, err);
    free(text);
    return is_fine;
}

static const char *
member(struct arena *arena, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return arena_strdup(arena, text == NULL ? "" : text);
}

static double
figure(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool
advise_snapshot_load(struct arena *arena, const char *path, struct advise_snapshot *ret_snapshot,
                     struct error *err)
{
    struct advise_snapshot snapshot = {0};
    json_error_t fault;
    const json_t *item;
    char *text;
    size_t length;
    size_t i;

    if (!file_read(arena, path, &text, &length, err))
        return false;
    json_t *all = json_loadb(text, length, 0, &fault);
    if (json_string_value(json_object_get(all, "taken_at")) == NULL) {
        json_decref(all);
        return error_set(err, ERROR_FILE, "%s: not a file of pgdeck index advise --save", path);
    }
    snapshot.database = member(arena, all, "database");
    snapshot.taken_at = member(arena, all, "taken_at");
    json_array_foreach(json_object_get(all, "statements"), i, item)
    {
        *LIST_ADD(arena, &snapshot.statements) =
            (struct advise_counter){.id = member(arena, item, "id"),
                                    .sql = member(arena, item, "sql"),
                                    .calls = figure(item, "calls"),
                                    .total_ms = figure(item, "total_ms"),
                                    .rows = figure(item, "rows")};
    }
    json_array_foreach(json_object_get(all, "scans"), i, item)
    {
        *LIST_ADD(arena, &snapshot.scans) =
            (struct advise_scan){.schema = member(arena, item, "schema"),
                                 .name = member(arena, item, "name"),
                                 .scans = figure(item, "scans")};
    }
    json_decref(all);
    *ret_snapshot = snapshot;
    return true;
}

/* --- between two -------------------------------------------------------------------------- */

const struct advise_counter *
advise_find_counter(const struct advise_snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->statements.count; i++) {
        if (strcmp(snapshot->statements.items[i].id, id) == 0)
            return &snapshot->statements.items[i];
    }
    return NULL;
}

const struct advise_scan *
advise_find_scan(const struct advise_snapshot *snapshot, const char *schema, const char *name)
{
    for (size_t i = 0; i < snapshot->scans.count; i++) {
        const struct advise_scan *scan = &snapshot->scans.items[i];
        if (strcmp(scan->schema, schema) == 0 && strcmp(scan->name, name) == 0)
            return scan;
    }
    return NULL;
}

void
advise_snapshot_subtract(struct advise_snapshot *snapshot, const struct advise_snapshot *before)
{
    size_t kept = 0;

    for (size_t i = 0; i < snapshot->statements.count; i++) {
        struct advise_counter counter = snapshot->statements.items[i];
        const struct advise_counter *old = advise_find_counter(before, counter.id);
        if (old != NULL && old->calls <= counter.calls && old->total_ms <= counter.total_ms) {
            counter.calls -= old->calls;
            counter.total_ms -= old->total_ms;
            counter.rows -= old->rows;
        }
        if (counter.calls > 0)
            snapshot->statements.items[kept++] = counter;
    }
    snapshot->statements.count = kept;
    for (size_t i = 0; i < snapshot->scans.count; i++) {
        struct advise_scan *scan = &snapshot->scans.items[i];
        const struct advise_scan *old = advise_find_scan(before, scan->schema, scan->name);
        if (old != NULL && old->scans <= scan->scans)
            scan->scans -= old->scans;
    }
}
