// SPDX-License-Identifier: MIT
#include "workload/log.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Columns of CSV. */
enum { CSV_DATABASE = 2, CSV_SEVERITY = 11, CSV_SQLSTATE, CSV_MESSAGE, CSV_DETAIL, CSV_TAKEN };

/* --- messages ----------------------------------------------------------------------------- */

/* In text the query ends where its parameters or its plan begin, on a line of their own. */
static void
split_plan(struct arena *arena, const char *at, struct workload_log_statement *statement)
{
    const char *end = at;

    for (const char *line = at; *line != '\0'; line = end + (*end == '\n')) {
        size_t length = strcspn(line, "\n");
        const char *values = text_behind(line, "Query Parameters: ");
        const char *costs = strstr(line, "  (cost=");
        end = line + length;
        if (line == at || (values == NULL && (costs == NULL || costs > end)))
            continue;
        if (values != NULL)
            statement->values = arena_strndup(arena, values, (size_t)(end - values));
        statement->sql = arena_strndup(arena, at, (size_t)(line - at));
        statement->plan = values == NULL ? line : end + (*end == '\n');
        return;
    }
}

static void
read_plan(struct arena *arena, const char *plan, struct workload_log_statement *statement)
{
    const char *at = text_behind(plan, "Query Text: ");

    if (at != NULL) {
        split_plan(arena, at, statement);
        return;
    }
    json_auto_t *tree = json_loads(plan, 0, NULL);
    const char *sql = json_string_value(json_object_get(tree, "Query Text"));
    const char *values = json_string_value(json_object_get(tree, "Query Parameters"));
    statement->sql = sql == NULL ? NULL : arena_strdup(arena, sql);
    statement->values = values == NULL ? NULL : arena_strdup(arena, values);
    statement->plan = plan;
}

struct workload_log_statement
workload_log_statement_in(struct arena *arena, const struct workload_log_entry *entry)
{
    struct workload_log_statement statement = {0};
    const char *message = entry->message, *detail = entry->detail;
    const char *at = text_behind(message, "duration: ");
    char *end;

    if (at != NULL) {
        statement.ms = strtod(at, &end);
        message = text_behind(end, " ms  ");
        if (message == NULL)
            return statement;
    }
    if (at != NULL && (at = text_behind(message, "plan:\n")) != NULL) {
        read_plan(arena, at, &statement);
        return statement;
    }
    statement.sql = text_behind(message, "statement: ");
    if (statement.sql == NULL && (at = text_behind(message, "execute ")) != NULL) {
        const char *colon = strstr(at, ": ");
        statement.sql = colon == NULL ? NULL : colon + 2;
    }
    if (detail != NULL && (detail[0] == 'p' || detail[0] == 'P'))
        statement.values = text_behind(detail + 1, "arameters: ");
    return statement;
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

/* Where the value of an escape of log_line_prefix ends: where the characters behind the escape
 * begin; a time has two blanks in it. NULL: nowhere. */
static const char *
end_of_value(const char *value, char kind, const char *behind_escape)
{
    size_t length = strcspn(behind_escape, "%");

    for (int blanks = kind == 'm' || kind == 't' || kind == 's' ? 2 : 0; blanks > 0; blanks--) {
        value = strchr(value, ' ');
        if (value == NULL)
            return NULL;
        value++;
    }
    if (length == 0)
        return value + strcspn(value, " ");
    while (*value != '\0' && strncmp(value, behind_escape, length) != 0)
        value++;
    return *value == '\0' ? NULL : value;
}

/* The values of %e and %d in a line, as far as it is like the prefix. */
static void
read_prefix(const char *prefix, const char *line, struct text *sqlstate, struct text *database)
{
    while (*prefix != '\0' && *line != '\0') {
        if (*prefix != '%') {
            if (*prefix++ != *line++)
                return;
            continue;
        }
        prefix++;
        prefix += strspn(prefix, "-0123456789");
        char kind = *prefix;
        prefix += kind != '\0';
        if (kind == 'q')
            continue;
        const char *end = end_of_value(line, kind, prefix);
        if (end == NULL)
            return;
        if (kind == 'e' || kind == 'd')
            text_append_bytes(kind == 'e' ? sqlstate : database, line, (size_t)(end - line));
        line = end;
    }
}

/* Labels of what a line is; the first ones are severities, the others go on with an entry. */
static const char *const labels[] = {"LOG",    "ERROR",   "FATAL",    "PANIC",    "WARNING",
                                     "NOTICE", "INFO",    "DETAIL",   "HINT",     "STATEMENT",
                                     "QUERY",  "CONTEXT", "LOCATION", "BACKTRACE"};
enum { SEVERITIES = 7, LABELS = sizeof(labels) / sizeof(labels[0]) };

/* The label that comes first in a line, so that none in a text of clients counts; ret_behind: what
 * it is of. LABELS: there is none. */
static size_t
find_label(const char *line, const char **ret_behind)
{
    const char *first = NULL;
    size_t found = LABELS;

    for (size_t i = 0; i < LABELS; i++) {
        size_t length = strlen(labels[i]);
        const char *at = strstr(line, labels[i]);
        while (at != NULL && strncmp(at + length, ":  ", 3) != 0)
            at = strstr(at + length, labels[i]);
        if (at == NULL || (first != NULL && at > first))
            continue;
        first = at;
        found = i;
        *ret_behind = at + length + 3;
    }
    return found;
}

static void
take_line(const struct workload_log *log, const char *line, const char *next, size_t number)
{
    AUTO_TEXT sqlstate = {0};
    AUTO_TEXT database = {0};
    AUTO_TEXT beside = {0};
    struct workload_log_entry entry = {.line = number};
    const char *detail;
    size_t lines, severity = find_label(line, &entry.message);

    if (severity >= SEVERITIES)
        return;
    if (log->prefix != NULL)
        read_prefix(log->prefix, line, &sqlstate, &database);
    /* A message's detail is the entry behind it. */
    read_entry(next, &beside, &lines);
    size_t label = find_label(text_chars(&beside), &detail);
    if (label < LABELS && strcmp(labels[label], "DETAIL") == 0)
        entry.detail = detail;
    entry.severity = labels[severity];
    entry.sqlstate = text_chars(&sqlstate);
    entry.database = text_chars(&database);
    log->take(log->sink, &entry);
}

static size_t
read_text(const struct workload_log *log, const char *text, bool is_cut)
{
    const char *start = text;
    size_t number = 1;

    while (*text != '\0') {
        AUTO_TEXT entry = {0};
        size_t lines;
        const char *next = read_entry(text, &entry, &lines);
        if (is_cut && *next == '\0')
            break;
        take_line(log, text_chars(&entry), next, number);
        number += lines;
        text = next;
    }
    return (size_t)(text - start);
}

/* --- CSV ---------------------------------------------------------------------------------- */

/* One field, without its quotes; returns what is behind it. */
static const char *
read_field(const char *at, struct text *field, size_t *line)
{
    bool is_quoted = *at == '"';

    if (!is_quoted) {
        size_t length = strcspn(at, ",\n");
        text_append_bytes(field, at, length);
        return at + length;
    }
    for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at++) {
        at += *at == '"';
        *line += *at == '\n';
        text_append_bytes(field, at, 1);
    }
    return *at == '"' ? at + 1 : at;
}

