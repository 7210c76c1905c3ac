/* How long the calls of one statement took, counted by the pool: the last hour in steps, to 1/8 of
 * each doubling. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WATCH_TIMES_PARTS = 8,
    WATCH_TIMES_BUCKETS = 32 * WATCH_TIMES_PARTS, /* from 1 us */
    WATCH_SLOT_S = 300,
    WATCH_SLOTS = 12
};

struct watch_times {
    int64_t steps[WATCH_SLOTS]; /* time / WATCH_SLOT_S */
    uint32_t counts[WATCH_SLOTS][WATCH_TIMES_BUCKETS];
};

size_t watch_times_bucket(uint64_t time_us);
void
watch_times_add(struct watch_times *times, const uint32_t counts[WATCH_TIMES_BUCKETS], double now);
/* Nothing was added in the last hour. */
bool watch_times_are_over(const struct watch_times *times, double now);
/* The p95 in ms of the last `steps` steps, and of how many calls it is; NAN: none. */
double watch_times_p95(const struct watch_times *times, double now, int steps, double *ret_calls);
