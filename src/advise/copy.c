// SPDX-License-Identifier: MIT
#include "advise/copy.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "pg/script.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- rows --------------------------------------------------------------------------------- */

/* Everything that source sends goes to sink. */
static bool
pump(PGconn *source, PGconn *sink, struct error *err)
{
    char *row;
    int length;

    while ((length = PQgetCopyData(source, &row, 0)) > 0) {
        int is_sent = PQputCopyData(sink, row, length);
        PQfreemem(row);
        if (is_sent != 1)
            return pg_fault(sink, NULL, err);
        if (is_interrupted())
            return interrupt_error(err);
    }
    if (length == -2)
        return pg_fault(source, NULL, err);
    return PQputCopyEnd(sink, NULL) == 1 || pg_fault(sink, NULL, err);
}

/* Reads the results of COPY to their end. */
static bool
finish(PGconn *connection, struct error *err)
{
    bool is_fine = true;
    PGresult *result;

    while ((result = PQgetResult(connection)) != NULL) {
        if (is_fine && PQresultStatus(result) == PGRES_FATAL_ERROR)
            is_fine = pg_fault(connection, result, err);
        PQclear(result);
    }
    return is_fine;
}

static bool
start(PGconn *connection, const char *sql, ExecStatusType wanted, struct error *err)
{
    AUTO_PGRESULT result = PQexec(connection, sql);

    return PQresultStatus(result) == wanted || pg_fault(connection, result, err);
}

static bool
copy_rows(struct advise *run, struct advise_copy *copy, const struct advise_table *table,
          struct error *err)
{
    char percent[32] = "";

    if (table->rows > copy->max_rows) {
        snprintf(percent, sizeof(percent), "TABLESAMPLE SYSTEM (%.4f)",
                 100 * copy->max_rows / table->rows);
        copy->is_sampled = true;
    }
    advise_progress(run, "copying %s", table->name);
    return start(run->catalog,
                 pg_script(run->arena, "advise/sql/copy_out.sql",
                           PG_VARIABLES({"schema", table->schema}, {"table", table->name},
                                        {"sample", table->kind == 'm' ? "" : percent})),
                 PGRES_COPY_OUT, err) &&
           start(copy->connection,
                 pg_script(run->arena, "advise/sql/copy_in.sql",
                           PG_VARIABLES({"schema", table->schema}, {"table", table->name})),
                 PGRES_COPY_IN, err) &&
           pump(run->catalog, copy->connection, err) && finish(run->catalog, err) &&
           finish(copy->connection, err);
}

/* --- definitions -------------------------------------------------------------------------- */

/* Runs what file says is needed for the tables, in its order. What does not work is told and left
 * out unless it is needed. */
static bool
define(struct advise *run, struct advise_copy *copy, const char *file, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT oids = {0};

    text_append(&oids, "{");
    for (size_t i = 0; i < run->tables.list.count; i++)
        text_appendf(&oids, "%s%u", i == 0 ? "" : ",", run->tables.list.items[i]->oid);
    text_append(&oids, "}");
    const char *parameters[] = {text_chars(&oids)};
    if (!pg_query(run->catalog, embedded_file(file)->text, 1, parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct error fault = {0};
        if (pg_execute(copy->connection, pg_value(result, row, "sql"), &fault))
            continue;
        if (pg_bool(result, row, "is_needed")) {
            *err = fault;
            return error_wrap(err, "%s", pg_value(result, row, "what"));
        }
        advise_note(run, "The copy is without %s: %s.", pg_value(result, row, "what"),
                    fault.message);
    }
    return true;
}

static bool
is_first(const struct advise *run, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (run->tables.list.items[i] == run->tables.list.items[at])
            return false;
    }
    return true;
}

static bool
fill(struct advise *run, struct advise_copy *copy, struct error *err)
{
    if (!pg_execute(run->catalog, "SET statement_timeout = 0", err) ||
        !define(run, copy, "advise/sql/copy_tables.sql", err))
        return false;
    for (size_t i = 0; i < run->tables.list.count; i++) {
        const struct advise_table *table = run->tables.list.items[i];
        bool has_rows = strchr("rpm", table->kind) != NULL;
        if (has_rows && is_first(run, i) && !copy_rows(run, copy, table, err))
            return error_wrap(err, "cannot copy table \"%s\"", table->name);
    }
    advise_progress(run, "building the indexes that are there");
    return define(run, copy, "advise/sql/copy_indexes.sql", err);
}

/* --- what was left ------------------------------------------------------------------------ */

/* Private servers verify-PID whose pgdeck is gone. Under local_lock. */
static bool
clear_servers(struct advise *run, struct error *err)
{
    struct local_servers servers;

    if (!local_server_list(run->arena, &servers, err))
        return false;
    for (size_t i = 0; i < servers.list.count; i++) {
        const struct local_server *server = &servers.list.items[i];
        long pid;
        char rest;
        if (sscanf(server->name, "verify-%ld%c", &pid, &rest) != 1 || pid <= 0 ||
            kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        if (!local_server_destroy(server, err))
            return error_wrap(err, "cannot remove %s, left by a pgdeck that was killed",
                              server->name);
        advise_note(run, "Removed %s, left by a pgdeck that was killed.", server->name);
    }
    return true;
}

static bool
clear_databases(struct advise *run, PGconn *connection, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/copy_leftovers.sql")->text, 0, NULL,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *name = pg_value(result, row, "name");
        if (!pg_execute(
                connection,
                pg_script(run->arena, "advise/sql/copy_drop.sql", PG_VARIABLES({"name", name})),
                err))
            return error_wrap(err, "cannot drop %s, left by a pgdeck that was killed", name);
        advise_note(run, "Dropped database %s, left by a pgdeck that was killed.", name);
    }
    return true;
}

