// SPDX-License-Identifier: MIT
/* silences.json: written by `pgdeck alerts silence`, read by the daemon. */
#include "alert/store.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char *
text_of(struct arena *arena, const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text == NULL ? NULL : arena_strdup(arena, text);
}

bool
alert_silences_read(struct arena *arena, const char *folder, struct alert_silences *ret_silences,
                    struct error *err)
{
    char *path = arena_printf(arena, "%s/silences.json", folder);
    char *text;
    size_t length, at;
    json_error_t fault;
    const json_t *one;

    *ret_silences = (struct alert_silences){0};
    if (!file_exists(path))
        return true;
    if (!file_read(arena, path, &text, &length, err))
        return false;
    json_t *json = json_loadb(text, length, 0, &fault);
    if (!json_is_array(json)) {
        json_decref(json);
        return error_set(err, ERROR_FILE, "\"%s\" is no JSON of pgdeck's: %s", path, fault.text);
    }
    json_array_foreach(json, at, one)
    {
        if (at == ALERT_SILENCE_LIMIT || text_of(arena, one, "name") == NULL)
            break;
        struct alert_silence *silence = LIST_ADD(arena, &ret_silences->list);
        silence->id = text_of(arena, one, "id");
        silence->name = text_of(arena, one, "name");
        silence->environment = text_of(arena, one, "environment");
        silence->database = text_of(arena, one, "database");
        silence->author = text_of(arena, one, "author");
        silence->why = text_of(arena, one, "why");
        silence->begun_ms = json_integer_value(json_object_get(one, "begun_ms"));
        silence->until_ms = json_integer_value(json_object_get(one, "until_ms"));
    }
    json_decref(json);
    return true;
}

static bool
write_silences(struct arena *arena, const char *folder, const struct alert_silences *silences,
               struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < silences->list.count; i++) {
        const struct alert_silence *one = &silences->list.items[i];
        json_array_append_new(
            list, json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:I, s:I}", "id", one->id, "name",
                            one->name, "environment", one->environment, "database", one->database,
                            "author", one->author, "why", one->why, "begun_ms",
                            (json_int_t)one->begun_ms, "until_ms", (json_int_t)one->until_ms));
    }
    char *text = json_dumps(list, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    bool is_written = text != NULL && file_write(arena_printf(arena, "%s/silences.json", folder),
                                                 text, strlen(text), 0644, err);
    if (text == NULL)
        error_set(err, ERROR_USAGE, "a text of the silence is no UTF-8");
    free(text);
    json_decref(list);
    return is_written;
}

static const char *
new_id(struct arena *arena)
{
    unsigned char bytes[4] = {0};

    RAND_bytes(bytes, sizeof(bytes));
    return arena_printf(arena, "%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static bool
change(struct arena *arena, const char *folder, const struct alert_silence *silence, int64_t now_ms,
       const char **ret_id, struct error *err)
{
    struct alert_silences all, kept = {0};
    bool is_found = false;

    if (!alert_silences_read(arena, folder, &all, err))
        return false;
    for (size_t i = 0; i < all.list.count; i++) {
        const struct alert_silence *one = &all.list.items[i];
        bool is_meant = silence->id != NULL && one->id != NULL && strcmp(silence->id, one->id) == 0;
        is_found |= is_meant && one->until_ms > now_ms;
        if (!is_meant && one->until_ms > now_ms)
            *LIST_ADD(arena, &kept.list) = *one;
    }
    if (silence->id != NULL && !is_found)
        return error_set(err, ERROR_USAGE, "there is no silence \"%s\"", silence->id);
    if (silence->id == NULL) {
        if (kept.list.count >= ALERT_SILENCE_LIMIT)
            return error_set(err, ERROR_REFUSED, "there are %zu silences already", kept.list.count);
        struct alert_silence *added = LIST_ADD(arena, &kept.list);
        *added = *silence;
        added->id = *ret_id = new_id(arena);
    }
    return write_silences(arena, folder, &kept, err);
}

bool
alert_silences_change(struct arena *arena, const char *folder, const struct alert_silence *silence,
                      int64_t now_ms, const char **ret_id, struct error *err)
{
    char *path = arena_printf(arena, "%s/silences.lock", folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        error_errno(err, "cannot lock \"%s\"", path);
        if (lock >= 0)
            close(lock);
        return false;
    }
    bool is_changed = change(arena, folder, silence, now_ms, ret_id, err);
    close(lock);
    return is_changed;
}

const struct alert_silence *
alert_silenced(const struct alert_silences *silences, const struct alert *alert, int64_t now_ms)
{
    for (size_t i = 0; i < silences->list.count; i++) {
        const struct alert_silence *one = &silences->list.items[i];
        if (one->until_ms > now_ms &&
            (strcmp(one->name, "*") == 0 || strcmp(one->name, alert->name) == 0) &&
            (one->environment == NULL || strcmp(one->environment, alert->environment) == 0) &&
            (one->database == NULL || strcmp(one->database, alert->database) == 0))
            return one;
    }
    return NULL;
}
