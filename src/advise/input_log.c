// SPDX-License-Identifier: MIT
#include "advise/input.h"

#include "base/file.h"
#include "base/text.h"
#include "workload/log.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct log_reading {
    struct advise *run;
    const char *path;
    size_t found;
    LIST_OF(uint64_t) explained; /* texts that auto_explain told, and nothing else since */
};

/* $1 = '7', $2 = NULL, $3 = 'it''s'. False: it is not this, or a value is cut short. */
static bool
read_values(struct arena *arena, const char *at, struct advise_values *ret_values)
{
    LIST_OF(const char *) values = {0};

    for (size_t number = 1; *at != '\0'; number++) {
        AUTO_TEXT value = {0};
        char *end;
        if (*at != '$' || strtoul(at + 1, &end, 10) != number ||
            (at = text_behind(end, " = ")) == NULL)
            return false;
        const char *after = text_behind(at, "NULL");
        bool is_null = after != NULL;
        if (!is_null && *at != '\'')
            return false;
        for (at++; !is_null && *at != '\0' && (*at != '\'' || at[1] == '\''); at++) {
            at += *at == '\'';
            text_append_bytes(&value, at, 1);
        }
        if (!is_null && (*at != '\'' || text_ends_with(text_chars(&value), "...")))
            return false;
        at = is_null ? after : at + 1;
        *LIST_ADD(arena, &values) = is_null ? NULL : arena_strdup(arena, text_chars(&value));
        at += strncmp(at, ", ", 2) == 0 ? 2 : 0;
    }
    *ret_values = (struct advise_values){.items = values.items, .count = values.count};
    return values.count > 0;
}

/* Whether auto_explain has told this run already: its entry comes first. */
static bool
is_told(struct log_reading *reading, const struct workload_log_statement *statement)
{
    size_t length = strlen(statement->sql);

    while (length > 0 && strchr(" \t\r\n", statement->sql[length - 1]) != NULL)
        length--;
    uint64_t hash = XXH3_64bits(statement->sql, length);
    if (statement->plan != NULL) {
        *LIST_ADD(reading->run->arena, &reading->explained) = hash;
        return false;
    }
    for (size_t i = 0; i < reading->explained.count; i++) {
        if (reading->explained.items[i] != hash)
            continue;
        reading->explained.items[i] = reading->explained.items[--reading->explained.count];
        return true;
    }
    return false;
}

static void
take_entry(void *sink, const struct workload_log_entry *entry)
{
    struct log_reading *reading = sink;
    struct arena *arena = reading->run->arena;
    struct workload_log_statement found = workload_log_statement_in(arena, entry);
    struct advise_values values;

    if (found.sql == NULL)
        return;
    reading->found++;
    bool is_again = is_told(reading, &found);
    struct advise_statement statement = {
        .text = arena_strdup(arena, found.sql),
        .source = arena_printf(arena, "%s:%zu", reading->path, entry->line),
        .calls = is_again ? 0 : 1,
        .total_ms = is_again ? 0 : found.ms,
        .is_counted = true};
    if (found.values != NULL && read_values(arena, found.values, &values))
        *LIST_ADD(arena, &statement.seen) = values;
    advise_add(reading->run, &statement);
}

bool
advise_input_log(struct advise *run, const char *path, struct error *err)
{
    struct log_reading reading = {.run = run, .path = path};
    char *text;
    size_t length;

    if (!file_read(run->arena, path, &text, &length, err))
        return false;
    const struct workload_log log = {
        .format = workload_log_format_of(path, text), .take = take_entry, .sink = &reading};
    workload_log_read(&log, text, false);
    if (reading.found == 0)
        advise_note(run, "No statement in %s: a server logs them with log_min_duration_statement.",
                    path);
    return true;
}
