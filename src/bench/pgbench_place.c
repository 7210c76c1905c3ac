// SPDX-License-Identifier: MIT
#include "bench/pgbench.h"

#include "base/embed.h"
#include "base/process.h"
#include "base/tree.h"
#include "local/programs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "made by pgdeck bench"

static const char *const names[BENCH_ARMS] = {"pgdeck_bench_before", "pgdeck_bench_after"};

enum {
    MEGABYTES_A_SCALE = 40, /* data, WAL and bloat of the updates */
    SPARE_MEGABYTES = 500,
    VERSION_TIMEOUT_MS = 10000,
};

/* --- before anything runs ------------------------------------------------------------------- */

int64_t
pgbench_needed_megabytes(const struct bench_options *options)
{
    return SPARE_MEGABYTES + (int64_t)options->scale * MEGABYTES_A_SCALE;
}

static bool
check_space(const struct pgbench *pgbench, PGconn *connection, const char *folder,
            struct error *err)
{
    const struct bench_options *options = pgbench->run->options;

    if (bench_check_room(connection, folder, pgbench_needed_megabytes(options), err))
        return true;
    error_wrap(err, "pgbench at scale %d", options->scale);
    return error_hint(err, "Give a smaller --scale.");
}

static bool
check_place(struct pgbench *pgbench, size_t arm, struct error *err)
{
    struct bench_session session = {.connection = pgbench->places[arm].server,
                                    .label = pgbench->run->options->arms[arm].label};
    AUTO_PGRESULT rows = NULL;

    pgbench->places[arm].name = names[arm];
    if (!bench_ask(&session, "bench/sql/scratch.sql", names[arm], &rows, err))
        return false;
    if (pg_bool(rows, 0, "is_standby"))
        return error_set(err, ERROR_REFUSED, "server \"%s\" is in recovery: pgbench writes",
                         session.label);
    if (pg_bool(rows, 0, "is_there") && !pg_bool(rows, 0, "is_ours")) {
        error_set(err, ERROR_REFUSED,
                  "server \"%s\" has a database \"%s\" that is not pgdeck bench's", session.label,
                  names[arm]);
        return error_hint(err, "pgbench would need that name; rename the database, or leave out "
                               "--pgbench.");
    }
    if (!pg_bool(rows, 0, "may_create")) {
        error_set(err, ERROR_PRIVILEGE, "server \"%s\": \"%s\" may not create a database",
                  session.label, PQuser(session.connection));
        return error_hint(err, "pgbench works in a database of its own: ALTER ROLE ... CREATEDB.");
    }
    return check_space(pgbench, session.connection, pg_value(rows, 0, "data_directory"), err);
}

/* Debian's client package has a /usr/bin/pgbench that only looks for the real one. */
static bool
find_program(struct pgbench *pgbench, struct error *err)
{
    AUTO_TEXT output = {0};
    int status = 0;

    pgbench->program = local_program_find(pgbench->run->arena, "pgbench");
    const char *const arguments[] = {pgbench->program, "--version", NULL};
    const struct process_spec spec = {.arguments = arguments};
    if (pgbench->program == NULL) {
        error_set(err, ERROR_FILE, "the program pgbench is not there");
    } else {
        if (!process_run(&spec, VERSION_TIMEOUT_MS, &output, &status, err))
            return error_wrap(err, "pgbench");
        if (status == 0)
            return true;
        error_set(err, ERROR_FILE, "\"%s\" does not run", pgbench->program);
        error_detail(err, "%s", text_chars(&output));
    }
    return error_hint(err, "Install it: Debian has it in postgresql-15 (or the version at hand), "
                           "others in postgresql-contrib.");
}

bool
pgbench_check(struct pgbench *pgbench, struct error *err)
{
    struct bench_run *run = pgbench->run;

    if (!find_program(pgbench, err))
        return false;
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct pg_target target = run->options->arms[arm].target;
        target.is_application = true;
        if (!pg_connect(&target, &pgbench->places[arm].server, err))
            return error_wrap(err, "server \"%s\"", run->options->arms[arm].label);
        if (!check_place(pgbench, arm, err))
            return false;
    }
    return true;
}

/* --- the database --------------------------------------------------------------------------- */

