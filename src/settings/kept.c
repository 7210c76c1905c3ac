// SPDX-License-Identifier: MIT
#include "settings/kept.h"

#include "base/file.h"
#include "base/state.h"
#include "base/text.h"
#include "base/tree.h"
#include "settings/conf.h"
#include "settings/configuration.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const own_name = CONF_OWN_NAME;
static const char *const config_name = "postgresql.conf";
static const char *const auto_name = "postgresql.auto.conf";

static bool
folder_of(struct arena *arena, const struct settings_host *host, const char *label,
          const char **ret_folder, struct error *err)
{
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    *ret_folder = arena_printf(arena, "%s/configuration/%s/%s", state, host->name, label);
    return true;
}

static const char *
record_path(struct arena *arena, const char *folder)
{
    return arena_printf(arena, "%s/record.json", folder);
}

/* --- saving ------------------------------------------------------------------------------- */

static bool
save_file(struct arena *arena, const struct settings_host *host, const char *folder,
          const char *name, const char *path, json_t *record, struct error *err)
{
    struct owned_file file;

    if (!owned_file_read(arena, path, &host->user, &file, err))
        return false;
    if (file.exists &&
        !file_write(arena_printf(arena, "%s/%s", folder, name), file.text, file.length, 0600, err))
        return false;
    json_object_set_new(record, name,
                        json_pack("{s:s, s:b, s:I, s:I, s:I}", "path", path, "exists", file.exists,
                                  "uid", (json_int_t)file.uid, "gid", (json_int_t)file.gid, "mode",
                                  (json_int_t)file.mode));
    return true;
}

/* The record is written last: without it there is no copy. */
bool
kept_save(struct arena *arena, const struct settings_host *host, const char *label, bool is_once,
          struct error *err)
{
    const char *folder;

    if (!folder_of(arena, host, label, &folder, err))
        return false;
    if (is_once && file_exists(record_path(arena, folder)))
        return true;
    if (!file_make_folder(folder, 0700, err))
        return false;
    json_t *record = json_object();
    bool is_fine = save_file(arena, host, folder, own_name, host->own_file, record, err) &&
                   save_file(arena, host, folder, config_name, host->config_file, record, err) &&
                   save_file(arena, host, folder, auto_name, host->auto_file, record, err);
    if (is_fine) {
        char *text = json_dumps(record, JSON_INDENT(2) | JSON_SORT_KEYS);
        is_fine = file_write(record_path(arena, folder), text, strlen(text), 0600, err);
        free(text);
    }
    json_decref(record);
    return is_fine;
}

/* --- reading ------------------------------------------------------------------------------ */

static bool
read_file(struct arena *arena, const char *folder, json_t *record, const char *name,
          struct owned_file *ret_file, struct error *err)
{
    json_int_t uid, gid, mode;
    int exists;

    if (json_unpack(json_object_get(record, name), "{s:b, s:I, s:I, s:I}", "exists", &exists, "uid",
                    &uid, "gid", &gid, "mode", &mode) != 0)
        return error_set(err, ERROR_FILE, "\"%s/record.json\" is no record of kept files", folder);
    *ret_file = (struct owned_file){
        .exists = exists, .uid = (uid_t)uid, .gid = (gid_t)gid, .mode = (mode_t)mode};
    return !ret_file->exists || file_read(arena, arena_printf(arena, "%s/%s", folder, name),
                                          &ret_file->text, &ret_file->length, err);
}

bool
kept_read(struct arena *arena, const struct settings_host *host, const char *label,
          struct kept_files *ret_files, bool *ret_exists, struct error *err)
{
    const char *folder;
    char *text;
    size_t length;

    if (!folder_of(arena, host, label, &folder, err))
        return false;
    *ret_exists = file_exists(record_path(arena, folder));
    if (!*ret_exists)
        return true;
    if (!file_read(arena, record_path(arena, folder), &text, &length, err))
        return false;
    json_t *record = json_loads(text, 0, NULL);
    bool is_fine = read_file(arena, folder, record, own_name, &ret_files->own, err) &&
                   read_file(arena, folder, record, config_name, &ret_files->config, err) &&
                   read_file(arena, folder, record, auto_name, &ret_files->automatic, err);
    json_decref(record);
    return is_fine;
}

/* --- restoring ---------------------------------------------------------------------------- */

static bool
change_include(struct arena *arena, const struct settings_host *host,
               const char *(*change)(struct arena *, const char *), struct error *err)
{
    struct owned_file config;

    if (!owned_file_read(arena, host->config_file, &host->user, &config, err))
        return false;
    if (!config.exists)
        return true;
    config.text = arena_strdup(arena, change(arena, config.text));
    config.length = strlen(config.text);
    return owned_file_make(host->config_file, &host->user, &config, err);
}

/* The line that makes the server read pgdeck.conf goes first and comes last, so that it is never
 * read half gone. */
bool
kept_restore(struct arena *arena, const struct settings_host *host, const char *label,
             struct error *err)
{
    struct kept_files kept;
    bool exists;

