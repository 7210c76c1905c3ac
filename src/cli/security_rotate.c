// SPDX-License-Identifier: MIT
/* pgdeck security rotate: another login with another password takes the place of a service's. In
 * two steps, between which both are valid, so that nobody is ever shut out. */
#include "cli/plan_output.h"
#include "cli/run_plan.h"
#include "cli/security.h"

#include "base/crash.h"
#include "base/embed.h"
#include "pg/connection.h"
#include "plan/plan.h"
#include "pool/config.h"
#include "security/password.h"

#include <stdio.h>
#include <string.h>

struct rotation {
    struct cli *cli;
    const struct deck *deck;
    const struct deck_environment *environment;
    const char *service;
    struct password_logins logins;
    bool is_yes, is_end;
};

static const struct deck_environment *
find_environment(const struct deck *deck, const char *name, struct error *err)
{
    for (size_t i = 0; i < deck->environments.count; i++) {
        if (strcmp(deck->environments.items[i].name, name) == 0)
            return &deck->environments.items[i];
    }
    error_set(err, ERROR_USAGE, "there is no environment \"%s\" in the deck", name);
    return NULL;
}

static bool
begin(struct rotation *rotation, const struct cli_list *operands, struct error *err)
{
    struct arena *arena = rotation->cli->arena;

    if (operands->values.count != 2)
        return error_set(err, ERROR_USAGE, "security rotate takes an environment and a service");
    rotation->service = operands->values.items[1];
    rotation->deck = cli_load_deck(rotation->cli, err);
    if (rotation->deck == NULL)
        return false;
    rotation->environment = find_environment(rotation->deck, operands->values.items[0], err);
    if (rotation->environment == NULL)
        return false;
    if (deck_find_pool(rotation->environment, rotation->service) == NULL)
        return error_set(err, ERROR_USAGE, "environment \"%s\" has no pool \"%s\"",
                         rotation->environment->name, rotation->service);
    const char *login = deck_login_role(arena, rotation->environment, rotation->service);
    if (!password_logins(arena, rotation->deck->name, login, &rotation->logins, err))
        return false;
    if (rotation->logins.is_known[0] || rotation->logins.is_known[1])
        return true;
    error_set(err, ERROR_REFUSED, "no password of %s is known on this machine", login);
    return error_hint(err, "Rotate where pgdeck applied, or give it as %s.",
                      deck_password_variable(arena, login));
}

/* --- the pool ------------------------------------------------------------------------------- */

static void
ignore_faults(const struct deck_faults *faults)
{
    (void)faults;
}

void
security_reload_pool(const struct cli *cli)
{
    struct error err = {0};
    char port[16];
    struct pool_config *config =
        pool_config_of_deck(cli->deck_path, NULL, NULL, 0, ignore_faults, &err);

    if (config == NULL)
        return;
    snprintf(port, sizeof(port), "%d", config->pooler.port);
    const char *const keys[] = {"host", "port", "user", "dbname", "connect_timeout", NULL};
    const char *const values[] = {config->socket_folder, port, "pgdeck", "pgdeck", "5", NULL};
    AUTO_PGCONN connection = PQconnectdbParams(keys, values, 0);
    AUTO_PGRESULT result =
        PQstatus(connection) == CONNECTION_OK ? PQexec(connection, "RELOAD") : NULL;
    bool is_done = result != NULL && PQresultStatus(result) == PGRES_COMMAND_OK;
    puts(is_done ? "The pool on this machine has taken it."
                 : "No pool was reloaded here: where one runs, send it SIGHUP.");
    pool_config_free(config);
}

/* --- steps ---------------------------------------------------------------------------------- */

/* retiring: NULL, or the login that is to go. */
static bool
apply(struct rotation *rotation, const char *retiring, const struct cli_locks *locks,
      struct error *err)
{
    static const char *const only[] = {"security"};
    const struct plan_filter filter = {.advisors = only, .advisor_count = 1, .retiring = retiring};
    const struct cli_consent consent = {.is_yes = rotation->is_yes, .has_drop = rotation->is_end};
    struct cli *cli = rotation->cli;
    struct plan plan;

    if (!plan_make(cli->arena, rotation->deck, &filter, &plan, err))
        return false;
    cli_print_plan(cli, &plan, false);
    bool is_fine = cli_run_plan(cli, &plan, &consent, locks, err);
    plan_release(&plan);
    return is_fine;
}

static bool
read_login(struct rotation *rotation, const char *login, PGresult **ret_result, struct error *err)
{
    const struct pg_target target = plan_target(rotation->environment->server, NULL);
    AUTO_PGCONN connection = NULL;

    return pg_connect(&target, &connection, err) &&
           pg_query(connection, embedded_file("security/sql/sessions_of.sql")->text, 1, &login,
                    ret_result, err);
}

