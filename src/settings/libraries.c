// SPDX-License-Identifier: MIT
#include "settings/libraries.h"

#include "base/embed.h"
#include "pg/script.h"

#include <string.h>

/* What a role may read that cannot look at files. */
static bool
is_listed(const struct catalog_server *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->available_extension_count; i++) {
        if (strcmp(catalog->available_extensions[i], name) == 0)
            return true;
    }
    return false;
}

void
settings_libraries_find(struct arena *arena, const struct catalog_server *catalog,
                        const char *const *names, size_t count, enum settings_library *ret_found)
{
    const char *const values[] = {pg_text_array(arena, names, count)};
    AUTO_PGRESULT result = NULL;
    struct error err;

    for (size_t i = 0; i < count; i++)
        ret_found[i] = is_listed(catalog, names[i]) ? LIBRARY_INSTALLED : LIBRARY_UNKNOWN;
    if (catalog->connection == NULL || !catalog->can_stat_files || count == 0 ||
        !pg_query(catalog->connection, embedded_file("settings/sql/libraries.sql")->text, 1, values,
                  &result, &err))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *name = pg_value(result, row, "name");
        for (size_t i = 0; i < count; i++) {
            if (strcmp(names[i], name) != 0 || pg_value(result, row, "is_there") == NULL)
                continue;
            ret_found[i] = pg_bool(result, row, "is_there") ? LIBRARY_INSTALLED : LIBRARY_MISSING;
        }
    }
}
