// SPDX-License-Identifier: MIT
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static int
compare_double(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Of so many sorted values the tenth at either end is left out: blocks that something else on the
 * machine held up, or let off. More would make the interval wider: few are left to say how far
 * they scatter. */
static size_t
trimmed(size_t count)
{
    return count / 10;
}

static const double *
sorted(struct arena *arena, const struct bench_sample *sample)
{
    double *logs = ARENA_ARRAY(arena, double, sample->count + 1);

    if (sample->count > 0) {
        memcpy(logs, sample->logs, sample->count * sizeof(*logs));
        qsort(logs, sample->count, sizeof(*logs), compare_double);
    }
    return logs;
}

static double
trimmed_mean(const double *logs, size_t count)
{
    size_t cut = trimmed(count);
    double sum = 0;

    for (size_t i = cut; i < count - cut; i++)
        sum += logs[i];
    return sum / (double)(count - 2 * cut);
}

/* The trimmed mean of as many drawn again; logs are sorted. drawn: how often each was. */
static double
resampled_mean(const double *logs, size_t count, uint32_t *drawn, struct random *random)
{
    size_t cut = trimmed(count);
    size_t at = 0;
    double sum = 0;

    memset(drawn, 0, count * sizeof(*drawn));
    for (size_t i = 0; i < count; i++)
        drawn[random_below(random, count)]++;
    for (size_t i = 0; i < count; at += drawn[i++]) {
        size_t first = at < cut ? cut : at;
        size_t end = at + drawn[i] < count - cut ? at + drawn[i] : count - cut;
        if (end > first)
            sum += logs[i] * (double)(end - first);
    }
    return sum / (double)(count - 2 * cut);
}

/* The standard error of the trimmed mean, from the winsorized variance (Tukey and McLaughlin,
 * 1963). */
static double
standard_error(const double *logs, size_t count)
{
    size_t cut = trimmed(count);
    double n = (double)count;
    double sum = 0;
    double squares = 0;

    for (size_t i = 0; i < count; i++) {
        size_t kept = i < cut ? cut : i >= count - cut ? count - cut - 1 : i;
        sum += logs[kept];
        squares += logs[kept] * logs[kept];
    }
    double variance = fmax(0, squares - sum * sum / n) / (n - 1);
    return sqrt(variance / n) * n / (n - 2 * (double)cut);
}

double
bench_mean(double *values, size_t count)
{
    size_t known = 0;

    for (size_t i = 0; i < count; i++) {
        if (!isnan(values[i]))
            values[known++] = values[i];
    }
    qsort(values, known, sizeof(*values), compare_double);
    return known == 0 ? NAN : trimmed_mean(values, known);
}

static enum bench_verdict
judge(const struct bench_ratio *ratio, double noise)
{
    if (ratio->low > 1 && ratio->value > 1 + noise)
        return BENCH_IMPROVED;
    if (ratio->high < 1 && ratio->value < 1 / (1 + noise))
        return BENCH_WORSE;
    return BENCH_NO_CHANGE;
}

static double
deviation(const double *values, size_t count)
{
    double sum = 0;
    double squares = 0;

    for (size_t i = 0; i < count; i++)
        sum += values[i];
    for (size_t i = 0; i < count; i++)
        squares += pow(values[i] - sum / (double)count, 2);
    return sqrt(squares / (double)(count - 1));
}

static void
find_interval(struct arena *arena, const struct bench_sample *samples, const double *const *logs,
              size_t count, uint64_t seed, struct bench_ratio *ratio)
{
    double *means = ARENA_ARRAY(arena, double, BENCH_RESAMPLES);
    struct random random = {seed};
    size_t fewest = SIZE_MAX;
    size_t most = 0;
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        used += samples[i].count > 0;
        most = samples[i].count > most ? samples[i].count : most;
        if (samples[i].count > 0 && samples[i].count < fewest)
            fewest = samples[i].count;
    }
    if (fewest < MIN_PAIRS || used == 0)
        return;
    uint32_t *drawn = ARENA_ARRAY(arena, uint32_t, most);
    for (size_t at = 0; at < BENCH_RESAMPLES; at++) {
        for (size_t i = 0; i < count; i++) {
            if (samples[i].count > 0)
                means[at] +=
                    resampled_mean(logs[i], samples[i].count, drawn, &random) / (double)used;
        }
    }
    double n = (double)fewest;
    double narrow = sqrt(n / (n - 1)); /* so much too close together values drawn again are */
    double reach = exp(student_t(fewest - 1) * narrow * deviation(means, BENCH_RESAMPLES));
    ratio->low = ratio->value / reach;
    ratio->high = ratio->value * reach;
}

struct bench_ratio
bench_ratio_of(const struct bench_sample *samples, size_t count, uint64_t seed, double noise)
{
    AUTO_ARENA arena = arena_new();
    const double **logs = ARENA_ARRAY(arena, const double *, count + 1);
    struct bench_ratio ratio = {0};
    size_t used = 0;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        logs[i] = sorted(arena, &samples[i]);
        if (samples[i].count == 0)
            continue;
        used++;
        sum += trimmed_mean(logs[i], samples[i].count);
    }
    if (used == 0)
        return ratio;
    ratio.value = exp(sum / (double)used);
    find_interval(arena, samples, logs, count, seed, &ratio);
    if (ratio.low > 0)
        ratio.verdict = judge(&ratio, noise);
    return ratio;
}

double
bench_noise_of(const struct bench_sample *samples, size_t count, bool *ret_is_measured)
{
    AUTO_ARENA arena = arena_new();
    double sum = 0;
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (samples[i].count < MIN_PAIRS)
            continue;
        const double *logs = sorted(arena, &samples[i]);
        double from_one = fmax(fabs(trimmed_mean(logs, samples[i].count)),
                               standard_error(logs, samples[i].count));
        sum += from_one * from_one;
        used++;
    }
    *ret_is_measured = used > 0;
    return used == 0 ? BENCH_NOISE : fmax(BENCH_NOISE, exp(sqrt(sum / (double)used)) - 1);
}