/* A rotation that was not agreed to, or failed before its role was made, is none. */
static void
take_back(struct rotation *rotation, const char *fresh)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    if (read_login(rotation, fresh, &result, &ignored) && !pg_bool(result, 0, "is_there") &&
        password_forget(rotation->cli->arena, rotation->deck->name, fresh, &ignored))
        fprintf(stderr, "No rotation is under way: %s is the login as before.\n",
                rotation->logins.names[rotation->logins.current]);
}

static bool
start(struct rotation *rotation, const struct cli_locks *locks, struct error *err)
{
    const struct password_logins *logins = &rotation->logins;
    bool is_under_way = logins->is_known[0] && logins->is_known[1];
    size_t fresh = is_under_way ? logins->current : !logins->current;
    const char *password;

    if (!logins->is_given[fresh] && logins->is_given[!fresh]) {
        error_set(err, ERROR_REFUSED,
                  "the password of %s is given as %s: one that is made here "
                  "cannot take its place",
                  logins->names[!fresh],
                  deck_password_variable(rotation->cli->arena, logins->names[!fresh]));
        return error_hint(err, "Give that of %s as %s, too.", logins->names[fresh],
                          deck_password_variable(rotation->cli->arena, logins->names[fresh]));
    }
    if (!password_find_or_make(rotation->cli->arena, rotation->deck->name, logins->names[fresh],
                               &password, err))
        return false;
    if (!apply(rotation, NULL, locks, err)) {
        if (!is_under_way)
            take_back(rotation, logins->names[fresh]);
        return false;
    }
    security_reload_pool(rotation->cli);
    printf("%s takes the place of %s; both are valid. When all clients have changed:\n"
           "  pgdeck security rotate %s %s --finish\n",
           logins->names[fresh], logins->names[!fresh], rotation->environment->name,
           rotation->service);
    return true;
}

/* Nobody may be at work as the login that goes. */
static bool
check_sessions(struct rotation *rotation, const char *former, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!read_login(rotation, former, &result, err))
        return false;
    if (pg_integer(result, 0, "sessions") == 0)
        return true;
    error_set(err, ERROR_REFUSED, "%s is still logged in %lld times", former,
              pg_integer(result, 0, "sessions"));
    return error_detail(err, "From: %s.", pg_value(result, 0, "names"));
}

/* Its password is what tells that the rotation is under way: forgotten last, and only when the role
 * is gone. */
static bool
forget(struct rotation *rotation, const char *former, struct error *err)
{
    struct arena *arena = rotation->cli->arena;
    AUTO_PGRESULT result = NULL;
    const char *given;

    if (!read_login(rotation, former, &result, err))
        return false;
    if (pg_bool(result, 0, "is_there")) {
        error_set(err, ERROR_REFUSED, "role %s is still there", former);
        return error_hint(err, "The plan says why; --finish again goes on.");
    }
    if (!password_forget(arena, rotation->deck->name, former, err) ||
        !password_find(arena, rotation->deck->name, former, &given, err))
        return false;
    if (given != NULL)
        printf("%s is still given: take it away, or the next apply makes %s again.\n",
               deck_password_variable(arena, former), former);
    return true;
}

/* Whoever has not got it yet could not come in by it. */
static bool
check_fresh(struct rotation *rotation, const char *fresh, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!read_login(rotation, fresh, &result, err))
        return false;
    if (pg_bool(result, 0, "is_there"))
        return true;
    error_set(err, ERROR_REFUSED, "role %s is not there yet", fresh);
    return error_hint(err, "pgdeck security rotate %s %s, without --finish, goes on.",
                      rotation->environment->name, rotation->service);
}

/* Killed at any point it can be called again: until the password is forgotten. */
static bool
finish(struct rotation *rotation, const struct cli_locks *locks, struct error *err)
{
    const struct password_logins *logins = &rotation->logins;
    const char *former = logins->names[!logins->current];

    if (!logins->is_known[0] || !logins->is_known[1])
        return error_set(err, ERROR_REFUSED, "no rotation of %s is under way in %s",
                         rotation->service, rotation->environment->name);
    if (!check_fresh(rotation, logins->names[logins->current], err) ||
        !check_sessions(rotation, former, err) || !apply(rotation, former, locks, err))
        return false;
    crash_point();
    if (!forget(rotation, former, err))
        return false;
    crash_point();
    security_reload_pool(rotation->cli);
    return true;
}

int
security_rotate(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                struct error *err)
{
    struct rotation rotation = {.cli = cli};
    struct cli_list operands = {0};
    struct cli_locks locks = {0};
    const struct cli_option table[] = {
        {"finish", 0, CLI_FLAG, NULL, "drop the former login: all clients have changed",
         &rotation.is_end},
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &rotation.is_yes},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err) ||
        !begin(&rotation, &operands, err) ||
        !cli_take_locks(cli, rotation.deck, false, &locks, err))
        return cli_failed(err);
    bool is_fine = rotation.is_end ? finish(&rotation, &locks, err) : start(&rotation, &locks, err);
    cli_release_locks(&locks);
    return is_fine ? 0 : cli_failed(err);
}
