// SPDX-License-Identifier: MIT
#include "settings/reload.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "pg/connection.h"
#include "pg/script.h"
#include "settings/configuration.h"
#include "settings/kept.h"
#include "settings/statement.h"
#include "settings/value.h"

#include <string.h>

enum { WAIT_MS = 10000, STEP_MS = 10 };

static bool
load_time(struct arena *arena, PGconn *connection, const char **ret_time, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("settings/sql/load_time.sql")->text, 0, NULL, &result,
                  err))
        return false;
    *ret_time = arena_strdup(arena, pg_value(result, 0, "loaded_at"));
    return true;
}

/* The postmaster reads the files first and tells its sessions then: once this session has seen the
 * new configuration, every new one will, so that the next plan finds what this apply did. */
bool
settings_reload(struct arena *arena, PGconn *connection, struct error *err)
{
    const char *before, *now;

    if (!load_time(arena, connection, &before, err) ||
        !pg_execute(connection, embedded_file("settings/sql/reload.sql")->text, err))
        return false;
    for (int waited_ms = 0; waited_ms < WAIT_MS; waited_ms += STEP_MS) {
        if (!load_time(arena, connection, &now, err))
            return false;
        if (strcmp(before, now) != 0)
            return true;
        if (!interrupt_sleep_ms(STEP_MS, err))
            return false;
    }
    error_set(err, ERROR_REFUSED, "the server has not read its configuration again within %d s",
              WAIT_MS / 1000);
    return error_hint(err, "See its log: the new configuration may be faulty.");
}

/* --- what came of it ---------------------------------------------------------------------- */

static bool
check_files(const struct settings_configuration *configuration, PGconn *connection,
            struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!configuration->catalog->can_read_files)
        return true;
    if (!pg_query(connection, embedded_file("settings/sql/file_faults.sql")->text, 0, NULL, &result,
                  err))
        return false;
    if (PQntuples(result) == 0)
        return true;
    return error_set(err, ERROR_REFUSED, "%s:%lld is faulty (%s%s%s)", pg_value(result, 0, "file"),
                     pg_integer(result, 0, "line"), pg_value(result, 0, "name"),
                     pg_value(result, 0, "name")[0] == '\0' ? "" : ": ",
                     pg_value(result, 0, "error"));
}

static const struct settings_assignment *
find_assignment(const struct settings_configuration *configuration, const char *name)
{
    for (size_t i = 0; i < configuration->assignments.count; i++) {
        if (strcmp(configuration->assignments.items[i].setting->name, name) == 0)
            return &configuration->assignments.items[i];
    }
    return NULL;
}

/* Whether the server has the value, or will have it after a restart. A value of this session's own
 * role or database hides the server's; some parameters a session keeps from its begin. */
static bool
has_taken(const struct settings_assignment *assignment, const PGresult *result, int row)
{
    struct catalog_setting now = *assignment->setting;

    now.setting = pg_value(result, row, "setting");
    now.source = pg_value(result, row, "source");
    now.is_pending_restart = pg_bool(result, row, "pending_restart");
    bool is_of_begin =
        strcmp(now.context, "backend") == 0 || strcmp(now.context, "superuser-backend") == 0;
    return setting_is_hidden(&now) || is_of_begin || now.is_pending_restart ||
           settings_is_equal(assignment->rule, &now, now.setting, assignment->value);
}

static bool
check_values(struct change_execution *execution, struct error *err)
{
    const struct settings_configuration *configuration = execution->change->argument;
    struct arena *arena = execution->arena;
    size_t count = configuration->assignments.count;
    const char **names = ARENA_ARRAY(arena, const char *, count + 1);
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < count; i++)
        names[i] = configuration->assignments.items[i].setting->name;
    const char *parameter = pg_text_array(arena, names, count);
    if (!pg_query(execution->connection, embedded_file("settings/sql/reloaded.sql")->text, 1,
                  &parameter, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        const struct settings_assignment *assignment =
            find_assignment(configuration, pg_value(result, row, "name"));
        if (assignment == NULL || has_taken(assignment, result, row))
            continue;
        error_set(err, ERROR_REFUSED, "%s is %s after the reload, not %s", assignment->name,
                  pg_value(result, row, "setting"), assignment->value);
        return error_place(err, assignment->place);
    }
    return true;
}

/* --- the way back ------------------------------------------------------------------------- */

static bool
undo_statements(const struct settings_configuration *configuration, PGconn *connection,
                struct error *err)
{
    for (size_t i = configuration->assignments.count; i > 0; i--) {
        const char *undo = configuration->assignments.items[i - 1].undo;
        if (undo != NULL && !pg_execute(connection, undo, err))
            return false;
    }
    return true;
}

static bool
put_back(struct change_execution *execution, struct error *err)
{
    const struct settings_configuration *configuration = execution->change->argument;
    struct arena *arena = execution->arena;
    struct error back = {0};
    bool is_here = configuration->host.is_here;

    bool is_back = is_here ? kept_restore(arena, &configuration->host, execution->apply_id, &back)
                           : undo_statements(configuration, execution->connection, &back);
    if (is_back && settings_reload(arena, execution->connection, &back))
        return error_wrap(err,
                          "the server did not take the new configuration; the old one is back");
    error_wrap(err, "the server did not take the new configuration");
    return error_detail(err, "Nor could the old one be put back: %s.", back.message);
}

static bool
reload(struct change_execution *execution, struct error *err)
{
    const struct settings_configuration *configuration = execution->change->argument;
    PGconn *connection = execution->connection;

    if (check_files(configuration, connection, err) &&
        settings_reload(execution->arena, connection, err) && check_values(execution, err))
        return true;
    return err->code == ERROR_REFUSED ? put_back(execution, err) : false;
}

const struct change_procedure settings_reload_procedure = {"reload", reload};