/* The settings of the deck's database, so that pgbench gets what an application there would. */
static bool
copy_settings(struct pgbench *pgbench, size_t arm, struct error *err)
{
    struct arena *arena = pgbench->run->arena;
    struct bench_session session = {.connection = pgbench->places[arm].server,
                                    .label = pgbench->run->options->arms[arm].label};
    AUTO_PGRESULT rows = NULL;

    if (!bench_ask(&session, "bench/sql/database_settings.sql", PQdb(session.connection), &rows,
                   err))
        return false;
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *sql =
            arena_printf(arena, "ALTER DATABASE %s SET %s = %s", pgbench->places[arm].name,
                         pg_identifier(arena, pg_value(rows, row, "name")),
                         pg_literal(arena, pg_value(rows, row, "value")));
        if (!pg_execute(session.connection, sql, err))
            return false;
    }
    return true;
}

/* The variables that make libpq's programs connect as connection did; a password must not be seen
 * in the list of processes. */
static const char *const *
environment_of(struct arena *arena, PGconn *connection, const char *database)
{
    PQconninfoOption *options = PQconninfo(connection);
    LIST_OF(const char *) list = {0};

    *LIST_ADD(arena, &list) = "PATH=/usr/local/bin:/usr/bin:/bin";
    *LIST_ADD(arena, &list) = "LC_ALL=C";
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        bool is_database = strcmp(option->keyword, "dbname") == 0;
        if (option->envvar == NULL || option->val == NULL || option->val[0] == '\0' ||
            is_database || strcmp(option->keyword, "application_name") == 0)
            continue;
        *LIST_ADD(arena, &list) = arena_printf(arena, "%s=%s", option->envvar, option->val);
    }
    *LIST_ADD(arena, &list) = arena_printf(arena, "PGDATABASE=%s", database);
    *LIST_ADD(arena, &list) = "PGAPPNAME=pgdeck bench";
    PQconninfoFree(options);
    *LIST_ADD(arena, &list) = NULL;
    return list.items;
}

static bool
statement(struct pgbench_place *place, const char *before, const char *after, struct error *err)
{
    AUTO_TEXT sql = {0};

    text_appendf(&sql, "%s %s%s", before, place->name, after);
    return pg_execute(place->server, text_chars(&sql), err);
}

static bool
make_place(struct pgbench *pgbench, size_t arm, struct error *err)
{
    struct bench_run *run = pgbench->run;
    struct pgbench_place *place = &pgbench->places[arm];
    struct pg_target target = run->options->arms[arm].target;

    bench_progress(run, "pgbench -i: %s", run->options->arms[arm].label);
    target.is_application = true;
    target.database = place->name;
    if (!statement(place, "DROP DATABASE IF EXISTS", "", err) ||
        !statement(place, "CREATE DATABASE", "", err) ||
        !statement(place, "COMMENT ON DATABASE", " IS '" MARK "'", err) ||
        !copy_settings(pgbench, arm, err) || !pg_connect(&target, &place->database, err))
        return error_wrap(err, "server \"%s\"", run->options->arms[arm].label);
    place->environment = environment_of(run->arena, place->database, place->name);
    place->meter = (struct bench_meter){place->database, bench_postmaster_of(place->database)};
    return pgbench_fill(pgbench, arm, err);
}

bool
pgbench_make(struct pgbench *pgbench, struct error *err)
{
    char folder[] = "/tmp/pgdeck-bench-XXXXXX";

    if (mkdtemp(folder) == NULL)
        return error_errno(err, "cannot make a folder in /tmp");
    pgbench->folder = arena_strdup(pgbench->run->arena, folder);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!make_place(pgbench, arm, err))
            return false;
    }
    return true;
}

/* Also after Ctrl-C: not through pg_execute, which would give up at once. */
void
pgbench_remove(struct pgbench *pgbench)
{
    struct error ignored;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct pgbench_place *place = &pgbench->places[arm];
        bool is_made = place->environment != NULL || place->database != NULL;
        PQfinish(place->database);
        if (is_made)
            PQclear(PQexec(place->server,
                           arena_printf(pgbench->run->arena,
                                        "DROP DATABASE IF EXISTS %s WITH (FORCE)", place->name)));
        PQfinish(place->server);
        *place = (struct pgbench_place){0};
    }
    if (pgbench->folder != NULL && !tree_remove(pgbench->folder, &ignored))
        bench_log(pgbench->run, "%s: %s", pgbench->folder, ignored.message);
    pgbench->folder = NULL;
}
