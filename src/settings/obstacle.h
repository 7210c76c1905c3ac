/* What keeps a value that pgdeck would set from coming into effect: rights, Patroni, the command
 * line, faulty files, and settings of databases and roles that win over it. */
#pragma once
#include "change/advice.h"
#include "settings/rules.h"

struct settings_obstacle {
    const char *text;   /* why pgdeck does not set it, one phrase */
    const char *remedy; /* what to do, one phrase */
};

/* False: nothing is in the way of setting this parameter for the whole server. has_file: it would
 * be set in a file of pgdeck's own, not by ALTER SYSTEM. */
bool settings_obstacle_of_server(const struct advice *advice, const struct catalog_setting *setting,
                                 bool has_file, struct settings_obstacle *ret_obstacle);
/* Likewise for one database. */
bool settings_obstacle_of_database(const struct advice *advice,
                                   const struct catalog_setting *setting, const char *database,
                                   struct settings_obstacle *ret_obstacle);

/* "role bob: 1GB, role eve in sales: 2GB": who has a value of their own, which wins. database NULL:
 * over the server's; else over that database's. "": nobody. In the arena. */
const char *settings_overrides(struct arena *arena, const struct catalog_server *catalog,
                               const char *name, const char *database);
/* What sessions of the database have if their role has nothing of its own. */
const char *settings_database_value(const struct catalog_server *catalog, const char *database,
                                    const struct catalog_setting *setting);
/* The first line of the files for whose sake the server reads none of them; NULL: none. */
const struct catalog_file_setting *settings_faulty_line(const struct catalog_server *catalog);
