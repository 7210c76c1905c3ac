// SPDX-License-Identifier: MIT
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_PAIRS = 3 };

/* 97.5 % quantile of Student's t with so many degrees of freedom. */
static double
student_t(size_t degrees)
{
    static const double quantiles[] = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
        2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
        2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    };

    if (degrees <= sizeof(quantiles) / sizeof(quantiles[0]))
        return quantiles[degrees - 1];
    return 1.95996 + 2.4 / (double)degrees; /* within 0.002 from 30 on */
}

static double
mean(const struct bench_sample *sample)
{
    double sum = 0;

    for (size_t i = 0; i < sample->count; i++)
        sum += sample->logs[i];
    return sum / (double)sample->count;
}

static double
resampled_mean(const struct bench_sample *sample, struct random *random)
{
    double sum = 0;

    for (size_t i = 0; i < sample->count; i++)
        sum += sample->logs[random_below(random, sample->count)];
    return sum / (double)sample->count;
}

static int
compare_double(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static enum bench_verdict
judge(const struct bench_ratio *ratio, double noise)
{
    if (ratio->low > 1 + noise)
        return BENCH_IMPROVED;
    if (ratio->high < 1 / (1 + noise))
        return BENCH_WORSE;
    return BENCH_NO_CHANGE;
}

static void
find_interval(const struct bench_sample *samples, size_t count, size_t fewest, uint64_t seed,
              double noise, struct bench_ratio *ratio)
{
    AUTO_ARENA arena = arena_new();
    double *means = ARENA_ARRAY(arena, double, BENCH_RESAMPLES);
    struct random random = {seed};
    double n = (double)fewest;
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        used += samples[i].count > 0;
    for (size_t at = 0; at < BENCH_RESAMPLES; at++) {
        for (size_t i = 0; i < count; i++) {
            if (samples[i].count > 0)
                means[at] += resampled_mean(&samples[i], &random) / (double)used;
        }
    }
    qsort(means, BENCH_RESAMPLES, sizeof(*means), compare_double);
    double reach = sqrt(n / (n - 1)) * student_t(fewest - 1);
    double tail = 0.5 * erfc(reach / sqrt(2));
    size_t cut = (size_t)(tail * BENCH_RESAMPLES);
    ratio->low = exp(means[cut]);
    ratio->high = exp(means[BENCH_RESAMPLES - 1 - cut]);
    ratio->verdict = judge(ratio, noise);
}

struct bench_ratio
bench_ratio_of(const struct bench_sample *samples, size_t count, uint64_t seed, double noise)
{
    struct bench_ratio ratio = {0};
    size_t used = 0;
    size_t fewest = SIZE_MAX;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (samples[i].count == 0)
            continue;
        used++;
        sum += mean(&samples[i]);
        if (samples[i].count < fewest)
            fewest = samples[i].count;
    }
    if (used == 0)
        return ratio;
    ratio.value = exp(sum / (double)used);
    if (fewest >= MIN_PAIRS)
        find_interval(samples, count, fewest, seed, noise, &ratio);
    return ratio;
}

double
bench_noise_of(const struct bench_sample *samples, size_t count, bool *ret_is_measured)
{
    double sum = 0;
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (samples[i].count < MIN_PAIRS)
            continue;
        sum += mean(&samples[i]) * mean(&samples[i]);
        used++;
    }
    *ret_is_measured = used > 0;
    if (used == 0)
        return BENCH_NOISE;
    return fmax(BENCH_LEAST_NOISE, exp(sqrt(sum / (double)used)) - 1);
}
