// SPDX-License-Identifier: MIT
#include "partition/convert.h"

#include "base/embed.h"
#include "base/text.h"
#include "pg/connection.h"
#include "pg/script.h"

#include <assert.h>
#include <string.h>

static bool
add_obstacles(PGconn *connection, const struct deck_partition *partition, struct text *hard,
              struct text *light, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[5] = {partition->schema, partition->table, partition->column,
                                 partition_kind_word(partition->kind),
                                 partition_divisor_word(partition)};

    if (!pg_query(connection, embedded_file("partition/sql/obstacles.sql")->text, 5, parameters,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct text *reasons = pg_bool(result, row, "is_light") ? light : hard;
        const char *reason = pg_value(result, row, "reason");
        if (strstr(text_chars(reasons), reason) == NULL) /* another level has said so */
            text_appendf(reasons, "%s%s", reasons->length == 0 ? "" : "; ", reason);
    }
    return true;
}

bool
partition_find_obstacles(struct arena *arena, PGconn *connection,
                         const struct deck_partition *partition,
                         struct partition_obstacles *ret_obstacles, struct error *err)
{
    const struct deck_partition *inner = partition_inner(arena, partition, partition->table);
    AUTO_TEXT hard = {0};
    AUTO_TEXT light = {0};

    if (!add_obstacles(connection, partition, &hard, &light, err) ||
        (inner != NULL && !add_obstacles(connection, inner, &hard, &light, err)))
        return false;
    *ret_obstacles = (struct partition_obstacles){
        .hard = hard.length == 0 ? NULL : arena_strdup(arena, text_chars(&hard)),
        .light = light.length == 0 ? NULL : arena_strdup(arena, text_chars(&light)),
    };
    return true;
}

bool
partition_convert_script(struct arena *arena, PGconn *connection,
                         const struct deck_partition *partition,
                         const struct partition_parts *parts, bool is_reverse,
                         const char **ret_script, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[12] = {
        partition->schema,
        partition->table,
        is_reverse ? NULL : partition->column,
        is_reverse ? NULL : partition_kind_word(partition->kind),
        is_reverse ? "{}" : partition_part_names(arena, parts),
        is_reverse ? "{}" : partition_part_clauses(arena, parts),
        "empty",
        NULL,
        NULL,
        partition_columns(arena, partition),
        is_reverse ? "{}" : partition_part_parents(arena, parts),
        is_reverse ? "{}" : partition_part_keys(arena, parts),
    };

    if (!pg_query(connection, embedded_file("partition/sql/convert.sql")->text, 12, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) == 0)
        return error_set(err, ERROR_STALE_PLAN, "table \"%s\" is no ordinary table any more",
                         partition->table);
    *ret_script = arena_strdup(arena, pg_value(result, 0, "script"));
    return true;
}

bool
partition_attach_scripts(struct arena *arena, PGconn *connection,
                         const struct deck_partition *partition,
                         const struct partition_parts *parts, const char **ret_scripts,
                         struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[6] = {
        partition->schema,
        partition->table,
        partition_part_names(arena, parts),
        partition_part_clauses(arena, parts),
        partition_part_parents(arena, parts),
        partition_part_keys(arena, parts),
    };
    size_t first_level = 0;

    if (!pg_query(connection, embedded_file("partition/sql/attach.sql")->text, 6, parameters,
                  &result, err))
        return false;
    for (size_t i = 0; i < parts->list.count; i++)
        first_level += parts->list.items[i].parent == NULL;
    if ((size_t)PQntuples(result) != first_level)
        return error_set(err, ERROR_STALE_PLAN, "table \"%s\" is not partitioned any more",
                         partition->table);
    for (int row = 0; row < PQntuples(result); row++)
        ret_scripts[row] = arena_strdup(arena, pg_value(result, row, "script"));
    return true;
}

/* --- the procedure ------------------------------------------------------------------------ */

static bool
lock(struct change_execution *execution, const struct deck_partition *partition, struct error *err)
{
    return pg_execute(
        execution->connection,
        pg_script(execution->arena, "partition/sql/lock.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table})),
        err);
}

/* Everything is looked at again under the lock. */
static bool
run(struct change_execution *execution, struct error *err)
{
    const struct partition_conversion *conversion = execution->change->argument;
    const struct deck_partition *partition = conversion->partition;
    struct partition_obstacles obstacles;
    const char *script;

    assert(execution->change->is_transactional);
    if (!lock(execution, partition, err) ||
        !partition_find_obstacles(execution->arena, execution->connection, partition, &obstacles,
                                  err))
        return false;
    const char *reasons = obstacles.hard != NULL ? obstacles.hard : obstacles.light;
    if (reasons != NULL) {
        error_set(err, ERROR_REFUSED, "table \"%s\" cannot be partitioned by %s", partition->table,
                  partition_key_text(execution->arena, partition));
        error_detail(err, "Because %s.", reasons);
        return error_place(err, partition->place);
    }
    return partition_convert_script(execution->arena, execution->connection, partition,
                                    &conversion->parts, false, &script, err) &&
           pg_execute(execution->connection, script, err);
}

const struct change_procedure partition_convert_procedure = {"convert an empty table", run};
