// SPDX-License-Identifier: MIT
#include "settings/configuration.h"

#include "base/owned_file.h"
#include "pg/script.h"
#include "settings/statement.h"

#include <string.h>
#include <strings.h>

/* --- where settings go -------------------------------------------------------------------- */

static int
last_order(const struct catalog_server *catalog, const char *file)
{
    size_t count = catalog->file_settings.count;

    while (count > 0 && strcmp(catalog->file_settings.items[count - 1].file, file) != 0)
        count--;
    return (int)count - 1;
}

bool
settings_configuration_read(const struct advice *advice,
                            struct settings_configuration **ret_configuration, struct error *err)
{
    struct arena *arena = advice->arena;
    struct settings_configuration *configuration = ARENA_NEW(arena, struct settings_configuration);
    const struct settings_host *host = &configuration->host;
    struct owned_file config, own;

    configuration->arena = arena;
    configuration->catalog = advice->catalog;
    configuration->own_order = -1;
    if (!settings_host_read(arena, advice->catalog, &configuration->host, err))
        return false;
    configuration->has_file = host->is_here && advice->server->configuration == CONFIGURATION_FILE;
    *ret_configuration = configuration;
    if (!configuration->has_file)
        return true;
    if (!owned_file_read(arena, host->config_file, &host->user, &config, err) ||
        !owned_file_read(arena, host->own_file, &host->user, &own, err))
        return false;
    if (!own.exists || !config.exists || !conf_has_include(arena, config.text))
        return true;
    conf_read(arena, own.text, &configuration->own_entries);
    configuration->own_order = last_order(advice->catalog, host->own_file);
    return true;
}

bool
settings_is_overridden(const struct settings_configuration *configuration,
                       const struct catalog_setting *setting,
                       struct settings_obstacle *ret_obstacle)
{
    const struct catalog_server *catalog = configuration->catalog;

    if (!configuration->has_file || configuration->own_order < 0)
        return false;
    for (size_t i = catalog->file_settings.count; i > (size_t)configuration->own_order + 1; i--) {
        const struct catalog_file_setting *entry = &catalog->file_settings.items[i - 1];
        if (strcmp(entry->file, configuration->host.auto_file) == 0 ||
            strcasecmp(entry->name, setting->name) != 0)
            continue;
        ret_obstacle->text =
            arena_printf(configuration->arena,
                         "%s:%d, behind the line that includes " CONF_OWN_NAME ", sets it to %s",
                         entry->file, entry->line, entry->setting);
        ret_obstacle->remedy = "remove that line and plan again";
        return true;
    }
    return false;
}

/* --- one parameter ------------------------------------------------------------------------ */

/* Alone it is all that the parameter needs, and has its key; else it goes with an entry of
 * pgdeck.conf. */
static void
add_reset(struct settings_configuration *configuration,
          const struct settings_assignment *assignment, const struct change *change, bool is_alone)
{
    const struct settings_rule *rule = assignment->rule;
    struct arena *arena = configuration->arena;
    const char *former = assignment->setting->auto_value;
    struct change *reset = LIST_ADD(arena, &configuration->resets);

    *reset = *change;
    if (!is_alone) {
        reset->key = arena_printf(arena, "setting %s in postgresql.auto.conf", rule->name);
        reset->warning = NULL;
        reset->drift = NULL;
        reset->declared = NULL;
    }
    reset->what =
        arena_printf(arena, "take %s = %s out of postgresql.auto.conf", rule->name, former);
    reset->why = "an ALTER SYSTEM overrides " CONF_OWN_NAME;
    reset->sql =
        pg_script(arena, "settings/sql/alter_system_reset.sql", PG_VARIABLES({"name", rule->name}));
    reset->undo = settings_alter_system(arena, rule, former);
}

