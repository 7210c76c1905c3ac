// SPDX-License-Identifier: MIT
#include "bench/suite_run.h"

#include <stdio.h>

/* Pages that the database has touched until now; false: not to be had. */
static bool
read_pages(struct bench_run *run, size_t arm, struct bench_pages *ret_pages)
{
    AUTO_PGRESULT rows = NULL;
    struct error ignored;

    if (!bench_ask(&run->sessions[arm], "bench/sql/cost.sql", NULL, &rows, &ignored))
        return false;
    ret_pages->touched = pg_integer(rows, 0, "buffers");
    ret_pages->read = pg_integer(rows, 0, "buffers_read");
    return true;
}

void
bench_targets_begin(struct bench_run *run)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        run->has_pages[arm] = read_pages(run, arm, &run->pages[arm]);
}

static const char *
verdict(struct bench_run *run, const char *bound, bool is_met)
{
    return arena_printf(run->arena, "%s: %s", bound, is_met ? "met" : "missed");
}

static void
add_cache_hit(struct bench_run *run, struct bench_table *table)
{
    const char *values[BENCH_ARMS] = {"-", "-"};
    double wanted = run->options->target_cache_hit;
    double after = -1;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_pages now;
        if (!run->has_pages[arm] || !read_pages(run, arm, &now) ||
            now.touched <= run->pages[arm].touched)
            continue;
        double share = 1 - (double)(now.read - run->pages[arm].read) /
                               (double)(now.touched - run->pages[arm].touched);
        values[arm] = arena_printf(run->arena, "%.2f %%", share * 100);
        after = arm == BENCH_AFTER ? share : after;
    }
    if (wanted <= 0 || after < 0)
        bench_add_row(run->arena, table, "cache hit over the run", values[BENCH_BEFORE],
                      values[BENCH_AFTER], "");
    else
        bench_add_row(run->arena, table, "cache hit over the run", values[BENCH_BEFORE],
                      values[BENCH_AFTER],
                      verdict(run, arena_printf(run->arena, "at least %.0f %%", wanted * 100),
                              after >= wanted));
}

static void
add_ai_task(struct bench_run *run, struct bench_table *table)
{
    const uint64_t *p95_ns = run->results->ai_task_p95_ns;
    uint64_t wanted_ns = (uint64_t)run->options->target_ai_task_ms * 1000000;
    char text[BENCH_ARMS][32];

    if (p95_ns[BENCH_AFTER] == 0)
        return;
    const char *const values[] = {bench_duration(text[0], p95_ns[BENCH_BEFORE]),
                                  bench_duration(text[1], p95_ns[BENCH_AFTER])};
    const char *const kept[] = {arena_strdup(run->arena, values[0]),
                                arena_strdup(run->arena, values[1])};
    char bound[32];
    bench_add_row(
        run->arena, table, "AI task from enqueue to done, p95", kept[BENCH_BEFORE],
        kept[BENCH_AFTER],
        wanted_ns == 0
            ? ""
            : verdict(run, arena_printf(run->arena, "at most %s", bench_duration(bound, wanted_ns)),
                      p95_ns[BENCH_AFTER] <= wanted_ns));
}

static void
add_queries(struct bench_run *run, struct bench_table *table)
{
    const struct bench_results *results = run->results;

    if (results->targets == 0)
        return;
    const char *const values[] = {
        arena_printf(run->arena, "%zu of %zu", results->targets_before, results->targets),
        arena_printf(run->arena, "%zu of %zu", results->targets_met, results->targets)};
    bench_add_row(run->arena, table, "queries with p95 in time", values[BENCH_BEFORE],
                  values[BENCH_AFTER],
                  verdict(run,
                          arena_printf(run->arena, "at most %lld ms each",
                                       (long long)run->options->target_p95_ms),
                          results->targets_met == results->targets));
}

void
bench_targets_end(struct bench_run *run)
{
    struct bench_suite *suite = ARENA_NEW(run->arena, struct bench_suite);
    const struct bench_options *options = run->options;

    suite->name = "targets";
    suite->title = "Targets";
    suite->what =
        arena_printf(run->arena, "What environment \"%s\" is to do.", options->environment);
    if (options->target_p95_ms + options->target_ai_task_ms != 0 || options->target_cache_hit > 0) {
        struct bench_table *table = LIST_ADD(run->arena, &suite->tables);
        table->title = "Targets";
        table->what = "";
        add_queries(run, table);
        add_ai_task(run, table);
        add_cache_hit(run, table);
    }
    bench_add_promises(run, suite);
    *LIST_ADD(run->arena, &run->results->suites) = suite;
}
