// SPDX-License-Identifier: MIT
#include "cli/tune.h"

#include "base/text.h"
#include "deck/units.h"
#include "plan/plan.h"
#include "settings/check_live.h"
#include "settings/derive.h"
#include "settings/parameters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tune_command {
    const char *explain, *render, *compare;
    const char *memory, *database_size; /* without a deck, as those that follow */
    const char *storage, *workload, *logging, *provider;
    long cpus, connections, version;
};

struct tune_servers {
    LIST_OF(struct tune_server) list;
};

enum { NOT_GIVEN = -1, NEWEST_CPUS = 4096, MOST_CONNECTIONS = 100000 };

/* --- without a server --------------------------------------------------------------------- */

static bool
is_offline(const struct tune_command *options)
{
    return options->memory != NULL || options->database_size != NULL || options->storage != NULL ||
           options->workload != NULL || options->logging != NULL || options->provider != NULL ||
           options->cpus != NOT_GIVEN || options->connections != NOT_GIVEN ||
           options->version != NOT_GIVEN;
}

/* word: one of words, in the order of an enum; NULL: the default. */
static bool
read_word(const char *option, const char *word, const char *const *words, int *ret_index,
          struct error *err)
{
    AUTO_TEXT all = {0};

    if (word == NULL)
        return true;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret_index = i;
            return true;
        }
        text_appendf(&all, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    error_set(err, ERROR_USAGE, "--%s: there is no \"%s\"", option, word);
    return error_hint(err, "It is one of %s.", text_chars(&all));
}

static bool
read_number(const char *option, long given, long least, long most, int *number, struct error *err)
{
    if (given == NOT_GIVEN)
        return true;
    if (given < least || given > most)
        return error_set(err, ERROR_USAGE, "--%s: %ld is not from %ld to %ld", option, given, least,
                         most);
    *number = (int)given;
    return true;
}

static bool
read_options(const struct tune_command *options, struct deck_server *server,
             struct deck_environment *environment, int *major, struct error *err)
{
    static const char *const storages[] = {"nvme", "ssd", "san", "hdd", NULL};
    static const char *const workloads[] = {"web", "oltp", "analytics", "mixed", "desktop", NULL};
    static const char *const loggings[] = {"verbose", "balanced", "minimal", NULL};
    static const char *const providers[] = {"auto",      "self",  "aws-rds", "aws-aurora",
                                            "cloud-sql", "azure", "patroni", NULL};
    int storage = STORAGE_SSD, workload = WORKLOAD_MIXED, logging = LOGGING_MINIMAL;
    int provider = PROVIDER_UNKNOWN;

    if (options->memory == NULL) {
        error_set(err, ERROR_USAGE, "without a deck, tune needs --memory");
        return error_hint(err, "Such as --memory 4GB.");
    }
    if (!deck_unit_size(options->memory, &server->memory_bytes, err)) {
        err->code = ERROR_USAGE;
        return error_wrap(err, "--memory");
    }
    if (server->memory_bytes < 64 << 20)
        return error_set(err, ERROR_USAGE, "--memory: at least 64MB");
    if (options->database_size != NULL &&
        !deck_unit_size(options->database_size, &server->database_bytes, err)) {
        err->code = ERROR_USAGE;
        return error_wrap(err, "--database-size");
    }
    bool is_fine =
        read_word("storage", options->storage, storages, &storage, err) &&
        read_word("workload", options->workload, workloads, &workload, err) &&
        read_word("logging", options->logging, loggings, &logging, err) &&
        read_word("provider", options->provider, providers, &provider, err) &&
        read_number("cpus", options->cpus, 1, NEWEST_CPUS, &server->cpus, err) &&
        read_number("connections", options->connections, 1, MOST_CONNECTIONS,
                    &environment->max_connections, err) &&
        read_number("version", options->version, PARAMETERS_OLDEST, PARAMETERS_NEWEST, major, err);
    server->storage = (enum deck_storage)storage;
    server->provider = (enum deck_provider)provider;
    environment->workload = (enum deck_workload)workload;
    environment->logging = (enum deck_logging)logging;
    return is_fine;
}

