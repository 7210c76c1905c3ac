// SPDX-License-Identifier: MIT
#include "rollup/refresh.h"

#include "base/embed.h"
#include "pg/script.h"

static bool
step(PGconn *connection, const char *sql, bool *ret_has_more, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, sql, 0, NULL, &result, err))
        return false;
    *ret_has_more = pg_bool(result, 0, "has_more");
    return true;
}

bool
rollup_refresh(PGconn *connection, const char *name, struct error *err)
{
    struct arena *arena = arena_new();
    const char *sql = pg_script(arena, "rollup/sql/refresh.sql",
                                PG_VARIABLES({"refresh", arena_printf(arena, "%s_refresh", name)}));
    bool has_more = true, is_fine = true;

    while (is_fine && has_more)
        is_fine = step(connection, sql, &has_more, err) ||
                  error_wrap(err, "cannot keep up the rollup \"%s\"", name);
    arena_free(arena);
    return is_fine;
}

bool
rollup_refresh_all(PGconn *connection, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct error fault = {0};
    bool is_fine = true;

    if (!pg_query(connection, embedded_file("rollup/sql/rollups.sql")->text, 0, NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        is_fine =
            rollup_refresh(connection, pg_value(result, row, "name"), is_fine ? err : &fault) &&
            is_fine;
    return is_fine;
}

const char *
rollup_refresh_loop(struct arena *arena, const char *name)
{
    return pg_script(arena, "rollup/sql/refresh_loop.sql",
                     PG_VARIABLES({"refresh", arena_printf(arena, "%s_refresh", name)}));
}
