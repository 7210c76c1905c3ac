// SPDX-License-Identifier: MIT
#include "pg/script.h"

#include "base/embed.h"
#include "base/text.h"
#include "pg/connection.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

static const char *
skip_header(const char *text)
{
    while (text[0] == '-' && text[1] == '-') {
        const char *end = strchr(text, '\n');
        text = end == NULL ? text + strlen(text) : end + 1;
    }
    return text + strspn(text, "\n");
}

static const struct pg_variable *
find(const struct pg_variable *variables, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(variables[i].name) == length && strncmp(variables[i].name, name, length) == 0)
            return &variables[i];
    }
    return NULL;
}

/* What stands at a colon; *ret_length: how much of the file it takes. NULL: no variable. */
static const char *
value_at(struct arena *arena, const char *at, const struct pg_variable *variables, size_t count,
         size_t *ret_length)
{
    bool is_quoted = at[1] == '"' || at[1] == '\'';
    const char *name = at + 1 + is_quoted;
    size_t length = 0;

    while (islower((unsigned char)name[length]) || name[length] == '_')
        length++;
    if (length == 0 || (is_quoted && name[length] != at[1]))
        return NULL;
    const struct pg_variable *variable = find(variables, count, name, length);
    assert(variable != NULL || !is_quoted);
    if (variable == NULL)
        return NULL;
    *ret_length = 1 + length + 2 * (size_t)is_quoted;
    if (!is_quoted)
        return variable->value;
    return at[1] == '"' ? pg_identifier(arena, variable->value)
                        : pg_literal(arena, variable->value);
}

char *
pg_script(struct arena *arena, const char *path, const struct pg_variable *variables, size_t count)
{
    AUTO_TEXT script = {0};
    const char *at = skip_header(embedded_file(path)->text);

    while (*at != '\0') {
        size_t taken = strcspn(at, ":");
        text_append_bytes(&script, at, taken);
        at += taken;
        if (*at == '\0')
            break;
        const char *value = NULL;
        if (at[1] != ':')
            value = value_at(arena, at, variables, count, &taken);
        if (value == NULL) {
            taken = at[1] == ':' ? 2 : 1;
            text_append_bytes(&script, at, taken);
        } else {
            text_append(&script, value);
        }
        at += taken;
    }
    size_t length = script.length;
    while (length > 0 && strchr("; \n", script.chars[length - 1]) != NULL)
        length--;
    return arena_strndup(arena, text_chars(&script), length);
}

char *
pg_text_array(struct arena *arena, const char *const *items, size_t count)
{
    AUTO_TEXT array = {0};

    text_append(&array, "{");
    for (size_t i = 0; i < count; i++) {
        text_append(&array, i == 0 ? "" : ",");
        if (items[i] == NULL) {
            text_append(&array, "NULL");
            continue;
        }
        text_append(&array, "\"");
        for (const char *at = items[i]; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\')
                text_append(&array, "\\");
            text_append_bytes(&array, at, 1);
        }
        text_append(&array, "\"");
    }
    text_append(&array, "}");
    return arena_strdup(arena, text_chars(&array));
}
