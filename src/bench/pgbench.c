// SPDX-License-Identifier: MIT
#include "bench/pgbench.h"

#include "bench/suite_run.h"

#include <stdio.h>
#include <string.h>

enum { WARM_UP_S = 1, WARM_UP_TRANSACTIONS = 100, LEAST_TRANSACTIONS = 5 };

/* By what they do, not by pgbench's letters: its -N reads a row in each transaction, too. */
static const struct pgbench_script scripts[] = {
    {"pgbench read-only", "key lookups", "one account by its key (pgbench --select-only)",
     "--select-only", NULL},
    {"pgbench read-write", "writes",
     "three updates, a select, an insert; branches are contended for (pgbench's TPC-B-like)",
     "--builtin=tpcb-like", NULL},
    {"pgbench simple-update", "writes",
     "one update, a select, an insert (pgbench --skip-some-updates: it is not write-only)",
     "--skip-some-updates", NULL},
    {"pgbench write-only", "writes", "one update and an insert, nothing read back", "--file",
     "bench/pgbench/write_only.pgbench"},
};
enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

struct suite {
    struct pgbench pgbench;
    struct bench_suite *suite;
    double rates[SCRIPTS][BENCH_ARMS]; /* transactions a second, of the warm-up */
};

static struct pgbench_outcome
new_outcome(const struct bench_run *run, struct arena *arena)
{
    struct pgbench_outcome outcome = {.service = histogram_new(arena)};

    if (run->options->rate > 0)
        outcome.response = histogram_new(arena);
    return outcome;
}

static bool
warm_up(struct suite *suite, size_t number, size_t arm, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_run *run = suite->pgbench.run;
    struct pgbench_outcome outcome = new_outcome(run, scratch);
    struct pgbench_order order = {
        .script = &scripts[number], .arm = arm, .seconds = WARM_UP_S, .seed = run->options->seed};

    if (run->options->pgbench_block_ms < WARM_UP_S * 1000)
        order.transactions = WARM_UP_TRANSACTIONS;
    bench_progress(run, "warm-up: %s, %s", scripts[number].name, run->options->arms[arm].label);
    if (!pgbench_run(&suite->pgbench, &order, &outcome, err))
        return false;
    suite->rates[number][arm] = (double)outcome.done / outcome.seconds;
    bench_log(run, "%s: warm-up: %s: %.0f transactions/s", scripts[number].name,
              run->options->arms[arm].label, suite->rates[number][arm]);
    return true;
}

static void
add_failures(struct bench_run *run, struct bench_work_side *side, const char *sqlstate,
             uint64_t count, const char *message)
{
    if (count == 0)
        return;
    side->failed += count;
    run->results->errors += count;
    for (size_t i = 0; i < side->failures.count; i++) {
        if (strcmp(side->failures.items[i].sqlstate, sqlstate) == 0) {
            side->failures.items[i].count += count;
            return;
        }
    }
    struct bench_failures *added = LIST_ADD(run->arena, &side->failures);
    snprintf(added->sqlstate, sizeof(added->sqlstate), "%s", sqlstate);
    added->count = count;
    added->message = message;
}

static void
keep_block(struct suite *suite, struct bench_work *work, struct bench_block *block,
           const struct pgbench_outcome *outcome)
{
    struct bench_run *run = suite->pgbench.run;
    const struct histogram *latency =
        outcome->response == NULL ? outcome->service : outcome->response;

    block->done = outcome->done;
    block->failed = outcome->serialization + outcome->deadlock + outcome->other_failures;
    block->duration_s = outcome->seconds;
    block->mean_ns = outcome->done == 0 ? 0 : outcome->sum_ns / (double)outcome->done;
    block->median_ns = histogram_percentile(latency, 0.5);
    block->p95_ns = histogram_percentile(latency, 0.95);
    block->p99_ns = histogram_percentile(latency, 0.99);
    *LIST_ADD(run->arena, &work->blocks) = *block;
    if (block->is_again)
        return;
    struct bench_work_side *side = &work->sides[block->arm];
    const struct bench_cost none = {0};
    side->done += outcome->done;
    side->seconds += outcome->seconds;
    side->driver_cpu_ns += outcome->driver_cpu_ns;
    histogram_merge(side->service, outcome->service, 1);
    if (outcome->response != NULL)
        histogram_merge(side->response, outcome->response, 1);
    bench_cost_add(&side->cost, &none, &outcome->cost);
    add_failures(run, side, "40001", outcome->serialization, "could not serialize access");
    add_failures(run, side, "40P01", outcome->deadlock, "deadlock detected");
    add_failures(run, side, "", outcome->other_failures, "failed or left out by pgbench");
}

