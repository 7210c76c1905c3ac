// SPDX-License-Identifier: MIT
#include "cli/daemon.h"
#include "pool/daemon.h"

#include "base/embed.h"
#include "base/text.h"

#include <jansson.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_command {
    struct cli *cli;
    const char *file, *environment;
    bool has_root; /* --allow-root */
};

static void
print_faults(const struct deck_faults *faults)
{
    for (size_t i = 0; i < faults->list.count; i++)
        cli_print_error(&faults->list.items[i]);
}

static struct pool_daemon_options
daemon_options(const struct pool_command *command)
{
    return (struct pool_daemon_options){
        .deck = command->cli->deck_path,
        .file = command->file,
        .environment = command->environment,
        .sets = command->cli->sets.values.items,
        .set_count = command->cli->sets.values.count,
        .print_faults = print_faults,
    };
}

/* --- show: the console ---------------------------------------------------------------------- */

static void
print_table(const PGresult *result)
{
    int columns = PQnfields(result), rows = PQntuples(result);

    for (int row = -1; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            size_t width = strlen(PQfname(result, column));
            for (int i = 0; i < rows; i++) {
                size_t length = (size_t)PQgetlength(result, i, column);
                width = length > width ? length : width;
            }
            AUTO_TEXT cell = {0};
            text_append_visible(&cell, row < 0 ? PQfname(result, column)
                                               : PQgetvalue(result, row, column));
            bool is_last = column == columns - 1;
            printf("%-*s%s", is_last ? 0 : (int)width, text_chars(&cell), is_last ? "\n" : "  ");
        }
    }
}

static bool
print_json(const PGresult *result, struct error *err)
{
    json_t *list = json_array();

    for (int row = 0; row < PQntuples(result); row++) {
        json_t *object = json_object();
        for (int column = 0; column < PQnfields(result); column++)
            json_object_set_new(object, PQfname(result, column),
                                json_string(PQgetvalue(result, row, column)));
        json_array_append_new(list, object);
    }
    char *text = json_dumps(list, JSON_INDENT(2));
    json_decref(list);
    if (text == NULL)
        return error_set(err, ERROR_INTERNAL, "what the pool says is not UTF-8");
    puts(text);
    free(text);
    return true;
}

/* Asks the console through the daemon's unix socket, as the same user. */
static bool
ask_console(struct pool_command *command, const char *sql, struct error *err)
{
    struct pool_daemon_options options = daemon_options(command);
    struct pool_config *config = pool_daemon_load(&options, err);
    char port[16];

    if (config == NULL)
        return false;
    snprintf(port, sizeof(port), "%d", config->pooler.port);
    const char *const keys[] = {"host", "port", "user", "dbname", "application_name", NULL};
    const char *const values[] = {config->socket_folder, port, "pgdeck", "pgdeck", "pgdeck", NULL};
    PGconn *connection = PQconnectdbParams(keys, values, 0);
    PGresult *result = PQstatus(connection) == CONNECTION_OK ? PQexec(connection, sql) : NULL;
    bool is_fine = false;

    if (result == NULL) {
        error_set(err, ERROR_UNREACHABLE, "cannot ask the pool: %s", PQerrorMessage(connection));
        error_hint(err, "Does it run, as this user, with the same deck or file?");
    } else if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        is_fine = !command->cli->is_json || print_json(result, err);
        if (!command->cli->is_json)
            print_table(result);
    } else if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        is_fine = true;
    } else {
        error_set(err, ERROR_REFUSED, "%s", PQresultErrorMessage(result));
    }
    err->message[strcspn(err->message, "\n")] = '\0';
    PQclear(result);
    PQfinish(connection);
    pool_config_free(config);
    return is_fine;
}

/* --- render: pools in applications ---------------------------------------------------------- */

struct form {
    const char *name;
    const char *head; /* before the pools */
    const char *line; /* of a pool: $NAME $DATABASE $USER $HOST $PORT $MIN $MAX $WAIT_S ... */
};

