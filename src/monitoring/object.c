// SPDX-License-Identifier: MIT
#include "monitoring/object.h"

#include "base/embed.h"
#include "base/file.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char object_folder[] = "monitoring/objects/";
static const char check_folder[] = "monitoring/checks/";
static const char schema_prefix[] = "monitoring.";

/* Where the reading of one header line is; text ends at the line's end. */
struct header {
    struct arena *arena;
    const char *at;
    const char *fault; /* where it is not understood; NULL: it is */
};

/* The first fault counts; what follows finds an empty line. */
static void
fail(struct header *header)
{
    if (header->fault == NULL)
        header->fault = header->at;
    header->at += strlen(header->at);
}

static bool
take(struct header *header, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(header->at, word, length) != 0)
        return false;
    header->at += length;
    return true;
}

static void
expect(struct header *header, const char *word)
{
    if (!take(header, word))
        fail(header);
}

/* The characters up to one of stops or the end; never none. */
static const char *
take_until(struct header *header, const char *stops)
{
    size_t length = strcspn(header->at, stops);
    const char *word = arena_strndup(header->arena, header->at, length);

    if (length == 0)
        fail(header);
    header->at += length;
    return word;
}

/* "(a, b)" */
static void
take_columns(struct header *header, struct monitoring_names *columns)
{
    expect(header, "(");
    do
        *LIST_ADD(header->arena, &columns->list) = take_until(header, ",)");
    while (take(header, ", "));
    expect(header, ")");
}

/* "monitoring.v_x" or "monitoring.f(a text, b text)": the part behind the schema. */
static const char *
take_name(struct header *header)
{
    expect(header, schema_prefix);
    size_t length = strcspn(header->at, ",(");
    if (header->at[length] == '(')
        length += strcspn(header->at + length, ")") + 1;
    const char *name = arena_strndup(header->arena, header->at, length);
    header->at += strlen(name);
    return name;
}

static void
read_object(struct header *header, struct monitoring_object *object)
{
    object->kind = take_until(header, " ");
    expect(header, " ");
    object->name = take_name(header);
}

static void
read_check(struct header *header, struct monitoring_object *object)
{
    object->kind = "check";
    object->name = take_until(header, "");
}

static void
read_scope(struct header *header, struct monitoring_object *object)
{
    object->is_server_wide = take(header, "server");
    if (!object->is_server_wide)
        expect(header, "database");
}

static void
read_rank(struct header *header, struct monitoring_object *object)
{
    object->rank = take_until(header, " ");
}

static void
read_need(struct header *header, struct monitoring_object *object)
{
    struct monitoring_need *need = LIST_ADD(header->arena, &object->needs);

    need->is_wanted = !take(header, "no ");
    if (take(header, "table ")) {
        need->kind = MONITORING_NEEDS_TABLE;
        need->relation = take_until(header, "(");
        take_columns(header, &need->columns);
        return;
    }
    expect(header, "column ");
    need->kind = MONITORING_NEEDS_COLUMN;
    const char *dot = strrchr(header->at, '.');
    if (dot == NULL) {
        fail(header);
        return;
    }
    need->relation = arena_strndup(header->arena, header->at, (size_t)(dot - header->at));
    header->at = dot + 1;
    *LIST_ADD(header->arena, &need->columns.list) = take_until(header, " ");
}

static void
read_after(struct header *header, struct monitoring_object *object)
{
    do
        *LIST_ADD(header->arena, &object->after.list) = take_name(header);
    while (take(header, ", "));
}

static void
read_grant(struct header *header, struct monitoring_object *object)
{
    struct monitoring_grant *grant = LIST_ADD(header->arena, &object->grants);

    expect(header, "select ");
    take_columns(header, &grant->columns);
    expect(header, " on ");
    grant->table = take_until(header, " ");
}

static void
read_what(struct header *header, struct monitoring_object *object)
{
    object->what = take_until(header, "");
}

static void
read_servers(struct header *header, struct monitoring_object *object)
{
    (void)object; /* for people: what decides is `needs` */
    header->at += strlen(header->at);
}

static const struct {
    const char *key;
    void (*read)(struct header *header, struct monitoring_object *object);
} keys[] = {
    {"what: ", read_what},   {"object: ", read_object}, {"servers: ", read_servers},
    {"needs: ", read_need},  {"after: ", read_after},   {"grant: ", read_grant},
    {"check: ", read_check}, {"scope: ", read_scope},   {"rank: ", read_rank},
};

static void
read_line(struct header *header, struct monitoring_object *object)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!take(header, keys[i].key))
            continue;
        keys[i].read(header, object);
        if (*header->at != '\0')
            fail(header);
        return;
    }
    fail(header);
}

/* The header is the lines "-- key: value" at the top; remarks may follow. */
static bool
is_header(const char *line)
{
    if (strncmp(line, "-- ", 3) != 0)
        return false;
    size_t length = strspn(line + 3, "abcdefghijklmnopqrstuvwxyz");
    return length > 0 && strncmp(line + 3 + length, ": ", 2) == 0;
}

/* A file of pgdeck's own or of the deck's folder. */
struct source {
    const char *path, *text;
    bool is_embedded;
};

static bool
fault_in(const struct source *source, int line, const char *what, struct error *err)
{
    if (source->is_embedded) {
        fprintf(stderr, "pgdeck: internal error: %s:%d: %s\n", source->path, line, what);
        abort();
    }
    error_set(err, ERROR_DECK, "%s", what);
    error_hint(err, "docs/design/monitoring-sql.md has the grammar of the header.");
    return error_place(err, (struct place){.file = source->path, .line = line, .column = 1});
}

static bool
read_source(struct arena *arena, const struct source *source, struct monitoring_object *object,
            struct error *err)
{
    const char *line = source->text;
    int number = 1;

