// SPDX-License-Identifier: MIT
#include "settings/check_live.h"

#include "base/embed.h"
#include "deck/fault.h"
#include "pg/script.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <string.h>
#include <strings.h>

/* All faults are gathered, as those of a deck are, so that the first in the deck comes first. */
struct check {
    const struct advice *advice;
    const struct settings_input *input;
    struct deck_faults faults;
    const char *path;
};

static struct error *
fault_at(struct check *check, struct place place, const char *name, const char *text)
{
    return deck_fault(check->advice->arena, &check->faults, place, "%s.%s: %s", check->path, name,
                      text);
}

/* Names are compared as PostgreSQL does it. */
static const struct catalog_setting *
find_parameter(const struct check *check, const char *name)
{
    const struct catalog_server *catalog = check->input->catalog;

    for (size_t i = 0; i < catalog->settings.count; i++) {
        if (strcasecmp(catalog->settings.items[i].name, name) == 0)
            return &catalog->settings.items[i];
    }
    return settings_find(check->input, name);
}

static void
fault_of_unknown(struct check *check, const struct deck_setting *own)
{
    struct arena *arena = check->advice->arena;
    const struct catalog_server *catalog = check->input->catalog;
    const char **names = ARENA_ARRAY(arena, const char *, catalog->settings.count + 1);

    for (size_t i = 0; i < catalog->settings.count; i++)
        names[i] = catalog->settings.items[i].name;
    struct error *fault =
        fault_at(check, own->place, own->name,
                 arena_printf(arena, "PostgreSQL %d has no such parameter", catalog->major));
    deck_fault_nearest(fault, own->name, names);
}

/* The server's own judgement of what a session may set: set until the end of one statement. */
static void
ask_server(struct check *check, const struct deck_setting *own)
{
    struct error err;
    const char *const values[] = {own->name, own->value};
    AUTO_PGRESULT result = NULL;

    if (pg_query(check->input->catalog->connection,
                 embedded_file("settings/sql/try_setting.sql")->text, 2, values, &result, &err))
        return;
    struct error *fault = fault_at(check, own->value_place, own->name, err.message);
    if (err.detail[0] != '\0')
        error_detail(fault, "%s", err.detail);
}

static bool
can_ask_server(const struct check *check, const struct catalog_setting *setting)
{
    const struct catalog_server *catalog = check->input->catalog;

    return catalog->connection != NULL && setting_is_of_sessions(setting) &&
           catalog_find_setting(catalog, setting->name) != NULL &&
           (catalog->is_superuser || strcmp(setting->context, "user") == 0);
}

static void
check_setting(struct check *check, const struct deck_setting *own)
{
    const struct catalog_setting *setting = find_parameter(check, own->name);
    struct error err;

    if (setting == NULL && strchr(own->name, '.') != NULL)
        return; /* of an extension that pgdeck does not know */
    if (setting == NULL) {
        fault_of_unknown(check, own);
        return;
    }
    if (!setting_verify(setting, own->value, false, &err)) {
        struct error *fault = fault_at(check, own->value_place, own->name, err.message);
        if (err.hint[0] != '\0')
            error_hint(fault, "%s", err.hint);
    } else if (can_ask_server(check, setting)) {
        ask_server(check, own);
    }
}

static void
check_settings(struct check *check, const struct deck_settings *settings)
{
    for (size_t i = 0; i < settings->list.count; i++)
        check_setting(check, &settings->list.items[i]);
}

/* The first fault, and how many more there are. */
static bool
settle(struct check *check, struct error *err)
{
    size_t count = check->faults.list.count + check->faults.hidden_count;

    if (count == 0)
        return true;
    *err = check->faults.list.items[0];
    if (count > 1 && err->detail[0] == '\0')
        error_detail(err, "There are %zu more faults of this kind.", count - 1);
    return false;
}

bool
settings_check_live(const struct advice *advice, const struct settings_input *input,
                    struct error *err)
{
    struct check check = {.advice = advice, .input = input};
    const struct deck_server *server = input->deck;

    if (server->version != 0 && server->version != input->catalog->major) {
        error_set(err, ERROR_DECK, "server \"%s\" is PostgreSQL %d, and the deck says %d",
                  server->name, input->catalog->major, server->version);
        error_hint(err, "Change servers.%s.version, or leave it out.", server->name);
        return error_place(err, server->place);
    }
    check.path = arena_printf(advice->arena, "servers.%s.settings", server->name);
    check_settings(&check, &server->settings);
    for (size_t i = 0; i < input->environments.count; i++) {
        const struct deck_environment *environment = input->environments.items[i].deck;
        check.path = arena_printf(advice->arena, "environments.%s.settings", environment->name);
        check_settings(&check, &environment->settings);
    }
    return settle(&check, err);
}
