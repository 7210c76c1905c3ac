// SPDX-License-Identifier: MIT
#include "alert/store.h"

#include "base/file.h"
#include "base/state.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DECKS_MAX = 100 }; /* of one name */

/* --- folder --------------------------------------------------------------------------------- */

/* As a file name, whatever the deck is called. */
static const char *
file_name(struct arena *arena, const char *deck)
{
    AUTO_TEXT name = {0};

    for (const char *at = deck; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at) || *at == '-' || *at == '_' || (*at == '.' && at != deck))
            text_append_bytes(&name, at, 1);
        else
            text_appendf(&name, "%%%02X", (unsigned char)*at);
    }
    return arena_strdup(arena, text_chars(&name));
}

/* Whether it is that deck's, by the path in its file `deck`. One of nobody, or whose deck is no
 * longer where it was, becomes this one's. */
static bool
take_folder(struct arena *arena, const char *folder, const char *deck, bool *ret_is_ours,
            struct error *err)
{
    const char *path = arena_printf(arena, "%s/deck", folder);
    char *owner;
    size_t length;

    if (!file_make_folder(folder, 0755, err))
        return false;
    if (file_exists(path)) {
        if (!file_read(arena, path, &owner, &length, err))
            return false;
        owner[strcspn(owner, "\n")] = '\0';
        *ret_is_ours = strcmp(owner, deck) == 0;
        if (*ret_is_ours || file_exists(owner))
            return true;
    }
    *ret_is_ours = true;
    const char *line = arena_printf(arena, "%s\n", deck);
    return file_write(path, line, strlen(line), 0644, err);
}

bool
alert_folder(struct arena *arena, const struct deck *deck, const char **ret_folder,
             struct error *err)
{
    const char *state;
    char *real;
    bool is_ours = false;

    if (!state_folder(arena, &state, err))
        return false;
    real = realpath(deck->file, NULL);
    const char *path = arena_strdup(arena, real == NULL ? deck->file : real);
    free(real);
    const char *first = arena_printf(arena, "%s/alerts/%s", state, file_name(arena, deck->name));
    for (int i = 1; i <= DECKS_MAX; i++) {
        const char *folder = i == 1 ? first : arena_printf(arena, "%s~%d", first, i);
        if (!take_folder(arena, folder, path, &is_ours, err))
            return false;
        if (is_ours) {
            *ret_folder = folder;
            return true;
        }
    }
    return error_set(err, ERROR_REFUSED, "more than %d decks are called \"%s\"", DECKS_MAX,
                     deck->name);
}

bool
alert_forget(struct arena *arena, const struct deck *deck, struct error *err)
{
    static const char *const files[] = {"state.json", "silences.json", "history.jsonl",
                                        "history.jsonl.1"};
    const char *folder;

    if (!alert_folder(arena, deck, &folder, err))
        return false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = arena_printf(arena, "%s/%s", folder, files[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return error_errno(err, "cannot remove \"%s\"", path);
    }
    return true;
}

/* --- state ---------------------------------------------------------------------------------- */

struct count_field {
    const char *name;
    size_t offset;
};
#define AT(field) offsetof(struct alert, field)
static const struct count_field counts[] = {
    {"breaches", AT(breaches)},
    {"good_rounds", AT(good_rounds)},
    {"critical_breaches", AT(critical_breaches)},
    {"less_rounds", AT(less_rounds)},
};
static const struct count_field times[] = {
    {"since_ms", AT(since_ms)}, {"measured_ms", AT(measured_ms)}, {"number", AT(number)}};
static const struct count_field values[] = {
    {"value", AT(value)}, {"warning", AT(warning)}, {"critical", AT(critical)}};
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FIELD(type, alert, field) ((type *)(void *)((char *)(alert) + (field).offset))

static json_t *
alert_json(const struct alert_store *store, struct alert *alert)
{
    json_t *sent = json_object();
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", alert->name, "server",
                  alert->server, "environment", alert->environment, "database", alert->database,
                  "level", alert_level_name(alert->level), "message", alert->message, "unit",
                  alert->unit, "fix_sql", alert->fix_sql, "fix_database", alert->fix_database);

    for (size_t i = 0; i < COUNT_OF(counts); i++)
        json_object_set_new(json, counts[i].name, json_integer(*FIELD(int, alert, counts[i])));
    for (size_t i = 0; i < COUNT_OF(times); i++)
        json_object_set_new(json, times[i].name, json_integer(*FIELD(int64_t, alert, times[i])));
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        double value = *FIELD(double, alert, values[i]);
        json_object_set_new(json, values[i].name, isfinite(value) ? json_real(value) : json_null());
    }
    for (size_t i = 0; i < store->target_count; i++) {
        if (alert->sent[i] != ALERT_NONE)
            json_object_set_new(sent, store->targets[i].name,
                                json_string(alert_level_name(alert->sent[i])));
    }
    json_object_set_new(json, "sent", sent);
    return json;
}

static char *
dump(struct arena *arena, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *copy = arena_strdup(arena, text == NULL ? "" : text);

    free(text);
    json_decref(json);
    return copy;
}

