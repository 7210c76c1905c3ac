// SPDX-License-Identifier: MIT
#include "settings/advisor.h"

#include "base/text.h"
#include "pg/script.h"
#include "settings/budget.h"
#include "settings/check_live.h"
#include "settings/configuration.h"
#include "settings/drift.h"
#include "settings/manual.h"
#include "settings/preload.h"
#include "settings/reload.h"
#include "settings/statement.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>

/* One run of the advisor. */
struct session {
    struct advice *advice;
    struct settings_input input;
    struct settings_configuration *configuration;
    struct settings_evidence evidence; /* of changes by hand */
    struct text reload_names;          /* parameters that a reload brings into effect */
    struct text restart_names;         /* parameters that wait for a restart */
};

/* --- one parameter of the server ---------------------------------------------------------- */

static bool
is_postmaster(const struct catalog_setting *setting)
{
    return strcmp(setting->context, "postmaster") == 0;
}

/* Notes what reload or restart will have to bring into effect. */
static void
note_effect(struct session *session, const struct catalog_setting *setting)
{
    struct text *names = is_postmaster(setting) ? &session->restart_names : &session->reload_names;

    text_appendf(names, "%s%s", names->length > 0 ? ", " : "", setting->name);
}

static void
add_server_change(struct session *session, const struct settings_rule *rule,
                  const struct catalog_setting *setting, const struct settings_proposal *proposal)
{
    struct arena *arena = session->advice->arena;
    const struct deck_server *server = session->advice->server;
    struct place place = proposal->deck != NULL ? proposal->deck->place : server->place;
    const struct settings_assignment assignment = {
        .name = rule->name,
        .value = proposal->value,
        .rule = rule,
        .setting = setting,
        .place = place,
    };
    struct change change = {
        .server = server->name,
        .key = arena_printf(arena, "setting %s", rule->name),
        .phase = CHANGE_SERVER_SETTING,
        .action = CHANGE_ALTER,
        .what = settings_what_of_server(arena, setting, proposal),
        .why = proposal->why,
        .warning = proposal->warning,
        .drift = settings_server_drift(&session->evidence, rule, setting),
        .declared = proposal->value,
        .place = place,
        .needs_reload = !is_postmaster(setting),
        .needs_restart = is_postmaster(setting),
    };
    if (settings_assign(session->configuration, &assignment, &change))
        change_list_add(session->advice->changes, &change);
    note_effect(session, setting);
}

static void
advise_server_rule(struct session *session, const struct settings_rule *rule)
{
    const struct catalog_server *catalog = session->advice->catalog;
    const struct catalog_setting *setting = settings_find(&session->input, rule->name);
    struct settings_case of = {.input = &session->input, .current = setting};
    struct settings_proposal proposal;
    struct settings_obstacle obstacle;

    if (setting == NULL || !settings_propose(rule, &of, &proposal))
        return;
    if (catalog_find_setting(catalog, rule->name) == NULL) {
        change_list_note(
            session->advice->changes, session->advice->server->name, NULL,
            proposal.deck != NULL ? proposal.deck->place : session->advice->server->place,
            "%s can be set once its library is loaded: plan again after the restart.", rule->name);
        return;
    }
    const char *now = setting_server_value(setting);
    const char *next = setting_next_value(setting);
    bool is_now = settings_is_equal(rule, setting, now, proposal.value);
    bool is_next = settings_is_equal(rule, setting, next, proposal.value) &&
                   (setting_is_in_files(setting) || !setting->is_pending_restart);
    if (settings_find_rule(&session->input, rule->name, SETTINGS_OF_ENVIRONMENT) == NULL)
        settings_note_overrides(session->advice, rule, setting, proposal.value);
    if (is_now && is_next)
        return;
    bool is_waiting = is_next && strcmp(setting->source, "command line") != 0 &&
                      settings_faulty_line(catalog) == NULL;
    bool has_file = session->configuration->has_file;
    if (!is_waiting &&
        (settings_obstacle_of_server(session->advice, setting, has_file, &obstacle) ||
         settings_is_overridden(session->configuration, setting, &obstacle)))
        settings_add_manual(&session->evidence, rule, setting, &proposal, &obstacle);
    else if (is_next)
        note_effect(session, setting);
    else
        add_server_change(session, rule, setting, &proposal);
}

