/* Which libraries are really installed on a server: what is not keeps it from starting. */
#pragma once
#include "pg/catalog.h"

enum settings_library { LIBRARY_UNKNOWN, LIBRARY_MISSING, LIBRARY_INSTALLED };

/* One for each name, by what the server finds in its own library folder; extensions that it lists
 * count too. Unknown: the role may not look, or there is no connection. */
void settings_libraries_find(struct arena *arena, const struct catalog_server *catalog,
                             const char *const *names, size_t count,
                             enum settings_library *ret_found);
