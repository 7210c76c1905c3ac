// SPDX-License-Identifier: MIT
#include "monitoring/search_path.h"

#include "base/text.h"
#include "pg/connection.h"

#include <ctype.h>
#include <string.h>

static const char spaces[] = " \t\n\r\f\v";

/* A name in quotes, "" standing for one; *at behind it. NULL: it does not end. */
static const char *
read_quoted(struct arena *arena, const char **at)
{
    AUTO_TEXT name = {0};

    for (const char *next = *at + 1; *next != '\0'; next++) {
        if (*next != '"') {
            text_append_bytes(&name, next, 1);
        } else if (next[1] == '"') {
            text_append_bytes(&name, next++, 1);
        } else {
            *at = next + 1;
            return arena_strdup(arena, text_chars(&name));
        }
    }
    return NULL;
}

/* As the server's SplitIdentifierString: without quotes, up to a comma or space, in small letters.
 */
static const char *
read_name(struct arena *arena, const char **at)
{
    if (**at == '"')
        return read_quoted(arena, at);
    size_t length = strcspn(*at, ", \t\n\r\f\v");
    char *name = arena_strndup(arena, *at, length);
    for (size_t i = 0; i < length; i++)
        name[i] = (char)tolower((unsigned char)name[i]);
    *at += length;
    return name;
}

struct names {
    LIST_OF(const char *) list;
};

static bool
split(struct arena *arena, const char *path, struct names *ret_names)
{
    const char *at = path + strspn(path, spaces);

    memset(ret_names, 0, sizeof(*ret_names));
    for (;;) {
        const char *name = read_name(arena, &at);
        if (name == NULL || *name == '\0')
            return false;
        *LIST_ADD(arena, &ret_names->list) = name;
        at += strspn(at, spaces);
        if (*at == '\0')
            return true;
        if (*at != ',')
            return false;
        at++;
        at += strspn(at, spaces);
    }
}

static const char *
join(struct arena *arena, const struct names *names)
{
    AUTO_TEXT path = {0};

    for (size_t i = 0; i < names->list.count; i++)
        text_appendf(&path, "%s%s", i == 0 ? "" : ", ", pg_identifier(arena, names->list.items[i]));
    return arena_strdup(arena, text_chars(&path));
}

bool
monitoring_search_path_quote(struct arena *arena, const char *path, const char **ret_path)
{
    struct names names;

    if (!split(arena, path, &names))
        return false;
    *ret_path = join(arena, &names);
    return true;
}

bool
monitoring_search_path_add(struct arena *arena, const char *path, const char *schema,
                           const char **ret_path)
{
    struct names names;

    if (!split(arena, path, &names))
        return false;
    *ret_path = NULL;
    for (size_t i = 0; i < names.list.count; i++) {
        if (strcmp(names.list.items[i], schema) == 0)
            return true;
    }
    *LIST_ADD(arena, &names.list) = schema;
    *ret_path = join(arena, &names);
    return true;
}
