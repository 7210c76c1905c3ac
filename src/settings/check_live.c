// SPDX-License-Identifier: MIT
#include "settings/check_live.h"

#include "base/embed.h"
#include "deck/fault.h"
#include "pg/script.h"
#include "settings/check_server.h"
#include "settings/parameters.h"
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

/* Some parameters are only for those to see who may read all. */
static void
note_hidden(const struct check *check, const struct deck_setting *own)
{
    if (check->advice->changes == NULL) /* tune: no plan */
        return;
    change_list_note(check->advice->changes, check->input->deck->name, NULL, own->place,
                     "The deck sets %s, which the role \"%s\" may not even see: grant it "
                     "pg_read_all_settings.",
                     own->name, check->input->catalog->role);
}

static void
note_unknown_extension(const struct check *check, const struct deck_setting *own)
{
    if (check->advice->changes == NULL) /* tune: no plan */
        return;
    change_list_note(check->advice->changes, check->input->deck->name, NULL, own->place,
                     "The deck sets %s, which is not done: the server does not know it (its "
                     "library is not loaded), nor does pgdeck.",
                     own->name);
}

static void
check_setting(struct check *check, const struct deck_setting *own)
{
    const struct catalog_setting *setting = find_parameter(check, own->name);
    struct error err;

    if (setting == NULL && strchr(own->name, '.') != NULL) {
        note_unknown_extension(check, own);
        return;
    }
    if (setting == NULL && !check->input->catalog->is_superuser) {
        setting = settings_parameter(check->advice->arena, check->input->catalog->major, own->name);
        if (setting != NULL)
            note_hidden(check, own);
    }
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

/* --- what must fit together --------------------------------------------------------------- */

static const char *
path_of(const struct check *check, const struct deck_setting *own)
{
    const struct settings_environment *sole = settings_sole(check->input);

    if (sole != NULL && deck_find_setting(&sole->deck->settings, own->name) == own)
        return arena_printf(check->advice->arena, "environments.%s.settings", sole->deck->name);
    return arena_printf(check->advice->arena, "servers.%s.settings", check->input->deck->name);
}

/* settings_figure_function: what it will be by the deck, else by pgdeck's rules, else as it is. */
static bool
read_figure(const void *source, const char *name, struct settings_figure *ret_figure)
{
    const struct check *check = source;
    const struct catalog_setting *setting = find_parameter(check, name);
    const struct settings_rule *rule = settings_find_rule(check->input, name, SETTINGS_OF_SERVER);
    struct settings_case of = {.input = check->input, .current = setting};
    struct settings_proposal proposal;

    if (setting == NULL)
        return false;
    *ret_figure = (struct settings_figure){
        .value = setting_next_value(setting), .setting = setting, .origin = "as the server has it"};
    if (rule == NULL || !settings_propose(rule, &of, &proposal))
        return true;
    ret_figure->value = proposal.value;
    ret_figure->deck = proposal.deck;
    ret_figure->origin = "as pgdeck would set it";
    ret_figure->path = proposal.deck != NULL ? path_of(check, proposal.deck) : NULL;
    return true;
}

/* What an environment has of its own. */
static void
check_environment(const struct check *check, const struct settings_view *view,
                  const struct settings_environment *environment)
{
    const struct deck_settings *settings = &environment->deck->settings;

    for (size_t i = 0; i < settings->list.count; i++) {
        const struct deck_setting *own = &settings->list.items[i];
        struct settings_figure figure = {.value = own->value, .deck = own, .path = check->path};
        figure.setting = find_parameter(check, own->name);
        if (figure.setting == NULL || !setting_is_of_sessions(figure.setting))
            continue; /* of the server: looked at with it */
        if (settings_is_allocated(figure.setting->name))
            settings_check_amount(view, &figure);
        else if (strstr(figure.setting->name, "_preload_libraries") != NULL)
            settings_check_libraries(view, check->input, &figure);
    }
}

static void
check_together(struct check *check)
{
    struct settings_view view = {
        .arena = check->advice->arena,
        .faults = &check->faults,
        .read = read_figure,
        .source = check,
        .memory_bytes = check->input->memory_bytes,
        .memory_from = check->input->memory_from,
    };

    settings_check_semantics(&view);
    settings_check_server(&view, check->input);
    for (size_t i = 0; i < check->input->environments.count; i++) {
        const struct settings_environment *environment = &check->input->environments.items[i];
        check->path =
            arena_printf(check->advice->arena, "environments.%s.settings", environment->deck->name);
        check_environment(check, &view, environment);
    }
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
    if (check.faults.list.count == 0)
        check_together(&check);
    return settle(&check, err);
}
