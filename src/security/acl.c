// SPDX-License-Identifier: MIT
#include "security/acl.h"

#include "pg/connection.h"

#include <string.h>

/* Reads the grantee of "name=letters/grantor" into name (large enough); returns what follows its
 * equals sign. A name is in double quotes, doubled inside, when it is not plain. */
static const char *
read_grantee(const char *item, char *name)
{
    bool is_quoted = *item == '"';

    item += is_quoted;
    while (*item != '\0') {
        if (is_quoted && *item == '"') {
            if (item[1] != '"') {
                item++;
                break;
            }
            item++;
        } else if (!is_quoted && *item == '=') {
            break;
        }
        *name++ = *item++;
    }
    *name = '\0';
    return *item == '=' ? item + 1 : item;
}

const char *
acl_which(struct arena *arena, const char *acl, const char *role, const char *letters)
{
    char *found = ARENA_ARRAY(arena, char, strlen(letters) + 1);
    char *out = found;
    char **items;
    size_t count = pg_array(arena, acl, &items);

    for (const char *letter = letters; *letter != '\0'; letter++) {
        bool is_granted = false;
        for (size_t i = 0; i < count; i++) {
            char *grantee = ARENA_ARRAY(arena, char, strlen(items[i]) + 1);
            const char *rights = read_grantee(items[i], grantee);
            const char *at = strchr(rights, *letter);
            is_granted = is_granted || (strcmp(grantee, role) == 0 && at != NULL &&
                                        at < rights + strcspn(rights, "/"));
        }
        if (is_granted)
            *out++ = *letter;
    }
    return found;
}

bool
acl_has(const char *acl, const char *role, const char *letters)
{
    AUTO_ARENA arena = arena_new();

    return strlen(acl_which(arena, acl, role, letters)) == strlen(letters);
}
