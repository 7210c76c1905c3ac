// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/embed.h"
#include "base/state.h"
#include "pg/connection.h"
#include "security/password.h"

#include <stdio.h>

enum { HAS_FAULTS = 2 };

static void
say(const struct demo *demo, const char *what, const char *how)
{
    if (!demo->cli->is_json)
        printf("%-28s %s\n", what, how);
}

/* --- as a service ------------------------------------------------------------------------- */

/* With its password, which apply has made, to where it may go. */
static bool
come_in(struct demo *demo, const char *login, struct error *err)
{
    const struct pg_target target = {.conninfo = demo->service, .is_application = true};
    AUTO_PGCONN connection = NULL;
    AUTO_PGRESULT result = NULL;

    if (!pg_connect(&target, &connection, err) ||
        !pg_query(connection, embedded_file("security/sql/session_tls.sql")->text, 0, NULL, &result,
                  err))
        return error_wrap(err, "%s does not get in", login);
    const char *version = pg_value(result, 0, "version");
    if (version == NULL)
        return error_set(err, ERROR_INTERNAL, "%s came in without TLS", login);
    say(demo, login,
        arena_printf(demo->cli->arena, "%s, sslmode=verify-full, SCRAM-SHA-256", version));
    return true;
}

/* To a database of another environment, where it must not. */
static bool
is_kept_out(struct demo *demo, const char *login, const char *passfile, struct error *err)
{
    const struct deck *deck = demo->deck;
    const struct deck_database *other = NULL;
    AUTO_PGCONN connection = NULL;

    for (size_t i = 0; i < deck->databases.count && other == NULL; i++) {
        if (deck->databases.items[i].environment != demo->measured->environment)
            other = &deck->databases.items[i];
    }
    if (other == NULL)
        return true;
    const struct pg_target target = {
        .conninfo = local_server_tls_conninfo(demo->cli->arena, &demo->servers[DEMO_DECK],
                                              other->name, login, passfile),
        .is_application = true};
    if (pg_connect(&target, &connection, err))
        return error_set(err, ERROR_INTERNAL, "%s gets into \"%s\"", login, other->name);
    if (err->code != ERROR_AUTHENTICATION && err->code != ERROR_PRIVILEGE)
        return false;
    error_clear(err);
    say(demo, arena_printf(demo->cli->arena, "... in %s", other->name), "refused");
    return true;
}

static bool
try_service(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const struct deck_database *database = demo->measured;
    const char *state;

    if (database->services.count == 0)
        return true;
    if (!state_folder(arena, &state, err))
        return false;
    const char *login = deck_login_role(arena, database->environment, database->services.items[0]);
    const char *passfile = password_file_path(arena, state, demo->deck->name);
    demo->service = local_server_tls_conninfo(arena, &demo->servers[DEMO_DECK], database->name,
                                              login, passfile);
    return come_in(demo, login, err) && is_kept_out(demo, login, passfile, err);
}

/* --- the whole ---------------------------------------------------------------------------- */

/* The checklist; what fails there ends the demo. */
static bool
check(struct demo *demo, struct error *err)
{
    const char *const words[4] = {"security"};
    const char *transcript = arena_printf(demo->cli->arena, "%s/security.txt", demo->folder);
    int status;

    if (!demo_run(demo, words, transcript, &status, err))
        return false;
    demo_print_last_line(demo, transcript);
    if (status < HAS_FAULTS)
        return true;
    error_set(err, status == HAS_FAULTS ? ERROR_REFUSED : demo_code_of_status(status),
              "pgdeck security ended with status %d", status);
    return error_hint(err, "Its checklist is in \"%s\".", transcript);
}

/* What row-level security costs. */
static bool
measure_tenants(struct demo *demo, struct error *err)
{
    const char *const words[4] = {"security", "tenants"};
    const char *transcript = arena_printf(demo->cli->arena, "%s/tenants.txt", demo->folder);
    int status;

    if (demo->deck->tenants.column == NULL)
        return true;
    if (!demo_run(demo, words, transcript, &status, err))
        return false;
    demo_print_last_line(demo, transcript);
    return status < HAS_FAULTS || error_set(err, demo_code_of_status(status),
                                            "pgdeck security tenants ended with status %d", status);
}

bool
demo_secure(struct demo *demo, struct error *err)
{
    return try_service(demo, err) && check(demo, err) && measure_tenants(demo, err);
}
