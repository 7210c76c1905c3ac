// SPDX-License-Identifier: MIT
#include "settings/manual.h"

#include "settings/provider.h"
#include "settings/statement.h"
#include "settings/value.h"

#include <string.h>

const char *
settings_what_of_server(struct arena *arena, const struct catalog_setting *setting,
                        const struct settings_proposal *proposal)
{
    return arena_printf(arena, "set %s to %s (now %s)", setting->name, proposal->value,
                        setting_readable(arena, setting, setting_server_value(setting)));
}

void
settings_add_manual(struct settings_evidence *evidence, const struct settings_rule *rule,
                    const struct catalog_setting *setting, const struct settings_proposal *proposal,
                    const struct settings_obstacle *obstacle)
{
    const struct advice *advice = evidence->advice;
    struct settings_managed managed;
    bool is_managed =
        settings_find_provider(advice->arena, advice->server, advice->catalog, &managed);
    /* Which value, only the files tell. */
    bool is_waiting = setting->is_pending_restart && setting->in_files == NULL;
    const char *refusal =
        is_managed ? settings_provider_refusal(managed.provider, setting->name) : NULL;

    if (refusal != NULL) {
        change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                         "%s does not take %s: %s. It stays %s.", managed.provider->name,
                         setting->name, refusal,
                         setting_readable(advice->arena, setting, setting_server_value(setting)));
        return;
    }
    struct change_manual manual = {
        .server = advice->server->name,
        .place = advice->server->place,
        .key = arena_printf(advice->arena, "setting %s", setting->name),
        .what = arena_printf(advice->arena, "%s%s",
                             settings_what_of_server(advice->arena, setting, proposal),
                             is_waiting ? "; a changed value waits for a restart" : ""),
        .why = proposal->why,
        .drift = settings_server_drift(evidence, rule, setting),
        .obstacle = obstacle->text,
        .remedy = obstacle->remedy,
        .form = is_managed ? settings_provider_form(advice->arena, managed.provider, setting,
                                                    proposal->value)
                           : NULL,
        .needs_restart = strcmp(setting->context, "postmaster") == 0,
    };
    change_list_manual(advice->changes, &manual);
}

/* A server's provider has no parameters by database: only those of a server's one environment. */
static const char *
form_of_environment(const struct advice *advice, const struct settings_environment *environment,
                    const struct catalog_setting *setting, const char *value)
{
    struct settings_managed managed;
    const struct deck *deck = advice->deck;

    for (size_t i = 0; i < deck->environments.count; i++) {
        if (deck->environments.items[i].server == advice->server &&
            &deck->environments.items[i] != environment->deck)
            return NULL;
    }
    if (!settings_find_provider(advice->arena, advice->server, advice->catalog, &managed) ||
        settings_provider_refusal(managed.provider, setting->name) != NULL)
        return NULL;
    return settings_provider_form(advice->arena, managed.provider, setting, value);
}

bool
settings_add_database_manual(struct advice *advice, const struct settings_environment *environment,
                             const struct catalog_setting *setting, const char *database,
                             const struct settings_proposal *proposal)
{
    const char *now = settings_database_value(advice->catalog, database, setting);
    struct settings_obstacle obstacle;

    if (!settings_obstacle_of_database(advice, setting, database, &obstacle))
        return false;
    struct change_manual manual = {
        .server = advice->server->name,
        .database = database,
        .place = environment->deck->place,
        .key = arena_printf(advice->arena, "setting %s", setting->name),
        .what = arena_printf(advice->arena, "set %s to %s (now %s)", setting->name, proposal->value,
                             setting_readable(advice->arena, setting, now)),
        .why = proposal->why,
        .obstacle = obstacle.text,
        .remedy = obstacle.remedy,
        .form = form_of_environment(advice, environment, setting, proposal->value),
    };
    change_list_manual(advice->changes, &manual);
    return true;
}

/* --- values that win over those that are set ---------------------------------------------- */

/* A role's own value may be on purpose: it is only told. */
static void
note_role(struct advice *advice, const struct catalog_role_setting *own, const char *value)
{
    struct arena *arena = advice->arena;
    bool is_everywhere = own->database[0] == '\0';

    change_list_note(advice->changes, advice->server->name, is_everywhere ? NULL : own->database,
                     advice->server->place,
                     "sessions of role %s have %s = %s, not %s: its own value wins. If that is not "
                     "meant: ALTER ROLE %s%s%s RESET %s.",
                     own->role, own->name, own->value, value, pg_identifier(arena, own->role),
                     is_everywhere ? "" : " IN DATABASE ",
                     is_everywhere ? "" : pg_identifier(arena, own->database), own->name);
}

