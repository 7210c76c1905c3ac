// SPDX-License-Identifier: MIT
#include "partition/adopt.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "change/name.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 1000 };

struct adopt {
    struct arena *arena;
    struct change_execution *execution;
    PGconn *connection;
    const struct deck *deck;
    const struct deck_partition *partition;
    struct partition_adopt_state state;
};

static void
tell(struct adopt *adopt, const char *line)
{
    if (adopt->execution->progress != NULL)
        adopt->execution->progress(adopt->execution->progress_sink, line);
}

/* --- transactions ------------------------------------------------------------------------- */

typedef bool adopt_work(struct adopt *adopt, const char *argument, struct error *err);

static bool
once(struct adopt *adopt, adopt_work *work, const char *argument, struct error *err)
{
    struct error ignored;
    const char *begin = arena_printf(
        adopt->arena, "BEGIN; SET LOCAL lock_timeout = '%dms'; SET LOCAL statement_timeout = 0",
        adopt->deck->lock_wait_ms);

    if (!pg_execute(adopt->connection, begin, err))
        return false;
    crash_point();
    if (work(adopt, argument, err) && pg_execute(adopt->connection, "COMMIT", err)) {
        crash_point();
        return true;
    }
    if (PQstatus(adopt->connection) == CONNECTION_OK &&
        PQtransactionStatus(adopt->connection) != PQTRANS_IDLE &&
        !pg_execute(adopt->connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A lock that is not granted in time is asked for again, after pauses that get longer. */
static bool
patiently(struct adopt *adopt, adopt_work *work, const char *argument, struct error *err)
{
    long long deadline_ms = now_ms() + adopt->deck->give_up_ms;
    int pause_ms = FIRST_PAUSE_MS;

    while (!once(adopt, work, argument, err)) {
        struct error interrupted;
        if (is_interrupted() || (err->code != ERROR_LOCKED && strcmp(err->sqlstate, "40P01") != 0))
            return false;
        if (now_ms() >= deadline_ms)
            return error_detail(err, "What was done so far is kept, and the next apply goes on "
                                     "with it.");
        if (!interrupt_sleep_ms(pause_ms / 2 + rand() % (pause_ms / 2 + 1), &interrupted)) {
            *err = interrupted;
            return false;
        }
        pause_ms = pause_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms * 2;
        error_clear(err);
    }
    return true;
}

static bool
execute(struct adopt *adopt, const char *sql, struct error *err)
{
    return pg_execute(adopt->connection, sql, err);
}

/* A statement that can be in no transaction, or that may take long while nobody waits for it. */
static bool
execute_long(struct adopt *adopt, const char *sql, struct error *err)
{
    struct error ignored;
    bool is_done =
        pg_execute(adopt->connection, "SET lock_timeout = 0; SET statement_timeout = 0", err) &&
        pg_execute(adopt->connection, sql, err);

    crash_point();
    if (PQstatus(adopt->connection) == CONNECTION_OK &&
        !pg_execute(adopt->connection, "RESET lock_timeout; RESET statement_timeout",
                    is_done ? err : &ignored))
        return false;
    return is_done;
}

static bool
ask(struct adopt *adopt, const char *file, PGresult **ret_result, struct error *err)
{
    const char *parameters[1] = {adopt->state.id};

    return pg_query(adopt->connection, embedded_file(file)->text, 1, parameters, ret_result, err);
}

/* --- steps -------------------------------------------------------------------------------- */

static bool
install(struct adopt *adopt, const char *argument, struct error *err)
{
    static const char *const names[] = {
        "tables",          "adopt_tables", "publications", "publications__before_15",
        "describe",        "adopt_keys",   "adopt_rename", "lock",
        "swap_statements", "adopt_swap",   "adopt_undo"};

    (void)argument;
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
make_shadow(struct adopt *adopt, const char *key_index, struct error *err)
{
    struct arena *arena = adopt->arena;
    const struct deck_partition *partition = adopt->partition;
    struct partition_adopt_shape shape;
    AUTO_PGRESULT begun = NULL;
    AUTO_PGRESULT noted = NULL;
    struct partition_live_script script = {partition, "shadow", key_index, &shape.parts};
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
        if (!execute_long(adopt, statement, err))
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
        !patiently(
            adopt, execute,
            pg_script(adopt->arena, "partition/sql/adopt_check.sql",
                      PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                                   {"column", partition->column}, {"until", adopt->state.until})),
            err))
        return false;
    if (pg_bool(result, 0, "is_valid"))
        return true;
    tell(adopt,
         arena_printf(adopt->arena, "looking whether all rows are before %s", adopt->state.until));
    return execute_long(
        adopt,
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
                     adopt->deck->lock_wait_ms, PARTITION_LIVE_ATTEMPT_MS);

    if (!build_indexes(adopt, err) || !check_rows(adopt, err) ||
        !patiently(adopt, execute, sql, err) || !read_state(adopt, err))
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
        .deck = argument->deck,
        .partition = partition,
    };

    if (!patiently(&adopt, install, NULL, err) || !read_state(&adopt, err))
        return false;
    if (adopt.state.step == NULL &&
        (!partition_live_size(adopt.arena, adopt.connection, partition, &size, err) ||
         !patiently(&adopt, make_shadow, size.key_index, err) || !read_state(&adopt, err)))
        return error_place(err, partition->place);
    if (strcmp(adopt.state.step, "preparing") == 0 && !change_places(&adopt, err))
        return error_place(err, partition->place);
    const char *analyze =
        pg_script(adopt.arena, "partition/sql/analyze.sql",
                  PG_VARIABLES({"schema", partition->schema}, {"table", partition->table}));
    return execute(&adopt, analyze, err) && note_step(&adopt, "finished", err);
}

const struct change_procedure partition_adopt_procedure = {"make a table in use a partition", run};