/* One server with one environment, as a deck would say it. */
static bool
add_offline(struct cli *cli, const struct tune_command *options, struct tune_servers *servers,
            struct error *err)
{
    struct arena *arena = cli->arena;
    struct deck *deck = ARENA_NEW(arena, struct deck);
    struct catalog_server *catalog = ARENA_NEW(arena, struct catalog_server);
    struct deck_server *server = LIST_ADD(arena, &deck->servers);
    struct deck_environment *environment = LIST_ADD(arena, &deck->environments);
    int major = PARAMETERS_NEWEST;

    enum { DEFAULT_CONNECTIONS = 100 };
    *server = (struct deck_server){.name = "offline"};
    *environment = (struct deck_environment){.max_connections = DEFAULT_CONNECTIONS,
                                             .monitoring = DEPTH_OF_LOGGING};
    if (!read_options(options, server, environment, &major, err))
        return false;
    environment->monitoring = deck_depth(environment);
    environment->name = settings_class_name(environment);
    environment->server = server;
    environment->memory_bytes = server->memory_bytes;
    *catalog = (struct catalog_server){
        .name = server->name, .major = major, .role = "", .is_superuser = true, .patroni = ""};
    settings_parameters(arena, major, catalog);
    struct tune_server *found = LIST_ADD(arena, &servers->list);
    found->is_offline = true;
    found->advice =
        (struct advice){.arena = arena, .deck = deck, .server = server, .catalog = catalog};
    settings_survey_read(&found->advice, &found->survey);
    return true;
}

/* --- the deck's servers ------------------------------------------------------------------- */

static bool
add_servers(struct cli *cli, struct tune_servers *servers, struct error *err)
{
    const struct deck *deck = cli_load_deck(cli, err);

    for (size_t i = 0; deck != NULL && i < deck->servers.count; i++) {
        const struct deck_server *server = &deck->servers.items[i];
        struct pg_target target = plan_target(server, NULL);
        struct catalog_server *catalog = ARENA_NEW(cli->arena, struct catalog_server);
        if (!catalog_read(cli->arena, &target, server->name, NULL, 0, catalog, err))
            return false;
        struct tune_server *found = LIST_ADD(cli->arena, &servers->list);
        found->advice = (struct advice){
            .arena = cli->arena, .deck = deck, .server = server, .catalog = catalog};
        settings_survey_read(&found->advice, &found->survey);
        bool is_fine = settings_check_live(&found->advice, &found->survey.input, err);
        catalog_release(catalog);
        if (!is_fine)
            return false;
    }
    return deck != NULL;
}

/* --- showing it --------------------------------------------------------------------------- */

static bool
unknown_parameter(struct cli *cli, const char *name, struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, settings_rule_count + 1);

    for (size_t i = 0; i < settings_rule_count; i++) {
        names[i] = settings_rules[i].name;
        if (strcmp(names[i], name) == 0)
            return error_set(err, ERROR_USAGE, "this version of PostgreSQL has no parameter \"%s\"",
                             name);
    }
    error_set(err, ERROR_USAGE, "there is no rule for a parameter \"%s\"", name);
    const char *nearest = text_nearest(name, names);
    return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
}

static bool
no_provider(const struct tune_server *server, struct error *err)
{
    error_set(err, ERROR_USAGE, "server \"%s\" is no provider's: pgdeck apply sets its parameters",
              server->advice.server->name);
    error_hint(err, "If it is: provider: aws-rds, aws-aurora, cloud-sql, azure or patroni.");
    return error_place(err, server->advice.server->place);
}

static bool
show(struct cli *cli, const struct tune_command *options, const struct tune_servers *servers,
     struct error *err)
{
    bool is_conf = options->render != NULL && strcmp(options->render, "conf") == 0;
    bool is_sql = options->render != NULL && strcmp(options->render, "alter-system") == 0;
    bool is_provider = options->render != NULL && strcmp(options->render, "provider") == 0;
    bool is_explained = false;