/* --- the environments' databases ---------------------------------------------------------- */

/* What one database gets, gathered into one change. */
struct database_settings {
    struct text what, why, sql, undo;
    struct text declared; /* all values that it has then, set now or before */
    struct text drift, warning;
};

static void
release_database_settings(struct database_settings *settings)
{
    text_release(&settings->what);
    text_release(&settings->why);
    text_release(&settings->sql);
    text_release(&settings->undo);
    text_release(&settings->declared);
    text_release(&settings->drift);
    text_release(&settings->warning);
}

static void
advise_database_rule(struct session *session, const struct settings_rule *rule,
                     const struct settings_environment *environment, const char *database,
                     struct database_settings *settings)
{
    struct arena *arena = session->advice->arena;
    const struct catalog_server *catalog = session->advice->catalog;
    const struct catalog_setting *setting = settings_find(&session->input, rule->name);
    struct settings_case of = {&session->input, environment, setting};
    struct settings_proposal proposal;

    if (setting == NULL || !settings_propose(rule, &of, &proposal))
        return;
    const char *former = catalog_role_setting_value(catalog, database, "", rule->name);
    bool is_of_server = proposal.deck != NULL &&
                        deck_find_setting(&environment->deck->settings, rule->name) == NULL;
    if (is_of_server && former == NULL)
        return;
    const char *now = settings_database_value(catalog, database, setting);
    settings_note_database_overrides(session->advice, rule, setting, database, proposal.value);
    bool is_set = settings_is_equal(rule, setting, now, proposal.value);
    if (!is_set &&
        settings_add_database_manual(session->advice, environment, setting, database, &proposal))
        return;
    text_append(&settings->declared, settings_declared_line(arena, rule->name, proposal.value));
    if (is_set)
        return;
    const char *drift = settings_database_drift(&session->evidence, rule, setting, database);
    if (drift != NULL)
        text_appendf(&settings->drift, "%s%s", settings->drift.length > 0 ? "; " : "", drift);
    if (proposal.warning != NULL)
        text_appendf(&settings->warning, "%s%s", settings->warning.length > 0 ? "; " : "",
                     proposal.warning);
    const char *comma = settings->what.length > 0 ? ", " : "";
    text_appendf(&settings->what, "%s%s %s", comma, rule->name, proposal.value);
    if (proposal.why != rule->reason) /* with the figures */
        text_appendf(&settings->why, "; %s: %s", rule->name, proposal.why);
    text_appendf(&settings->sql, "%s;\n",
                 settings_alter_database(arena, database, rule->name, proposal.value));
    text_appendf(&settings->undo, "%s;\n",
                 settings_alter_database(arena, database, rule->name, former));
}

static void
advise_database(struct session *session, const struct settings_environment *environment,
                const struct deck_database *database)
{
    struct arena *arena = session->advice->arena;
    struct database_settings settings = {0};

    for (size_t i = 0; i < session->input.rules.count; i++) {
        const struct settings_rule *rule = session->input.rules.items[i];
        if (rule->scope == SETTINGS_OF_ENVIRONMENT)
            advise_database_rule(session, rule, environment, database->name, &settings);
    }
    if (settings.sql.length > 0) {
        struct change change = {
            .server = session->advice->server->name,
            .database = database->name,
            .key = SETTINGS_DATABASE_KEY,
            .phase = CHANGE_DATABASE_SETTING,
            .action = CHANGE_ALTER,
            .what = arena_printf(arena, "set %s", text_chars(&settings.what)),
            .why = arena_printf(arena, "share of %s%s", environment->deck->name,
                                text_chars(&settings.why)),
            .drift = settings.drift.length == 0 ? NULL
                                                : arena_strdup(arena, text_chars(&settings.drift)),
            .warning = settings.warning.length == 0
                           ? NULL
                           : arena_strdup(arena, text_chars(&settings.warning)),
            .declared = arena_strdup(arena, text_chars(&settings.declared)),
            .place = environment->deck->place,
            .sql = arena_strdup(arena, text_chars(&settings.sql)),
            .undo = arena_strdup(arena, text_chars(&settings.undo)),
            .is_transactional = true,
        };
        change_list_add(session->advice->changes, &change);
    }
    release_database_settings(&settings);
}