static const struct form forms[] = {
    {"psycopg", "from psycopg_pool import ConnectionPool\n",
     "$NAME = ConnectionPool(\n"
     "    \"host=$HOST port=$PORT dbname=$DATABASE user=$USER\",\n"
     "    min_size=$MIN, max_size=$MAX, timeout=$WAIT_S, max_idle=$IDLE_S, max_lifetime=$AGE_S,\n"
     "    kwargs={\"options\": \"-c statement_timeout=$QUERY_MS\"})\n"},
    {"sqlalchemy", "from sqlalchemy import create_engine\nfrom sqlalchemy.engine import URL\n",
     "$NAME = create_engine(\n"
     "    URL.create(\"postgresql+psycopg\", username=\"$USER\", database=\"$DATABASE\",\n"
     "               query={\"host\": \"$HOST\", \"port\": \"$PORT\"}),\n"
     "    pool_size=$MIN, max_overflow=$MAX - $MIN, pool_timeout=$WAIT_S, pool_recycle=$AGE_S,\n"
     "    connect_args={\"options\": \"-c statement_timeout=$QUERY_MS\"})\n"},
    {"asyncpg", "import asyncpg\n",
     "$NAME = asyncpg.create_pool(\n"
     "    host=\"$HOST\", port=$PORT, database=\"$DATABASE\", user=\"$USER\",\n"
     "    min_size=$MIN, max_size=$MAX, max_inactive_connection_lifetime=$IDLE_S,\n"
     "    server_settings={\"statement_timeout\": \"$QUERY_MS\"})\n"},
    {"node-pg", "const { Pool } = require('pg');\n",
     "const $NAME = new Pool({\n"
     "  host: '$HOST', port: $PORT, database: '$DATABASE', user: '$USER',\n"
     "  min: $MIN, max: $MAX, connectionTimeoutMillis: $WAIT_MS, idleTimeoutMillis: $IDLE_MS,\n"
     "  maxLifetimeSeconds: $AGE_S, statement_timeout: $QUERY_MS,\n"
     "});\n"},
};
enum { FORM_COUNT = sizeof(forms) / sizeof(forms[0]) };

struct variable {
    const char *name;
    char value[256];
};

static void
print_filled(const char *text, const struct variable *variables, size_t count)
{
    for (; *text != '\0'; text++) {
        const struct variable *found = NULL;
        for (size_t i = 0; *text == '$' && i < count; i++) {
            size_t length = strlen(variables[i].name);
            bool is_longer = found != NULL && strlen(found->name) > length;
            if (strncmp(text + 1, variables[i].name, length) == 0 && !is_longer)
                found = &variables[i];
        }
        if (found == NULL) {
            putchar(*text);
        } else {
            fputs(found->value, stdout);
            text += strlen(found->name);
        }
    }
}

/* "127.0.0.1:5432" or ".../.s.PGSQL.5432" as host and port. */
static void
split_display(const char *display, char *host, size_t size, const char **ret_port)
{
    const char *socket_name = strstr(display, "/.s.PGSQL.");
    const char *end = socket_name != NULL ? socket_name : strrchr(display, ':');

    snprintf(host, size, "%.*s", (int)(end - display), display);
    *ret_port = socket_name != NULL ? end + strlen("/.s.PGSQL.") : end + 1;
}

