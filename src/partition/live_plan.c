// SPDX-License-Identifier: MIT
#include "partition/live.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/name.h"
#include "change/script.h"
#include "partition/adopt.h"
#include "partition/design.h"
#include "partition/period.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_BYTES_PER_SECOND = 20 << 20, DISK_TENTHS = 22 };

bool
partition_live_size(struct arena *arena, PGconn *connection, const struct deck_partition *partition,
                    struct partition_live_size *ret_size, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {partition->schema, partition->table};

    if (!pg_query(connection, embedded_file("partition/sql/live_key.sql")->text, 2, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) == 0)
        return error_set(err, ERROR_STALE_PLAN, "table \"%s\" is gone", partition->table);
    const char *key = pg_value(result, 0, "key_index");
    *ret_size = (struct partition_live_size){
        .key_index = key == NULL ? NULL : arena_strdup(arena, key),
        .rows = pg_integer(result, 0, "row_count"),
        .bytes = pg_integer(result, 0, "bytes"),
    };
    return true;
}

/* The partition that another one is in has a new name. */
static void
rename_parent(struct partition_parts *parts, const char *old, const char *new)
{
    for (size_t i = 0; i < parts->list.count; i++) {
        const char *parent = parts->list.items[i].parent;
        if (parent != NULL && strcmp(parent, old) == 0)
            parts->list.items[i].parent = new;
    }
}

/* A table that is made anew in another shape has partitions already: the new ones get a number. */
static bool
settle_names(struct arena *arena, PGconn *connection, const struct deck_partition *partition,
             struct partition_parts *parts, struct error *err)
{
    enum { TRIES = 9 };

    for (int number = 2; number <= TRIES; number++) {
        AUTO_PGRESULT taken = NULL;
        const char *parameters[2] = {partition->schema, partition_part_names(arena, parts)};
        if (!pg_query(connection, embedded_file("partition/sql/taken_names.sql")->text, 2,
                      parameters, &taken, err))
            return false;
        if (PQntuples(taken) == 0)
            return true;
        for (size_t i = 0; i < parts->list.count; i++) {
            struct partition_part *part = &parts->list.items[i];
            for (int row = 0; row < PQntuples(taken); row++) {
                if (strcmp(pg_value(taken, row, "name"), part->name) != 0)
                    continue;
                const char *old = part->name;
                part->name = partition_numbered_name(arena, old, number);
                rename_parent(parts, old, part->name);
                break;
            }
        }
    }
    return error_set(err, ERROR_REFUSED, "all names for partitions of \"%s\" are taken",
                     partition->table);
}

bool
partition_read_extent(struct arena *arena, PGconn *connection,
                      const struct deck_partition *partition, struct partition_extent *ret_extent,
                      struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *file = partition->unit == UNIT_ID ? "partition/sql/live_extent_ids.sql"
                       : partition->is_uuidv7     ? "partition/sql/live_extent_uuids.sql"
                                                  : "partition/sql/live_extent.sql";
    const char *sql =
        pg_script(arena, file,
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                               {"column", partition_range_column(partition)}));

    if (!pg_query(connection, sql, 0, NULL, &result, err))
        return false;
    ret_extent->has_rows = pg_value(result, 0, "first") != NULL;
    ret_extent->first = ret_extent->has_rows ? pg_integer(result, 0, "first") : 0;
    ret_extent->last = ret_extent->has_rows ? pg_integer(result, 0, "last") : 0;
    ret_extent->is_endless =
        PQfnumber(result, "is_endless") >= 0 && pg_bool(result, 0, "is_endless");
    ret_extent->highest = partition->unit == UNIT_ID ? pg_integer(result, 0, "highest") : 0;
    return true;
}

bool
partition_read_position(struct arena *arena, PGconn *connection,
                        const struct deck_partition *partition, long long today,
                        long long *ret_position, struct error *err)
{
    struct partition_extent extent;

    *ret_position = today;
    if (partition_range_column(partition) == NULL || partition->unit != UNIT_ID)
        return true;
    if (!partition_read_extent(arena, connection, partition, &extent, err))
        return false;
    *ret_position = extent.last;
    return true;
}

