/* Ratios of paired measurements with their confidence interval. Pure; deterministic by seed. */
#pragma once
#include "base/arena.h"
#include "base/random.h"
#include "bench/bench.h"

enum { BENCH_RESAMPLES = 10000 };
/* A change within 2 % is none, however quiet the A/A run was: that is in the same processes, and
 * two processes that do the same can differ by 1 to 2 %, by where in memory they are. */
#define BENCH_NOISE 0.02

/* The pairs of one query: logarithms of before / after, one for each pair. */
struct bench_sample {
    const double *logs;
    size_t count;
};

/* The mean, in which the highest and the lowest tenth are left out (from 10 values on); sorts them.
 * Not numbers are passed over; NAN without any other. A pair is one such value from those of its
 * slices: slices of a pair share what the machine did meanwhile, so that they are not independent
 * and only pairs may be drawn again. */
double bench_mean(double *values, size_t count);

/* The geometric mean over the samples of each sample's own, in which the highest and the lowest
 * tenth of its pairs are left out (from 10 pairs on), and its 95 % interval: pairs are drawn again
 * with replacement within each sample (bootstrap); how far the means of those scatter, corrected
 * for so few pairs, is the standard error, and Student's t says how many of it (Hesterberg, "What
 * Teachers Should Know About the Bootstrap", 2015, section 4.3). Percentiles of those means would
 * be too near, or with a correction too far: under 6 pairs not even the lowest and the highest hold
 * the truth in 95 %. Under 3 pairs there is no interval, and no verdict. Samples without pairs are
 * passed over. */
/* noise: the verdict is one of change only when the interval does not hold 1, and the ratio itself
 * is further than this share from it. (The whole interval further would count the scatter twice:
 * the interval has it already.) */
struct bench_ratio
bench_ratio_of(const struct bench_sample *samples, size_t count, uint64_t seed, double noise);

/* The noise that an A/A run shows: how far the ratios of equal things, which should be 1, are from
 * it (root mean square over the samples of each sample's mean, or of its standard error where that
 * is more: that one mean came out near 1 is no proof of quiet). BENCH_NOISE at least. */
double bench_noise_of(const struct bench_sample *samples, size_t count, bool *ret_is_measured);