static void
render_user(const struct form *form, const struct deck_pooler *pooler,
            const struct pool_route *route, const char *user)
{
    enum { SECOND_MS = 1000 };
    const size_t users = 1 + route->other_users.count;
    const int64_t max = route->max / (int64_t)users;
    const char *port;
    struct variable variables[] = {
        {"NAME", ""},    {"DATABASE", ""}, {"USER", ""},    {"HOST", ""},    {"PORT", ""},
        {"MIN", ""},     {"MAX", ""},      {"WAIT_S", ""},  {"WAIT_MS", ""}, {"IDLE_S", ""},
        {"IDLE_MS", ""}, {"AGE_S", ""},    {"QUERY_MS", ""}};
    const int64_t numbers[] = {route->min / (int64_t)users,
                               max < 1 ? 1 : max,
                               pooler->query_wait_timeout_ms / SECOND_MS,
                               pooler->query_wait_timeout_ms,
                               pooler->idle_timeout_ms / SECOND_MS,
                               pooler->idle_timeout_ms,
                               pooler->recycle_ms / SECOND_MS,
                               route->query_timeout_ms};

    snprintf(variables[0].value, sizeof(variables[0].value), "%s_%s", route->database, user);
    for (char *at = variables[0].value; *at != '\0'; at++) {
        bool is_plain =
            (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        *at = is_plain ? *at : '_';
    }
    snprintf(variables[1].value, sizeof(variables[1].value), "%s", route->server_database);
    snprintf(variables[2].value, sizeof(variables[2].value), "%s", user);
    split_display(route->address.display, variables[3].value, sizeof(variables[3].value), &port);
    snprintf(variables[4].value, sizeof(variables[4].value), "%s", port);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        snprintf(variables[5 + i].value, sizeof(variables[0].value), "%lld", (long long)numbers[i]);
    print_filled(form->line, variables, sizeof(variables) / sizeof(variables[0]));
}

/* Users that share a pool have one each, which together are not larger. */
static void
render_route(const struct form *form, const struct pool_config *config,
             const struct pool_route *route)
{
    putchar('\n');
    render_user(form, &config->pooler, route, route->user);
    for (size_t i = 0; i < route->other_users.count; i++) {
        putchar('\n');
        render_user(form, &config->pooler, route, route->other_users.items[i]);
    }
}

static bool
render(struct pool_command *command, const char *name, struct error *err)
{
    struct pool_daemon_options options = daemon_options(command);
    const struct form *form = NULL;

    if (strcmp(name, "auth-function") == 0) {
        fputs(embedded_file("pool/sql/pool_login.sql")->text, stdout);
        return true;
    }
    for (size_t i = 0; i < FORM_COUNT; i++)
        form = strcmp(forms[i].name, name) == 0 ? &forms[i] : form;
    if (form == NULL) {
        error_set(err, ERROR_USAGE, "pool render: there is no form \"%s\"", name);
        return error_hint(err,
                          "It is one of psycopg, sqlalchemy, asyncpg, node-pg, auth-function.");
    }
    struct pool_config *config = pool_daemon_load(&options, err);
    if (config == NULL)
        return false;
    fputs(form->head, stdout);
    for (size_t i = 0; i < config->routes.count; i++)
        render_route(form, config, &config->routes.items[i]);
    pool_config_free(config);
    return true;
}

/* --- the command ---------------------------------------------------------------------------- */

static bool
run_operands(struct pool_command *command, const struct cli_list *operands, struct error *err)
{
    size_t count = operands->values.count;
    const char *const *words = operands->values.items;

    if (count == 0) {
        struct pool_daemon_options options = daemon_options(command);
        return cli_refuse_root("pool", command->has_root, err) && pool_daemon_run(&options, err);
    }
    if (strcmp(words[0], "show") == 0 && count <= 2)
        return ask_console(
            command, arena_printf(command->cli->arena, "SHOW %s", count == 2 ? words[1] : "POOLS"),
            err);
    if (strcmp(words[0], "render") == 0 && count == 2)
        return render(command, words[1], err);
    error_set(err, ERROR_USAGE, "pool: \"%s\" is not understood", words[count - 1]);
    return error_hint(err, "It is pgdeck pool, pgdeck pool show WHAT or pgdeck pool render FORM.");
}

int
cmd_pool(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct pool_command pool = {.cli = cli};
    const struct cli_option options[] = {
        {"config", 'c', CLI_TEXT, "FILE", "a file for the pool alone, instead of a deck",
         &pool.file},
        {"environment", 'e', CLI_TEXT, "NAME", "only this environment of the deck; default: all",
         &pool.environment},
        {"allow-root", 0, CLI_FLAG, NULL, CLI_ALLOW_ROOT_HELP, &pool.has_root},
    };
    struct cli_list operands = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(options), argc, argv, &operands, err) ||
        !run_operands(&pool, &operands, err))
        return cli_failed(err);
    return 0;
}