static bool
is_of_deck(const struct advice *advice, const char *database)
{
    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *one = &advice->deck->databases.items[i];
        if (one->environment->server == advice->server && strcmp(one->name, database) == 0)
            return true;
    }
    return false;
}

/* A value of the database's own, or of all roles, for which the server's is none. */
static void
add_override(struct advice *advice, const struct settings_rule *rule,
             const struct catalog_role_setting *own, const char *value)
{
    struct arena *arena = advice->arena;
    bool is_of_all = own->database[0] == '\0';
    struct change_manual manual = {
        .server = advice->server->name,
        .database = is_of_all ? NULL : own->database,
        .place = advice->server->place,
        .key = arena_printf(arena, "override of %s", rule->name),
        .what = arena_printf(arena, "%s is %s, not the server's %s", rule->name, own->value, value),
        .why = rule->reason,
        .obstacle = is_of_all ? "ALTER ROLE ALL has set it, which overrides the server's "
                                "configuration"
                              : "ALTER DATABASE has set it, which overrides the server's "
                                "configuration",
        .remedy = is_of_all ? arena_printf(arena, "ALTER ROLE ALL RESET %s", rule->name)
                            : arena_printf(arena, "ALTER DATABASE %s RESET %s",
                                           pg_identifier(arena, own->database), rule->name),
    };
    change_list_manual(advice->changes, &manual);
}

void
settings_note_overrides(struct advice *advice, const struct settings_rule *rule,
                        const struct catalog_setting *setting, const char *value)
{
    const struct catalog_server *catalog = advice->catalog;

    for (size_t i = 0; i < catalog->role_settings.count; i++) {
        const struct catalog_role_setting *own = &catalog->role_settings.items[i];
        if (strcmp(own->name, rule->name) != 0 ||
            settings_is_equal(rule, setting, own->value, value))
            continue;
        if (own->role[0] != '\0')
            note_role(advice, own, value);
        else if (own->database[0] == '\0' || is_of_deck(advice, own->database))
            add_override(advice, rule, own, value);
    }
}

/* The environment whose login role this is, to which pgdeck gives the timeout of its pool; NULL: it
 * is somebody else's role. */
static const struct deck_environment *
environment_of_login(const struct advice *advice, const char *role)
{
    for (size_t i = 0; i < advice->deck->environments.count; i++) {
        const struct deck_environment *environment = &advice->deck->environments.items[i];
        for (size_t j = 0; j < environment->pools.count; j++) {
            const char *login =
                deck_login_role(advice->arena, environment, environment->pools.items[j].service);
            if (environment->server == advice->server && strcmp(login, role) == 0)
                return environment;
        }
    }
    return NULL;
}

static bool
is_in_environment(const struct advice *advice, const char *database,
                  const struct deck_environment *environment)
{
    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        if (strcmp(advice->deck->databases.items[i].name, database) == 0)
            return advice->deck->databases.items[i].environment == environment;
    }
    return false;
}

/* The deck says both: what holds for whom. */
static void
note_pool(struct advice *advice, const struct catalog_role_setting *own, const char *database,
          const char *value)
{
    change_list_note(advice->changes, advice->server->name, database, advice->server->place,
                     "sessions of role %s have the query_timeout of its pool, %s, as "
                     "statement_timeout; %s is for all others.",
                     own->role, own->value, value);
}

void
settings_note_database_overrides(struct advice *advice, const struct settings_rule *rule,
                                 const struct catalog_setting *setting, const char *database,
                                 const char *value)
{
    const struct catalog_server *catalog = advice->catalog;

    for (size_t i = 0; i < catalog->role_settings.count; i++) {
        const struct catalog_role_setting *own = &catalog->role_settings.items[i];
        bool is_here = own->database[0] == '\0' || strcmp(own->database, database) == 0;
        if (own->role[0] == '\0' || !is_here || strcmp(own->name, rule->name) != 0 ||
            settings_is_equal(rule, setting, own->value, value))
            continue;
        const struct deck_environment *environment = environment_of_login(advice, own->role);
        bool is_of_pool = environment != NULL && strcmp(own->name, "statement_timeout") == 0;
        if (!is_of_pool)
            note_role(advice, own, value);
        else if (is_in_environment(advice, database, environment))
            note_pool(advice, own, database, value);
    }
}
