// SPDX-License-Identifier: MIT
#include "partition/drain.h"

#include "base/embed.h"
#include "change/name.h"
#include "pg/script.h"

#include <string.h>

static const struct catalog_table *
find_default(const struct partition_live_advice *about, const struct catalog_table *table)
{
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);

    for (size_t i = 0; i < catalog->tables.count; i++) {
        const struct catalog_table *part = &catalog->tables.items[i];
        if (part->parent_oid == table->oid && strcmp(part->partition_bound, "DEFAULT") == 0)
            return part->kind == 'r' ? part : NULL;
    }
    return NULL;
}

static bool
read_state(const struct partition_live_advice *its, struct partition_live_state *ret_state,
           struct error *err)
{
    AUTO_PGRESULT there = NULL;

    *ret_state = (struct partition_live_state){0};
    if (!pg_query(its->connection, embedded_file("partition/sql/live_there.sql")->text, 0, NULL,
                  &there, err))
        return false;
    return !pg_bool(there, 0, "is_there") ||
           partition_live_state(its->advice->arena, its->connection, its->partition, ret_state,
                                err);
}

/* What stands in the way, at the default or at the table; NULL: nothing. */
static bool
find_obstacles(const struct partition_live_advice *its, const char *parent,
               const struct partition_live_state *state, const char **ret_reasons,
               struct error *err)
{
    struct arena *arena = its->advice->arena;
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {its->partition->schema, parent};

    if (!partition_live_obstacles(its, ret_reasons, err) ||
        !pg_query(its->connection, embedded_file("partition/sql/drain_obstacles.sql")->text, 2,
                  parameters, &result, err))
        return false;
    if (*ret_reasons == NULL && PQntuples(result) > 0)
        *ret_reasons = pg_keep(arena, result, 0, "reason");
    if (*ret_reasons == NULL && state->step != NULL && strcmp(state->step, "finished") == 0)
        *ret_reasons = arena_printf(arena,
                                    "what was drained last is still kept as %s: pgdeck partition "
                                    "gc --all removes it",
                                    state->retired_name);
    return true;
}

static void
add(const struct partition_live_advice *its, const char *parent, const char *why, const char *sql)
{
    struct arena *arena = its->advice->arena;
    const struct deck_partition *partition = its->partition;
    struct partition_live *argument = ARENA_NEW(arena, struct partition_live);

    *argument = (struct partition_live){its->advice->deck, partition, parent};
    change_list_add(
        its->advice->changes,
        &(struct change){
            .server = its->advice->server->name,
            .database = its->database->name,
            .key = arena_printf(arena, "drain %s",
                                pg_qualified(arena, partition->schema, partition->table)),
            .phase = CHANGE_PARTITION,
            .action = CHANGE_ALTER,
            .what = arena_printf(arena, "drain %s, the default of %s, into partitions",
                                 partition->table, parent),
            .why = why,
            .place = partition->place,
            .sql = sql,
            .procedure = &partition_live_procedure,
            .argument = argument,
            .lock = arena_printf(arena,
                                 "SHARE ROW EXCLUSIVE on %s (triggers) and at the end ACCESS "
                                 "EXCLUSIVE on %s, each for a moment; asked for %d ms at a time",
                                 partition->table, parent, its->advice->deck->lock_wait_ms),
        });
}

static bool
add_new(const struct partition_live_advice *its, const char *parent, struct error *err)
{
    struct arena *arena = its->advice->arena;
    const struct deck_partition *partition = its->partition;
    struct partition_live_size size;
    struct partition_parts parts;
    const char *shadow;

    if (!partition_live_size(arena, its->connection, partition, &size, err) ||
        !partition_drain_parts(arena, its->connection, partition, parent, &parts, err))
        return false;
    const struct partition_live_script script = {partition, "shadow", size.key_index, &parts};
    if (!partition_live_script(arena, its->connection, &script, &shadow, err))
        return false;
    add(its, parent,
        arena_printf(arena,
                     "its rows have periods of their own, for which no partition can be made while "
                     "they are in it. About %lld rows (%s) are copied to %zu partitions",
                     size.rows, partition_size_text(arena, size.bytes), parts.list.count - 1),
        pg_script(arena, "partition/sql/drain_outline.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"parent", parent},
                               {"table", partition->table}, {"shadow", shadow})));
    return true;
}

bool
partition_drain_advise(const struct partition_live_advice *about, const struct catalog_table *table,
                       bool *ret_is_drained, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct catalog_table *rest = find_default(about, table);
    struct partition_live_advice its = *about;
    struct partition_live_state state;
    struct partition_extent extent;
    const char *reasons;

    *ret_is_drained = false;
    if (partition->kind != PARTITION_RANGE || rest == NULL)
        return true;
    struct deck_partition *copy = ARENA_NEW(arena, struct deck_partition);
    *copy = *partition;
    copy->schema = rest->schema;
    copy->table = rest->name;
    its.partition = copy;
    if (!read_state(&its, &state, err) ||
        !partition_read_extent(arena, about->connection, copy, &extent, err))
        return false;
    bool is_open = state.step != NULL && strcmp(state.step, "finished") != 0;
    *ret_is_drained = is_open || extent.has_rows;
    if (!*ret_is_drained)
        return true;
    if (is_open) {
        add(&its, partition->table,
            arena_printf(arena, "it has begun: %s, %lld rows copied", state.step, state.copied),
            "-- goes on where it ended");
        return true;
    }
    if (!find_obstacles(&its, partition->table, &state, &reasons, err))
        return false;
    if (reasons == NULL)
        return add_new(&its, partition->table, err);
    change_list_note(about->advice->changes, about->advice->server->name, about->database->name,
                     partition->place, "the default %s of table %s cannot be drained: %s",
                     rest->name, partition->table, reasons);
    return true;
}
