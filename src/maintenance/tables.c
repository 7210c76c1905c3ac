// SPDX-License-Identifier: MIT
/* Tables that need VACUUM or ANALYZE; indexes that were left invalid. */
#include "maintenance/run.h"

#include <string.h>

bool
maintenance_find_tables(struct maintenance_run *run, struct error *err)
{
    const char *parameters[3] = {
        arena_printf(run->arena, "%g", run->wanted->dead_rows),
        arena_printf(run->arena, "%g", run->wanted->changed_rows),
        arena_printf(run->arena, "%g", run->wanted->freeze_age),
    };
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/due_tables.sql", 3, parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct maintenance_task *task = maintenance_add(
            run, pg_keep(run->arena, result, row, "task"), pg_keep(run->arena, result, row, "what"),
            pg_keep(run->arena, result, row, "why"));
        task->relation = pg_keep(run->arena, result, row, "relation");
        task->sql = pg_keep(run->arena, result, row, "sql");
        if (pg_bool(result, row, "may"))
            continue;
        /* PostgreSQL itself would only warn, and leave it. */
        task->state = MAINTENANCE_LEFT;
        task->error = arena_printf(run->arena, "role \"%s\" may not: it is not the owner",
                                   PQuser(run->connection));
    }
    return true;
}

/* What REINDEX CONCURRENTLY leaves is nobody's; any other invalid index somebody wanted. */
bool
maintenance_find_invalid(struct maintenance_run *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/invalid_indexes.sql", 0, NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *relation = pg_keep(run->arena, result, row, "relation");
        const char *what = pg_keep(run->arena, result, row, "what");
        const char *sql = pg_keep(run->arena, result, row, "sql");
        if (!pg_bool(result, row, "is_leftover")) {
            maintenance_find(run, MAINTENANCE_WARNING, sql, "%s", what);
            continue;
        }
        struct maintenance_task *task = maintenance_add(
            run, "sweep", arena_printf(run->arena, "drop what was left of %s", relation), what);
        task->relation = relation;
        task->sql = sql;
    }
    return true;
}

bool
maintenance_find_defaults(struct maintenance_run *run, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!maintenance_query(run, "maintenance/sql/default_rows.sql", 0, NULL, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        maintenance_find(run, MAINTENANCE_WARNING, NULL,
                         "default partition %s of %s holds about %s rows: for their ranges no "
                         "partition can be made any more",
                         pg_value(result, row, "name"), pg_value(result, row, "parent"),
                         pg_value(result, row, "live"));
    return true;
}
