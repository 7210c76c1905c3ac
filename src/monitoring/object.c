// SPDX-License-Identifier: MIT
#include "monitoring/object.h"

#include "base/embed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "monitoring/objects/";
static const char check_folder[] = "monitoring/checks/";
static const char schema_prefix[] = "monitoring.";

/* Where the reading of one header line is; text ends at the line's end. */
struct header {
    struct arena *arena;
    const char *path;
    const char *at;
};

static _Noreturn void
fail(const struct header *header)
{
    fprintf(stderr, "pgdeck: internal error: %s: header not understood at \"%s\"\n", header->path,
            header->at);
    abort();
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
    if (dot == NULL)
        fail(header);
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

static void
read_file(struct arena *arena, const struct embedded_file *file, struct monitoring_object *object)
{
    const char *line = file->text;

    object->path = file->path;
    while (is_header(line)) {
        size_t length = strcspn(line, "\n");
        struct header header = {
            .arena = arena, .path = file->path, .at = arena_strndup(arena, line + 3, length - 3)};
        read_line(&header, object);
        line += length + 1;
    }
    struct header rest = {.path = file->path, .at = "(what and object are missing)"};
    if (object->what == NULL || object->name == NULL)
        fail(&rest);
    object->sql = line;
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
static void
put_in_order(struct arena *arena, const struct monitoring_object *all, size_t count,
             struct monitoring_objects *ret_objects)
{
    bool *is_taken = ARENA_ARRAY(arena, bool, count);

    while (ret_objects->list.count < count) {
        size_t before = ret_objects->list.count;
        for (size_t i = 0; i < count; i++) {
            if (is_taken[i] || !is_ready(&all[i], all, is_taken, count))
                continue;
            *LIST_ADD(arena, &ret_objects->list) = all[i];
            is_taken[i] = true;
        }
        struct header circle = {.path = folder, .at = "(after goes in a circle)"};
        if (ret_objects->list.count == before)
            fail(&circle);
    }
}

void
monitoring_objects_read(struct arena *arena, struct monitoring_objects *ret_objects)
{
    struct monitoring_objects found = {0};

    memset(ret_objects, 0, sizeof(*ret_objects));
    for (size_t i = 0; i < embedded_file_count; i++) {
        if (strncmp(embedded_files[i].path, folder, strlen(folder)) == 0)
            read_file(arena, &embedded_files[i], LIST_ADD(arena, &found.list));
    }
    put_in_order(arena, found.list.items, found.list.count, ret_objects);
}

static int
by_rank(const void *left, const void *right)
{
    return atoi(((const struct monitoring_object *)left)->rank) -
           atoi(((const struct monitoring_object *)right)->rank);
}

void
monitoring_checks_read(struct arena *arena, struct monitoring_objects *ret_checks)
{
    memset(ret_checks, 0, sizeof(*ret_checks));
    for (size_t i = 0; i < embedded_file_count; i++) {
        if (strncmp(embedded_files[i].path, check_folder, strlen(check_folder)) != 0)
            continue;
        struct monitoring_object *check = LIST_ADD(arena, &ret_checks->list);
        read_file(arena, &embedded_files[i], check);
        struct header rest = {.path = check->path, .at = "(rank or the semicolon is missing)"};
        const char *end = strrchr(check->sql, ';');
        if (check->rank == NULL || end == NULL)
            fail(&rest);
        check->sql = arena_strndup(arena, check->sql, (size_t)(end - check->sql));
    }
    assert(ret_checks->list.count > 0);
    qsort(ret_checks->list.items, ret_checks->list.count, sizeof(*ret_checks->list.items), by_rank);
}