    if (!kept_read(arena, host, label, &kept, &exists, err))
        return false;
    if (!exists) {
        error_set(err, ERROR_FILE, "there is no copy of the configuration of before");
        return error_hint(err, "It is kept by the user, and on the host, that applied.");
    }
    if (!conf_has_include(arena, kept.config.text) &&
        !change_include(arena, host, conf_remove_include, err))
        return false;
    return owned_file_make(host->own_file, &host->user, &kept.own, err) &&
           (!conf_has_include(arena, kept.config.text) ||
            change_include(arena, host, conf_add_include, err)) &&
           (!kept.automatic.exists ||
            owned_file_make(host->auto_file, &host->user, &kept.automatic, err));
}

const char *
kept_foreign_lines(struct arena *arena, const struct settings_host *host, const char *label)
{
    struct kept_files kept;
    struct owned_file own, automatic;
    struct conf_entries former = {0}, now;
    struct error ignored;
    AUTO_TEXT lines = {0};
    bool exists;

    if (!kept_read(arena, host, label, &kept, &exists, &ignored) || !exists ||
        !owned_file_read(arena, host->own_file, &host->user, &own, &ignored) || !own.exists ||
        !owned_file_read(arena, host->auto_file, &host->user, &automatic, &ignored) ||
        !automatic.exists)
        return NULL;
    if (kept.automatic.exists)
        conf_read(arena, kept.automatic.text, &former);
    conf_read(arena, automatic.text, &now);
    for (size_t i = 0; i < now.list.count; i++) {
        const struct conf_entry *entry = &now.list.items[i];
        const char *before = conf_value(&former, entry->name);
        if (before == NULL || strcmp(before, entry->value) != 0)
            text_appendf(&lines, "%s%s", lines.length > 0 ? ", " : "",
                         conf_line(arena, entry->name, entry->value));
    }
    return lines.length == 0 ? NULL : arena_strdup(arena, text_chars(&lines));
}

static bool
has_entries(struct arena *arena, const char *text, const struct conf_entries *entries)
{
    struct conf_entries others;

    conf_read(arena, text, &others);
    if (others.list.count != entries->list.count)
        return false;
    for (size_t i = 0; i < others.list.count; i++) {
        const char *value = conf_value(entries, others.list.items[i].name);
        if (value == NULL || strcmp(value, others.list.items[i].value) != 0)
            return false;
    }
    return true;
}

bool
kept_undo_own(struct arena *arena, const struct settings_host *host, const struct kept_undo *undo,
              struct error *err)
{
    struct owned_file own;
    struct kept_files kept = {0};
    struct conf_entries entries = {0};
    bool has_copy;

    if (!owned_file_read(arena, host->own_file, &host->user, &own, err) ||
        !kept_read(arena, host, undo->label, &kept, &has_copy, err))
        return false;
    if (own.exists)
        conf_read(arena, own.text, &entries);
    for (size_t i = 0; i < undo->count; i++)
        conf_undo(arena, undo->lines[i] + strlen(SETTINGS_FILE_UNDO), &entries);
    bool had_include = has_copy && conf_has_include(arena, kept.config.text);
    if (!had_include && entries.list.count == 0 &&
        !change_include(arena, host, conf_remove_include, err))
        return false;
    if (has_copy && has_entries(arena, kept.own.exists ? kept.own.text : "", &entries))
        return owned_file_make(host->own_file, &host->user, &kept.own, err);
    if (!own.exists || entries.list.count == 0)
        return owned_file_remove(host->own_file, &host->user, err);
    own.text = arena_strdup(arena, conf_write(arena, undo->server, &entries));
    own.length = strlen(own.text);
    return owned_file_make(host->own_file, &host->user, &own, err);
}

static int
compare_lines(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The same lines, in whatever order. */
static bool
says_the_same(struct arena *arena, const char *left, const char *right)
{
    const char *texts[2] = {left, right};
    LIST_OF(const char *) lines[2] = {{0}, {0}};

    for (int i = 0; i < 2; i++) {
        for (const char *at = texts[i]; *at != '\0';) {
            size_t length = strcspn(at, "\n");
            *LIST_ADD(arena, &lines[i]) = arena_strndup(arena, at, length);
            at += length + (at[length] == '\n');
        }
        if (lines[i].count > 0)
            qsort(lines[i].items, lines[i].count, sizeof(const char *), compare_lines);
    }
    if (lines[0].count != lines[1].count)
        return false;
    for (size_t i = 0; i < lines[0].count; i++) {
        if (strcmp(lines[0].items[i], lines[1].items[i]) != 0)
            return false;
    }
    return true;
}

bool
kept_restore_auto(struct arena *arena, const struct settings_host *host, const char *label,
                  struct error *err)
{
    struct kept_files kept;
    struct owned_file now;
    bool exists;

    if (!kept_read(arena, host, label, &kept, &exists, err) ||
        !owned_file_read(arena, host->auto_file, &host->user, &now, err))
        return false;
    if (!exists || !kept.automatic.exists || !now.exists ||
        !says_the_same(arena, kept.automatic.text, now.text))
        return true;
    return owned_file_make(host->auto_file, &host->user, &kept.automatic, err);
}

void
kept_remove(struct arena *arena, const struct settings_host *host, const char *label)
{
    const char *folder;
    struct error ignored;

    if (!folder_of(arena, host, label, &folder, &ignored) || !tree_remove(folder, &ignored))
        return; /* it only takes room */
}