static bool
run_block(void *context, size_t number, struct bench_block *block, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct suite *suite = context;
    struct bench_run *run = suite->pgbench.run;
    struct pgbench_place *place = &suite->pgbench.places[block->arm];
    struct bench_work *work = &suite->suite->works.items[number];
    struct pgbench_outcome outcome = new_outcome(run, scratch);
    double wanted = suite->rates[number][block->arm] * run->options->pgbench_block_ms / 1000 /
                    run->options->clients;
    struct pgbench_order order = {.script = &scripts[number], .arm = block->arm};

    order.transactions = wanted < LEAST_TRANSACTIONS ? LEAST_TRANSACTIONS : (uint64_t)wanted;
    order.seed = run->options->seed * 1000003 + (uint64_t)block->pair;
    bench_progress(run, "pair %d of %d: %s, %s", block->pair, run->options->pairs, work->name,
                   run->options->arms[block->arm].label);
    if (!bench_checkpoint(place->database, &place->checkpoint_lsn, err))
        return false;
    block->start_s = bench_elapsed_s(run);
    bench_sampler_watch(run->sampler, (int)block->arm);
    bool is_run = pgbench_run(&suite->pgbench, &order, &outcome, err);
    bench_sampler_watch(run->sampler, -1);
    if (!is_run)
        return false;
    keep_block(suite, work, block, &outcome);
    bench_log(run, "%s: pair %d: %s%s: %.0f transactions/s, mean %.3f ms, p95 %.3f ms", work->name,
              block->pair, run->options->arms[block->arm].label, block->is_again ? " again" : "",
              (double)block->done / block->duration_s, block->mean_ns / 1e6,
              (double)block->p95_ns / 1e6);
    return true;
}

static void
describe(struct suite *suite)
{
    struct bench_run *run = suite->pgbench.run;
    struct bench_suite *of = suite->suite;

    of->name = "pgbench";
    of->title = "pgbench";
    of->what = arena_printf(
        run->arena,
        "PostgreSQL's own load generator, prepared statements, %d clients, scale %d (%lld rows), "
        "%s, in a database of its own with the settings of the deck's.",
        run->options->clients, run->options->scale, (long long)run->options->scale * 100000,
        run->options->rate > 0
            ? arena_printf(run->arena, "%d transactions a second on a schedule", run->options->rate)
            : "each client as fast as it can");
    for (size_t i = 0; i < SCRIPTS; i++) {
        struct bench_work *work = LIST_ADD(run->arena, &of->works);
        work->name = scripts[i].name;
        work->class_name = scripts[i].class_name;
        work->what = scripts[i].what;
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            work->sides[arm].service = histogram_new(run->arena);
            if (run->options->rate > 0)
                work->sides[arm].response = histogram_new(run->arena);
        }
        *LIST_ADD(run->arena, &of->commands) = pgbench_command(&suite->pgbench, &scripts[i]);
    }
}

bool
bench_pgbench_open(struct bench_run *run, struct bench_suite *of, void **ret_suite,
                   struct error *err)
{
    struct suite *suite = ARENA_NEW(run->arena, struct suite);

    suite->pgbench.run = run;
    suite->suite = of;
    *ret_suite = suite;
    return pgbench_check(&suite->pgbench, err);
}

bool
bench_pgbench_run(void *opened, struct error *err)
{
    struct suite *suite = opened;
    struct bench_run *run = suite->pgbench.run;

    describe(suite);
    if (!pgbench_make(&suite->pgbench, err))
        return false;
    for (size_t i = 0; i < (size_t)SCRIPTS * BENCH_ARMS; i++) {
        if (!warm_up(suite, i / BENCH_ARMS, i % BENCH_ARMS, err))
            return false;
    }
    return bench_run_blocks(run, SCRIPTS, run_block, suite, err);
}

void
bench_pgbench_close(void *opened)
{
    struct suite *suite = opened;

    pgbench_remove(&suite->pgbench);
}
