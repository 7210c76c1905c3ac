// SPDX-License-Identifier: MIT
/* What could have been the limit of a run, or made it unfair, in sentences for whoever reads it. */
#include "bench/report.h"
#include "bench/run.h"

static const char *
label(const struct bench_run *run, size_t arm)
{
    return run->options->arms[arm].label;
}

static void
check_transports(struct bench_run *run)
{
    const struct bench_server *servers = run->results->servers;

    if (run->results->is_reached_alike)
        return;
    *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
        run->arena,
        "The servers are not reached the same way, %s by %s and %s by %s: what TCP and encryption "
        "cost is in the figures of one alone.",
        label(run, BENCH_BEFORE), servers[BENCH_BEFORE].reached_by, label(run, BENCH_AFTER),
        servers[BENCH_AFTER].reached_by);
}

static void
check_machine(struct bench_run *run)
{
    const struct bench_samples *samples = &run->results->samples;

    if (samples->steal > BENCH_STEAL_LIMIT)
        *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
            run->arena,
            "The hypervisor took %.1f %% of the CPU time for others: latencies are longer than "
            "they would be. CPU, WAL and pages of each transaction hold all the same.",
            samples->steal * 100);
    if (samples->others > BENCH_OTHERS_LIMIT)
        *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
            run->arena,
            "Other programs used %.0f %% of this machine's CPUs during the run: latencies are "
            "longer than they would be. CPU, WAL and pages of each transaction hold all the same.",
            samples->others * 100);
}

static void
check_sessions(struct bench_run *run)
{
    const struct bench_samples *samples = &run->results->samples;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        double looks = (double)samples->looks[arm];
        double sessions = (double)samples->other_sessions[arm];
        if (looks == 0 || sessions / looks < BENCH_SESSIONS_LIMIT)
            continue;
        *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
            run->arena,
            "Other programs' sessions of the server \"%s\" were active while it was measured, "
            "%.2g at a time on average: their work is in its CPU, WAL and pages, too.",
            label(run, arm), sessions / looks);
    }
}

/* pgbench, or whatever made the load, as a share of one CPU for each of its threads. */
static void
check_driver(struct bench_run *run, const struct bench_work *work)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        const struct bench_work_side *side = &work->sides[arm];
        double share = side->seconds > 0 ? side->driver_cpu_ns / side->seconds / 1e9 : 0;
        if (share < BENCH_DRIVER_LIMIT)
            continue;
        *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
            run->arena,
            "The load generator was the limit of %.100s: it took %.0f %% of a CPU. The server "
            "could have done more.",
            work->name, share * 100);
    }
}

void
bench_find_limits(struct bench_run *run)
{
    const struct bench_results *results = run->results;

    check_transports(run);
    check_machine(run);
    check_sessions(run);
    for (size_t i = 0; i < results->suites.count; i++) {
        for (size_t j = 0; j < results->suites.items[i]->works.count; j++)
            check_driver(run, &results->suites.items[i]->works.items[j]);
    }
}
