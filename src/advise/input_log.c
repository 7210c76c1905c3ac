// SPDX-License-Identifier: MIT
#include "advise/input.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A log of PostgreSQL: lines of text (log_destination stderr), CSV, or JSON. In all of them a
 * message that has a statement says one of
 *     duration: 12.3 ms  statement: SELECT ...
 *     duration: 12.3 ms  execute name: SELECT ...
 *     statement: SELECT ...
 *     execute name: SELECT ...
 *     duration: 12.3 ms  plan: (of auto_explain) with a Query Text, as text or JSON
 * and a detail beside it may say with what: parameters: $1 = '7', $2 = NULL */

enum { CSV_MESSAGE = 13, CSV_DETAIL }; /* columns before it */

struct log_reading {
    struct advise *run;
    const char *path;
    size_t line;
    size_t found;
    LIST_OF(uint64_t) explained; /* texts that auto_explain told, and nothing else since */
};

struct log_statement {
    const char *sql; /* NULL: the message has none */
    const char *values;
    double ms;
    bool is_explained;
};

static const char *
behind(const char *text, const char *start)
{
    size_t length = strlen(start);

    return strncmp(text, start, length) == 0 ? text + length : NULL;
}

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* --- messages ----------------------------------------------------------------------------- */

/* In text the query ends where its parameters or its plan begin, on a line of their own. */
static const char *
query_of_text(struct arena *arena, const char *at, const char **ret_values)
{
    const char *end = at;

    for (const char *line = at; *line != '\0'; line = end + (*end == '\n')) {
        size_t length = strcspn(line, "\n");
        const char *values = behind(line, "Query Parameters: ");
        const char *costs = strstr(line, "  (cost=");
        end = line + length;
        if (line == at || (values == NULL && (costs == NULL || costs > end)))
            continue;
        if (values != NULL)
            *ret_values = arena_strndup(arena, values, (size_t)(end - values));
        return arena_strndup(arena, at, (size_t)(line - at));
    }
    return NULL;
}

static void
read_plan(struct arena *arena, const char *plan, struct log_statement *statement)
{
    const char *at = behind(plan, "Query Text: ");

    if (at != NULL) {
        statement->sql = query_of_text(arena, at, &statement->values);
        return;
    }
    AUTO_TREE tree = json_loads(plan, 0, NULL);
    const char *sql = tree_text(tree, "Query Text");
    const char *values = tree_text(tree, "Query Parameters");
    statement->sql = sql == NULL ? NULL : arena_strdup(arena, sql);
    statement->values = values == NULL ? NULL : arena_strdup(arena, values);
}

/* detail: NULL: there is none */
static struct log_statement
statement_in(struct arena *arena, const char *message, const char *detail)
{
    struct log_statement statement = {0};
    const char *at = behind(message, "duration: ");
    char *end;

    if (at != NULL) {
        statement.ms = strtod(at, &end);
        message = behind(end, " ms  ");
        if (message == NULL)
            return statement;
    }
    if (at != NULL && (at = behind(message, "plan:\n")) != NULL) {
        statement.is_explained = true;
        read_plan(arena, at, &statement);
        return statement;
    }
    statement.sql = behind(message, "statement: ");
    if (statement.sql == NULL && (at = behind(message, "execute ")) != NULL) {
        const char *colon = strstr(at, ": ");
        statement.sql = colon == NULL ? NULL : colon + 2;
    }
    if (detail != NULL && (detail[0] == 'p' || detail[0] == 'P'))
        statement.values = behind(detail + 1, "arameters: ");
    return statement;
}

