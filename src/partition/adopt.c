// SPDX-License-Identifier: MIT
#include "partition/adopt.h"

#include "base/embed.h"
#include "change/name.h"
#include "partition/attempt.h"
#include "pg/script.h"

#include <string.h>

struct adopt {
    struct arena *arena;
    struct change_execution *execution;
    PGconn *connection;
    struct partition_attempt attempt;
    const struct deck_partition *partition;
    struct partition_adopt_state state;
    const char *key_index; /* of the table in use; NULL: none */
};

static void
tell(struct adopt *adopt, const char *line)
{
    if (adopt->execution->progress != NULL)
        adopt->execution->progress(adopt->execution->progress_sink, line);
}

static bool
execute(struct adopt *adopt, const char *sql, struct error *err)
{
    return pg_execute(adopt->attempt.connection, sql, err);
}

static bool
execute_patiently(struct adopt *adopt, const char *sql, struct error *err)
{
    return partition_execute_patiently(&adopt->attempt, sql, err);
}

static bool
ask(struct adopt *adopt, const char *file, PGresult **ret_result, struct error *err)
{
    const char *parameters[1] = {adopt->state.id};

    return pg_query(adopt->connection, embedded_file(file)->text, 1, parameters, ret_result, err);
}

/* --- steps -------------------------------------------------------------------------------- */

static bool
install(void *sink, struct error *err)
{
    const struct adopt *adopt = sink;
    static const char *const names[] = {
        "tables",   "adopt_tables",    "publications", "publications__before_15",
        "describe", "adopt_keys",      "adopt_rename", "hurry",
        "lock",     "swap_statements", "adopt_swap",   "adopt_undo"};

    return partition_live_install(adopt->arena, adopt->connection, names,
                                  sizeof(names) / sizeof(names[0]), err);
}

static bool
make_foreign_keys(struct adopt *adopt, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!ask(adopt, "partition/sql/adopt_foreign_keys.sql", &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        if (!execute(adopt, pg_value(result, row, "statement"), err))
            return false;
    }
    return true;
}

/* The new table, empty, with all that the old one has. */
static bool
make_shadow(void *sink, struct error *err)
{
    struct adopt *adopt = sink;
    struct arena *arena = adopt->arena;
    const struct deck_partition *partition = adopt->partition;
    struct partition_adopt_shape shape;
    AUTO_PGRESULT begun = NULL;
    AUTO_PGRESULT noted = NULL;
    struct partition_live_script script = {partition, "shadow", adopt->key_index, &shape.parts};
    const char *shadow;
    const char *indexes;

    if (!partition_adopt_shape(arena, adopt->connection, partition, &shape, err))
        return false;
    const char *parameters[7] = {
        partition->schema,
        partition->table,
        change_name(arena, partition->table, "_pgdeck_new"),
        partition_adopt_name(arena, partition),
        partition->column,
        shape.until,
        arena_printf(arena, "%lld milliseconds", (long long)partition->keep_ms),
    };
    if (!partition_live_script(arena, adopt->connection, &script, &shadow, err))
        return false;
    script.stage = "indexes";
    script.parts = NULL;
    if (!partition_live_script(arena, adopt->connection, &script, &indexes, err) ||
        !pg_query(adopt->connection, embedded_file("partition/sql/adopt_begin.sql")->text, 7,
                  parameters, &begun, err))
        return false;
    if (PQntuples(begun) == 0)
        return error_set(err, ERROR_STALE_PLAN, "table \"%s\" is no ordinary table any more",
                         partition->table);
    adopt->state.id = pg_keep(arena, begun, 0, "id");
    return execute(adopt, shadow, err) && (indexes[0] == '\0' || execute(adopt, indexes, err)) &&
           ask(adopt, "partition/sql/adopt_shadow.sql", &noted, err) &&
           make_foreign_keys(adopt, err);
}

static bool
build_indexes(struct adopt *adopt, struct error *err)
{
    for (;;) {
        AUTO_PGRESULT result = NULL;
        if (!ask(adopt, "partition/sql/adopt_indexes.sql", &result, err))
            return false;
        if (PQntuples(result) == 0)
            return true;
        const char *statement = arena_strdup(adopt->arena, pg_value(result, 0, "statement"));
        tell(adopt, statement);
        if (!partition_execute_long(&adopt->attempt, statement, err))
            return false;
    }
}

static bool
check_rows(struct adopt *adopt, struct error *err)
{
    const struct deck_partition *partition = adopt->partition;
    AUTO_PGRESULT result = NULL;

    if (!ask(adopt, "partition/sql/adopt_checked.sql", &result, err))
        return false;
    if (!pg_bool(result, 0, "is_there") &&
        !execute_patiently(
            adopt,
            pg_script(adopt->arena, "partition/sql/adopt_check.sql",
                      PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                                   {"column", partition->column}, {"until", adopt->state.until})),
            err))
        return false;
    if (pg_bool(result, 0, "is_valid"))
        return true;
    tell(adopt,
         arena_printf(adopt->arena, "looking whether all rows are before %s", adopt->state.until));
    return partition_execute_long(
        &adopt->attempt,
        pg_script(adopt->arena, "partition/sql/adopt_validate.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table})),
        err);
}

static bool
note_step(struct adopt *adopt, const char *step, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {adopt->state.id, step};

    return pg_query(adopt->connection, embedded_file("partition/sql/adopt_step.sql")->text, 2,
                    parameters, &result, err);
}

static bool
read_state(struct adopt *adopt, struct error *err)
{
    return partition_adopt_state(adopt->arena, adopt->connection, adopt->partition, &adopt->state,
                                 err);
}

static bool
change_places(struct adopt *adopt, struct error *err)
{
    const char *sql =
        arena_printf(adopt->arena, "SELECT pgdeck.adoption_swap(%s, %d, %d)", adopt->state.id,
                     adopt->attempt.deck->lock_wait_ms, PARTITION_LIVE_ATTEMPT_MS);

    if (!build_indexes(adopt, err) || !check_rows(adopt, err) ||
        !execute_patiently(adopt, sql, err) || !read_state(adopt, err))
        return false;
    tell(adopt, arena_printf(adopt->arena, "the table is a partition, locked for %s ms",
                             adopt->state.held_ms));
    return true;
}

static bool
run(struct change_execution *execution, struct error *err)
{
    const struct partition_adoption *argument = execution->change->argument;
    const struct deck_partition *partition = argument->partition;
    struct partition_live_size size;
    struct adopt adopt = {
        .arena = execution->arena,
        .execution = execution,
        .connection = execution->connection,
        .attempt = {execution->arena, execution->connection, argument->deck},
        .partition = partition,
    };

    if (!partition_patiently(&adopt.attempt, install, &adopt, err) || !read_state(&adopt, err))
        return false;
    if (adopt.state.step == NULL) {
        if (!partition_live_size(adopt.arena, adopt.connection, partition, &size, err))
            return false;
        adopt.key_index = size.key_index;
        if (!partition_patiently(&adopt.attempt, make_shadow, &adopt, err) ||
            !read_state(&adopt, err))
            return error_place(err, partition->place);
    }
    if (strcmp(adopt.state.step, "preparing") == 0 && !change_places(&adopt, err))
        return error_place(err, partition->place);
    const char *analyze =
        pg_script(adopt.arena, "partition/sql/analyze.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table}));
    return execute(&adopt, analyze, err) && note_step(&adopt, "finished", err);
}

const struct change_procedure partition_adopt_procedure = {"make a table in use a partition", run};
