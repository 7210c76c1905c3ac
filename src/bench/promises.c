// SPDX-License-Identifier: MIT
/* What pgdeck promises of any deck, against what this run has measured. */
#include "bench/cost.h"
#include "bench/report.h"
#include "bench/suite_run.h"

#include <stdio.h>

static const double promised_queries = 0.30; /* less time, geometric mean */
static const double promised_tasks = 0.40;   /* less time from enqueue to done, less the run */
static const double promised_pool = 0.50;    /* more requests for each server connection */

/* Half of what PostgreSQL's defaults cache: where a whole database has less, an index has next to
 * nothing to save. */
static const int64_t little_data_bytes = (int64_t)64 << 20;

static const char *
verdict(struct bench_run *run, const char *promise, double promised, double measured)
{
    return arena_printf(run->arena, promise, promised * 100, measured * 100,
                        measured >= promised ? "kept" : "not kept");
}

/* The same of a promise that depends on how much there is in the tables. */
static const char *
data_verdict(struct bench_run *run, const char *promise, double promised, double measured)
{
    int64_t size_bytes = run->results->servers[BENCH_BEFORE].size_bytes;
    char size[32];

    if (measured >= promised || size_bytes >= little_data_bytes)
        return verdict(run, promise, promised, measured);
    return arena_printf(run->arena, promise, promised * 100, measured * 100,
                        arena_printf(run->arena, "too little data to say: the database has %s",
                                     bench_size(size, size_bytes)));
}

static void
add_queries(struct bench_run *run, struct bench_table *table)
{
    const struct bench_ratio *total = &run->results->total;
    char text[32];

    if (total->value <= 0)
        return;
    const char *const values[] = {"", arena_strdup(run->arena, bench_times(text, total->value))};
    bench_add_row(run->arena, table, "times faster, geometric mean of the queries",
                  values[BENCH_BEFORE], values[BENCH_AFTER],
                  data_verdict(run, "at least %.0f %% less time: %.1f %%, %s", promised_queries,
                               1 - 1 / total->value));
}

/* Of the session's own process: workers, which stock has more of, are not in it. */
static void
add_cpu(struct bench_run *run, struct bench_table *table)
{
    char text[32];

    if (run->results->cpu_total.value > 0)
        bench_add_row(run->arena, table, "times less server CPU, geometric mean of the queries", "",
                      arena_strdup(run->arena, bench_times(text, run->results->cpu_total.value)),
                      "without parallel workers");
}

static void
add_tasks(struct bench_run *run, struct bench_table *table)
{
    const uint64_t *task_ns = run->results->ai_task_median_ns;
    char text[BENCH_ARMS][32];

    if (task_ns[BENCH_BEFORE] == 0 || task_ns[BENCH_AFTER] == 0)
        return;
    const char *const values[] = {
        arena_strdup(run->arena, bench_duration(text[0], task_ns[BENCH_BEFORE])),
        arena_strdup(run->arena, bench_duration(text[1], task_ns[BENCH_AFTER]))};
    bench_add_row(run->arena, table, "AI task from enqueue to done, less its run, median",
                  values[BENCH_BEFORE], values[BENCH_AFTER],
                  data_verdict(run, "at least %.0f %% sooner: %.1f %%, %s", promised_tasks,
                               1 - (double)task_ns[BENCH_AFTER] / (double)task_ns[BENCH_BEFORE]));
}

static void
add_pool(struct bench_run *run, struct bench_table *table)
{
    const double *rates = run->results->pool_rate;

    if (rates[BENCH_BEFORE] <= 0)
        return;
    const char *const values[] = {arena_printf(run->arena, "%.1f", rates[BENCH_BEFORE]),
                                  arena_printf(run->arena, "%.1f", rates[BENCH_AFTER])};
    bench_add_row(run->arena, table,
                  "requests/s a server connection at equal p95, one a client and by the pool",
                  values[BENCH_BEFORE], values[BENCH_AFTER],
                  verdict(run, "at least %.0f %% more: %.0f %%, %s", promised_pool,
                          rates[BENCH_AFTER] / rates[BENCH_BEFORE] - 1));
}

static void
add_memory(struct bench_run *run, struct bench_table *table)
{
    struct bench_memory memory[BENCH_ARMS];
    const char *shared[BENCH_ARMS], *own[BENCH_ARMS], *client[BENCH_ARMS];
    char text[32];

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!bench_memory_of(run->sessions[arm].connection, &memory[arm]))
            return;
        shared[arm] = arena_strdup(run->arena, bench_size(text, memory[arm].shared_bytes));
        own[arm] = arena_printf(run->arena, "%s in %d", bench_size(text, memory[arm].own_bytes),
                                memory[arm].processes);
        client[arm] = arena_strdup(run->arena, bench_size(text, memory[arm].client_bytes));
    }
    bench_add_row(run->arena, table, "shared memory, resident", shared[BENCH_BEFORE],
                  shared[BENCH_AFTER], "the most that one process maps");
    bench_add_row(run->arena, table, "memory of the server's own processes, and their number",
                  own[BENCH_BEFORE], own[BENCH_AFTER], "RssAnon, without those of clients");
    bench_add_row(run->arena, table, "memory of a client's process", client[BENCH_BEFORE],
                  client[BENCH_AFTER], "this program's, which has all queries prepared");
}

void
bench_add_promises(struct bench_run *run, struct bench_suite *suite)
{
    struct bench_table *table = LIST_ADD(run->arena, &suite->tables);

    table->title = "Promises";
    table->what = "What pgdeck promises of any deck, as far as this run has measured it.";
    add_queries(run, table);
    add_cpu(run, table);
    add_tasks(run, table);
    add_pool(run, table);
    add_memory(run, table);
}
