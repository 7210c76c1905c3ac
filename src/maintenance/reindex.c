// SPDX-License-Identifier: MIT
/* Indexes that take much more room than they need, rebuilt beside their use. Which: measured with
 * pgstattuple where that is there, else by how much each has grown per entry since it was at its
 * best. An estimate from averages alone is told and not acted upon: it can be wrong by half. */
#include "maintenance/run.h"

#include "base/embed.h"
#include "base/interrupt.h"
#include "index/build.h"
#include "index/watch.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

/* Measuring reads whole indexes: a tenth of the window for all, a minute for one. */
enum { MEASURE_ONE_MS = 60000, MEASURE_SHARE = 10, LAG_PAUSE_MS = 200 };
/* An index that has hardly grown since it was seen at its best is not read. */
static const double grown = 1.1;

struct candidate {
    const char *oid, *relation, *schema, *name, *table_schema, *table;
    double size_bytes, entries;
    double best; /* bytes an entry, at its best; 0: not known */
    double bloat;
    const char *how; /* bloat is known */
};

static double
real(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

static bool
remember(struct maintenance_run *run, const char *relation, double bytes, struct error *err)
{
    const char *parameters[2] = {relation, arena_printf(run->arena, "%g", bytes)};
    AUTO_PGRESULT result = NULL;

    return run->id == NULL || maintenance_query(run, "maintenance/sql/remember_index.sql", 2,
                                                parameters, &result, err);
}

/* --- how much is too much ----------------------------------------------------------------- */

static bool
measure(struct maintenance_run *run, struct candidate *candidate, const char *schema,
        struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct error fault;
    const char *sql = pg_script(run->arena, "index/sql/bloat_measure.sql",
                                PG_VARIABLES({"schema", schema}, {"oid", candidate->oid}));

    if (!pg_query(run->connection, sql, 0, NULL, &result, &fault)) {
        if (PQstatus(run->connection) == CONNECTION_OK && !is_interrupted())
            return true; /* out of time, or no more there: not measured */
        *err = fault;
        return false;
    }
    double needed_bytes = real(result, 0, "needed_bytes");
    candidate->bloat = 1 - needed_bytes / candidate->size_bytes;
    candidate->how = "measured";
    return remember(run, candidate->relation, needed_bytes / candidate->entries, err);
}

static bool
weigh_by_growth(struct maintenance_run *run, struct candidate *candidate, struct error *err)
{
    double now = candidate->size_bytes / candidate->entries;

    if (candidate->best > 0) {
        candidate->bloat = 1 - candidate->best / now;
        candidate->how = "by its growth since it was at its best";
    }
    return remember(run, candidate->relation, now, err);
}

static bool
tell_estimate(struct maintenance_run *run, const struct candidate *candidate, struct error *err)
{
    const char *oids[1] = {candidate->oid};
    const char *parameters[1] = {pg_text_array(run->arena, oids, 1)};
    AUTO_PGRESULT result = NULL;

    if (!pg_query(run->connection, embedded_file("index/sql/bloat_estimate.sql")->text, 1,
                  parameters, &result, err))
        return false;
    if (PQntuples(result) == 0)
        return true;
    double bloat = 1 - real(result, 0, "needed_bytes") / real(result, 0, "size_bytes");
    if (bloat >= run->wanted->index_bloat)
        maintenance_find(run, MAINTENANCE_INFO, "CREATE EXTENSION pgstattuple",
                         "index %s may be %.0f %% bloat; only pgstattuple can tell",
                         candidate->relation, bloat * 100);
    return true;
}

/* --- doing it ----------------------------------------------------------------------------- */

/* Whether all replicas replay within the deck's lag what has been written by now. */
static bool
is_replayed_in_time(struct maintenance_run *run, bool *ret_is_replayed, struct error *err)
{
    long long until_ms = maintenance_now_ms() + run->wanted->replica_lag_ms;
    const char *position = NULL;

    for (;;) {
        AUTO_PGRESULT result = NULL;
        if (!maintenance_query(run, "maintenance/sql/replicas_behind.sql", 1, &position, &result,
                               err))
            return false;
        position = pg_keep(run->arena, result, 0, "position");
        *ret_is_replayed = pg_integer(result, 0, "behind") == 0;
        if (*ret_is_replayed || maintenance_now_ms() >= until_ms || maintenance_left_ms(run) == 0)
            return true;
        if (!interrupt_sleep_ms(LAG_PAUSE_MS, err))
            return false;
    }
}

static bool
wait_for_replicas(struct maintenance_run *run, struct error *err)
{
    bool is_replayed = false;

    for (bool is_told = false; maintenance_left_ms(run) > 0; is_told = true) {
        if (!is_replayed_in_time(run, &is_replayed, err))
            return false;
        if (is_replayed)
            return true;
        if (!is_told)
            maintenance_tell(run, "    waits: a replica is more than %.1f s behind",
                             (double)run->wanted->replica_lag_ms / 1000);
    }
    return error_set(err, ERROR_REFUSED, "a replica was too far behind until the window's end");
}

/* What the statement left when it was cancelled goes at once if that can be had, else with the next
 * sweep. */
static void
clean_up(struct maintenance_run *run, const struct candidate *candidate)
{
    const char *parameters[2] = {candidate->schema, candidate->name};
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (PQstatus(run->connection) != CONNECTION_OK || is_interrupted() ||
        !pg_execute(run->connection, "SET statement_timeout = '5s'", &ignored) ||
        !pg_execute(run->connection, "SET lock_timeout = '2s'", &ignored) ||
        !maintenance_query(run, "maintenance/sql/leftovers.sql", 2, parameters, &result, &ignored))
        return;
    for (int row = 0; row < PQntuples(result); row++) {
        if (!pg_execute(run->connection, pg_value(result, row, "sql"), &ignored))
            maintenance_find(run, MAINTENANCE_WARNING, pg_keep(run->arena, result, row, "sql"),
                             "%s is left of a broken off REINDEX; the next run removes it",
                             pg_value(result, row, "relation"));
    }
}

static void
tell(void *sink, const char *line)
{
    maintenance_tell(sink, "    %s", line);
}

/* What was waited for is gone from the window. */
static bool
limit_to_window(struct maintenance_run *run, struct error *err)
{
    long long left_ms = maintenance_left_ms(run);

    return pg_execute(
        run->connection,
        arena_printf(run->arena, "SET statement_timeout = %lld", left_ms > 0 ? left_ms : 1), err);
}

static bool
rebuild(struct maintenance_run *run, struct maintenance_task *task, struct error *err)
{
    const struct candidate *candidate = task->argument;
    const struct deck *deck = run->options->deck;
    struct error ignored;
    struct change_execution execution = {.arena = run->arena,
                                         .connection = run->connection,
                                         .target = run->target,
                                         .progress = tell,
                                         .progress_sink = run};
    struct index_watch watch = {.execution = &execution,
                                .lock_wait_ms = deck->lock_wait_ms,
                                .max_block_ms = deck->max_block_ms,
                                .give_up_ms = deck->give_up_ms,
                                .label = candidate->relation};
    double needed_bytes = candidate->size_bytes * (1 - candidate->bloat);

    if (needed_bytes > (double)run->wal_left_bytes)
        return error_set(err, ERROR_REFUSED,
                         "it would write about %.0f MB of WAL; %.0f MB of the budget are left",
                         needed_bytes / 1048576,
                         run->wal_left_bytes < 0 ? 0.0 : (double)run->wal_left_bytes / 1048576);
    bool is_fine = wait_for_replicas(run, err) &&
                   index_watch_lock(&watch, candidate->table_schema, candidate->table, err) &&
                   index_watch_timeout(&watch, 0, err) && limit_to_window(run, err) &&
                   index_watch_run(&watch, task->sql, err);
    index_watch_release(&watch);
    if (!is_fine && PQstatus(run->connection) == CONNECTION_OK &&
        PQtransactionStatus(run->connection) != PQTRANS_IDLE && !is_interrupted() &&
        !pg_execute(run->connection, "ROLLBACK", &ignored))
        return false;
    if (!is_fine)
        clean_up(run, candidate);
    if (PQstatus(run->connection) != CONNECTION_OK || is_interrupted())
        return is_fine;
    return pg_execute(run->connection, "RESET lock_timeout", is_fine ? err : &ignored) && is_fine;
}

/* --- finding ------------------------------------------------------------------------------ */

static void
add(struct maintenance_run *run, const struct candidate *candidate)
{
    const char *what = arena_printf(run->arena, "rebuild index %s", candidate->relation);
    const char *why =
        arena_printf(run->arena, "%.0f %% of its %.1f MB can be given back, %s",
                     candidate->bloat * 100, candidate->size_bytes / 1048576, candidate->how);
    struct maintenance_task *task = maintenance_add(run, "reindex", what, why);
    struct candidate *kept = ARENA_NEW(run->arena, struct candidate);

    *kept = *candidate;
    task->relation = candidate->relation;
    task->sql = arena_printf(run->arena, "REINDEX INDEX CONCURRENTLY %s", candidate->relation);
    task->perform = rebuild;
    task->argument = kept;
    if (!index_is_build_unsafe(PQserverVersion(run->connection)))
        return;
    task->state = MAINTENANCE_LEFT;
    task->error = "indexes rebuilt concurrently by PostgreSQL 14.0 to 14.3 can lack rows: update "
                  "the server to the newest 14 first";
}

static bool
weigh(struct maintenance_run *run, struct candidate *candidate, const char *extension,
      bool is_out_of_time, struct error *err)
{
    bool has_grown = candidate->best == 0 ||
                     candidate->size_bytes / candidate->entries > grown * candidate->best;

    if (extension != NULL && has_grown && !is_out_of_time &&
        !measure(run, candidate, extension, err))
        return false;
    if (candidate->how == NULL && extension == NULL && candidate->best == 0 &&
        !tell_estimate(run, candidate, err))
        return false;
    if (candidate->how == NULL && !weigh_by_growth(run, candidate, err))
        return false;
    if (candidate->how != NULL && candidate->bloat >= run->wanted->index_bloat)
        add(run, candidate);
    return true;
}

static struct candidate
read_candidate(struct maintenance_run *run, const PGresult *result, int row)
{
    return (struct candidate){
        .oid = pg_keep(run->arena, result, row, "oid"),
        .relation = pg_keep(run->arena, result, row, "relation"),
        .schema = pg_keep(run->arena, result, row, "schema"),
        .name = pg_keep(run->arena, result, row, "name"),
        .table_schema = pg_keep(run->arena, result, row, "table_schema"),
        .table = pg_keep(run->arena, result, row, "table"),
        .size_bytes = real(result, row, "size_bytes"),
        .entries = real(result, row, "entries"),
        .best = real(result, row, "best"),
    };
}

static bool
read_indexes(struct maintenance_run *run, PGresult **ret_result, struct error *err)
{
    const char *parameters[3] = {
        arena_printf(run->arena, "%lld", (long long)run->wanted->index_size_bytes), "{}", "{}"};
    AUTO_PGRESULT best = NULL;

    if (run->has_record) {
        if (!maintenance_query(run, "maintenance/sql/best_indexes.sql", 0, NULL, &best, err))
            return false;
        parameters[1] = pg_value(best, 0, "relations");
        parameters[2] = pg_value(best, 0, "bytes");
    }
    return maintenance_query(run, "maintenance/sql/large_indexes.sql", 3, parameters, ret_result,
                             err);
}

bool
maintenance_find_bloat(struct maintenance_run *run, struct error *err)
{
    long long begun_ms = maintenance_now_ms();
    AUTO_PGRESULT extension = NULL;
    AUTO_PGRESULT result = NULL;

    if (!pg_query(run->connection, embedded_file("index/sql/pgstattuple.sql")->text, 0, NULL,
                  &extension, err) ||
        !read_indexes(run, &result, err) ||
        !pg_execute(run->connection,
                    arena_printf(run->arena, "SET statement_timeout = %d", MEASURE_ONE_MS), err))
        return false;
    const char *schema = PQntuples(extension) == 0 ? NULL : pg_value(extension, 0, "schema");
    for (int row = 0; row < PQntuples(result); row++) {
        struct candidate candidate = read_candidate(run, result, row);
        bool is_out_of_time =
            maintenance_now_ms() - begun_ms > run->options->window_ms / MEASURE_SHARE;
        if (!weigh(run, &candidate, schema, is_out_of_time, err))
            return false;
    }
    return pg_execute(run->connection, "SET statement_timeout = 0", err);
}
