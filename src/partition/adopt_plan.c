// SPDX-License-Identifier: MIT
#include "partition/adopt.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/name.h"
#include "change/script.h"
#include "pg/script.h"

#include <string.h>

enum { PERIODS_AHEAD = 3, READ_BYTES_PER_SECOND = 200 << 20 };
static const long long large_bytes = 100LL << 30; /* from here on auto copies no rows */

const char *
partition_adopt_name(struct arena *arena, const struct deck_partition *partition)
{
    return change_name(arena, partition->table, "_history");
}

bool
partition_adopt_shape(struct arena *arena, PGconn *connection,
                      const struct deck_partition *partition,
                      struct partition_adopt_shape *ret_shape, struct error *err)
{
    AUTO_PGRESULT today = NULL;
    struct partition_extent extent;
    struct partition_parts parts;

    if (!pg_query(connection, embedded_file("partition/sql/today.sql")->text, 0, NULL, &today,
                  err) ||
        !partition_read_extent(arena, connection, partition, &extent, err))
        return false;
    long long position = partition->unit == UNIT_ID ? extent.last : pg_integer(today, 0, "today");
    if (extent.has_rows && extent.last > position)
        position = extent.last;
    struct partition_edge edge = partition_edge_at(arena, partition, position, PERIODS_AHEAD);
    *ret_shape = (struct partition_adopt_shape){.until = edge.text};
    partition_parts_wanted(arena, partition, position, &parts);
    for (size_t i = 0; i < parts.list.count; i++) {
        if (strcmp(parts.list.items[i].bound.lower, edge.sorted) >= 0)
            *LIST_ADD(arena, &ret_shape->parts.list) = parts.list.items[i];
    }
    return true;
}

bool
partition_adopt_state(struct arena *arena, PGconn *connection,
                      const struct deck_partition *partition,
                      struct partition_adopt_state *ret_state, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {partition->schema, partition->table};

    *ret_state = (struct partition_adopt_state){0};
    if (!pg_query(connection, embedded_file("partition/sql/adopt_open.sql")->text, 2, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) == 0)
        return true;
    *ret_state = (struct partition_adopt_state){
        .id = pg_keep(arena, result, 0, "id"),
        .step = pg_keep(arena, result, 0, "step"),
        .until = pg_keep(arena, result, 0, "until"),
        .history_name = pg_keep(arena, result, 0, "history_name"),
        .held_ms = pg_keep(arena, result, 0, "held_ms"),
    };
    return true;
}

/* --- the plan ----------------------------------------------------------------------------- */

static void
add(const struct partition_live_advice *live, const char *what, const char *why, const char *sql)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_adoption *argument = ARENA_NEW(arena, struct partition_adoption);
    const char *lock_wait = arena_printf(arena, "%d", live->advice->deck->lock_wait_ms);

    *argument = (struct partition_adoption){live->advice->deck, partition};
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
            .place = partition->place,
            .sql = sql,
            .procedure = &partition_adopt_procedure,
            .argument = argument,
            .undo = pg_script(arena, "partition/sql/adopt_undo.sql",
                              PG_VARIABLES({"schema", partition->schema},
                                           {"table", partition->table}, {"lock_wait", lock_wait})),
            .lock = arena_printf(arena,
                                 "ACCESS EXCLUSIVE on %s twice for a moment (the CHECK, the change "
                                 "of places), asked for %s ms at a time; SHARE UPDATE EXCLUSIVE "
                                 "while indexes are built and the CHECK is validated",
                                 partition->table, lock_wait),
        });
}

static bool
find_obstacles(const struct partition_live_advice *live, const char **ret_reasons,
               struct error *err)
{
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT reasons = {0};
    const struct deck_partition *partition = live->partition;
    const char *parameters[2] = {partition->schema, partition->table};

    *ret_reasons = NULL;
    if (partition->kind != PARTITION_RANGE) {
        *ret_reasons = "it is no range";
        return true;
    }
    if (!pg_query(live->connection, embedded_file("partition/sql/adopt_obstacles.sql")->text, 2,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        text_appendf(&reasons, "%s%s", row == 0 ? "" : "; ", pg_value(result, row, "reason"));
    if (reasons.length > 0)
        *ret_reasons = arena_strdup(live->advice->arena, text_chars(&reasons));
    return true;
}

static bool
outline(const struct partition_live_advice *live, const struct partition_live_size *size,
        const struct partition_adopt_shape *shape, const char **ret_sql, struct error *err)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_live_script script = {partition, "shadow", size->key_index, &shape->parts};
    const char *shadow;
    const char *indexes;

    if (!partition_live_script(arena, live->connection, &script, &shadow, err))
        return false;
    script.stage = "indexes";
    script.parts = NULL;
    if (!partition_live_script(arena, live->connection, &script, &indexes, err))
        return false;
    *ret_sql = pg_script(arena, "partition/sql/adopt_outline.sql",
                         PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                                      {"history", partition_adopt_name(arena, partition)},
                                      {"column", partition->column}, {"until", shape->until},
                                      {"shadow", shadow}, {"indexes", indexes}));
    return true;
}

