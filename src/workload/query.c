// SPDX-License-Identifier: MIT
#include "workload/query.h"

#include "base/file.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARAMETERS = 64 };

/* One file while it is read. */
struct reader {
    struct arena *arena;
    const char *path;
    const char *text;
    struct workload_query *query;
};

static int
character_count(const char *start, const char *end)
{
    int count = 0;

    for (; start < end; start++)
        count += ((unsigned char)*start & 0xc0) != 0x80;
    return count;
}

static struct place
place_of(const struct reader *reader, const char *at)
{
    struct place place = {reader->path, 1, 1};
    const char *line = reader->text;

    for (const char *c = reader->text; c < at; c++) {
        if (*c == '\n') {
            place.line++;
            line = c + 1;
        }
    }
    place.column = character_count(line, at) + 1;
    return place;
}

struct place
workload_place(struct place start, const char *text, int position)
{
    for (; *text != '\0' && position > 1; text++) {
        if (((unsigned char)text[1] & 0xc0) != 0x80)
            position--;
        if (*text == '\n') {
            start.line++;
            start.column = 1;
        } else if (((unsigned char)text[1] & 0xc0) != 0x80) {
            start.column++;
        }
    }
    return start;
}

static bool
fault(const struct reader *reader, const char *at, struct error *err, const char *message)
{
    error_set(err, ERROR_DECK, "%s", message);
    return error_place(err, place_of(reader, at));
}

/* --- header ------------------------------------------------------------------------------- */

static const char *
trimmed(struct arena *arena, const char *start, const char *end)
{
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    return arena_strndup(arena, start, (size_t)(end - start));
}

static bool
read_uses(struct reader *reader, const char *at, const char *end)
{
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (comma == NULL)
            comma = end;
        const char *name = trimmed(reader->arena, at, comma);
        if (name[0] != '\0')
            *LIST_ADD(reader->arena, &reader->query->uses) = name;
        at = comma + 1;
    }
    return true;
}

/* at: behind the dollar sign of "$1 name type: SELECT ...". */
static bool
read_parameter(struct reader *reader, const char *at, const char *end, struct error *err)
{
    static const char form[] = "A parameter is declared as: -- $1 name type: SELECT ...";
    char *number_end;
    long number = strtol(at, &number_end, 10);
    size_t expected = reader->query->parameters.count + 1;
    const char *colon = memchr(at, ':', (size_t)(end - at));

    if (number != (long)expected || expected > MAX_PARAMETERS) {
        fault(reader, at - 1, err, "parameters must be declared in order");
        return error_hint(err, "Here $%zu is due, and there are at most %d.", expected,
                          MAX_PARAMETERS);
    }
    if (*number_end != ' ' || colon == NULL) {
        fault(reader, at - 1, err, "parameter without name, type or candidates");
        return error_hint(err, form);
    }
    const char *name = number_end + strspn(number_end, " ");
    const char *name_end = name + strcspn(name, " :");
    const char *type = name_end + strspn(name_end, " ");
    const char *candidates = colon + 1 + strspn(colon + 1, " ");
    if (name == name_end || type >= colon || candidates >= end) {
        fault(reader, name, err, "parameter without name, type or candidates");
        return error_hint(err, form);
    }
    struct workload_parameter *parameter = LIST_ADD(reader->arena, &reader->query->parameters);
    parameter->name = trimmed(reader->arena, name, name_end);
    parameter->type = trimmed(reader->arena, type, colon);
    parameter->candidates = trimmed(reader->arena, candidates, end);
    parameter->place = place_of(reader, type);
    parameter->candidates_place = place_of(reader, candidates);
    return true;
}

static bool
read_value(struct reader *reader, const char **value, const char *at, const char *end,
           const char *key, struct error *err)
{
    if (*value != NULL) {
        fault(reader, at, err, "header line is there twice");
        return error_hint(err, "Only one line \"-- %s: ...\" may be there.", key);
    }
    *value = trimmed(reader->arena, at, end);
    return (*value)[0] != '\0' || fault(reader, at, err, "header line without a value");
}

