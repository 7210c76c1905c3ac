// SPDX-License-Identifier: MIT
#include "bench/ai.h"

#include "bench/report.h"
#include "bench/statistics.h"
#include "bench/suite_run.h"

#include <inttypes.h>
#include <math.h>

static const char *
number(struct ai_suite *suite, uint64_t value)
{
    return arena_printf(suite->run->arena, "%" PRIu64, value);
}

static const char *
size(struct ai_suite *suite, int64_t bytes)
{
    char text[32];

    return bytes <= 0 ? "-" : arena_strdup(suite->run->arena, bench_size(text, bytes));
}

/* How much sooner tasks are done, less their run time: by the means. */
static const char *
sooner(struct ai_suite *suite)
{
    double before = (double)histogram_percentile(suite->cases[AI_BEFORE].without_run, 0.5);
    double after = (double)histogram_percentile(suite->cases[AI_QUEUE].without_run, 0.5);

    if (before <= 0 || after <= 0)
        return "";
    return arena_printf(suite->run->arena, "median %.1f %% %s", fabs(1 - after / before) * 100,
                        after <= before ? "sooner" : "later");
}

static void
add_times(struct ai_suite *suite, struct bench_table *table)
{
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        {"claim", offsetof(struct ai_case, claim)},
        {"enqueue to claimed", offsetof(struct ai_case, wait)},
        {"enqueue to done", offsetof(struct ai_case, whole)},
        {"enqueue to done, less the run", offsetof(struct ai_case, without_run)},
    };
    static const double shares[] = {0.5, 0.95, 0.99};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < sizeof(shares) / sizeof(shares[0]); j++) {
            const char *values[BENCH_ARMS];
            bool is_last = i == sizeof(rows) / sizeof(rows[0]) - 1;
            for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
                const struct ai_case *one =
                    &suite->cases[arm == BENCH_BEFORE ? AI_BEFORE : AI_QUEUE];
                values[arm] = bench_percentile(
                    suite->run->arena,
                    *(struct histogram *const *)((const char *)one + rows[i].offset), shares[j]);
            }
            bench_add_row(
                suite->run->arena, table,
                arena_printf(suite->run->arena, "%s, p%.0f", rows[i].name, shares[j] * 100),
                values[BENCH_BEFORE], values[BENCH_AFTER], is_last && j == 0 ? sooner(suite) : "");
        }
    }
}

static void
add_life(struct ai_suite *suite)
{
    struct arena *arena = suite->run->arena;
    struct bench_table *table = LIST_ADD(arena, &suite->suite->tables);
    const struct ai_case *before = &suite->cases[AI_BEFORE];
    const struct ai_case *after = &suite->cases[AI_QUEUE];

    table->title = "Tasks from enqueue to done";
    table->what = arena_printf(arena,
                               "%.0f tasks a second arrive (%s) and run for a drawn time of "
                               "%d ms on average.",
                               suite->rate, suite->rate_reason, suite->run->options->run_ms);
    add_times(suite, table);
    bench_add_row(suite->run->arena, table, "tasks", number(suite, before->tasks),
                  number(suite, after->tasks), "of both parts");
    suite->suite->arrivals = suite->rate;
    suite->suite->has_tasks = true;
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        const struct ai_case *one = arm == BENCH_AFTER ? after : before;
        suite->suite->lost[arm] = one->lost;
        suite->suite->doubled[arm] = one->doubled;
    }
    bench_add_row(suite->run->arena, table, "lost", number(suite, before->lost),
                  number(suite, after->lost), "completed without a result, or never");
    bench_add_row(suite->run->arena, table, "done twice", number(suite, before->doubled),
                  number(suite, after->doubled), "");
    if (before->unfinished + after->unfinished > 0)
        bench_add_row(suite->run->arena, table, "not done in time",
                      number(suite, before->unfinished), number(suite, after->unfinished),
                      "more came than were worked off, 20 s after the last of them");
    if (before->lost + before->doubled + after->lost + after->doubled > 0)
        *LIST_ADD(arena, &suite->run->results->limits) =
            "AI tasks were lost or done twice (the table says how many on which server): a fault, "
            "or workers of an application that took tasks of the suite.";
    bench_add_row(suite->run->arena, table, "memory of a connection",
                  size(suite, before->private_bytes), size(suite, after->private_bytes),
                  "of its server process alone, at the end");
    bench_add_row(suite->run->arena, table, "failed statements",
                  number(suite, before->load->errors), number(suite, after->load->errors), "");
}

