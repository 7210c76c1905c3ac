// SPDX-License-Identifier: MIT
#include "advise/input.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* A log of PostgreSQL: lines of text (log_destination stderr), CSV, or JSON. In all of them a
 * message that has a statement says one of
 *     duration: 12.3 ms  statement: SELECT ...
 *     duration: 12.3 ms  execute name: SELECT ...
 *     statement: SELECT ...
 *     execute name: SELECT ... */

enum { CSV_MESSAGE = 13 }; /* columns before it */

struct log_reading {
    struct advise *run;
    const char *path;
    size_t line;
    size_t found;
};

static const char *
behind(const char *text, const char *start)
{
    size_t length = strlen(start);

    return strncmp(text, start, length) == 0 ? text + length : NULL;
}

/* The statement in a message; NULL: there is none. */
static const char *
statement_in(const char *message, double *ret_ms)
{
    const char *at = behind(message, "duration: ");
    char *end;

    *ret_ms = 0;
    if (at != NULL) {
        *ret_ms = strtod(at, &end);
        at = behind(end, " ms  ");
        if (at == NULL)
            return NULL;
        message = at;
    }
    const char *sql = behind(message, "statement: ");
    if (sql == NULL && (at = behind(message, "execute ")) != NULL) {
        const char *colon = strstr(at, ": ");
        sql = colon == NULL ? NULL : colon + 2;
    }
    return sql;
}

static void
take_message(struct log_reading *reading, const char *message)
{
    double total_ms;
    const char *sql = statement_in(message, &total_ms);

    if (sql == NULL)
        return;
    reading->found++;
    advise_add(reading->run,
               &(struct advise_statement){.text = arena_strdup(reading->run->arena, sql),
                                          .source = arena_printf(reading->run->arena, "%s:%zu",
                                                                 reading->path, reading->line),
                                          .calls = 1,
                                          .total_ms = total_ms,
                                          .is_counted = true});
}

/* --- text --------------------------------------------------------------------------------- */

/* Lines that go on begin with a tab. */
static void
read_text(struct log_reading *reading, const char *text)
{
    while (*text != '\0') {
        AUTO_TEXT entry = {0};
        size_t first = ++reading->line;
        const char *end = text + strcspn(text, "\n");
        text_append_bytes(&entry, text, (size_t)(end - text));
        while (end[0] == '\n' && end[1] == '\t') {
            const char *next = end + 2;
            end = next + strcspn(next, "\n");
            text_append(&entry, "\n");
            text_append_bytes(&entry, next, (size_t)(end - next));
            reading->line++;
        }
        const char *message = strstr(text_chars(&entry), "LOG:  ");
        size_t last = reading->line;
        reading->line = first;
        if (message != NULL)
            take_message(reading, message + strlen("LOG:  "));
        reading->line = last;
        text = *end == '\n' ? end + 1 : end;
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
        size_t column = 0;
        size_t first = ++reading->line;
        while (*text != '\0' && *text != '\n') {
            AUTO_TEXT field = {0};
            text = read_field(reading, text, &field);
            size_t last = reading->line;
            reading->line = first;
            if (column++ == CSV_MESSAGE)
                take_message(reading, text_chars(&field));
            reading->line = last;
            text += *text == ',';
        }
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
            take_message(reading, message);
        text += length + (text[length] == '\n');
    }
}

static bool
ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
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