    object->path = source->path;
    for (; is_header(line); number++) {
        size_t length = strcspn(line, "\n");
        struct header header = {.arena = arena, .at = arena_strndup(arena, line + 3, length - 3)};
        read_line(&header, object);
        if (header.fault != NULL)
            return fault_in(source, number,
                            arena_printf(arena, "header not understood at \"%s\"", header.fault),
                            err);
        line += line[length] == '\0' ? length : length + 1;
    }
    object->sql = line;
    if (object->what == NULL || object->name == NULL)
        return fault_in(source, number, "the header has no what, or neither object nor check", err);
    if (!source->is_embedded && strcmp(object->kind, "table") == 0)
        return fault_in(source, 1, "tables are not for the schema monitoring", err);
    if (strcmp(object->kind, "check") != 0)
        return true;
    const char *end = strrchr(object->sql, ';');
    if (object->rank == NULL || end == NULL)
        return fault_in(source, number, "a check has a rank, and a semicolon at its end", err);
    object->sql = arena_strndup(arena, object->sql, (size_t)(end - object->sql));
    return true;
}

struct sources {
    LIST_OF(struct source) list;
};

static int
is_sql(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

static bool
read_folder(struct arena *arena, const char *folder, struct sources *sources, struct error *err)
{
    struct dirent **entries = NULL;
    bool is_fine = true;
    int count = scandir(folder, &entries, is_sql, alphasort);

    if (count < 0)
        return error_errno(err, "cannot read the folder %s", folder);
    for (int i = 0; i < count; i++) {
        char *text;
        size_t length;
        const char *path = arena_printf(arena, "%s/%s", folder, entries[i]->d_name);
        is_fine = is_fine && file_read(arena, path, &text, &length, err);
        if (is_fine)
            *LIST_ADD(arena, &sources->list) = (struct source){.path = path, .text = text};
        free(entries[i]);
    }
    free(entries);
    return is_fine;
}

/* Whether an embedded one, of those found before, has that name. */
static bool
is_taken_name(const struct monitoring_objects *found, size_t own_count, const char *name)
{
    for (size_t i = 0; i < own_count; i++) {
        if (strcmp(found->list.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Objects or checks, whichever is asked for. */
static bool
read_all(struct arena *arena, const char *folder, bool wants_checks,
         struct monitoring_objects *found, struct error *err)
{
    struct sources sources = {0};
    const char *own = wants_checks ? check_folder : object_folder;
    size_t own_count = 0;

    for (size_t i = 0; i < embedded_file_count; i++) {
        if (strncmp(embedded_files[i].path, own, strlen(own)) == 0)
            *LIST_ADD(arena, &sources.list) = (struct source){.path = embedded_files[i].path,
                                                              .text = embedded_files[i].text,
                                                              .is_embedded = true};
    }
    if (folder != NULL && !read_folder(arena, folder, &sources, err))
        return false;
    for (size_t i = 0; i < sources.list.count; i++) {
        struct monitoring_object object = {0};
        if (!read_source(arena, &sources.list.items[i], &object, err))
            return false;
        if ((strcmp(object.kind, "check") == 0) != wants_checks)
            continue;
        if (!sources.list.items[i].is_embedded && is_taken_name(found, own_count, object.name))
            return fault_in(&sources.list.items[i], 1,
                            arena_printf(arena, "pgdeck has its own %s", object.name), err);
        *LIST_ADD(arena, &found->list) = object;
        own_count += sources.list.items[i].is_embedded;
    }
    return true;
}

bool
monitoring_names_have(const struct monitoring_names *names, const char *name)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (strcmp(names->list.items[i], name) == 0)
            return true;
    }
    return false;
}

static bool
is_ready(const struct monitoring_object *object, const struct monitoring_object *all,
         const bool *is_taken, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_taken[i] && monitoring_names_have(&object->after, all[i].name))
            return false;
    }
    return true;
}

/* By name of the file among those that are ready. */
static bool
put_in_order(struct arena *arena, const struct monitoring_objects *all,
             struct monitoring_objects *ret_objects, struct error *err)
{
    size_t count = all->list.count;
    bool *is_taken = ARENA_ARRAY(arena, bool, count);

    while (ret_objects->list.count < count) {
        size_t before = ret_objects->list.count;
        for (size_t i = 0; i < count; i++) {
            if (is_taken[i] || !is_ready(&all->list.items[i], all->list.items, is_taken, count))
                continue;
            *LIST_ADD(arena, &ret_objects->list) = all->list.items[i];
            is_taken[i] = true;
        }
        if (ret_objects->list.count == before)
            return error_set(
                err, ERROR_DECK,
                "the objects of the schema monitoring are after each other in a circle");
    }
    return true;
}

bool
monitoring_objects_read(struct arena *arena, const char *folder,
                        struct monitoring_objects *ret_objects, struct error *err)
{
    struct monitoring_objects found = {0};

    memset(ret_objects, 0, sizeof(*ret_objects));
    return read_all(arena, folder, false, &found, err) &&
           put_in_order(arena, &found, ret_objects, err);
}

static int
by_rank(const void *left, const void *right)
{
    return atoi(((const struct monitoring_object *)left)->rank) -
           atoi(((const struct monitoring_object *)right)->rank);
}

bool
monitoring_checks_read(struct arena *arena, const char *folder,
                       struct monitoring_objects *ret_checks, struct error *err)
{
    memset(ret_checks, 0, sizeof(*ret_checks));
    if (!read_all(arena, folder, true, ret_checks, err))
        return false;
    assert(ret_checks->list.count > 0);
    qsort(ret_checks->list.items, ret_checks->list.count, sizeof(*ret_checks->list.items), by_rank);
    return true;
}
