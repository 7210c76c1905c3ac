// SPDX-License-Identifier: MIT
/* What an inserted row costs on the two servers: CPU of the session's process and WAL. Each batch
 * goes to new pages and is taken back, in the same session; the same rows went in once before, so
 * that the first touch of an index page since a checkpoint is not counted. */
#include "bench/ai.h"

#include "base/embed.h"
#include "pg/script.h"

#include <math.h>
#include <string.h>

enum { ROWS = 2000, BATCHES = 7, KINDS = 3 };

static const struct {
    const char *name, *table, *rows, *insert;
    int each; /* so many come with one task */
} kinds[KINDS] = {
    {"a task", "ai_tasks", "bench/sql/ai_rows_tasks.sql", "bench/sql/ai_insert_tasks.sql", 1},
    {"a result", "ai_results", "bench/sql/ai_rows_results.sql", "bench/sql/ai_insert_results.sql",
     2},
    {"a log line", "system_logs", "bench/sql/ai_rows_logs.sql", "bench/sql/ai_insert_logs.sql", 2},
};

struct price { /* of one batch, or of one row */
    double cpu_ns, wal_bytes;
    long long old_pages; /* tables, partitions too, whose old pages were filled as well */
};
struct prices { /* of a row of each kind; 0: not known */
    struct price of[KINDS][BENCH_ARMS];
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
begin(struct bench_run *run, PGconn *connection, size_t kind, struct error *err)
{
    return pg_execute(connection, "BEGIN READ WRITE; SET LOCAL statement_timeout = 0", err) &&
           pg_execute(connection, embedded_file("bench/sql/ai_new_pages.sql")->text, err) &&
           pg_execute(connection, script(run->arena, kinds[kind].rows), err);
}

/* Tables of others, and those whose lock was not to be had. */
static bool
count_old_pages(PGconn *connection, const char *table, long long *ret_count, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("bench/sql/ai_old_pages.sql")->text, 1, &table, &result,
                  err))
        return false;
    *ret_count = pg_integer(result, 0, "count");
    return true;
}

static bool
insert(struct ai_suite *suite, const struct bench_session *session, size_t kind,
       struct price *ret_price, struct error *err)
{
    struct arena *arena = suite->run->arena;
    const char *statement = script(arena, kinds[kind].insert);
    double before, after;

    if (!begin(suite->run, session->connection, kind, err) ||
        !count_old_pages(session->connection, kinds[kind].table, &ret_price->old_pages, err) ||
        !wal_position(session->connection, &before, err))
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
static struct price
least(const struct price *prices)
{
    struct price found = prices[0];

    for (size_t i = 1; i < BATCHES; i++) {
        found.cpu_ns = fmin(found.cpu_ns, prices[i].cpu_ns);
        found.wal_bytes = fmin(found.wal_bytes, prices[i].wal_bytes);
        if (prices[i].old_pages > found.old_pages)
            found.old_pages = prices[i].old_pages;
    }
    found.cpu_ns /= ROWS;
    found.wal_bytes /= ROWS;
    return found;
}

static void
add_row(struct bench_run *run, struct bench_table *table, const char *name, bool is_wal,
        const struct price prices[BENCH_ARMS])
{
    double each[BENCH_ARMS];
    struct bench_row *row = LIST_ADD(run->arena, &table->rows);

    row->name = arena_printf(run->arena, "%s, %s", name, is_wal ? "WAL" : "server CPU");
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        each[arm] = is_wal ? prices[arm].wal_bytes : prices[arm].cpu_ns;
        row->values[arm] = each[arm] <= 0 ? "-"
                           : is_wal       ? arena_printf(run->arena, "%.0f bytes", each[arm])
                                          : arena_printf(run->arena, "%.1f µs", each[arm] / 1000);
    }
    row->note =
        each[BENCH_BEFORE] <= 0 || each[BENCH_AFTER] <= 0
            ? ""
            : arena_printf(run->arena, "%.2f times", each[BENCH_AFTER] / each[BENCH_BEFORE]);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (prices[arm].old_pages > 0)
            row->note = arena_printf(run->arena, "%s; \"%s\": also into old pages of %lld tables",
                                     row->note, run->sessions[arm].label, prices[arm].old_pages);
    }
}

static void
add_rows(struct bench_run *run, struct bench_table *table, const char *name,
         const struct price prices[BENCH_ARMS])
{
    add_row(run, table, name, false, prices);
    add_row(run, table, name, true, prices);
}

/* What comes with one task, where all of it is known. */
static void
add_sum(struct bench_run *run, struct bench_table *table, const struct prices *prices)
{
    struct price sums[BENCH_ARMS] = {0};

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            const struct price *one = &prices->of[kind][arm];
            if (one->cpu_ns <= 0 || one->wal_bytes <= 0)
                return;
            sums[arm].cpu_ns += kinds[kind].each * one->cpu_ns;
            sums[arm].wal_bytes += kinds[kind].each * one->wal_bytes;
            sums[arm].old_pages += one->old_pages;
        }
    }
    add_rows(run, table, "a task with two of each", sums);
}

static bool
measure_kind(struct ai_suite *suite, struct bench_table *table, size_t kind,
             struct prices *ret_prices, struct error *err)
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
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        ret_prices->of[kind][arm] = least(prices[arm]);
    add_rows(suite->run, table, kinds[kind].name, ret_prices->of[kind]);
    return true;
}

bool
ai_measure_inserts(struct ai_suite *suite, struct error *err)
{
    struct bench_table *table = LIST_ADD(suite->run->arena, &suite->suite->tables);

    *table = (struct bench_table){
        .title = "What an inserted row costs",
        .what =
            "Keys alone before; indexes, partitions and triggers of the deck after. Each is one "
            "INSERT of 2000 rows into new pages, taken back, the least of 7: with its checks, "
            "foreign keys, defaults and what GIN's pending lists cost later; without what "
            "rollups cost, which do not count rows of the last minutes when they come.",
    };
    struct prices prices = {0};

    bench_progress(suite->run, "what an inserted row costs");
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (measure_kind(suite, table, kind, &prices, err))
            continue;
        if (strcmp(err->sqlstate, "42P01") != 0) /* this schema has no such table */
            return false;
        error_clear(err);
    }
    add_sum(suite->run, table, &prices);
    return true;
}
