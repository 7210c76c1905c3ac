// SPDX-License-Identifier: MIT
#include "partition/live.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "change/name.h"
#include "pg/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FIRST_BATCH = 2000,
    LARGEST_BATCH = 50000,
    BATCH_MS = 150,      /* a transaction of the copy takes about that */
    REPLAY_BATCH = 5000, /* log entries a transaction */
    SWAP_BACKLOG = 1000, /* log entries that are replayed under the strong lock at most */
    FIRST_PAUSE_MS = 20,
    LONGEST_PAUSE_MS = 1000,
    PRESSURE_PAUSE_MS = 200,
    PROGRESS_MS = 1000,
};

struct live {
    struct arena *arena;
    struct change_execution *execution;
    PGconn *connection;
    const struct deck *deck;
    const struct deck_partition *partition;
    const char *drained; /* whose default partition it is; NULL: it is none */
    struct partition_live_state state;
    long long told_ms;
    long long wal_bytes, wal_ms; /* the last look at them */
    const char *owed_position; /* what replicas were last seen to owe, and when that was written */
    long long owed_ms;
    long long logged; /* entry of the log that was the last at the last look */
};

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void
tell(struct live *live, bool is_important, const char *line)
{
    struct change_execution *execution = live->execution;

    if (execution->progress == NULL || (!is_important && now_ms() - live->told_ms < PROGRESS_MS))
        return;
    live->told_ms = now_ms();
    execution->progress(execution->progress_sink, line);
}

/* --- transactions ------------------------------------------------------------------------- */

typedef bool live_work(struct live *live, void *argument, struct error *err);

static const char *
begin_text(const struct live *live, const char *isolation)
{
    return arena_printf(live->arena,
                        "BEGIN ISOLATION LEVEL %s; SET LOCAL lock_timeout = '%dms'; "
                        "SET LOCAL statement_timeout = 0",
                        isolation, live->deck->lock_wait_ms);
}

