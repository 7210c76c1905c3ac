// SPDX-License-Identifier: MIT
/* What an inserted row costs on the two servers: CPU of the session's process and WAL. Each batch
 * is taken back, in the same session; the same rows went in once before, so that the first touch of
 * a page since a checkpoint is not counted. */
#include "bench/ai.h"

#include "base/embed.h"
#include "pg/script.h"

#include <math.h>
#include <string.h>

enum { ROWS = 2000, BATCHES = 7, KINDS = 3 };

static const struct {
    const char *name, *rows, *insert;
} kinds[KINDS] = {
    {"a task", "bench/sql/ai_rows_tasks.sql", "bench/sql/ai_insert_tasks.sql"},
    {"a result", "bench/sql/ai_rows_results.sql", "bench/sql/ai_insert_results.sql"},
    {"a log line", "bench/sql/ai_rows_logs.sql", "bench/sql/ai_insert_logs.sql"},
};

struct price { /* of one batch */
    double cpu_ns, wal_bytes;
};

static bool
wal_position(PGconn *connection, double *ret_position, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("bench/sql/wal_position.sql")->text, 0, NULL, &result,
                  err))
        return false;
    *ret_position = (double)pg_integer(result, 0, "position");
    return true;
}

static const char *
script(struct arena *arena, const char *path)
{
    return pg_script(
        arena, path,
        PG_VARIABLES({"rows", "pgdeck_rows"}, {"count", arena_printf(arena, "%d", ROWS)}));
}

static bool
insert(struct ai_suite *suite, const struct bench_session *session, size_t kind,
       struct price *ret_price, struct error *err)
{
    struct arena *arena = suite->run->arena;
    const char *statement = script(arena, kinds[kind].insert);
    double before, after;

    if (!pg_execute(session->connection, "BEGIN READ WRITE; SET LOCAL statement_timeout = 0",
                    err) ||
        !pg_execute(session->connection, script(arena, kinds[kind].rows), err))
        return false;
    if (!wal_position(session->connection, &before, err))
        return false;
    double cpu_ns = (double)bench_cpu_of(session).ran_ns;
    if (!pg_execute(session->connection, statement, err) ||
        !pg_execute(session->connection, embedded_file("bench/sql/ai_pending_lists.sql")->text,
                    err))
        return false;
    ret_price->cpu_ns = (double)bench_cpu_of(session).ran_ns - cpu_ns;
    if (!wal_position(session->connection, &after, err))
        return false;
    ret_price->wal_bytes = after - before;
    return true;
}

/* Leaves nothing behind, whatever came of it. */
static bool
insert_and_take_back(struct ai_suite *suite, enum bench_arm_number arm, size_t kind,
                     struct price *ret_price, struct error *err)
{
    const struct bench_session *session = &suite->run->sessions[arm];
    struct error ignored = {0};
    bool is_done = insert(suite, session, kind, ret_price, err);

    if (!pg_execute(session->connection, "ROLLBACK", is_done ? err : &ignored))
        is_done = false;
    return is_done || error_wrap(err, "server \"%s\": inserting rows", session->label);
}

/* Of one row. What others write meanwhile only adds to it. */
static double
least(const struct price *prices, bool is_wal)
{
    double found = is_wal ? prices[0].wal_bytes : prices[0].cpu_ns;

    for (size_t i = 1; i < BATCHES; i++)
        found = fmin(found, is_wal ? prices[i].wal_bytes : prices[i].cpu_ns);
    return found / ROWS;
}

static void
add_row(struct bench_run *run, struct bench_table *table, size_t kind, bool is_wal,
        struct price prices[BENCH_ARMS][BATCHES])
{
    double each[BENCH_ARMS];
    struct bench_row *row = LIST_ADD(run->arena, &table->rows);

    row->name = arena_printf(run->arena, "%s, %s", kinds[kind].name, is_wal ? "WAL" : "server CPU");
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        each[arm] = least(prices[arm], is_wal);
        row->values[arm] = each[arm] <= 0 ? "-"
                           : is_wal       ? arena_printf(run->arena, "%.0f bytes", each[arm])
                                          : arena_printf(run->arena, "%.1f µs", each[arm] / 1000);
    }
    row->note =
        each[BENCH_BEFORE] <= 0 || each[BENCH_AFTER] <= 0
            ? ""
            : arena_printf(run->arena, "%.2f times", each[BENCH_AFTER] / each[BENCH_BEFORE]);
}

static bool
measure_kind(struct ai_suite *suite, struct bench_table *table, size_t kind, struct error *err)
{
    struct price prices[BENCH_ARMS][BATCHES];
    size_t order[BENCH_ARMS];
    struct price first;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!insert_and_take_back(suite, (enum bench_arm_number)arm, kind, &first, err))
            return false;
    }
    for (size_t batch = 0; batch < BATCHES; batch++) {
        bench_shuffle(&suite->run->random, order, BENCH_ARMS);
        for (size_t i = 0; i < BENCH_ARMS; i++) {
            if (!insert_and_take_back(suite, (enum bench_arm_number)order[i], kind,
                                      &prices[order[i]][batch], err))
                return false;
        }
    }
    add_row(suite->run, table, kind, false, prices);
    add_row(suite->run, table, kind, true, prices);
    return true;
}

bool
ai_measure_inserts(struct ai_suite *suite, struct error *err)
{
    struct bench_table *table = LIST_ADD(suite->run->arena, &suite->suite->tables);

    *table = (struct bench_table){
        .title = "What an inserted row costs",
        .what = "Keys alone before; indexes, partitions and triggers of the deck after. Batches of "
                "2000 rows, taken back each time, the least of 7; GIN's pending lists included.",
    };
    bench_progress(suite->run, "what an inserted row costs");
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (measure_kind(suite, table, kind, err))
            continue;
        if (strcmp(err->sqlstate, "42P01") != 0) /* this schema has no such table */
            return false;
        error_clear(err);
    }
    return true;
}