static size_t
read_csv(const struct workload_log *log, const char *text, bool is_cut)
{
    struct text fields[CSV_TAKEN] = {0}, other = {0};
    const char *whole = text, *start = text;
    size_t line = 0;

    while (*text != '\0') {
        size_t column = 0, first = ++line;
        for (; *text != '\0' && *text != '\n'; column++) {
            struct text *field = column < CSV_TAKEN ? &fields[column] : &other;
            text_clear(field);
            text = read_field(text, field, &line);
            text += *text == ',';
        }
        if (is_cut && *text == '\0')
            break;
        text += *text == '\n';
        whole = text;
        if (column >= CSV_TAKEN)
            log->take(log->sink,
                      &(struct workload_log_entry){.severity = text_chars(&fields[CSV_SEVERITY]),
                                                   .sqlstate = text_chars(&fields[CSV_SQLSTATE]),
                                                   .database = text_chars(&fields[CSV_DATABASE]),
                                                   .message = text_chars(&fields[CSV_MESSAGE]),
                                                   .detail = text_chars(&fields[CSV_DETAIL]),
                                                   .line = first});
    }
    for (size_t i = 0; i < CSV_TAKEN; i++)
        text_release(&fields[i]);
    text_release(&other);
    return (size_t)(whole - start);
}

/* --- JSON --------------------------------------------------------------------------------- */

static const char *
text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text == NULL ? "" : text;
}

static size_t
read_json(const struct workload_log *log, const char *text, bool is_cut)
{
    const char *start = text;

    for (size_t line = 1; *text != '\0'; line++) {
        size_t length = strcspn(text, "\n");
        if (is_cut && text[length] == '\0')
            break;
        json_auto_t *entry = json_loadb(text, length, 0, NULL);
        if (json_object_get(entry, "message") != NULL)
            log->take(log->sink,
                      &(struct workload_log_entry){.severity = text_of(entry, "error_severity"),
                                                   .sqlstate = text_of(entry, "state_code"),
                                                   .database = text_of(entry, "dbname"),
                                                   .message = text_of(entry, "message"),
                                                   .detail = text_of(entry, "detail"),
                                                   .line = line});
        text += length + (text[length] == '\n');
    }
    return (size_t)(text - start);
}

/* --- any of them -------------------------------------------------------------------------- */

enum workload_log_format
workload_log_format_of(const char *path, const char *text)
{
    if (text_ends_with(path, ".json") || text[0] == '{')
        return WORKLOAD_LOG_JSON;
    return text_ends_with(path, ".csv") ? WORKLOAD_LOG_CSV : WORKLOAD_LOG_TEXT;
}

size_t
workload_log_read(const struct workload_log *log, const char *text, bool is_cut)
{
    if (log->format == WORKLOAD_LOG_JSON)
        return read_json(log, text, is_cut);
    return log->format == WORKLOAD_LOG_CSV ? read_csv(log, text, is_cut)
                                           : read_text(log, text, is_cut);
}

/* Entries of CSV begin with a time of day to the millisecond. */
static bool
is_start(enum workload_log_format format, const char *line)
{
    static const char time[] = "dddd-dd-dd dd:dd:dd.ddd ";

    if (format != WORKLOAD_LOG_CSV)
        return format == WORKLOAD_LOG_JSON ? line[0] == '{' : line[0] != '\t';
    for (size_t i = 0; time[i] != '\0'; i++) {
        if (time[i] == 'd' ? line[i] < '0' || line[i] > '9' : line[i] != time[i])
            return false;
    }
    return true;
}

const char *
workload_log_resume(enum workload_log_format format, const char *text)
{
    while (*text != '\0' && !is_start(format, text)) {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return text;
}