/* One line "-- key: value"; a line of another form is a remark. */
static bool
read_header_line(struct reader *reader, const char *line, const char *end, struct error *err)
{
    static const char *const keys[] = {"name", "class", "what", "uses", "servers", "returns", NULL};
    struct workload_query *query = reader->query;
    const char *key = line + 2 + strspn(line + 2, " ");
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz_");
    const char *value = key + length + 1;

    if (*key == '$')
        return read_parameter(reader, key + 1, end, err);
    if (length == 0 || key[length] != ':' || key + length >= end)
        return true;
    char *word = arena_strndup(reader->arena, key, length);
    if (strcmp(word, "name") == 0) {
        query->place = place_of(reader, value + strspn(value, " "));
        return read_value(reader, &query->name, value, end, word, err);
    }
    if (strcmp(word, "class") == 0)
        return read_value(reader, &query->class_name, value, end, word, err);
    if (strcmp(word, "what") == 0)
        return read_value(reader, &query->what, value, end, word, err);
    if (strcmp(word, "uses") == 0)
        return read_uses(reader, value, end);
    const char *nearest = text_nearest(word, keys);
    if (nearest == NULL || strcmp(nearest, word) == 0)
        return true;
    error_set(err, ERROR_DECK, "unknown header line \"%s\"", word);
    error_hint(err, "Did you mean \"%s\"?", nearest);
    return error_place(err, place_of(reader, key));
}

/* Reads the remarks and empty lines at the top; returns where the statement begins. */
static const char *
read_header(struct reader *reader, struct error *err)
{
    const char *line = reader->text;

    while (*line != '\0') {
        const char *end = line + strcspn(line, "\n");
        bool is_remark = strncmp(line, "--", 2) == 0;
        if (!is_remark && line + strspn(line, " \t\r") < end)
            return line + strspn(line, " \t");
        if (is_remark && !read_header_line(reader, line, end, err))
            return NULL;
        line = *end == '\n' ? end + 1 : end;
    }
    return line;
}

/* --- statement ---------------------------------------------------------------------------- */

/* The text behind a block comment (they nest). */
static const char *
skip_block_comment(const char *at)
{
    int depth = 0;

    do {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else {
            at++;
        }
    } while (depth > 0 && *at != '\0');
    return at;
}

/* The text behind a string or quoted name that begins at at; doubled quotes simply begin anew. */
static const char *
skip_quoted(const char *at, bool has_escapes)
{
    char quote = *at++;

    while (*at != '\0' && *at != quote)
        at += has_escapes && at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at == '\0' ? at : at + 1;
}

/* The text behind $tag$...$tag$; at itself where none begins. */
static const char *
skip_dollar_quoted(struct arena *arena, const char *at)
{
    size_t length = 1;

    if (isdigit((unsigned char)at[1]))
        return at;
    while (isalnum((unsigned char)at[length]) || at[length] == '_' || (at[length] & 0x80) != 0)
        length++;
    if (at[length] != '$')
        return at;
    const char *tag = arena_strndup(arena, at, length + 1);
    const char *end = strstr(at + length + 1, tag);
    return end == NULL ? at + strlen(at) : end + length + 1;
}

/* What cannot hold a parameter or the statement's end: comments, strings, names. Returns at
 * itself where none of them begins. */
static const char *
skip_opaque(struct arena *arena, const char *text, const char *at)
{
    bool is_in_word = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');

    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*')
        return skip_block_comment(at);
    if (*at == '\'' || *at == '"') {
        bool has_escapes = *at == '\'' && at > text && (at[-1] == 'E' || at[-1] == 'e') &&
                           (at - text < 2 || !isalnum((unsigned char)at[-2]));
        return skip_quoted(at, has_escapes);
    }
    if (*at == '$' && !is_in_word)
        return skip_dollar_quoted(arena, at);
    return at;
}

static bool
note_parameter(struct reader *reader, const char *at, bool used[MAX_PARAMETERS + 1],
               struct error *err)
{
    long number = strtol(at + 1, NULL, 10);
    size_t declared = reader->query->parameters.count;

    if (number >= 1 && number <= (long)declared) {
        used[number] = true;
        return true;
    }
    error_set(err, ERROR_DECK, "parameter $%ld is not declared", number);
    error_place(err, place_of(reader, at));
    return error_hint(err, "Add a line \"-- $%ld name type: SELECT ...\" above the statement.",
                      number);
}

/* Finds the end of the one statement and the parameters that it uses. */
static const char *
scan_statement(struct reader *reader, const char *start, bool used[MAX_PARAMETERS + 1],
               struct error *err)
{
    const char *end = NULL;

    for (const char *at = start; *at != '\0';) {
        const char *behind = skip_opaque(reader->arena, start, at);
        if (end != NULL && behind == at && !isspace((unsigned char)*at)) {
            fault(reader, at, err, "more than one statement");
            error_hint(err, "A workload file holds one statement; make another file of this one.");
            return NULL;
        }
        bool is_parameter = *at == '$' && isdigit((unsigned char)at[1]);
        if (behind == at && is_parameter && !note_parameter(reader, at, used, err))
            return NULL;
        if (behind == at && *at == ';')
            end = at;
        at = behind == at ? at + 1 : behind;
    }
    return end == NULL ? start + strlen(start) : end;
}

