// SPDX-License-Identifier: MIT
#include "health/inline.h"

#include "base/text.h"
#include "monitoring/fill.h"
#include "pg/connection.h"
#include "pg/script.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static const char schema_prefix[] = "monitoring.";

bool
health_names_have(const struct health_names *names, const char *name)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (strcmp(names->list.items[i], name) == 0)
            return true;
    }
    return false;
}

bool
health_is_served(const struct health_inline *in, const struct monitoring_object *object)
{
    for (size_t i = 0; i < object->needs.count; i++) {
        const struct monitoring_need *need = &object->needs.items[i];
        if (need->kind != MONITORING_NEEDS_COLUMN)
            continue; /* of a function that reads the table: then that one is missing */
        const char *column =
            arena_printf(in->arena, "%s.%s", need->relation, need->columns.list.items[0]);
        if (health_names_have(in->missing_columns, column) == need->is_wanted)
            return false;
    }
    return true;
}

static const struct monitoring_object *
find_object(const struct health_inline *in, const char *name)
{
    for (size_t i = 0; i < in->objects->list.count; i++) {
        const struct monitoring_object *object = &in->objects->list.items[i];
        if (strcmp(object->name, name) == 0 && health_is_served(in, object))
            return object;
    }
    return NULL;
}

static size_t
name_length(const char *at)
{
    size_t length = 0;

    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

static void append_inlined(const struct health_inline *in, const char *sql, struct text *out,
                           const char **missing);

/* "CREATE OR REPLACE VIEW monitoring.v AS\n<this>;\n\nCOMMENT ON ..." */
static void
append_view(const struct health_inline *in, const struct monitoring_object *view, struct text *out,
            const char **missing)
{
    const char *begin = strstr(view->sql, " AS\n");
    const char *end = strstr(view->sql, ";\n\nCOMMENT ON ");

    assert(begin != NULL && end != NULL);
    begin += strlen(" AS\n");
    text_append(out, "(");
    append_inlined(in, arena_strndup(in->arena, begin, (size_t)(end - begin)), out, missing);
    text_append(out, ")");
}

/* No rows with the columns of "CREATE TABLE monitoring.t (\n    name type NOT NULL,\n ...". */
static void
append_empty_table(const struct monitoring_object *table, struct text *out)
{
    const char *line = strstr(table->sql, "(\n");
    bool is_first = true;

    assert(line != NULL);
    line += strlen("(\n");
    text_append(out, "(SELECT ");
    while (strncmp(line, "    ", strlen("    ")) == 0) {
        const char *name = line + strlen("    ");
        size_t length = name_length(name);
        const char *type = name + length + 1;
        size_t type_length = strcspn(type, ",\n");
        for (size_t i = 0; i < type_length; i++) {
            if (strncmp(type + i, " NOT NULL", strlen(" NOT NULL")) == 0 ||
                strncmp(type + i, " PRIMARY KEY", strlen(" PRIMARY KEY")) == 0)
                type_length = i;
        }
        if (islower((unsigned char)*name)) {
            text_appendf(out, "%sCAST(NULL AS %.*s) AS %.*s", is_first ? "" : ", ",
                         (int)type_length, type, (int)length, name);
            is_first = false;
        }
        line += strcspn(line, "\n") + 1;
    }
    text_append(out, " WHERE false)");
}

static const char *
skip_spaces(const char *at)
{
    return at + strspn(at, " \n\t");
}

/* The text in quotes at the next place but spaces; NULL: there is none. */
static const char *
read_quoted(struct arena *arena, const char **at)
{
    const char *begin = skip_spaces(*at);
    size_t length = *begin == '\'' ? strcspn(begin + 1, "'") : 0;

    if (*begin != '\'' || begin[1 + length] != '\'')
        return NULL;
    *at = skip_spaces(begin + length + strlen("''"));
    return arena_strndup(arena, begin + 1, length);
}

/* "('name', 'otherwise')": the length of that, its value appended. 0: it is something else. */
static size_t
append_threshold(const struct health_inline *in, const char *arguments, struct text *out)
{
    const char *at = arguments + 1;
    const char *name = *arguments == '(' ? read_quoted(in->arena, &at) : NULL;

    if (name == NULL || *at++ != ',')
        return 0;
    const char *otherwise = read_quoted(in->arena, &at);
    if (otherwise == NULL || *at != ')')
        return 0;
    const char *limit = monitoring_limit(in->arena, in->deck, name);
    text_append(out, pg_literal(in->arena, limit == NULL ? otherwise : limit));
    return (size_t)(at + 1 - arguments);
}

/* What stands behind "monitoring." at name; returns its length. */
static size_t
append_reference(const struct health_inline *in, const char *name, struct text *out,
                 const char **missing)
{
    size_t length = name_length(name);
    const char *word = arena_strndup(in->arena, name, length);
    const struct monitoring_object *object = find_object(in, word);

    if (strcmp(word, "threshold") == 0) {
        size_t read = append_threshold(in, name + length, out);
        if (read > 0)
            return length + read;
    }
    if (object != NULL && strcmp(object->kind, "view") == 0) {
        append_view(in, object, out, missing);
        return length;
    }
    if (object != NULL && !health_names_have(in->installed, word)) {
        append_empty_table(object, out);
        return length;
    }
    if (!health_names_have(in->installed, word))
        *missing = word;
    text_appendf(out, "%s%s", schema_prefix, word);
    return length;
}

/* Texts in quotes and remarks stay as they are. */
static void
append_inlined(const struct health_inline *in, const char *sql, struct text *out,
               const char **missing)
{
    const char *at = sql;

    while (*at != '\0') {
        if (strncmp(at, schema_prefix, strlen(schema_prefix)) == 0) {
            at += strlen(schema_prefix);
            at += append_reference(in, at, out, missing);
            continue;
        }
        size_t length = 1;
        if (*at == '\'')
            length += strcspn(at + 1, "'") + 1;
        else if (strncmp(at, "--", 2) == 0)
            length = strcspn(at, "\n");
        text_append_bytes(out, at, length);
        at += length;
    }
}

const char *
health_inline_sql(const struct health_inline *in, const struct monitoring_object *check,
                  const char **ret_missing)
{
    AUTO_TEXT body = {0};

    *ret_missing = NULL;
    append_inlined(in, check->sql, &body, ret_missing);
    return pg_script(in->arena, "health/sql/inlined.sql",
                     PG_VARIABLES({"check", text_chars(&body)}));
}
