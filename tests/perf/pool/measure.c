// SPDX-License-Identifier: MIT
/* What it costs to record one transaction of one query: its wait, its time and its query's. Prints
 * nanoseconds, the median of rounds; fails at 50 or more. Run by `meson test --benchmark`. */
#include "pool/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GROUPS = 16, TIMES = 1 << 12, ROUNDS = 21, LIMIT_NS = 50 };
static const long records = 1 << 20;

static uint64_t
now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double
round_ns(struct pool_measures *groups[GROUPS], const uint32_t times_us[TIMES])
{
    uint64_t start = now_ns();

    for (long i = 0; i < records; i++) {
        struct pool_measures *group = groups[i % GROUPS];
        uint32_t time_us = times_us[i % TIMES];
        pool_measure(&group->wait, time_us / 16);
        pool_measure(&group->transaction, time_us);
        pool_measure(&group->query, time_us - time_us / 8);
    }
    return (double)(now_ns() - start) / (double)records;
}

int
main(void)
{
    struct pool_measures *groups[GROUPS];
    uint32_t times_us[TIMES];
    double rounds[ROUNDS];

    for (int i = 0; i < GROUPS; i++)
        groups[i] = pool_measures_new();
    srand(1);
    for (int i = 0; i < TIMES; i++) /* 50 us to 50 ms, as many in each doubling */
        times_us[i] = (uint32_t)(50 + rand() % 50) << (rand() % 10);
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = round_ns(groups, times_us);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
    printf("a transaction's record (wait, transaction, query; %d pools): %.1f ns\n", GROUPS,
           rounds[ROUNDS / 2]);
    for (int i = 0; i < GROUPS; i++)
        pool_measures_free(groups[i]);
    return rounds[ROUNDS / 2] < LIMIT_NS ? 0 : 1;
}