static bool
read_statement(struct reader *reader, const char *start, const char **ret_sql,
               struct place *ret_place, struct error *err)
{
    const struct workload_query *query = reader->query;
    bool used[MAX_PARAMETERS + 1] = {false};
    const char *end = scan_statement(reader, start, used, err);

    if (end == NULL)
        return false;
    *ret_sql = trimmed(reader->arena, start, end);
    *ret_place = place_of(reader, start);
    if ((*ret_sql)[0] == '\0')
        return fault(reader, start, err, "no statement");
    for (size_t i = 0; i < query->parameters.count; i++) {
        const struct workload_parameter *parameter = &query->parameters.items[i];
        if (used[i + 1])
            continue;
        error_set(err, ERROR_DECK, "parameter $%zu (%s) is declared but not used", i + 1,
                  parameter->name);
        return error_place(err, parameter->place);
    }
    return true;
}

/* One statement, or two with a line "-- before:" between them. */
static bool
read_statements(struct reader *reader, const char *start, struct error *err)
{
    static const char mark[] = "\n-- before:";
    struct workload_query *query = reader->query;
    const char *text = reader->text;
    const char *before = strstr(start, mark);

    if (before != NULL) /* the places of the first statement are the same in its copy */
        reader->text = arena_strndup(reader->arena, text, (size_t)(before - text));
    if (!read_statement(reader, reader->text + (start - text), &query->sql, &query->sql_place, err))
        return false;
    if (before == NULL)
        return true;
    reader->text = text;
    before += strlen(mark) + strcspn(before + strlen(mark), "\n");
    return read_statement(reader, before + strspn(before, " \t\r\n"), &query->before_sql,
                          &query->before_place, err);
}

bool
workload_read_query(struct arena *arena, const char *path, const char *text,
                    struct workload_query *ret_query, struct error *err)
{
    struct workload_query query = {0};
    struct reader reader = {arena, path, text, &query};
    const char *statement = read_header(&reader, err);

    if (statement == NULL)
        return false;
    if (query.name == NULL || query.class_name == NULL) {
        const char *missing = query.name == NULL ? "name" : "class";
        error_set(err, ERROR_DECK, "query without a %s", missing);
        error_place(err, place_of(&reader, text));
        return error_hint(err, "Add a line \"-- %s: ...\" at the top of the file.", missing);
    }
    if (query.what == NULL)
        query.what = "";
    if (!read_statements(&reader, statement, err))
        return false;
    *ret_query = query;
    return true;
}

/* --- folder ------------------------------------------------------------------------------- */

static int
is_query_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

static bool
check_name(const struct workload *workload, const struct workload_query *query, struct error *err)
{
    for (size_t i = 0; i < workload->queries.count; i++) {
        const struct workload_query *other = &workload->queries.items[i];
        if (strcmp(other->name, query->name) != 0)
            continue;
        error_set(err, ERROR_DECK, "query \"%s\" is there twice", query->name);
        error_detail(err, "The other one is %s:%d.", other->place.file, other->place.line);
        return error_place(err, query->place);
    }
    return true;
}

static bool
load_file(struct arena *arena, struct workload *workload, const char *path, struct error *err)
{
    struct workload_query query;
    char *text;
    size_t length;

    if (!file_read(arena, path, &text, &length, err))
        return false;
    if (strlen(text) != length) {
        error_set(err, ERROR_DECK, "zero byte in a query");
        return error_place(err, (struct place){path, 1, 1});
    }
    if (!workload_read_query(arena, path, text, &query, err) || !check_name(workload, &query, err))
        return false;
    *LIST_ADD(arena, &workload->queries) = query;
    return true;
}

bool
workload_load(struct arena *arena, const char *folder, struct workload *ret_workload,
              struct error *err)
{
    struct workload workload = {.folder = folder};
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_query_file, alphasort);
    bool is_fine = true;

    if (count < 0)
        return error_errno(err, "cannot read the workload folder \"%s\"", folder);
    for (int i = 0; i < count; i++) {
        if (is_fine)
            is_fine = load_file(arena, &workload,
                                arena_printf(arena, "%s/%s", folder, entries[i]->d_name), err);
        free(entries[i]);
    }
    free(entries);
    if (is_fine && workload.queries.count == 0) {
        error_set(err, ERROR_DECK, "no query in the workload folder \"%s\"", folder);
        return error_hint(err, "Each query is a file NAME.sql there; see docs/bench.md.");
    }
    if (is_fine)
        *ret_workload = workload;
    return is_fine;
}
