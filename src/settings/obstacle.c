// SPDX-License-Identifier: MIT
#include "settings/obstacle.h"

#include "base/text.h"
#include "settings/provider.h"
#include "settings/value.h"

#include <string.h>
#include <strings.h>

/* --- the server --------------------------------------------------------------------------- */

/* A line that is no setting, or one of no parameter: then the server takes nothing from its files
 * at all. A wrong value only keeps its own parameter as it was. */
const struct catalog_file_setting *
settings_faulty_line(const struct catalog_server *catalog)
{
    for (size_t i = 0; i < catalog->file_settings.count; i++) {
        const struct catalog_file_setting *line = &catalog->file_settings.items[i];
        bool is_known = false;
        for (size_t j = 0; j < catalog->settings.count && line->error[0] != '\0'; j++)
            is_known = is_known || strcasecmp(catalog->settings.items[j].name, line->name) == 0;
        if (line->error[0] != '\0' && !is_known)
            return line;
    }
    return NULL;
}

static bool
is_command_line(const struct catalog_setting *setting, struct settings_obstacle *obstacle)
{
    if (strcmp(setting->source, "command line") != 0)
        return false;
    obstacle->text = "the server was started with it on its command line, which overrides all "
                     "configuration";
    obstacle->remedy = "take it away where the server is started (service, container, pg_ctl -o), "
                       "and restart";
    return true;
}

static bool
is_managed(const struct advice *advice, struct settings_obstacle *obstacle)
{
    struct settings_managed managed;

    if (!settings_find_provider(advice->arena, advice->server, advice->catalog, &managed))
        return false;
    obstacle->text = arena_printf(advice->arena, "%s manages this server (%s)",
                                  managed.provider->name, managed.sign);
    obstacle->remedy = arena_printf(
        advice->arena, "set it in %s; pgdeck tune --render provider prints the command",
        managed.provider->place);
    return true;
}

static bool
is_not_permitted(const struct advice *advice, const struct catalog_setting *setting,
                 struct settings_obstacle *obstacle)
{
    const struct catalog_server *catalog = advice->catalog;

    if (catalog->is_superuser || (setting->can_alter_system && catalog->can_reload))
        return false;
    obstacle->text =
        arena_printf(advice->arena, "the role \"%s\" may not use ALTER SYSTEM", catalog->role);
    obstacle->remedy = "set it where the server is managed";
    return true;
}

/* Then another tool manages the files, unless the deck says that pgdeck is it; and what stands in
 * postgresql.auto.conf can only be taken out by hand. */
static bool
is_forbidden(const struct advice *advice, const struct catalog_setting *setting, bool has_file,
             struct settings_obstacle *obstacle)
{
    const struct catalog_setting *allowed =
        catalog_find_setting(advice->catalog, "allow_alter_system");
    bool is_own = has_file && advice->server->provider == PROVIDER_SELF;

    if (allowed == NULL || strcmp(setting_server_value(allowed), "off") != 0 ||
        (is_own && setting->auto_value == NULL))
        return false;
    obstacle->text = "allow_alter_system is off: the server's configuration is managed elsewhere";
    if (is_own)
        obstacle->remedy = "take it out of postgresql.auto.conf, which overrides pgdeck's file";
    else if (has_file)
        obstacle->remedy = "set it there, or let pgdeck do it in a file of its own: provider: self";
    else
        obstacle->remedy = "set it there";
    return true;
}

static bool
is_unreadable(const struct advice *advice, struct settings_obstacle *obstacle)
{
    const struct catalog_file_setting *line = settings_faulty_line(advice->catalog);

    if (line == NULL)
        return false;
    obstacle->text =
        arena_printf(advice->arena,
                     "%s:%d is faulty (%s%s%s): with it the server reads none of its "
                     "files, and would not start again",
                     line->file, line->line, line->name, line->name[0] ? ": " : "", line->error);
    obstacle->remedy = "mend that line and plan again";
    return true;
}

bool
settings_obstacle_of_server(const struct advice *advice, const struct catalog_setting *setting,
                            bool has_file, struct settings_obstacle *ret_obstacle)
{
    return is_managed(advice, ret_obstacle) || is_command_line(setting, ret_obstacle) ||
           is_not_permitted(advice, setting, ret_obstacle) ||
           is_forbidden(advice, setting, has_file, ret_obstacle) ||
           is_unreadable(advice, ret_obstacle);
}

/* --- databases and roles ------------------------------------------------------------------ */

/* One that is not there yet will be this role's. */
static bool
is_of_others(const struct catalog_server *catalog, const char *database)
{
    for (size_t i = 0; i < catalog->databases.count && !catalog->is_superuser; i++) {
        if (strcmp(catalog->databases.items[i].name, database) == 0)
            return !catalog->databases.items[i].is_own;
    }
    return false;
}

bool
settings_obstacle_of_database(const struct advice *advice, const struct catalog_setting *setting,
                              const char *database, struct settings_obstacle *ret_obstacle)
{
    const struct catalog_server *catalog = advice->catalog;
    bool may_set =
        catalog->is_superuser || setting->can_set || strcmp(setting->context, "user") == 0;

    if (!may_set) {
        ret_obstacle->text = arena_printf(
            advice->arena, "only a superuser may set it, and \"%s\" is none", catalog->role);
        ret_obstacle->remedy = "a superuser's ALTER DATABASE ... SET does it, or for all databases "
                               "the server's own configuration";
        return true;
    }
    if (!is_of_others(catalog, database))
        return false;
    ret_obstacle->text = arena_printf(
        advice->arena, "the database is not \"%s\"'s, nor a role's that it is a member of",
        catalog->role);
    ret_obstacle->remedy = "its owner's ALTER DATABASE ... SET does it";
    return true;
}

const char *
settings_database_value(const struct catalog_server *catalog, const char *database,
                        const struct catalog_setting *setting)
{
    const char *own =
        database == NULL ? NULL : catalog_role_setting_value(catalog, database, "", setting->name);

    if (own == NULL) /* ALTER ROLE ALL SET */
        own = catalog_role_setting_value(catalog, "", "", setting->name);
    return own != NULL ? own : setting_server_value(setting);
}

/* Whether it wins: over the server's all do, over a database's only those of roles. */
static bool
is_override(const struct catalog_role_setting *own, const char *name, const char *database)
{
    if (strcmp(own->name, name) != 0)
        return false;
    if (database == NULL)
        return true;
    return own->role[0] != '\0' &&
           (own->database[0] == '\0' || strcmp(own->database, database) == 0);
}

const char *
settings_overrides(struct arena *arena, const struct catalog_server *catalog, const char *name,
                   const char *database)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < catalog->role_settings.count; i++) {
        const struct catalog_role_setting *own = &catalog->role_settings.items[i];
        if (!is_override(own, name, database))
            continue;
        bool has_role = own->role[0] != '\0', has_database = own->database[0] != '\0';
        text_append(&text, text.length > 0 ? ", " : "");
        text_append(&text, has_role ? "role " : has_database ? "database " : "all roles");
        text_append_visible(&text, own->role);
        text_append(&text, has_role && has_database ? " in " : "");
        text_append_visible(&text, own->database);
        text_append(&text, ": ");
        text_append_visible(&text, own->value);
    }
    return arena_strdup(arena, text_chars(&text));
}
