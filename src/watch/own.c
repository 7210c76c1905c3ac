// SPDX-License-Identifier: MIT
/* A statement is known by the text of the file that it came from: servers before 18 keep the header
 * of one that was sent as it is, pg_script() and newer servers do not. */
#include "watch/own.h"

#include "base/embed.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Characters that nobody else writes by chance. */
enum { ENOUGH = 40, ENOUGH_NAMED = 24, ENOUGH_NESTED = 60, LOOKED_AT = 100 };

static const char header[] = "-- what: ";

static const char *
skip_comments(const char *text)
{
    for (text += strspn(text, " \n"); strncmp(text, "--", 2) == 0; text += strspn(text, " \n"))
        text += strcspn(text, "\n");
    return text;
}

/* A place that pg_script() fills: :name, :"name" or :'name', but not a cast. */
static bool
is_variable(const char *at)
{
    return at[0] == ':' && (islower((unsigned char)at[1]) || at[1] == '"' || at[1] == '\'');
}

static const char *
skip_word(const char *at)
{
    while (isalnum((unsigned char)*at) || *at == '_' || *at == '.')
        at++;
    return at;
}

/* What the server may have replaced by $1: a text, a number, true, null, a parameter. NULL: none.
 */
static const char *
skip_constant(const char *at)
{
    at += *at == '-';
    at += (*at == 'E' || *at == 'x') && at[1] == '\'';
    if (*at != '\'')
        return *at == '$' || isalnum((unsigned char)*at) ? skip_word(at + 1) : NULL;
    do {
        at += 1 + strcspn(at + 1, "'");
        at += *at == '\'';
    } while (*at == '\'');
    return at;
}

/* Whether query is the statement that body begins with. */
static bool
is_statement(const char *query, const char *body)
{
    size_t same = 0;
    const char *first = query;

    while (*query != '\0') {
        if (*body == *query && *body != ':' && *body != '$') {
            query++;
            body++;
            same++;
        } else if (body[0] == ':' && body[1] == ':' && strncmp(query, "::", 2) == 0) {
            query += 2;
            body += 2;
        } else if (is_variable(body)) {
            return same >= ENOUGH;
        } else if (*query == '$' && (body = skip_constant(body)) != NULL) {
            query = skip_word(query + 1);
        } else {
            return false;
        }
    }
    bool is_cut = query - first >= WATCH_TEXT_MAX;
    body += strspn(body, " \n");
    return same >= ENOUGH && (is_cut || *body == ';' || *body == '\0');
}

static bool
is_of_file(const char *query, const char *text)
{
    for (const char *at = skip_comments(text); *at != '\0';) {
        if (is_statement(query, at))
            return true;
        const char *end = strstr(at, ";\n");
        at = end == NULL ? "" : skip_comments(end + 1);
    }
    return false;
}

/* The partitions of the history, made and dropped by monitoring.keep_history(), and rollups that
 * are kept up (rollup/sql/refresh.sql). */
static bool
is_upkeep(const char *query)
{
    static const char *const starts[] = {"CREATE TABLE monitoring.", "DROP TABLE monitoring."};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncmp(query, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return strncmp(query, "SELECT rollups.", strlen("SELECT rollups.")) == 0 &&
           strstr(query, "_refresh() AS has_more") != NULL;
}

/* A statement of a function of the schema monitoring, where nested ones are counted, too; up to its
 * first constant, since a variable of the function becomes one. */
static bool
is_nested(const char *query, const char *text)
{
    char part[LOOKED_AT + 1];
    size_t skip = strncmp(query, "SELECT ", strlen("SELECT ")) == 0 ? strlen("SELECT ") : 0;
    size_t length = strcspn(query + skip, "$");

    if (length >= sizeof(part))
        length = sizeof(part) - 1;
    memcpy(part, query + skip, length);
    part[length] = '\0';
    bool is_named = length >= ENOUGH_NAMED && strstr(part, "monitoring.") != NULL;
    return (is_named || length >= ENOUGH_NESTED) && strstr(text, part) != NULL;
}

static bool
has_header_of(const char *query, const char *text)
{
    size_t length = strcspn(text, "\n");

    return strcspn(query, "\n") == length && strncmp(text, query, length) == 0;
}

bool
watch_is_own(const char *query)
{
    if (query == NULL)
        return false;
    const char *bare = skip_comments(query);
    if (is_upkeep(bare))
        return true;
    for (size_t i = 0; i < embedded_file_count; i++) {
        const char *text = embedded_files[i].text;
        bool is_object = strncmp(embedded_files[i].path, "monitoring/objects/",
                                 strlen("monitoring/objects/")) == 0;
        if (strncmp(text, header, strlen(header)) == 0 &&
            (has_header_of(query, text) || is_of_file(bare, text)))
            return true;
        if (is_object && is_nested(bare, text))
            return true;
    }
    return false;
}