bool
partition_live_parts(struct arena *arena, PGconn *connection,
                     const struct deck_partition *partition, struct partition_parts *ret_parts,
                     struct error *err)
{
    AUTO_PGRESULT today = NULL;
    struct partition_extent extent = {0};

    if (!pg_query(connection, embedded_file("partition/sql/today.sql")->text, 0, NULL, &today, err))
        return false;
    struct partition_days days = {.today = pg_integer(today, 0, "today")};
    if (partition_range_column(partition) != NULL &&
        !partition_read_extent(arena, connection, partition, &extent, err))
        return false;
    int slack = partition->unit == UNIT_ID ? 0 : 1;
    if (partition->unit == UNIT_ID && partition_range_column(partition) != NULL)
        days.today = extent.last;
    days.first = days.today - slack;
    days.last = days.today + slack;
    if (extent.has_rows) {
        days.first = extent.first < days.first ? extent.first : days.first;
        days.last = extent.last > days.last ? extent.last : days.last;
    }
    partition_parts_over(arena, partition, &days, ret_parts);
    return settle_names(arena, connection, partition, ret_parts, err);
}

static bool
leave_out_others(struct arena *arena, PGconn *connection, const struct deck_partition *partition,
                 const struct partition_parts *parts, struct partition_parts *ret_parts,
                 struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {partition->schema, partition->table};

    *ret_parts = (struct partition_parts){0};
    if (!pg_query(connection, embedded_file("partition/sql/drain_bounds.sql")->text, 2, parameters,
                  &result, err))
        return false;
    for (size_t i = 0; i < parts->list.count; i++) {
        bool is_apart = true;
        for (int row = 0; row < PQntuples(result); row++) {
            struct partition_bound bound;
            is_apart = is_apart &&
                       partition_bound_parse(arena, pg_value(result, row, "bound"), &bound) &&
                       partition_bound_compare(&bound, &parts->list.items[i].bound) == BOUND_APART;
        }
        if (is_apart)
            *LIST_ADD(arena, &ret_parts->list) = parts->list.items[i];
    }
    return true;
}

bool
partition_drain_parts(struct arena *arena, PGconn *connection,
                      const struct deck_partition *partition, const char *parent,
                      struct partition_parts *ret_parts, struct error *err)
{
    AUTO_PGRESULT today = NULL;
    struct deck_partition whole = *partition;
    struct partition_extent extent;
    struct partition_parts parts;
    long long position;

    whole.table = parent;
    if (!pg_query(connection, embedded_file("partition/sql/today.sql")->text, 0, NULL, &today,
                  err) ||
        !partition_read_position(arena, connection, &whole, pg_integer(today, 0, "today"),
                                 &position, err) ||
        !partition_read_extent(arena, connection, partition, &extent, err))
        return false;
    const struct partition_days days = {
        .today = position,
        .first = extent.has_rows && extent.first < position ? extent.first : position,
        .last = extent.has_rows && extent.last > position ? extent.last : position,
    };
    partition_parts_over(arena, &whole, &days, &parts);
    if (!leave_out_others(arena, connection, &whole, &parts, ret_parts, err) ||
        !settle_names(arena, connection, partition, ret_parts, err))
        return false;
    *LIST_ADD(arena, &ret_parts->list) = (struct partition_part){
        .name = change_name(arena, partition->table, "_pgdeck_rest"),
        .clause = "DEFAULT",
        .bound = {.is_default = true},
    };
    return true;
}

bool
partition_live_script(struct arena *arena, PGconn *connection,
                      const struct partition_live_script *script, const char **ret_script,
                      struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const struct deck_partition *partition = script->partition;
    const struct partition_parts none = {0};
    const struct partition_parts *parts = script->parts == NULL ? &none : script->parts;
    const char *parameters[12] = {
        partition->schema,
        partition->table,
        partition->column,
        partition_kind_word(partition->kind),
        partition_part_names(arena, parts),
        partition_part_clauses(arena, parts),
        script->stage,
        change_name(arena, partition->table, "_pgdeck_new"),
        script->key_index,
        partition_columns(arena, partition),
        partition_part_parents(arena, parts),
        partition_part_keys(arena, parts),
    };

    if (!pg_query(connection, embedded_file("partition/sql/convert.sql")->text, 12, parameters,
                  &result, err))
        return false;
    const char *text = PQntuples(result) == 0 ? NULL : pg_value(result, 0, "script");
    *ret_script = text == NULL ? "" : arena_strdup(arena, text);
    return true;
}