    if (cli->is_json || (options->render != NULL && strcmp(options->render, "json") == 0)) {
        tune_render_json(servers->list.items, servers->list.count, options->compare != NULL);
        return true;
    }
    for (size_t i = 0; i < servers->list.count; i++) {
        const struct tune_server *server = &servers->list.items[i];
        if (is_conf)
            tune_render_conf(server);
        else if (is_sql)
            tune_render_alter_system(server);
        else if (is_provider && !tune_render_provider(server))
            return no_provider(server, err);
        else if (is_provider)
            continue;
        else if (options->compare != NULL)
            tune_print_comparison(cli, server);
        else if (options->explain != NULL)
            is_explained |= tune_print_explanation(cli, server, options->explain);
        else
            tune_print_table(cli, server);
    }
    if (options->explain != NULL && !is_explained)
        return unknown_parameter(cli, options->explain, err);
    return true;
}

static bool
check_options(const struct tune_command *options, struct error *err)
{
    static const char *const renders[] = {"conf", "alter-system", "provider", "json", NULL};
    static const char *const compares[] = {"pgtune", NULL};
    int unused;

    if ((options->render != NULL) + (options->explain != NULL) + (options->compare != NULL) > 1)
        return error_set(err, ERROR_USAGE,
                         "tune: --explain, --render and --compare exclude each "
                         "other");
    return read_word("render", options->render, renders, &unused, err) &&
           read_word("compare", options->compare, compares, &unused, err);
}

/* What does not fit is shown all the same, and then is an error. */
static bool
check_budgets(const struct tune_servers *servers, struct error *err)
{
    for (size_t i = 0; i < servers->list.count; i++) {
        const struct settings_input *input = &servers->list.items[i].survey.input;
        if (!settings_check_connections(input, settings_future_connections(input), err) ||
            !settings_check_memory(input, err))
            return false;
    }
    return true;
}

int
cmd_tune(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct tune_command options = {
        .cpus = NOT_GIVEN, .connections = NOT_GIVEN, .version = NOT_GIVEN};
    const struct cli_option table[] = {
        {"explain", 'e', CLI_TEXT, "NAME", "all about one parameter", &options.explain},
        {"render", 'r', CLI_TEXT, "FORM",
         "what is proposed as conf, alter-system, provider (its own command) or json",
         &options.render},
        {"compare", 0, CLI_TEXT, "pgtune", "what pgtune says, and why it differs",
         &options.compare},
        {"provider", 0, CLI_TEXT, "NAME",
         "without a deck: aws-rds, aws-aurora, cloud-sql, azure, patroni", &options.provider},
        {"memory", 0, CLI_TEXT, "SIZE", "without a deck: of the server", &options.memory},
        {"database-size", 0, CLI_TEXT, "SIZE", "without a deck: of all databases together",
         &options.database_size},
        {"cpus", 0, CLI_NUMBER, "N", "without a deck: of the server", &options.cpus},
        {"storage", 0, CLI_TEXT, "KIND", "without a deck: nvme, ssd (default), san, hdd",
         &options.storage},
        {"connections", 0, CLI_NUMBER, "N", "without a deck: at most, default 100",
         &options.connections},
        {"workload", 0, CLI_TEXT, "KIND",
         "without a deck: web, oltp, analytics, mixed (default), desktop", &options.workload},
        {"logging", 0, CLI_TEXT, "DEPTH",
         "without a deck: verbose, balanced, minimal (default: production)", &options.logging},
        {"version", 0, CLI_NUMBER, "MAJOR", "without a deck: of PostgreSQL, 14 to 18 (default)",
         &options.version},
    };
    struct cli_list operands = {0};
    struct tune_servers servers = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err) ||
        !check_options(&options, err))
        return cli_failed(err);
    if (!(is_offline(&options) ? add_offline(cli, &options, &servers, err)
                               : add_servers(cli, &servers, err)))
        return cli_failed(err);
    if (!show(cli, &options, &servers, err) || !check_budgets(&servers, err))
        return cli_failed(err);
    return 0;
}