static void
advise_environment(struct session *session, const struct settings_environment *environment)
{
    const struct deck *deck = session->advice->deck;

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment == environment->deck)
            advise_database(session, environment, &deck->databases.items[i]);
    }
}

/* --- the end ------------------------------------------------------------------------------ */

static void
advise_reload_and_restart(struct session *session)
{
    struct arena *arena = session->advice->arena;
    const struct deck_server *server = session->advice->server;
    struct change reload = {
        .server = server->name,
        .key = "reload",
        .phase = CHANGE_RELOAD,
        .action = CHANGE_RUN,
        .what = "reload the configuration",
        .why = arena_printf(arena, "these come into effect together: %s",
                            text_chars(&session->reload_names)),
        .place = server->place,
        .sql = pg_script(arena, "settings/sql/reload.sql", NULL, 0),
        .procedure = &settings_reload_procedure,
        .argument = session->configuration,
        .undo = pg_script(arena, "settings/sql/reload.sql", NULL, 0),
    };
    struct change restart = {
        .server = server->name,
        .key = "restart",
        .phase = CHANGE_RESTART,
        .action = CHANGE_RUN,
        .what = "restart the server",
        .why = arena_printf(arena, "these are read at start only: %s",
                            text_chars(&session->restart_names)),
        .place = server->place,
        .sql = "-- restart",
        .argument = session->configuration,
        .needs_restart = true,
    };

    if (session->reload_names.length > 0)
        change_list_add(session->advice->changes, &reload);
    if (session->restart_names.length > 0)
        change_list_add(session->advice->changes, &restart);
}

static void
note_memory(struct session *session)
{
    struct arena *arena = session->advice->arena;
    const struct deck_server *server = session->advice->server;
    const struct settings_input *input = &session->input;
    struct settings_memory memory;

    if (!settings_memory_read(input, &memory))
        return;
    if (memory.expected_bytes >
        input->memory_bytes) /* of a preset or the deck: else it is an error */
        change_list_note(session->advice->changes, server->name, NULL, server->place,
                         "Expected memory is %s, more than the %s that the server has (%s): %s.",
                         setting_rounded_size(arena, memory.expected_bytes),
                         setting_size(arena, input->memory_bytes), input->memory_from,
                         memory.expected_terms);
    if (memory.worst_bytes > input->memory_bytes)
        change_list_note(session->advice->changes, server->name, NULL, server->place,
                         "Memory in the worst case, all connections at once with large queries, "
                         "is %s, more than the %s that the server has (%s): %s.",
                         setting_rounded_size(arena, memory.worst_bytes),
                         setting_size(arena, input->memory_bytes), input->memory_from,
                         memory.worst_terms);
}

bool
settings_advise(struct advice *advice, struct error *err)
{
    struct session session = {.advice = advice, .evidence = {.advice = advice}};

    settings_input_read(advice, &session.input);
    if (!settings_check_live(advice, &session.input, err) ||
        !settings_configuration_read(advice, &session.configuration, err) ||
        !settings_check_connections(&session.input, settings_future_connections(&session.input),
                                    err) ||
        !settings_check_memory(&session.input, err))
        return false;
    for (size_t i = 0; i < session.input.rules.count; i++) {
        if (session.input.rules.items[i]->scope == SETTINGS_OF_SERVER)
            advise_server_rule(&session, session.input.rules.items[i]);
    }
    settings_add_resets(session.configuration, advice->changes);
    for (size_t i = 0; i < session.input.environments.count; i++)
        advise_environment(&session, &session.input.environments.items[i]);
    advise_reload_and_restart(&session);
    settings_note_waiting(advice, &session.input, session.reload_names.length > 0,
                          session.restart_names.length > 0);
    note_memory(&session);
    settings_note_libraries(advice, &session.input);
    text_release(&session.reload_names);
    text_release(&session.restart_names);
    return true;
}
