// SPDX-License-Identifier: MIT
#include "watch/times.h"

#include <math.h>
#include <string.h>

static const double share = 0.95, ms_us = 1000;

size_t
watch_times_bucket(uint64_t time_us)
{
    double at = time_us < 1 ? 0 : log2((double)time_us) * WATCH_TIMES_PARTS;

    return at < WATCH_TIMES_BUCKETS - 1 ? (size_t)at : WATCH_TIMES_BUCKETS - 1;
}

void
watch_times_add(struct watch_times *times, const uint32_t counts[WATCH_TIMES_BUCKETS], double now)
{
    int64_t step = (int64_t)now / WATCH_SLOT_S;
    size_t slot = (size_t)(step % WATCH_SLOTS);

    if (times->steps[slot] != step)
        memset(times->counts[slot], 0, sizeof(times->counts[slot]));
    times->steps[slot] = step;
    for (size_t i = 0; i < WATCH_TIMES_BUCKETS; i++)
        times->counts[slot][i] += counts[i];
}

bool
watch_times_are_over(const struct watch_times *times, double now)
{
    int64_t newest = 0;

    for (size_t slot = 0; slot < WATCH_SLOTS; slot++)
        newest = times->steps[slot] > newest ? times->steps[slot] : newest;
    return newest <= (int64_t)now / WATCH_SLOT_S - WATCH_SLOTS;
}

double
watch_times_p95(const struct watch_times *times, double now, int steps, double *ret_calls)
{
    int64_t oldest = (int64_t)now / WATCH_SLOT_S - steps;
    double counts[WATCH_TIMES_BUCKETS] = {0}, calls = 0, below = 0;
    size_t at = 0;

    for (size_t slot = 0; slot < WATCH_SLOTS; slot++) {
        for (size_t i = 0; times->steps[slot] > oldest && i < WATCH_TIMES_BUCKETS; i++) {
            counts[i] += times->counts[slot][i];
            calls += times->counts[slot][i];
        }
    }
    *ret_calls = calls;
    if (calls <= 0)
        return NAN;
    while (at + 1 < WATCH_TIMES_BUCKETS && below + counts[at] < share * calls)
        below += counts[at++];
    /* within the bucket as if they were spread evenly over the doubling */
    double part = (share * calls - below) / counts[at];
    return exp2(((double)at + part) / WATCH_TIMES_PARTS) / ms_us;
}
