// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "bench/bench.h"
#include "workload/query.h"

enum { PAIRS = 6, BLOCK_MS = 100, QUICK_PAIRS = 3, QUICK_BLOCK_MS = 20 };

static void
show_progress(void *context, const char *line)
{
    demo_progress(context, line);
}

static void
set_up(struct demo *demo, const struct workload *workload, struct bench_options *options)
{
    const struct deck_database *database = demo->measured;

    bench_options_init(options);
    options->database = database->name;
    options->environment = database->environment->name;
    options->target_p95_ms = database->environment->targets.query_p95_ms;
    options->target_ai_task_ms = database->environment->targets.ai_task_ms;
    options->target_cache_hit = database->environment->targets.cache_hit;
    options->workload = workload;
    options->pairs = demo->is_quick ? QUICK_PAIRS : PAIRS;
    options->block_ms = demo->is_quick ? QUICK_BLOCK_MS : BLOCK_MS;
    options->command = "pgdeck demo";
    options->progress = show_progress;
    options->progress_context = demo;
    options->arms[BENCH_BEFORE] = (struct bench_arm){
        .label = "stock", .target = demo_target(demo, DEMO_STOCK, database->name)};
    options->arms[BENCH_AFTER] =
        (struct bench_arm){.label = "deck", .target = demo_target(demo, DEMO_DECK, database->name)};
}

bool
demo_measure(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    struct workload *workload = ARENA_NEW(arena, struct workload);
    struct bench_options *options = ARENA_NEW(arena, struct bench_options);
    struct bench_results *results = ARENA_NEW(arena, struct bench_results);

    if (!workload_load(arena, demo->measured->workload, workload, err))
        return false;
    set_up(demo, workload, options);
    bool is_measured = bench_run(arena, options, results, err);
    cli_progress_end(demo->cli);
    if (!is_measured)
        return false;
    if (results->stopped.code != ERROR_NONE) {
        *err = results->stopped;
        return false;
    }
    demo->results = results;
    return bench_write_report(results, demo->report_folder, err);
}
