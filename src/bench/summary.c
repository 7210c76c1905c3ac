// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "bench/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
summarize_side(const struct bench_run *run, struct bench_side *side, size_t arm)
{
    bool is_known =
        run->results->servers[arm].is_local && side->executions > 0 && side->errors == 0;

    side->cpu_ns = is_known ? side->cpu_ns / (double)side->executions : -1;
    if (side->latency == NULL)
        return;
    side->median_ns = histogram_percentile(side->latency, 0.5);
    side->p95_ns = histogram_percentile(side->latency, 0.95);
    side->max_ns = side->latency->max_ns;
}

/* --- ratios of pairs ------------------------------------------------------------------------ */

/* Of before against after, or of the arms against themselves, of the pairs where it is known. */
static struct bench_sample
sample_of(struct bench_run *run, const struct bench_query *query, enum bench_quantity quantity,
          bool is_noise)
{
    double *logs = ARENA_ARRAY(run->arena, double, query->pairs.count + 1);
    struct bench_sample sample = {logs, 0};

    for (size_t i = 0; i < query->pairs.count; i++) {
        const struct bench_pair *pair = &query->pairs.items[i];
        double value = is_noise ? pair->noise_logs[quantity] : pair->logs[quantity];
        if (!isnan(value))
            logs[sample.count++] = value;
    }
    return sample;
}

static double
measure_noise(struct bench_run *run, enum bench_quantity quantity, bool *ret_is_measured)
{
    struct bench_results *results = run->results;
    size_t count = results->queries.count;
    struct bench_sample *samples = ARENA_ARRAY(run->arena, struct bench_sample, count + 1);

    for (size_t i = 0; i < count; i++)
        samples[i] = sample_of(run, &results->queries.items[i], quantity, true);
    return bench_noise_of(samples, count, ret_is_measured);
}

static void
find_ratios(struct bench_run *run, struct bench_query *query, const struct bench_sample *medians)
{
    const struct bench_results *results = run->results;
    uint64_t seed = run->options->seed;
    struct bench_sample net = sample_of(run, query, BENCH_NET, false);
    struct bench_sample cpu = sample_of(run, query, BENCH_CPU, false);

    query->ratio = bench_ratio_of(medians, 1, seed, results->noise);
    query->net = bench_ratio_of(&net, 1, seed, results->net_noise);
    query->cpu = bench_ratio_of(&cpu, 1, seed, results->cpu_noise);
    bench_judge(query);
}

void
bench_judge(struct bench_query *query)
{
    query->judged_by = BENCH_MEDIAN;
    if (query->net.verdict != BENCH_NO_VERDICT)
        query->judged_by = BENCH_NET;
    bool is_changed = bench_judged_ratio(query)->verdict != BENCH_NO_CHANGE;
    if (!is_changed && query->cpu.verdict != BENCH_NO_VERDICT &&
        query->cpu.verdict != BENCH_NO_CHANGE)
        query->judged_by = BENCH_CPU;
    query->ratio.verdict = bench_judged_ratio(query)->verdict;
}

const struct bench_ratio *
bench_judged_ratio(const struct bench_query *query)
{
    const struct bench_ratio *const ratios[BENCH_QUANTITIES] = {
        [BENCH_MEDIAN] = &query->ratio, [BENCH_NET] = &query->net, [BENCH_CPU] = &query->cpu};

    return ratios[query->judged_by];
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
check_target(struct bench_run *run, struct bench_query *query)
{
    uint64_t target_ns = (uint64_t)run->options->target_p95_ms * 1000000;
    const struct bench_side *before = &query->sides[BENCH_BEFORE];
    const struct bench_side *after = &query->sides[BENCH_AFTER];

    query->has_target = target_ns > 0 && (after->executions > 0 || after->errors > 0);
    if (!query->has_target)
        return;
    query->is_target_met = after->errors == 0 && after->p95_ns <= target_ns;
    query->was_target_met =
        before->errors == 0 && before->executions > 0 && before->p95_ns <= target_ns;
    run->results->targets++;
    run->results->targets_met += query->is_target_met;
    run->results->targets_before += query->was_target_met;
}

/* Classes in the order in which the queries first name them. */
static void
summarize_classes(struct bench_run *run, const struct bench_sample *samples)
{
    struct bench_results *results = run->results;
    struct bench_sample *of_class =
        ARENA_ARRAY(run->arena, struct bench_sample, results->queries.count);

    for (size_t i = 0; i < results->queries.count; i++) {
        const char *name = results->queries.items[i].query->class_name;
        bool is_known = false;
        size_t count = 0;
        for (size_t j = 0; j < results->queries.count; j++) {
            if (strcmp(results->queries.items[j].query->class_name, name) != 0)
                continue;
            is_known = is_known || j < i;
            of_class[count++] = samples[j];
        }
        if (is_known)
            continue;
        struct bench_class *added = LIST_ADD(run->arena, &results->classes);
        added->name = name;
        added->query_count = count;
        added->ratio = bench_ratio_of(of_class, count, run->options->seed, results->noise);
    }
}

void
bench_summarize(struct bench_run *run)
{
    struct bench_results *results = run->results;
    size_t count = results->queries.count;
    struct bench_sample *samples = ARENA_ARRAY(run->arena, struct bench_sample, count + 1);
    struct bench_sample *cpu = ARENA_ARRAY(run->arena, struct bench_sample, count + 1);
    bool ignored;

    results->noise = measure_noise(run, BENCH_MEDIAN, &results->has_noise_run);
    results->net_noise = measure_noise(run, BENCH_NET, &ignored);
    results->cpu_noise = measure_noise(run, BENCH_CPU, &ignored);
    for (size_t i = 0; i < count; i++) {
        struct bench_query *query = &results->queries.items[i];
        for (size_t arm = 0; arm < BENCH_ARMS; arm++)
            summarize_side(run, &query->sides[arm], arm);
        samples[i] = sample_of(run, query, BENCH_MEDIAN, false);
        cpu[i] = sample_of(run, query, BENCH_CPU, false);
        find_ratios(run, query, &samples[i]);
        results->compared += query->ratio.value > 0;
        check_target(run, query);
        if (query->ratio.value > 0 &&
            (results->worst == NULL || query->ratio.value < results->worst->ratio.value))
            results->worst = query;
    }
    results->total = bench_ratio_of(samples, count, run->options->seed, results->noise);
    results->cpu_total = bench_ratio_of(cpu, count, run->options->seed, results->cpu_noise);
    summarize_classes(run, samples);
}

char *
bench_duration(char text[32], uint64_t duration_ns)
{
    static const struct {
        double unit_ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}};
    double value = (double)duration_ns;
    size_t unit = 0;

    while (unit < 2 && value < units[unit].unit_ns * 0.9995)
        unit++;
    value /= units[unit].unit_ns;
    int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, 32, "%.*f %s", digits, value, units[unit].name);
    return text;
}

const char *
bench_verdict_name(enum bench_verdict verdict)
{
    static const char *const names[] = {
        [BENCH_NO_VERDICT] = "too few pairs",
        [BENCH_IMPROVED] = "improved",
        [BENCH_WORSE] = "worse",
        [BENCH_NO_CHANGE] = "no change",
    };

    return names[verdict];
}

const char *
bench_quantity_name(enum bench_quantity quantity)
{
    static const char *const names[BENCH_QUANTITIES] = {
        [BENCH_MEDIAN] = "medians",
        [BENCH_NET] = "time without waits for a CPU",
        [BENCH_CPU] = "server CPU",
    };

    return names[quantity];
}
