// SPDX-License-Identifier: MIT
/* What it costs to record one latency, and how far percentiles are from those of all latencies
 * sorted. Prints both; fails at 20 ns or more, or over 0.1 %. Run by `meson test --benchmark`. */
#include "base/arena.h"
#include "base/histogram.h"
#include "base/random.h"
#include "bench/driver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALUES = 1 << 20, ROUNDS = 21, LIMIT_NS = 20 };
static const double error_limit = 0.001;

static int
compare_times(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static int
compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* 20 us to some seconds, most around 1 ms. */
static void
draw(uint64_t *values)
{
    struct random random = {1};

    for (size_t i = 0; i < VALUES; i++) {
        double part = ((double)(random_bits(&random) >> 11) + 1) / 9007199254740992.0;
        values[i] = 20000 + (uint64_t)(1e6 * pow(-log(part), 2.5));
    }
}

static double
worst_error(const struct histogram *histogram, const uint64_t *sorted)
{
    static const double shares[] = {0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};
    double worst = 0;

    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        size_t rank = (size_t)ceil(shares[i] * VALUES);
        double exact = (double)sorted[rank == 0 ? 0 : rank - 1];
        double error = fabs((double)histogram_percentile(histogram, shares[i]) - exact) / exact;
        worst = error > worst ? error : worst;
    }
    return worst;
}

int
main(void)
{
    AUTO_ARENA arena = arena_new();
    struct histogram *histogram = histogram_new(arena);
    uint64_t *values = ARENA_ARRAY(arena, uint64_t, VALUES);
    double rounds[ROUNDS];

    draw(values);
    for (int round = 0; round < ROUNDS; round++) {
        histogram_clear(histogram);
        uint64_t start = bench_clock_ns();
        for (size_t i = 0; i < VALUES; i++)
            histogram_record(histogram, values[i]);
        rounds[round] = (double)(bench_clock_ns() - start) / VALUES;
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_doubles);
    qsort(values, VALUES, sizeof(values[0]), compare_times);
    double error = worst_error(histogram, values);
    printf("recording a latency: %.1f ns; percentiles within %.3f %% of a full sort\n",
           rounds[ROUNDS / 2], error * 100);
    return rounds[ROUNDS / 2] < LIMIT_NS && error <= error_limit ? 0 : 1;
}
