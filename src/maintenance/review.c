// SPDX-License-Identifier: MIT
/* The monthly page: ages, statements, connections and pools, what was done. A file without anything
 * from elsewhere, to be read and kept. */
#include "maintenance/run.h"

#include "base/file.h"
#include "base/page.h"
#include "base/state.h"
#include "pg/script.h"

#include <stdio.h>
#include <string.h>

/* The rows as an array of objects, each cell a text. */
static json_t *
rows_of(const PGresult *result)
{
    json_t *list = json_array();

    for (int row = 0; row < PQntuples(result); row++) {
        json_t *object = json_object();
        for (int column = 0; column < PQnfields(result); column++)
            json_object_set_new(object, PQfname(result, column),
                                json_string(PQgetvalue(result, row, column)));
        json_array_append_new(list, object);
    }
    return list;
}

static bool
add_query(struct maintenance_run *run, json_t *page, const char *name, const char *path,
          struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, path, 0, NULL, &result, err))
        return false;
    json_object_set_new(page, name, rows_of(result));
    return true;
}

static bool
add_statements(struct maintenance_run *run, json_t *page, struct error *err)
{
    AUTO_PGRESULT extension = NULL;
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/review_extension.sql", 0, NULL, &extension, err))
        return false;
    if (PQntuples(extension) == 0)
        return true;
    const char *sql = pg_script(run->arena, "maintenance/sql/review_statements.sql",
                                PG_VARIABLES({"schema", pg_value(extension, 0, "schema")}));
    if (!pg_query(run->connection, sql, 0, NULL, &result, err))
        return false;
    json_object_set_new(page, "statements", rows_of(result));
    return true;
}

static bool
is_served(const struct deck_database *database, const char *service)
{
    for (size_t i = 0; i < database->services.count; i++) {
        if (strcmp(database->services.items[i], service) == 0)
            return true;
    }
    return false;
}

static bool
add_pools(struct maintenance_run *run, json_t *page, struct error *err)
{
    const struct deck_environment *environment = run->database->environment;
    json_t *list = json_array();

    json_object_set_new(page, "pools", list);
    for (size_t i = 0; i < environment->pools.count; i++) {
        const struct deck_pool *pool = &environment->pools.items[i];
        const char *role = deck_login_role(run->arena, environment, pool->service);
        const char *parameters[1] = {role};
        AUTO_PGRESULT result = NULL;
        if (!is_served(run->database, pool->service))
            continue;
        if (!maintenance_query(run, "maintenance/sql/review_pool.sql", 1, parameters, &result, err))
            return false;
        json_t *rows = rows_of(result);
        json_t *row = json_array_get(rows, 0);
        json_object_set_new(row, "service", json_string(pool->service));
        json_object_set_new(row, "role", json_string(role));
        json_object_set_new(row, "max", json_integer(pool->max));
        json_array_append(list, row);
        json_decref(rows);
    }
    return true;
}

static void
add_run(const struct maintenance_run *run, json_t *page)
{
    json_t *tasks = json_array();
    json_t *findings = json_array();

    for (size_t i = 0; i < run->report->tasks.count; i++) {
        const struct maintenance_task *task = &run->report->tasks.items[i];
        if (task->state == MAINTENANCE_PLANNED)
            continue; /* the page itself */
        const char *state = maintenance_state_name(task->state);
        if (task->error[0] != '\0')
            state = arena_printf(run->arena, "%s: %s", state, task->error);
        json_array_append_new(tasks,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "what", task->what, "why",
                                        task->why == NULL ? "" : task->why, "state", state,
                                        "seconds", arena_printf(run->arena, "%.1f", task->took_s),
                                        "gained", task->gained));
    }
    for (size_t i = 0; i < run->report->findings.count; i++) {
        const struct maintenance_finding *finding = &run->report->findings.items[i];
        json_array_append_new(findings, json_pack("{s:s, s:s, s:s?}", "severity",
                                                  maintenance_severity_name(finding->severity),
                                                  "text", finding->text, "sql", finding->sql));
    }
    json_object_set_new(page, "tasks", tasks);
    json_object_set_new(page, "findings", findings);
}

static bool
choose_file(struct maintenance_run *run, const char *date, const char **ret_path, struct error *err)
{
    const char *folder = run->options->page;
    const char *name = run->database->name;
    char *safe = arena_strdup(run->arena, name);

    if (folder == NULL) {
        if (!state_folder(run->arena, &folder, err))
            return false;
        folder = arena_printf(run->arena, "%s/maintenance", folder);
    }
    for (char *at = safe; *at != '\0'; at++) {
        if (*at == '/' || (*at == '.' && at == safe))
            *at = '_';
    }
    *ret_path = arena_printf(run->arena, "%s/%s-%s.html", folder, safe, date);
    return file_make_folder(folder, 0700, err);
}

static bool
write_page(struct maintenance_run *run, struct maintenance_task *task, struct error *err)
{
    json_t *page = json_pack("{s:s, s:s}", "database", run->database->name, "environment",
                             run->database->environment->name);
    AUTO_PGRESULT today = NULL;
    AUTO_TEXT text = {0};
    const char *path;

    add_run(run, page);
    bool is_fine =
        pg_query(run->connection, "SELECT current_date::text AS date", 0, NULL, &today, err) &&
        add_query(run, page, "past", "maintenance/sql/review_past.sql", err) &&
        add_query(run, page, "freeze", "maintenance/sql/review_freeze.sql", err) &&
        add_query(run, page, "sessions", "maintenance/sql/review_sessions.sql", err) &&
        add_statements(run, page, err) && add_pools(run, page, err) &&
        choose_file(run, pg_value(today, 0, "date"), &path, err);
    if (is_fine) {
        json_object_set_new(page, "date", json_string(pg_value(today, 0, "date")));
        page_fill(&text, "maintenance/assets/review.html", page);
        is_fine = file_write(path, text_chars(&text), text.length, 0600, err);
    }
    json_decref(page);
    if (!is_fine)
        return false;
    run->report->page = path;
    task->gained = path;
    return true;
}

bool
maintenance_find_review(struct maintenance_run *run, struct error *err)
{
    struct maintenance_task *task = maintenance_add(run, "page", "write the page of the month",
                                                    "ages, statements, connections and pools");

    (void)err; /* looking for this work cannot fail */
    task->perform = write_page;
    return true;
}
