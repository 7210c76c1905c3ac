/* Ratios of paired measurements with their confidence interval. Pure; deterministic by seed. */
#pragma once
#include "base/random.h"
#include "bench/bench.h"

enum { BENCH_RESAMPLES = 10000 };
#define BENCH_NOISE 0.02 /* a change within 2 % is none */

/* The pairs of one query: logarithms of before / after. */
struct bench_sample {
    const double *logs;
    size_t count;
};

/* The geometric mean over the samples of each sample's geometric mean, and its 95 % interval:
 * pairs are drawn again with replacement within each sample (bootstrap), and the percentiles
 * taken further out by what Student's t says for so few pairs (Hesterberg, "What Teachers Should
 * Know About the Bootstrap", 2015, section 4.2). Samples without pairs are passed over. */
struct bench_ratio bench_ratio_of(const struct bench_sample *samples, size_t count, uint64_t seed);