static bool
refuse(const struct partition_live_advice *live, const char *reasons)
{
    change_list_note(live->advice->changes, live->advice->server->name, live->database->name,
                     live->partition->place,
                     "table %s cannot become one partition (history: whole): %s",
                     live->partition->table, reasons);
    return true;
}

bool
partition_adopt_advise(const struct partition_live_advice *live,
                       const struct partition_live_size *size, const char *misfits,
                       bool *ret_is_adopted, struct error *err)
{
    struct arena *arena = live->advice->arena;
    const struct deck_partition *partition = live->partition;
    struct partition_adopt_shape shape;
    const char *reasons;
    const char *sql;
    bool is_asked = partition->history == HISTORY_WHOLE;
    bool is_due =
        is_asked || (partition->history == HISTORY_AUTO &&
                     (size->bytes >= large_bytes || (misfits != NULL && !partition->is_uuidv7)));

    *ret_is_adopted = is_asked;
    if (!is_due)
        return true;
    if (!find_obstacles(live, &reasons, err))
        return false;
    if (reasons == NULL && partition->is_uuidv7)
        reasons = misfits;
    if (reasons != NULL)
        return !is_asked || refuse(live, reasons);
    *ret_is_adopted = true;
    if (!partition_adopt_shape(arena, live->connection, partition, &shape, err) ||
        !outline(live, size, &shape, &sql, err))
        return false;
    add(live,
        arena_printf(arena, "partition %s by %s, its rows stay where they are, as one partition",
                     partition->table, partition_key_text(arena, partition)),
        arena_printf(arena,
                     "the deck has it partitioned%s%s. No row is copied: about %lld rows (%s) "
                     "become the partition %s, for all before %s. They are read once, and once "
                     "for each index that a unique key needs, which takes some %lld min a time",
                     is_asked ? "" : "; this way, because ",
                     is_asked          ? ""
                     : misfits != NULL ? misfits
                                       : "it is large (history: split in the deck copies)",
                     size->rows, partition_size_text(arena, size->bytes),
                     partition_adopt_name(arena, partition), shape.until,
                     size->bytes / READ_BYTES_PER_SECOND / 60 + 1),
        sql);
    return true;
}

static bool
is_there(PGconn *connection, bool *ret_is_there, struct error *err)
{
    AUTO_PGRESULT there = NULL;

    if (!pg_query(connection, embedded_file("partition/sql/adopt_there.sql")->text, 0, NULL, &there,
                  err))
        return false;
    *ret_is_there = pg_bool(there, 0, "is_there");
    return true;
}

bool
partition_adopt_go_on(const struct partition_live_advice *live, bool *ret_is_open,
                      struct error *err)
{
    struct arena *arena = live->advice->arena;
    struct partition_adopt_state state = {0};
    bool is_known;

    *ret_is_open = false;
    if (!is_there(live->connection, &is_known, err))
        return false;
    if (is_known && !partition_adopt_state(arena, live->connection, live->partition, &state, err))
        return false;
    *ret_is_open = state.step != NULL && strcmp(state.step, "finished") != 0;
    if (*ret_is_open)
        add(live, arena_printf(arena, "go on with partitioning %s", live->partition->table),
            arena_printf(arena, "it has begun: its rows before %s become one partition",
                         state.until),
            "-- goes on where it ended");
    return true;
}

bool
partition_adopt_remains(const struct partition_live_advice *about, struct error *err)
{
    struct arena *arena = about->advice->arena;
    AUTO_PGRESULT result = NULL;
    const char *parameters[1] = {about->advice->scope == ADVICE_REMAINS_ALL ? "true" : "false"};
    bool is_known;

    if (!is_there(about->connection, &is_known, err))
        return false;
    if (!is_known)
        return true;
    if (!pg_query(about->connection, embedded_file("partition/sql/adopt_remains.sql")->text, 1,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        change_list_add(
            about->advice->changes,
            &(struct change){
                .server = about->advice->server->name,
                .database = about->database->name,
                .phase = CHANGE_PARTITION,
                .key = arena_printf(arena, "remains of adoption %s", pg_value(result, row, "id")),
                .action = CHANGE_DROP,
                .what = pg_keep(arena, result, row, "what"),
                .why = pg_keep(arena, result, row, "why"),
                .sql = pg_keep(arena, result, row, "sql"),
                .lock = "ACCESS EXCLUSIVE on the partition, for a moment",
                .is_transactional = true,
                .is_destructive = true,
            });
    }
    return true;
}
