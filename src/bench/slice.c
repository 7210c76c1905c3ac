// SPDX-License-Identifier: MIT
#include "bench/slice.h"

#include "bench/statistics.h"

#include <math.h>

static double
log_of(const struct bench_cut *cut, enum bench_quantity quantity)
{
    const double values[BENCH_QUANTITIES] = {[BENCH_MEDIAN] = (double)cut->median_ns,
                                             [BENCH_NET] = cut->net_ns,
                                             [BENCH_CPU] = cut->cpu_ns};

    return values[quantity] > 0 ? log(values[quantity]) : NAN;
}

/* Where the arm ran twice in the slice, the mean of both. */
static double
log_of_arm(const struct bench_slice *slice, size_t arm, enum bench_quantity quantity)
{
    double once = log_of(&slice->arms[arm], quantity);
    double again = log_of(&slice->again[arm], quantity);

    return isnan(again) ? once : (once + again) / 2;
}

void
bench_sum_slices(const struct bench_slice *slices, size_t count, struct bench_pair *pair)
{
    double logs[BENCH_BLOCK_SLICES];
    double noise_logs[BENCH_BLOCK_SLICES * BENCH_ARMS];

    for (enum bench_quantity quantity = 0; quantity < BENCH_QUANTITIES; quantity++) {
        for (size_t i = 0; i < count; i++) {
            const struct bench_slice *slice = &slices[i];
            logs[i] = log_of_arm(slice, BENCH_BEFORE, quantity) -
                      log_of_arm(slice, BENCH_AFTER, quantity);
            for (size_t arm = 0; arm < BENCH_ARMS; arm++)
                noise_logs[i * BENCH_ARMS + arm] =
                    log_of(&slice->arms[arm], quantity) - log_of(&slice->again[arm], quantity);
        }
        pair->logs[quantity] = bench_mean(logs, count);
        pair->noise_logs[quantity] = bench_mean(noise_logs, count * BENCH_ARMS);
    }
}
