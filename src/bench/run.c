// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "base/machine.h"
#include "bench/suite_run.h"
#include "bench/transport.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
bench_options_init(struct bench_options *options)
{
    memset(options, 0, sizeof(*options));
    options->arms[BENCH_BEFORE].label = "before";
    options->arms[BENCH_AFTER].label = "after";
    options->pairs = 10;
    options->block_ms = 300;
    options->timeout_ms = 60000;
    options->seed = 1;
    options->suites = 1U << BENCH_QUERIES;
    options->scale = 10;
    options->clients = 8;
    options->pgbench_block_ms = 2000;
    options->pool_block_ms = 2000;
    options->pool_rounds = 5;
    options->workers = 16;
    options->run_ms = 50;
    options->ai_block_ms = 2000;
    options->ai_rounds = 5;
    options->command = "";
}

uint64_t
bench_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

double
bench_elapsed_s(const struct bench_run *run)
{
    return (double)(bench_clock_ns() - run->start_ns) / 1e9;
}

void
bench_log(struct bench_run *run, const char *format, ...)
{
    va_list args;
    struct timespec now;
    struct tm parts;
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof(stamp), "%H:%M:%S", &parts);
    va_start(args, format);
    const char *line = arena_vprintf(run->arena, format, args);
    va_end(args);
    *LIST_ADD(run->arena, &run->results->log) =
        arena_printf(run->arena, "%s.%03ld %s", stamp, now.tv_nsec / 1000000, line);
}

void
bench_progress(struct bench_run *run, const char *format, ...)
{
    AUTO_ARENA scratch = arena_new();
    va_list args;

    if (run->options->progress == NULL)
        return;
    va_start(args, format);
    const char *line = arena_vprintf(scratch, format, args);
    va_end(args);
    run->options->progress(run->options->progress_context, line);
}

/* --- which queries -------------------------------------------------------------------------- */

static bool
is_chosen(const struct bench_options *options, const char *name)
{
    for (size_t i = 0; i < options->name_count; i++) {
        if (strcmp(options->names[i], name) == 0)
            return true;
    }
    return options->name_count == 0;
}

static bool
unknown_query(struct bench_run *run, const char *name, struct error *err)
{
    const struct workload *workload = run->options->workload;
    const char **names = ARENA_ARRAY(run->arena, const char *, workload->queries.count + 1);

    for (size_t i = 0; i < workload->queries.count; i++)
        names[i] = workload->queries.items[i].name;
    const char *nearest = text_nearest(name, names);
    error_set(err, ERROR_USAGE, "no query \"%s\" in \"%s\"", name, workload->folder);
    if (nearest != NULL)
        return error_hint(err, "Did you mean \"%s\"?", nearest);
    return error_hint(err, "The name is the one in the file's line \"-- name: ...\".");
}

static bool
choose_queries(struct bench_run *run, struct error *err)
{
    const struct bench_options *options = run->options;

    if ((options->suites & 1U << BENCH_QUERIES) == 0)
        return true;
    for (size_t i = 0; i < options->workload->queries.count; i++) {
        const struct workload_query *query = &options->workload->queries.items[i];
        if (is_chosen(options, query->name))
            LIST_ADD(run->arena, &run->results->queries)->query = query;
    }
    for (size_t i = 0; i < options->name_count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < run->results->queries.count; j++) {
            const char *name = run->results->queries.items[j].query->name;
            is_there = is_there || strcmp(name, options->names[i]) == 0;
        }
        if (!is_there)
            return unknown_query(run, options->names[i], err);
    }
    return true;
}

/* --- the run -------------------------------------------------------------------------------- */