static bool
assign_in_file(struct settings_configuration *configuration,
               const struct settings_assignment *assignment, struct change *change)
{
    const struct settings_rule *rule = assignment->rule;
    struct arena *arena = configuration->arena;
    const struct catalog_setting *setting = assignment->setting;
    const char *former = conf_value(&configuration->own_entries, rule->name);
    bool is_there = former != NULL && settings_is_equal(rule, setting, former, assignment->value);

    if (setting->auto_value != NULL &&
        !settings_is_equal(rule, setting, setting->auto_value, assignment->value))
        add_reset(configuration, assignment, change, is_there);
    if (is_there)
        return false;
    change->is_joint = true;
    change->procedure = &settings_write_procedure;
    change->file = arena_printf(arena, "%s: %s", configuration->host.own_file,
                                conf_line(arena, rule->name, assignment->value));
    change->undo =
        arena_printf(arena, SETTINGS_FILE_UNDO "%s", conf_undo_line(arena, rule->name, former));
    return true;
}

bool
settings_assign(struct settings_configuration *configuration,
                const struct settings_assignment *assignment, struct change *change)
{
    struct arena *arena = configuration->arena;
    const struct settings_rule *rule = assignment->rule;
    const char *former = assignment->setting->auto_value;
    struct settings_assignment *kept = LIST_ADD(arena, &configuration->assignments);

    *kept = *assignment;
    change->argument = configuration;
    if (configuration->has_file)
        return assign_in_file(configuration, assignment, change);
    change->sql = settings_alter_system(arena, rule, assignment->value);
    change->undo = former != NULL ? settings_alter_system(arena, rule, former)
                                  : pg_script(arena, "settings/sql/alter_system_reset.sql",
                                              PG_VARIABLES({"name", rule->name}));
    kept->undo = change->undo;
    return true;
}

void
settings_add_resets(const struct settings_configuration *configuration, struct change_list *changes)
{
    for (size_t i = 0; i < configuration->resets.count; i++)
        change_list_add(changes, &configuration->resets.items[i]);
}

const struct settings_configuration *
settings_configuration_of(const struct change_list *changes, const char *server)
{
    for (size_t i = 0; i < changes->changes.count; i++) {
        const struct change *change = &changes->changes.items[i];
        bool is_about = change->phase == CHANGE_SERVER_SETTING || change->phase == CHANGE_RELOAD ||
                        change->phase == CHANGE_RESTART;
        if (is_about && change->argument != NULL && strcmp(change->server, server) == 0)
            return change->argument;
    }
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------ */

/* A first pgdeck.conf is like the postgresql.conf beside it. */
static bool
write_own(struct arena *arena, const struct settings_configuration *configuration,
          const struct owned_file *config, struct error *err)
{
    const struct settings_host *host = &configuration->host;
    struct owned_file own;
    struct conf_entries entries = {0};

    if (!owned_file_read(arena, host->own_file, &host->user, &own, err))
        return false;
    if (own.exists && conf_has_include(arena, config->text)) /* else nobody has read it */
        conf_read(arena, own.text, &entries);
    for (size_t i = 0; i < configuration->assignments.count; i++)
        conf_set(arena, &entries, configuration->assignments.items[i].name,
                 configuration->assignments.items[i].value);
    struct owned_file wanted = own.exists ? own : *config;
    wanted.text = arena_strdup(arena, conf_write(arena, configuration->catalog->name, &entries));
    wanted.length = strlen(wanted.text);
    if (own.exists && strcmp(own.text, wanted.text) == 0)
        return true;
    return owned_file_write(host->own_file, &host->user, &wanted, err);
}

/* First the file, then the line that lets the server read it: each is one rename, and at any
 * moment the server would read all of the new configuration or nothing of it. */
static bool
write_configuration(struct change_execution *execution, struct error *err)
{
    const struct settings_configuration *configuration = execution->change->argument;
    const struct settings_host *host = &configuration->host;
    struct arena *arena = execution->arena;
    struct owned_file config;

    if (!owned_file_read(arena, host->config_file, &host->user, &config, err))
        return false;
    if (!config.exists)
        return error_set(err, ERROR_FILE, "there is no \"%s\" any more", host->config_file);
    if (!write_own(arena, configuration, &config, err))
        return false;
    const char *text = conf_add_include(arena, config.text);
    if (text == config.text)
        return true;
    config.text = arena_strdup(arena, text);
    config.length = strlen(text);
    return owned_file_write(host->config_file, &host->user, &config, err);
}

const struct change_procedure settings_write_procedure = {"write pgdeck.conf", write_configuration};