/* $1 = '7', $2 = NULL, $3 = 'it''s'. False: it is not this, or a value is cut short. */
static bool
read_values(struct arena *arena, const char *at, struct advise_values *ret_values)
{
    LIST_OF(const char *) values = {0};

    for (size_t number = 1; *at != '\0'; number++) {
        AUTO_TEXT value = {0};
        char *end;
        if (*at != '$' || strtoul(at + 1, &end, 10) != number || (at = behind(end, " = ")) == NULL)
            return false;
        const char *after = behind(at, "NULL");
        bool is_null = after != NULL;
        if (!is_null && *at != '\'')
            return false;
        for (at++; !is_null && *at != '\0' && (*at != '\'' || at[1] == '\''); at++) {
            at += *at == '\'';
            text_append_bytes(&value, at, 1);
        }
        if (!is_null && (*at != '\'' || ends_with(text_chars(&value), "...")))
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
is_told(struct log_reading *reading, const struct log_statement *statement)
{
    size_t length = strlen(statement->sql);

    while (length > 0 && strchr(" \t\r\n", statement->sql[length - 1]) != NULL)
        length--;
    uint64_t hash = XXH3_64bits(statement->sql, length);
    if (statement->is_explained) {
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
take_message(struct log_reading *reading, const char *message, const char *detail)
{
    struct arena *arena = reading->run->arena;
    struct log_statement found = statement_in(arena, message, detail);
    struct advise_values values;

    if (found.sql == NULL)
        return;
    reading->found++;
    bool is_again = is_told(reading, &found);
    struct advise_statement statement = {
        .text = arena_strdup(arena, found.sql),
        .source = arena_printf(arena, "%s:%zu", reading->path, reading->line),
        .calls = is_again ? 0 : 1,
        .total_ms = is_again ? 0 : found.ms,
        .is_counted = true};
    if (found.values != NULL && read_values(arena, found.values, &values))
        *LIST_ADD(arena, &statement.seen) = values;
    advise_add(reading->run, &statement);
}

/* --- text --------------------------------------------------------------------------------- */

/* One entry with the lines that it goes on with, which begin with a tab; returns what is behind. */
static const char *
read_entry(const char *text, struct text *entry, size_t *ret_lines)
{
    const char *end = text + strcspn(text, "\n");

    text_append_bytes(entry, text, (size_t)(end - text));
    for (*ret_lines = 1; end[0] == '\n' && end[1] == '\t'; ++*ret_lines) {
        const char *next = end + 2;
        end = next + strcspn(next, "\n");
        text_append(entry, "\n");
        text_append_bytes(entry, next, (size_t)(end - next));
    }
    return *end == '\n' ? end + 1 : end;
}

/* A message's detail is the entry behind it. */
static void
read_text(struct log_reading *reading, const char *text)
{
    reading->line = 1;
    while (*text != '\0') {
        AUTO_TEXT entry = {0};
        AUTO_TEXT beside = {0};
        size_t lines;
        size_t ignored;
        text = read_entry(text, &entry, &lines);
        const char *message = strstr(text_chars(&entry), "LOG:  ");
        if (message != NULL) {
            read_entry(text, &beside, &ignored);
            const char *detail = strstr(text_chars(&beside), "DETAIL:  ");
            const char *other = strstr(text_chars(&beside), "LOG:  ");
            bool is_beside = detail != NULL && (other == NULL || other > detail);
            take_message(reading, message + strlen("LOG:  "),
                         is_beside ? detail + strlen("DETAIL:  ") : NULL);
        }
        reading->line += lines;
    }
}

/* --- CSV ---------------------------------------------------------------------------------- */

/* One field, without its quotes; returns what is behind it. */
static const char *
read_field(struct log_reading *reading, const char *at, struct text *field)
{
    bool is_quoted = *at == '"';

    if (!is_quoted) {
        size_t length = strcspn(at, ",\n");
        text_append_bytes(field, at, length);
        return at + length;
    }
    for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        reading->line += *at == '\n';
        text_append_bytes(field, at, 1);
    }
    return *at == '"' ? at + 1 : at;
}

static void
read_csv(struct log_reading *reading, const char *text)
{
    while (*text != '\0') {
        AUTO_TEXT message = {0};
        AUTO_TEXT detail = {0};
        size_t column = 0;
        size_t first = ++reading->line;
        for (; *text != '\0' && *text != '\n'; column++) {
            AUTO_TEXT other = {0};
            struct text *field = column == CSV_MESSAGE  ? &message
                                 : column == CSV_DETAIL ? &detail
                                                        : &other;
            text = read_field(reading, text, field);
            text += *text == ',';
        }
        size_t last = reading->line;
        reading->line = first;
        take_message(reading, text_chars(&message), text_chars(&detail));
        reading->line = last;
        text += *text == '\n';
    }
}

/* --- JSON --------------------------------------------------------------------------------- */

static void
read_json(struct log_reading *reading, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        AUTO_TREE entry = json_loadb(text, length, 0, NULL);
        const char *message = tree_text(entry, "message");
        reading->line++;
        if (message != NULL)
            take_message(reading, message, tree_text(entry, "detail"));
        text += length + (text[length] == '\n');
    }
}

bool
advise_input_log(struct advise *run, const char *path, struct error *err)
{
    struct log_reading reading = {.run = run, .path = path};
    char *text;
    size_t length;

    if (!file_read(run->arena, path, &text, &length, err))
        return false;
    if (ends_with(path, ".json") || text[0] == '{')
        read_json(&reading, text);
    else if (ends_with(path, ".csv"))
        read_csv(&reading, text);
    else
        read_text(&reading, text);
    if (reading.found == 0)
        advise_note(run, "No statement in %s: a server logs them with log_min_duration_statement.",
                    path);
    return true;
}