void
bench_shuffle(struct random *random, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(random, i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

/* One pair of each query after the other, then the next of each: whatever drifts, all drift. */
static bool
measure(struct bench_run *run, struct error *err)
{
    struct bench_results *results = run->results;
    size_t count = results->queries.count;
    size_t *order = ARENA_ARRAY(run->arena, size_t, count);

    for (size_t i = 0; i < count; i++) {
        bench_progress(run, "warm-up, results compared: %s", results->queries.items[i].query->name);
        if (!bench_compare(run, &results->queries.items[i], err))
            return false;
    }
    for (int number = 1; number <= run->options->pairs; number++) {
        bench_shuffle(&run->random, order, count);
        for (size_t i = 0; i < count; i++) {
            if (!bench_run_pair(run, &results->queries.items[order[i]], number, err))
                return false;
        }
    }
    return true;
}

static bool
make_ready(struct bench_run *run, struct error *err)
{
    if (!bench_open(run, err) || !bench_prepare(run, err) || !bench_draw(run, err) ||
        !bench_read_servers(run, err) || !bench_open_suites(run, err))
        return false;
    bench_read_machine(run);
    return true;
}

/* Without it there are less figures, but the benchmark goes on. */
static void
start_sampler(struct bench_run *run)
{
    const struct bench_arm *arms = run->options->arms;
    const struct pg_target targets[BENCH_ARMS] = {arms[BENCH_BEFORE].target,
                                                  arms[BENCH_AFTER].target};
    struct error fault = {0};

    if (!bench_sampler_start(run->arena, targets, run->start_ns, &run->sampler, &fault))
        bench_log(run, "no samples: %s", fault.message);
}

/* From here on whatever stops the run leaves results behind. */
static void
run_to_the_end(struct bench_run *run)
{
    struct bench_results *results = run->results;
    struct machine_ticks before = machine_read_ticks();

    run->start_ns = bench_clock_ns();
    start_sampler(run);
    bench_targets_begin(run);
    bool is_whole = measure(run, &results->stopped) && bench_run_suites(run, &results->stopped);
    bench_sampler_stop(run->sampler, &results->samples);
    struct machine_ticks after = machine_read_ticks();
    if (after.total > before.total)
        results->machine.steal = (after.steal - before.steal) / (after.total - before.total);
    bench_summarize(run);
    bench_summarize_suites(run);
    bench_targets_end(run);
    bench_find_limits(run);
    if (is_whole)
        is_whole = bench_explain(run, &results->stopped);
    results->duration_s = bench_elapsed_s(run);
    bench_log(run, is_whole ? "done" : "stopped: %s", results->stopped.message);
}

bool
bench_check(struct arena *arena, const struct bench_options *options, struct error *err)
{
    struct bench_options alone = *options;
    struct bench_results *results = ARENA_NEW(arena, struct bench_results);
    struct bench_run run = {
        .arena = arena, .options = &alone, .results = results, .random = {options->seed}};

    if (alone.arms[BENCH_BEFORE].target.conninfo == NULL)
        alone.arms[BENCH_BEFORE] = alone.arms[BENCH_AFTER];
    results->options = &alone;
    bool is_fine = choose_queries(&run, err) && bench_open(&run, err) && bench_prepare(&run, err) &&
                   bench_draw(&run, err) && bench_open_suites(&run, err);
    bench_close_suites(&run);
    bench_close(&run);
    return is_fine;
}

bool
bench_run(struct arena *arena, const struct bench_options *options,
          struct bench_results *ret_results, struct error *err)
{
    struct bench_options *own = ARENA_NEW(arena, struct bench_options);
    struct bench_run run = {
        .arena = arena, .options = own, .results = ret_results, .random = {options->seed}};

    memset(ret_results, 0, sizeof(*ret_results));
    *own = *options;
    ret_results->options = own;
    ret_results->started = time(NULL);
    bench_log(&run, "pgdeck %s: %s", PGDECK_VERSION, options->command);
    bool is_ready = choose_queries(&run, err) && bench_align_transports(&run, own, err) &&
                    make_ready(&run, err);
    if (is_ready)
        run_to_the_end(&run);
    bench_close_suites(&run);
    bench_close(&run);
    return is_ready;
}