/* --- where -------------------------------------------------------------------------------- */

static bool
make_server(struct advise *run, struct advise_copy *copy, struct error *err)
{
    struct local_recipe recipe = {.name = arena_printf(run->arena, "verify-%ld", (long)getpid()),
                                  .is_brief = true};
    int lock;

    advise_progress(run, "starting a private server");
    if (!local_programs_find(run->arena, 0, &recipe.programs, err) ||
        !local_lock(run->arena, &lock, err))
        return false;
    copy->has_server =
        clear_servers(run, err) && local_server_create(run->arena, &recipe, &copy->server, err);
    bool is_fine = copy->has_server && local_server_start(run->arena, &copy->server, err);
    local_unlock(lock);
    if (!is_fine)
        return false;
    const struct pg_target target = {.conninfo =
                                         local_server_conninfo(run->arena, &copy->server, NULL)};
    return pg_connect(&target, &copy->connection, err) && fill(run, copy, err);
}

static bool
bear_name(PGconn *connection, const char *name, struct error *err)
{
    const char *parameters[] = {name};
    AUTO_PGRESULT result = NULL;

    return pg_query(connection, embedded_file("advise/sql/copy_maker.sql")->text, 1, parameters,
                    &result, err);
}

static bool
make_database(struct advise *run, struct advise_copy *copy, struct error *err)
{
    struct pg_target target = run->target;
    const char *name = arena_printf(run->arena, "pgdeck_verify_%ld", (long)getpid());

    PQfinish(run->catalog);
    PQfinish(run->planner);
    run->catalog = NULL;
    run->planner = NULL;
    target.database = strcmp(run->database, "postgres") == 0 ? "template1" : "postgres";
    advise_progress(run, "copying database %s", run->database);
    if (!pg_connect(&target, &copy->elsewhere, err) || !bear_name(copy->elsewhere, name, err) ||
        !clear_databases(run, copy->elsewhere, err))
        return false;
    copy->database = name;
    if (!pg_execute(copy->elsewhere,
                    pg_script(run->arena, "advise/sql/copy_database.sql",
                              PG_VARIABLES({"name", name}, {"template", run->database})),
                    err)) {
        if (err->code == ERROR_INTERRUPTED)
            return false; /* it may be there all the same */
        copy->database = NULL;
        return error_hint(err, "A template must have no other session; --copy private needs no "
                               "such thing.");
    }
    target.database = name;
    return pg_connect(&target, &copy->connection, err);
}

/* Statements find tables there as they did. */
static bool
set_session(struct advise *run, struct advise_copy *copy, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[] = {run->schemas};

    return pg_execute(copy->connection, "VACUUM ANALYZE", err) &&
           pg_query(copy->connection, embedded_file("advise/sql/copy_session.sql")->text, 1,
                    parameters, &result, err);
}

bool
advise_copy_make(struct advise *run, struct advise_copy *copy, struct error *err)
{
    struct error ignored = {0};
    bool is_made = copy->kind == ADVISE_COPY_PRIVATE ? make_server(run, copy, err)
                                                     : make_database(run, copy, err);

    if (is_made && set_session(run, copy, err))
        return true;
    if (!advise_copy_remove(run, copy, &ignored))
        advise_note(run, "The copy could not be removed: %s.", ignored.message);
    return false;
}

/* Not by pg_execute, which does nothing once interrupted: the copy is as large as the original. */
static bool
drop_database(struct advise *run, struct advise_copy *copy, struct error *err)
{
    struct pg_target target = run->target;
    const char *sql =
        pg_script(run->arena, "advise/sql/copy_drop.sql", PG_VARIABLES({"name", copy->database}));

    target.database = PQdb(copy->elsewhere);
    if (PQstatus(copy->elsewhere) == CONNECTION_OK) {
        AUTO_PGRESULT result = PQexec(copy->elsewhere, sql);
        if (PQresultStatus(result) == PGRES_COMMAND_OK)
            return true;
        if (PQstatus(copy->elsewhere) == CONNECTION_OK)
            return pg_fault(copy->elsewhere, result, err);
    }
    AUTO_PGCONN again = NULL;
    return pg_connect(&target, &again, err) && pg_execute(again, sql, err);
}

bool
advise_copy_remove(struct advise *run, struct advise_copy *copy, struct error *err)
{
    PQfinish(copy->connection);
    copy->connection = NULL;
    if (copy->has_server) {
        copy->has_server = false;
        return local_server_destroy(&copy->server, err);
    }
    bool is_fine = copy->database == NULL || drop_database(run, copy, err);
    PQfinish(copy->elsewhere);
    copy->elsewhere = NULL;
    copy->database = NULL;
    return is_fine;
}