bool
partition_live_state(struct arena *arena, PGconn *connection,
                     const struct deck_partition *partition, struct partition_live_state *ret_state,
                     struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {partition->schema, partition->table};

    *ret_state = (struct partition_live_state){0};
    if (!pg_query(connection, embedded_file("partition/sql/live_open.sql")->text, 2, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) == 0)
        return true;
    const char *held = pg_value(result, 0, "held_ms");
    *ret_state = (struct partition_live_state){
        .id = arena_strdup(arena, pg_value(result, 0, "id")),
        .step = arena_strdup(arena, pg_value(result, 0, "step")),
        .key_index = arena_strdup(arena, pg_value(result, 0, "key_index")),
        .retired_name = arena_strdup(arena, pg_value(result, 0, "retired_name")),
        .held_ms = held == NULL ? NULL : arena_strdup(arena, held),
        .copied = pg_integer(result, 0, "copied"),
    };
    return true;
}

/* --- the plan ----------------------------------------------------------------------------- */

const char *
partition_size_text(struct arena *arena, long long bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    double value = (double)bytes;

    while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    return arena_printf(arena, "%.*f %s", value < 10 && unit > 0 ? 1 : 0, value, units[unit]);
}

bool
partition_live_obstacles(const struct partition_live_advice *live, const char **ret_reasons,
                         struct error *err)
{
    struct arena *arena = live->advice->arena;
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT reasons = {0};
    const char *parameters[4] = {
        live->partition->schema,
        live->partition->table,
        partition_columns(arena, live->partition),
        live->partition->has_accept_key ? "true" : "false",
    };

    if (!pg_query(live->connection, embedded_file("partition/sql/live_obstacles.sql")->text, 4,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        text_appendf(&reasons, "%s%s", row == 0 ? "" : "; ", pg_value(result, row, "reason"));
    if (reasons.length > 0 && !live->partition->has_accept_key) {
        const char *reliance;
        if (!partition_find_reliance(live, &reliance, err))
            return false;
        if (reliance != NULL)
            text_appendf(&reasons, "; %s", reliance);
    }
    *ret_reasons = reasons.length == 0 ? NULL : arena_strdup(arena, text_chars(&reasons));
    return true;
}

static bool
outline(const struct partition_live_advice *live, const struct partition_live_size *size,
        const struct partition_parts *parts, const char **ret_sql, struct error *err)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    const char *shadow;
    const char *indexes;

    if (!partition_live_script(
            arena, live->connection,
            &(struct partition_live_script){partition, "shadow", size->key_index, parts}, &shadow,
            err) ||
        !partition_live_script(
            arena, live->connection,
            &(struct partition_live_script){partition, "indexes", size->key_index, parts}, &indexes,
            err))
        return false;
    *ret_sql =
        pg_script(arena, "partition/sql/live_outline.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                               {"shadow", shadow}, {"indexes", indexes},
                               {"retired", change_name(arena, partition->table, "_pgdeck_old")},
                               {"keep", partition_keep_text(arena, partition)}));
    return true;
}