/* Of the server's CPU for a task, whatever the machine was doing beside it. */
static void
add_snapshot_cpu(struct ai_suite *suite, struct bench_table *table)
{
    const struct ai_beside *of[] = {&suite->young, &suite->old};
    const char *values[BENCH_ARMS];
    double each_ns[BENCH_ARMS];
    char text[32];

    for (size_t i = 0; i < BENCH_ARMS; i++) {
        if (of[i]->tasks == 0 || of[i]->cpu_ns <= 0)
            return;
        each_ns[i] = of[i]->cpu_ns / (double)of[i]->tasks;
        values[i] = arena_strdup(suite->run->arena, bench_duration(text, (uint64_t)each_ns[i]));
    }
    bench_add_row(suite->run->arena, table, "server CPU a task", values[0], values[1],
                  arena_printf(suite->run->arena, "%.2f times; enqueue, claim and completion",
                               each_ns[1] / each_ns[0]));
}

static void
add_snapshot(struct ai_suite *suite)
{
    struct arena *arena = suite->run->arena;
    struct bench_table *table = LIST_ADD(arena, &suite->suite->tables);
    static const double shares[] = {0.5, 0.95, 0.99};

    table->title = "Claims beside an open snapshot, on the server after";
    table->what = arena_printf(arena,
                               "%.0f tasks a second, worked off by the queue. The first column is "
                               "from when a snapshot was taken, half of it before and half of it "
                               "after the second, which is from %d s later.",
                               suite->rate, suite->run->options->snapshot_s);
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double young = (double)histogram_percentile(suite->young.claims, shares[i]);
        double old = (double)histogram_percentile(suite->old.claims, shares[i]);
        bench_add_row(arena, table, arena_printf(arena, "claim, p%.0f", shares[i] * 100),
                      bench_percentile(arena, suite->young.claims, shares[i]),
                      bench_percentile(arena, suite->old.claims, shares[i]),
                      young <= 0 ? "" : arena_printf(arena, "%.2f times", old / young));
    }
    add_snapshot_cpu(suite, table);
}

/* How many times as many jobs the queue does, round by round. */
static const char *
faster(struct ai_suite *suite, const struct ai_case *one)
{
    struct arena *arena = suite->run->arena;
    const struct ai_case *deck = &suite->cases[AI_QUEUE];
    size_t count = one->rate_count < deck->rate_count ? one->rate_count : deck->rate_count;
    double *logs = ARENA_ARRAY(arena, double, count + 1);

    for (size_t i = 0; i < count; i++)
        logs[i] = log(deck->rates[i] / one->rates[i]);
    struct bench_ratio ratio = bench_ratio_of(&(struct bench_sample){logs, count}, 1,
                                              suite->run->options->seed, BENCH_NOISE);
    if (ratio.value <= 0)
        return "";
    if (ratio.low <= 0)
        return arena_printf(arena, "the queue does %.2f times as many; %s", ratio.value,
                            one->way->what);
    return arena_printf(arena, "the queue does %.2f times as many (%.2f to %.2f); %s", ratio.value,
                        ratio.low, ratio.high, one->way->what);
}

static void
add_ways(struct ai_suite *suite)
{
    struct arena *arena = suite->run->arena;
    struct bench_table *table = LIST_ADD(arena, &suite->suite->tables);

    table->title = "Ways of claiming: jobs a second, medians of the rounds";
    table->what = "All but the first on the server after, in the same rounds.";
    for (size_t i = 0; i < AI_CASES; i++) {
        const struct ai_case *one = &suite->cases[i];
        const char *rate = arena_printf(arena, "%.0f", ai_median_rate(one));
        bool is_before = one->arm == BENCH_BEFORE;
        bench_add_row(suite->run->arena, table, one->way->name, is_before ? rate : "",
                      is_before ? "" : rate, i == AI_QUEUE ? one->way->what : faster(suite, one));
    }
}

void
ai_summarize(struct ai_suite *suite)
{
    const struct ai_case *deck = &suite->cases[AI_QUEUE];
    const char *limit = bench_load_limit(deck->load, suite->run->arena);

    suite->suite->what = arena_printf(
        suite->run->arena,
        "Enqueue, claim, run, complete with a result, by %d workers. Before: single rows of "
        "ai_tasks by SKIP LOCKED; after: the deck's queue of ids, in batches.%s%s",
        suite->run->options->workers, limit == NULL ? "" : " Beware: ", limit == NULL ? "" : limit);
    add_ways(suite);
    if (suite->rate > 0)
        add_life(suite);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        const struct ai_case *one = &suite->cases[arm == BENCH_BEFORE ? AI_BEFORE : AI_QUEUE];
        suite->run->results->ai_task_p95_ns[arm] = histogram_percentile(one->whole, 0.95);
        suite->run->results->ai_task_median_ns[arm] = histogram_percentile(one->without_run, 0.5);
    }
    if (suite->old.claims != NULL && suite->old.claims->total > 0)
        add_snapshot(suite);
}