char *
alert_store_text(struct arena *arena, const struct alert_store *store)
{
    json_t *alerts = json_array(), *targets = json_array();

    for (size_t i = 0; i < store->set.count; i++)
        json_array_append_new(alerts, alert_json(store, store->set.items[i]));
    for (size_t i = 0; i < store->target_count; i++) {
        const struct alert_target_state *target = &store->targets[i];
        json_array_append_new(targets, json_pack("{s:s, s:I, s:I, s:i, s:s}", "name", target->name,
                                                 "ok_ms", (json_int_t)target->ok_ms, "failing_ms",
                                                 (json_int_t)target->failing_ms, "failures",
                                                 target->failures, "error", target->error));
    }
    return dump(arena,
                json_pack("{s:i, s:I, s:I, s:I, s:o, s:o}", "version", 1, "at_ms",
                          (json_int_t)store->at_ms, "last_number",
                          (json_int_t)store->set.last_number, "left_out",
                          (json_int_t)store->set.left_out, "targets", targets, "alerts", alerts));
}

static enum alert_level
level_of(const json_t *json)
{
    const char *name = json_is_string(json) ? json_string_value(json) : "";

    return strcmp(name, "critical") == 0  ? ALERT_CRITICAL
           : strcmp(name, "warning") == 0 ? ALERT_WARNING
                                          : ALERT_NONE;
}

static const char *
member(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text == NULL ? "" : text;
}

static void
copy_member(char *target, size_t size, const json_t *json, const char *key)
{
    const char *text = member(json, key);
    size_t length = strnlen(text, size - 1);

    memcpy(target, text, length);
    target[length] = '\0';
}

static void
read_alert(struct alert_store *store, const json_t *json)
{
    struct alert_finding finding = {
        .name = member(json, "name"),
        .server = member(json, "server"),
        .environment = member(json, "environment"),
        .database = member(json, "database"),
        .message = member(json, "message"),
        .unit = member(json, "unit"),
        .fix_sql = member(json, "fix_sql"),
        .fix_database = member(json, "fix_database"),
    };
    struct alert *alert = alert_set_add(&store->set, &finding);

    if (alert == NULL)
        return;
    alert->level = level_of(json_object_get(json, "level"));
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        *FIELD(int, alert, counts[i]) =
            (int)json_integer_value(json_object_get(json, counts[i].name));
    for (size_t i = 0; i < COUNT_OF(times); i++)
        *FIELD(int64_t, alert, times[i]) = json_integer_value(json_object_get(json, times[i].name));
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const json_t *value = json_object_get(json, values[i].name);
        *FIELD(double, alert, values[i]) = json_is_number(value) ? json_number_value(value) : NAN;
    }
    for (size_t i = 0; i < store->target_count; i++)
        alert->sent[i] =
            level_of(json_object_get(json_object_get(json, "sent"), store->targets[i].name));
}

/* ret_json NULL: there is no such file. */
static bool
read_json(const char *path, json_t **ret_json, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    char *text;
    size_t length;
    json_error_t fault;

    *ret_json = NULL;
    if (!file_exists(path))
        return true;
    if (!file_read(arena, path, &text, &length, err))
        return false;
    *ret_json = json_loadb(text, length, 0, &fault);
    if (json_is_object(*ret_json))
        return true;
    json_decref(*ret_json);
    error_set(err, ERROR_FILE, "\"%s\" is no JSON of pgdeck's: %s", path, fault.text);
    return error_hint(err, "Move it away to begin anew.");
}

bool
alert_store_read(const char *folder, struct alert_store *ret_store, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct alert_store store = {0};
    json_t *json;
    const json_t *one;
    size_t at;

    if (!read_json(arena_printf(arena, "%s/state.json", folder), &json, err))
        return false;
    json_array_foreach(json_object_get(json, "targets"), at, one)
    {
        if (store.target_count == ALERT_TARGET_LIMIT)
            break;
        struct alert_target_state *target = &store.targets[store.target_count++];
        copy_member(target->name, sizeof(target->name), one, "name");
        copy_member(target->error, sizeof(target->error), one, "error");
        target->ok_ms = json_integer_value(json_object_get(one, "ok_ms"));
        target->failing_ms = json_integer_value(json_object_get(one, "failing_ms"));
        target->failures = (int)json_integer_value(json_object_get(one, "failures"));
    }
    json_array_foreach(json_object_get(json, "alerts"), at, one)
    {
        read_alert(&store, one);
    }
    store.at_ms = json_integer_value(json_object_get(json, "at_ms"));
    store.set.last_number = json_integer_value(json_object_get(json, "last_number"));
    json_decref(json);
    *ret_store = store;
    return true;
}

bool
alert_store_write(const char *folder, const char *text, struct error *err)
{
    AUTO_ARENA arena = arena_new();

    return file_write(arena_printf(arena, "%s/state.json", folder), text, strlen(text), 0644, err);
}

/* --- history -------------------------------------------------------------------------------- */

char *
alert_history_line(struct arena *arena, const struct alert_event *event, int64_t now_ms)
{
    const struct alert *alert = event->alert;

    return dump(arena,
                json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at",
                          alert_time(arena, now_ms), "event", alert_change_name(event->change),
                          "number", (json_int_t)alert->number, "level",
                          alert_level_name(alert->level), "before", alert_level_name(event->before),
                          "name", alert->name, "server", alert->server, "environment",
                          alert->environment, "database", alert->database, "message",
                          alert->message, "fix_sql", alert->fix_sql));
}