/* isolation NULL: the work begins and ends its transaction itself. */
static bool
once(struct live *live, const char *isolation, live_work *work, void *argument, struct error *err)
{
    struct error ignored;

    if (isolation != NULL && !pg_execute(live->connection, begin_text(live, isolation), err))
        return false;
    crash_point();
    if (work(live, argument, err) &&
        (isolation == NULL || pg_execute(live->connection, "COMMIT", err))) {
        crash_point();
        return true;
    }
    if (PQstatus(live->connection) == CONNECTION_OK &&
        PQtransactionStatus(live->connection) != PQTRANS_IDLE &&
        !pg_execute(live->connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

/* A lock that is not granted in time, a deadlock, a conflict of snapshots: worth another try. */
static bool
is_worth_retry(const struct error *err)
{
    return err->code == ERROR_LOCKED || strcmp(err->sqlstate, "40P01") == 0 ||
           strcmp(err->sqlstate, "40001") == 0;
}

static bool
patiently(struct live *live, const char *isolation, live_work *work, void *argument,
          struct error *err)
{
    long long deadline_ms = now_ms() + live->deck->give_up_ms;
    int pause_ms = FIRST_PAUSE_MS;

    while (!once(live, isolation, work, argument, err)) {
        struct error interrupted;
        if (!is_worth_retry(err) || is_interrupted())
            return false;
        if (now_ms() >= deadline_ms) {
            error_detail(err, "What was done so far is kept, and the next apply goes on with it.");
            return error_hint(err,
                              "Tried for %lld s. See who holds the table: "
                              "SELECT * FROM pg_locks JOIN pg_stat_activity USING (pid).",
                              (long long)live->deck->give_up_ms / 1000);
        }
        if (!interrupt_sleep_ms(pause_ms / 2 + rand() % (pause_ms / 2 + 1), &interrupted)) {
            *err = interrupted;
            return false;
        }
        pause_ms = pause_ms * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause_ms * 2;
        error_clear(err);
    }
    return true;
}

/* A script as a transaction, sent as a whole: its locks do not wait for the way to and fro. */
static bool
run_whole(struct live *live, void *argument, struct error *err)
{
    return pg_execute(live->connection,
                      arena_printf(live->arena, "%s; %s; COMMIT",
                                   begin_text(live, "READ COMMITTED"), (const char *)argument),
                      err);
}

/* One value of a query on the conversion; more: a second parameter or NULL. */
static bool
ask(struct live *live, const char *sql, const char *more, const char **ret_value, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {live->state.id, more};

    if (!pg_query(live->connection, sql, more == NULL ? 1 : 2, parameters, &result, err))
        return false;
    *ret_value = PQntuples(result) == 0 || PQgetisnull(result, 0, 0)
                     ? NULL
                     : arena_strdup(live->arena, PQgetvalue(result, 0, 0));
    return true;
}

static bool
note_step(struct live *live, const char *step, struct error *err)
{
    const char *ignored;

    return ask(live, embedded_file("partition/sql/live_step.sql")->text, step, &ignored, err);
}

/* --- steps -------------------------------------------------------------------------------- */

/* Functions of other versions of the server are left out. */
bool
partition_live_install(struct arena *arena, PGconn *connection, const char *const *names,
                       size_t count, struct error *err)
{
    int major = PQserverVersion(connection) / 10000;

    for (size_t i = 0; i < count; i++) {
        const struct embedded_file *file =
            embedded_file(arena_printf(arena, "partition/functions/%s.sql", names[i]));
        if (major < file->min_version || (file->max_version != 0 && major > file->max_version))
            continue;
        if (!pg_execute(connection, file->text, err))
            return false;
    }
    return true;
}

static bool
install(struct live *live, void *argument, struct error *err)
{
    static const char *const names[] = {"tables",
                                        "hurry",
                                        "lock",
                                        "publications",
                                        "publications__before_15",
                                        "describe",
                                        "replay",
                                        "copy",
                                        "log",
                                        "triggers",
                                        "start",
                                        "verify",
                                        "swap_statements",
                                        "swap",
                                        "change_places",
                                        "finish",
                                        "remove",
                                        "drain_prepare",
                                        "drain_swap",
                                        "drain",
                                        "unconvert"};

    (void)argument;
    return partition_live_install(live->arena, live->connection, names,
                                  sizeof(names) / sizeof(names[0]), err);
}

static bool
make_shadow(struct live *live, void *argument, struct error *err)
{
    const struct deck_partition *partition = live->partition;
    const struct partition_live_size *size = argument;
    struct partition_parts parts;
    AUTO_PGRESULT begun = NULL;
    const char *script;
    const char *ignored;
    const char *parameters[7] = {
        partition->schema,
        partition->table,
        change_name(live->arena, partition->table, "_pgdeck_new"),
        change_name(live->arena, partition->table, "_pgdeck_old"),
        size->key_index,
        partition_columns(live->arena, partition),
        arena_printf(live->arena, "%lld milliseconds", (long long)partition->keep_ms),
    };

    bool is_known =
        live->drained == NULL
            ? partition_live_parts(live->arena, live->connection, partition, &parts, err)
            : partition_drain_parts(live->arena, live->connection, partition, live->drained, &parts,
                                    err);
    if (!is_known ||
        !partition_live_script(
            live->arena, live->connection,
            &(struct partition_live_script){partition, "shadow", size->key_index, &parts}, &script,
            err) ||
        !pg_query(live->connection, embedded_file("partition/sql/live_begin.sql")->text, 7,
                  parameters, &begun, err))
        return false;
    live->state.id = arena_strdup(live->arena, pg_value(begun, 0, "id"));
    return pg_execute(live->connection, script, err) &&
           ask(live, embedded_file("partition/sql/live_shadow.sql")->text, NULL, &ignored, err) &&
           (live->drained == NULL ||
            ask(live, "SELECT pgdeck.conversion_drain_prepare($1::int)", NULL, &ignored, err)) &&
           ask(live, "SELECT pgdeck.conversion_make_log($1::int)", NULL, &ignored, err);
}

struct batch {
    long long most;
    long long done;
};

static bool
copy_batch(struct live *live, void *argument, struct error *err)
{
    struct batch *batch = argument;
    const char *copied;

    if (!ask(live, "SELECT pgdeck.conversion_copy($1::int, $2::bigint)",
             arena_printf(live->arena, "%lld", batch->most), &copied, err))
        return false;
    batch->done = copied == NULL ? 0 : atoll(copied);
    return true;
}

/* How late the replicas are at least: since when they owe what had been written by then. */
static long long
replicas_lag_ms(struct live *live, const PGresult *result)
{
    if (live->owed_position != NULL && pg_integer(result, 0, "behind") != 0)
        return now_ms() - live->owed_ms;
    live->owed_position = pg_keep(live->arena, result, 0, "position");
    live->owed_ms = now_ms();
    return 0;
}

/* What the copy must wait for; NULL: nothing. */
static bool
find_pressure(struct live *live, const char **ret_what, struct error *err)
{
    const struct deck_partition *partition = live->partition;
    AUTO_PGRESULT result = NULL;

    if (!pg_query(live->connection, embedded_file("partition/sql/live_pressure.sql")->text, 1,
                  &live->owed_position, &result, err))
        return false;
    long long lag_ms = replicas_lag_ms(live, result);
    long long wal = pg_integer(result, 0, "wal_bytes");
    long long elapsed_ms = now_ms() - live->wal_ms;
    *ret_what = NULL;
    if (lag_ms > partition->replica_lag_ms)
        *ret_what = arena_printf(live->arena, "a replica is %lld ms behind", lag_ms);
    else if (partition->wal_rate_bytes != 0 && live->wal_ms != 0 &&
             (wal - live->wal_bytes) * 1000 > partition->wal_rate_bytes * elapsed_ms)
        *ret_what = "as much WAL is written as the deck allows";
    if (*ret_what != NULL)
        return true;
    live->wal_bytes = wal;
    live->wal_ms = now_ms();
    return true;
}

/* The same for what clients wait for the log of their changes: one in a hundred may be slow. */
static bool
find_slow_log(struct live *live, const char **ret_what, struct error *err)
{
    struct arena *arena = live->arena;
    AUTO_PGRESULT result = NULL;
    const char *sql = pg_script(
        arena, "partition/sql/live_latency.sql",
        PG_VARIABLES(
            {"log", arena_printf(arena, "log_%s", live->state.id)},
            {"after", arena_printf(arena, "%lld", live->logged)},
            {"most_ms", arena_printf(arena, "%lld", (long long)live->partition->log_latency_ms)}));

    if (!pg_query(live->connection, sql, 0, NULL, &result, err))
        return false;
    if (pg_value(result, 0, "last") != NULL)
        live->logged = pg_integer(result, 0, "last");
    *ret_what = pg_integer(result, 0, "slow") * 100 > pg_integer(result, 0, "entries")
                    ? arena_printf(arena, "changes wait for their log, %lld ms the longest",
                                   pg_integer(result, 0, "slowest_ms"))
                    : NULL;
    return true;
}

/* A log that stays slow when nothing is copied is not the copy's fault: then a batch goes on after
 * give_up. */
static bool
yield_to_others(struct live *live, struct error *err)
{
    const char *what;
    const char *slow;

    for (long long log_ms = 0;;) {
        if (!find_pressure(live, &what, err) || !find_slow_log(live, &slow, err))
            return false;
        if (what == NULL && slow != NULL && log_ms < live->deck->give_up_ms) {
            what = slow;
            log_ms += PRESSURE_PAUSE_MS;
        }
        if (what == NULL)
            return true;
        tell(live, false, arena_printf(live->arena, "waiting: %s", what));
        if (!interrupt_sleep_ms(PRESSURE_PAUSE_MS, err))
            return false;
    }
}

static bool
copy(struct live *live, struct error *err)
{
    struct batch batch = {.most = FIRST_BATCH};
    long long total = live->state.copied;
    long long begun_ms = now_ms();
    long long before = total;

    while (strcmp(live->state.step, "copying") == 0) {
        long long started_ms = now_ms();
        if (!patiently(live, "READ COMMITTED", copy_batch, &batch, err))
            return false;
        long long took_ms = now_ms() - started_ms;
        total += batch.done;
        tell(live, false,
             arena_printf(live->arena, "copied %lld rows, %lld a second", total,
                          (total - before) * 1000 / (now_ms() - begun_ms + 1)));
        if (took_ms < BATCH_MS && batch.most < LARGEST_BATCH)
            batch.most *= 2;
        else if (took_ms > 2LL * BATCH_MS && batch.most > FIRST_BATCH)
            batch.most /= 2;
        if (!yield_to_others(live, err) ||
            (batch.done < batch.most / 2 &&
             !partition_live_state(live->arena, live->connection, live->partition, &live->state,
                                   err)))
            return false;
        if (is_interrupted())
            return interrupt_error(err);
    }
    return true;
}

static bool
make_indexes(struct live *live, void *argument, struct error *err)
{
    const struct partition_live_script wanted = {live->partition, "indexes", live->state.key_index,
                                                 NULL};
    const char *script;
    const char *ignored;

    (void)argument;
    return partition_live_script(live->arena, live->connection, &wanted, &script, err) &&
           pg_execute(live->connection, script, err) &&
           ask(live, "SELECT pgdeck.conversion_make_triggers($1::int)", NULL, &ignored, err) &&
           note_step(live, "ready", err);
}

static bool
analyze(struct live *live, const char *table, struct error *err)
{
    return pg_execute(live->connection,
                      arena_printf(live->arena, "ANALYZE %s",
                                   pg_qualified(live->arena, live->partition->schema, table)),
                      err);
}

/* --- catching up and changing places ------------------------------------------------------- */

static bool
replay_batch(struct live *live, void *argument, struct error *err)
{
    struct batch *batch = argument;
    const char *taken;

    if (!ask(live, "SELECT pgdeck.conversion_replay($1::int, nullif($2, '0')::bigint, false)",
             arena_printf(live->arena, "%lld", batch->most), &taken, err))
        return false;
    batch->done = taken == NULL ? 0 : atoll(taken);
    return true;
}

/* Rows that changed places in a unique key fit only all together. */
static bool
replay(struct live *live, long long *ret_taken, struct error *err)
{
    struct batch batch = {.most = REPLAY_BATCH};
    bool is_done = patiently(live, "REPEATABLE READ", replay_batch, &batch, err);

    if (!is_done && strcmp(err->sqlstate, "23505") == 0) {
        error_clear(err);
        batch.most = 0;
        is_done = patiently(live, "REPEATABLE READ", replay_batch, &batch, err);
    }
    *ret_taken = batch.done;
    return is_done;
}

static bool
catch_up(struct live *live, struct error *err)
{
    long long taken;

    do {
        if (is_interrupted())
            return interrupt_error(err);
        if (!replay(live, &taken, err))
            return false;
        tell(live, false, arena_printf(live->arena, "replayed %lld changes", taken));
    } while (taken >= SWAP_BACKLOG / 2); /* the rest is brought over beside the swap */
    return true;
}

static bool
verify(struct live *live, void *argument, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[1] = {live->state.id};
    const char *difference;

    (void)argument;
    if (!pg_query(live->connection, "SELECT * FROM pgdeck.conversion_verify($1::int)", 1,
                  parameters, &result, err) ||
        !ask(live, embedded_file("partition/sql/live_difference.sql")->text, NULL, &difference,
             err))
        return false;
    if (difference != NULL) {
        error_set(err, ERROR_SQL, "table \"%s\" and its copy differ in what hangs on them",
                  live->partition->table);
        return error_detail(err, "%s.", difference);
    }
    if (pg_integer(result, 0, "source_rows") != pg_integer(result, 0, "shadow_rows") ||
        strcmp(pg_value(result, 0, "source_sum"), pg_value(result, 0, "shadow_sum")) != 0)
        return error_set(err, ERROR_SQL, "table \"%s\" has %s rows and its copy %s, or others",
                         live->partition->table, pg_value(result, 0, "source_rows"),
                         pg_value(result, 0, "shadow_rows"));
    tell(live, true,
         arena_printf(live->arena, "verified: %s rows, the same checksum",
                      pg_value(result, 0, "source_rows")));
    return true;
}

/* Whoever has a snapshot of before the copy would not see its rows after the swap. */
static bool
wait_for_old_snapshots(struct live *live, struct error *err)
{
    long long deadline_ms = now_ms() + live->deck->give_up_ms;
    AUTO_PGRESULT mark = NULL;

    if (!pg_query(live->connection, "SELECT pg_current_xact_id() AS mark", 0, NULL, &mark, err))
        return false;
    for (;;) {
        AUTO_PGRESULT result = NULL;
        const char *parameters[3] = {pg_value(mark, 0, "mark"), live->partition->schema,
                                     live->partition->table};
        long long taken;
        if (!pg_query(live->connection, embedded_file("partition/sql/live_blockers.sql")->text, 3,
                      parameters, &result, err))
            return false;
        if (PQntuples(result) == 0)
            return true;
        if (now_ms() >= deadline_ms) {
            error_set(err, ERROR_LOCKED, "%s is in the way of the new table \"%s\"",
                      pg_value(result, 0, "who"), live->partition->table);
            return error_detail(err, "Nothing is lost: the next apply goes on.");
        }
        tell(live, false, arena_printf(live->arena, "waiting for %s", pg_value(result, 0, "who")));
        if (!interrupt_sleep_ms(PRESSURE_PAUSE_MS, err) || !replay(live, &taken, err))
            return false;
    }
}

static bool
swap(struct live *live, void *argument, struct error *err)
{
    bool *is_done = argument;
    AUTO_PGRESULT result = NULL;
    int lock_wait_ms = live->deck->lock_wait_ms;
    int attempt_ms =
        lock_wait_ms > PARTITION_LIVE_ATTEMPT_MS ? lock_wait_ms : PARTITION_LIVE_ATTEMPT_MS;
    const char *sql = pg_script(
        live->arena,
        live->drained == NULL ? "partition/sql/live_swap.sql" : "partition/sql/drain_swap.sql",
        PG_VARIABLES({"id", live->state.id},
                     {"lock_wait_ms", arena_printf(live->arena, "%d", lock_wait_ms)},
                     {"attempt_ms", arena_printf(live->arena, "%d", attempt_ms)},
                     {"most", arena_printf(live->arena, "%d", SWAP_BACKLOG)}));

    if (!pg_query(live->connection, sql, 0, NULL, &result, err))
        return false;
    *is_done = PQgetvalue(result, 0, 0)[0] == 't';
    return true;
}

static bool
change_places(struct live *live, struct error *err)
{
    const char *shadow = change_name(live->arena, live->partition->table, "_pgdeck_new");
    bool is_done = false;

    if (!analyze(live, shadow, err) || !catch_up(live, err))
        return false;
    tell(live, true, "comparing both tables");
    if (!patiently(live, "REPEATABLE READ", verify, NULL, err) ||
        !wait_for_old_snapshots(live, err))
        return false;
    while (!is_done) {
        if (!catch_up(live, err) || !patiently(live, NULL, swap, &is_done, err))
            return false;
    }
    return true;
}

static bool
finish(struct live *live, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[1] = {live->state.id};

    tell(live, true,
         arena_printf(live->arena, "the tables changed places, locked for %s ms; the old one is %s",
                      live->state.held_ms, live->state.retired_name));
    if (!pg_query(live->connection, "SELECT statement FROM pgdeck.conversion_finish($1::int)", 1,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        if (!patiently(live, NULL, run_whole, PQgetvalue(result, row, 0), err))
            return false;
    }
    return analyze(live, live->partition->table, err) && note_step(live, "finished", err);
}

/* --- the procedure ------------------------------------------------------------------------ */

static bool
prepare(struct live *live, struct error *err)
{
    struct partition_live_size size;

    if (!partition_live_size(live->arena, live->connection, live->partition, &size, err))
        return false;
    if (size.key_index == NULL)
        return error_set(err, ERROR_REFUSED, "table \"%s\" has no unique key",
                         live->partition->table);
    return patiently(live, "READ COMMITTED", make_shadow, &size, err);
}

static bool
log_changes(struct live *live, struct error *err)
{
    char *sql = pg_script(
        live->arena, "partition/sql/live_log.sql",
        PG_VARIABLES({"schema", live->partition->schema}, {"table", live->partition->table},
                     {"function", arena_printf(live->arena, "log_%s", live->state.id)},
                     {"id", live->state.id}));

    return patiently(live, NULL, run_whole, sql, err);
}

static bool
index_shadow(struct live *live, struct error *err)
{
    tell(live, true, "making the other indexes");
    return patiently(live, "READ COMMITTED", make_indexes, NULL, err);
}

/* What is done in which step; the step after it is in the database, with what was done. */
static const struct step {
    const char *name;
    bool (*run)(struct live *live, struct error *err);
} steps[] = {
    {"logging", log_changes}, {"copying", copy},   {"indexing", index_shadow},
    {"ready", change_places}, {"swapped", finish},
};

static bool
run(struct change_execution *execution, struct error *err)
{
    const struct partition_live *argument = execution->change->argument;
    struct live live = {
        .arena = execution->arena,
        .execution = execution,
        .connection = execution->connection,
        .deck = argument->deck,
        .partition = argument->partition,
        .drained = argument->drained,
    };

    if (!patiently(&live, "READ COMMITTED", install, NULL, err) ||
        !partition_live_state(live.arena, live.connection, live.partition, &live.state, err) ||
        (live.state.step == NULL && !prepare(&live, err)))
        return false;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (!partition_live_state(live.arena, live.connection, live.partition, &live.state, err))
            return false;
        if (strcmp(live.state.step, steps[i].name) == 0 && !steps[i].run(&live, err))
            return error_place(err, live.partition->place);
    }
    return true;
}

const struct change_procedure partition_live_procedure = {"partition a table in use", run};
