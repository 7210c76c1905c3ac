// SPDX-License-Identifier: MIT
/* What it costs to record one transaction of one query: its wait, its time and its query's, of the
 * pool and of its fingerprint. Prints nanoseconds, the median of rounds; fails at 50 or more. Also
 * what the fingerprint of a text costs, which is a statement's once, a simple query's each time.
 * Run by `meson test --benchmark`. */
#include "pool/query.h"
#include "pool/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { GROUPS = 4, QUERIES = 10, TIMES = 1 << 12, ROUNDS = 21, LIMIT_NS = 50 };
static const long records = 1 << 20, texts = 1 << 16;

static uint64_t
now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time); /* whatever else runs */
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
        uint64_t hash = (1 + times_us[i % TIMES] % QUERIES) * 0x9E3779B97F4A7C15;
        pool_measure(&group->wait, time_us / 16);
        pool_measure(&group->transaction, time_us);
        pool_measure(&group->query, time_us - time_us / 8);
        struct pool_query *query = pool_queries_touch(group->queries, hash, "SELECT 1", 8);
        pool_times_record(&query->wait, time_us / 16);
        query = pool_queries_find(group->queries, hash); /* as when the answer comes */
        pool_times_record(&query->query, time_us - time_us / 8);
        query->sent_bytes += 40;
        query->received_bytes += 80;
        query = pool_queries_find(group->queries, hash); /* as when the client leaves */
        pool_times_record(&query->transaction, time_us);
    }
    return (double)(now_ns() - start) / (double)records;
}

static double
scan_ns(void)
{
    static const char text[] =
        "SELECT abalance FROM pgbench_accounts WHERE aid = 4711 AND bid IN (1, 2, 3)";
    struct pool_sql sql;
    uint64_t start = now_ns(), sum = 0;

    for (long i = 0; i < texts; i++) {
        pool_sql_scan(text, sizeof(text) - 1, i % 2, &sql);
        sum += sql.hash;
    }
    return sum == 0 ? 0 : (double)(now_ns() - start) / (double)texts;
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
    printf("a transaction's record (wait, transaction, query, of the pool and of its fingerprint; "
           "%d pools, %d queries each): %.1f ns\n",
           GROUPS, QUERIES, rounds[ROUNDS / 2]);
    printf("a simple query's text looked at, with its fingerprint: %.1f ns\n", scan_ns());
    for (int i = 0; i < GROUPS; i++)
        pool_measures_free(groups[i]);
    return rounds[ROUNDS / 2] < LIMIT_NS ? 0 : 1;
}
