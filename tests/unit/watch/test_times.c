// SPDX-License-Identifier: MIT
#include "watch/times.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1700000100 };

static struct watch_times times;

static int
set_up(void **state)
{
    (void)state;
    memset(&times, 0, sizeof(times));
    return 0;
}

static void
add(uint64_t time_us, uint32_t count, double now)
{
    uint32_t counts[WATCH_TIMES_BUCKETS] = {0};

    counts[watch_times_bucket(time_us)] = count;
    watch_times_add(&times, counts, now);
}

/* To 9 %, a bucket's width. */
static void
the_p95_is_that_of_the_slow_ones(void **state)
{
    double calls;

    (void)state;
    assert_true(isnan(watch_times_p95(&times, NOW, WATCH_SLOTS, &calls)));
    add(2000, 90, NOW);
    add(200000, 10, NOW);
    double p95_ms = watch_times_p95(&times, NOW, WATCH_SLOTS, &calls);
    assert_true(p95_ms > 183 && p95_ms < 219);
    assert_float_equal(calls, 100, 0);
    add(2000, 900, NOW);
    p95_ms = watch_times_p95(&times, NOW, WATCH_SLOTS, &calls);
    assert_true(p95_ms > 1.83 && p95_ms < 2.19);
}

static void
what_is_over_an_hour_ago_counts_no_more(void **state)
{
    double calls;

    (void)state;
    add(1000, 50, NOW);
    add(1000, 5, NOW + WATCH_SLOT_S);
    (void)watch_times_p95(&times, NOW + WATCH_SLOT_S, WATCH_SLOTS, &calls);
    assert_float_equal(calls, 55, 0);
    (void)watch_times_p95(&times, NOW + WATCH_SLOT_S, 1, &calls);
    assert_float_equal(calls, 5, 0);
    add(1000, 1, NOW + WATCH_SLOTS * WATCH_SLOT_S);
    (void)watch_times_p95(&times, NOW + WATCH_SLOTS * WATCH_SLOT_S, WATCH_SLOTS, &calls);
    assert_float_equal(calls, 6, 0);
    assert_false(watch_times_are_over(&times, NOW + (2 * WATCH_SLOTS - 1) * WATCH_SLOT_S));
    assert_true(watch_times_are_over(&times, NOW + 2 * WATCH_SLOTS * WATCH_SLOT_S));
}

static void
the_shortest_and_the_longest_have_a_bucket(void **state)
{
    (void)state;
    assert_int_equal(watch_times_bucket(0), 0);
    assert_int_equal(watch_times_bucket(UINT64_MAX), WATCH_TIMES_BUCKETS - 1);
    assert_true(watch_times_bucket(1000) < watch_times_bucket(1100));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_p95_is_that_of_the_slow_ones, set_up),
        cmocka_unit_test_setup(what_is_over_an_hour_ago_counts_no_more, set_up),
        cmocka_unit_test(the_shortest_and_the_longest_have_a_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