static void
add(const struct partition_live_advice *live, const char *what, const char *why, const char *sql,
    const char *warning)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_live *argument = ARENA_NEW(arena, struct partition_live);

    *argument = (struct partition_live){live->advice->deck, partition, NULL};
    change_list_add(
        live->advice->changes,
        &(struct change){
            .server = live->advice->server->name,
            .database = live->database->name,
            .key = change_partitions_key(arena, partition->schema, partition->table),
            .phase = CHANGE_PARTITION,
            .action = CHANGE_ALTER,
            .what = what,
            .why = why,
            .warning = warning,
            .place = partition->place,
            .sql = sql,
            .procedure = &partition_live_procedure,
            .argument = argument,
            .undo = pg_script(
                arena, "partition/sql/live_undo.sql",
                PG_VARIABLES(
                    {"schema", partition->schema}, {"table", partition->table},
                    {"lock_wait", arena_printf(arena, "%d", live->advice->deck->lock_wait_ms)},
                    {"attempt", arena_printf(arena, "%d", PARTITION_LIVE_ATTEMPT_MS)})),
            .lock = arena_printf(arena,
                                 "SHARE ROW EXCLUSIVE (triggers) and at the end ACCESS EXCLUSIVE "
                                 "on %s, each for a moment; asked for %d ms at a time",
                                 partition->table, live->advice->deck->lock_wait_ms),
        });
}

static bool
refuse(const struct partition_live_advice *live, const char *reasons)
{
    change_list_note(live->advice->changes, live->advice->server->name, live->database->name,
                     live->partition->place, "table %s cannot be partitioned by %s: %s",
                     live->partition->table,
                     partition_key_text(live->advice->arena, live->partition), reasons);
    return true;
}

bool
partition_live_advise(const struct partition_live_advice *live, struct error *err)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_live_size size;
    struct partition_parts parts;
    const char *reasons;
    const char *doubts;
    const char *sql;
    bool is_adopted;

    if (live->kept != NULL)
        return refuse(live, arena_printf(arena,
                                         "what it was before its last conversion is still kept as "
                                         "%s: pgdeck partition gc --all removes it",
                                         live->kept));
    if (!partition_live_obstacles(live, &reasons, err))
        return false;
    if (reasons == NULL && !partition_find_end(live, &reasons, err))
        return false;
    if (reasons != NULL)
        return refuse(live, reasons);
    if (!partition_live_size(arena, live->connection, partition, &size, err) ||
        !partition_find_misfits(live, &size, &reasons, err) ||
        !partition_adopt_advise(live, &size, reasons, &is_adopted, err))
        return false;
    if (is_adopted)
        return true;
    if (reasons != NULL)
        return refuse(live, reasons);
    if (!partition_live_parts(arena, live->connection, partition, &parts, err) ||
        !outline(live, &size, &parts, &sql, err) ||
        !partition_find_doubts(live, parts.list.count, &doubts, err))
        return false;
    long long seconds = size.bytes / COPY_BYTES_PER_SECOND;
    add(live,
        arena_printf(arena, "partition %s by %s, %zu partitions, while it is in use",
                     partition->table, partition_key_text(arena, partition), parts.list.count),
        arena_printf(arena,
                     "the deck has it partitioned. About %lld rows (%s) are copied beside it, "
                     "which needs about %s of disk until the old table is removed, and some %lld "
                     "min at 20 MB/s",
                     size.rows, partition_size_text(arena, size.bytes),
                     partition_size_text(arena, size.bytes * DISK_TENTHS / 10), seconds / 60 + 1),
        sql, doubts);
    return true;
}

bool
partition_live_go_on(const struct partition_live_advice *live, bool *ret_is_open,
                     const char **ret_kept, struct error *err)
{
    struct arena *arena = live->advice->arena;
    struct partition_live_state state = {0};
    AUTO_PGRESULT there = NULL;

    if (!pg_query(live->connection, embedded_file("partition/sql/live_there.sql")->text, 0, NULL,
                  &there, err))
        return false;
    if (pg_bool(there, 0, "is_there") &&
        !partition_live_state(arena, live->connection, live->partition, &state, err))
        return false;
    *ret_is_open = state.step != NULL && strcmp(state.step, "finished") != 0;
    *ret_kept = state.step == NULL || *ret_is_open ? NULL : state.retired_name;
    if (*ret_is_open)
        add(live, arena_printf(arena, "go on with partitioning %s", live->partition->table),
            arena_printf(arena, "a conversion of it has begun: %s, %lld rows copied", state.step,
                         state.copied),
            "-- goes on where it ended", NULL);
    return true;
}
