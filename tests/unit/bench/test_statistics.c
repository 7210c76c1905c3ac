// SPDX-License-Identifier: MIT
#include "bench/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static double
uniform(struct random *random)
{
    return ((double)(random_bits(random) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(struct random *random)
{
    return sqrt(-2 * log(uniform(random))) * cos(2 * M_PI * uniform(random));
}

static void
a_steady_ratio_is_found(void **state)
{
    const double logs[] = {log(4), log(4), log(4), log(4)};
    struct bench_ratio ratio = bench_ratio_of(&(struct bench_sample){logs, 4}, 1, 1);

    (void)state;
    assert_true(fabs(ratio.value - 4) < 1e-9);
    assert_true(fabs(ratio.low - 4) < 1e-9);
    assert_true(fabs(ratio.high - 4) < 1e-9);
    assert_int_equal(ratio.verdict, BENCH_FASTER);
}

static void
two_pairs_are_too_few_for_an_interval(void **state)
{
    const double logs[] = {log(2), log(8)};
    struct bench_ratio ratio = bench_ratio_of(&(struct bench_sample){logs, 2}, 1, 1);

    (void)state;
    assert_true(fabs(ratio.value - 4) < 1e-9);
    assert_true(ratio.low == 0 && ratio.high == 0);
    assert_int_equal(ratio.verdict, BENCH_NO_VERDICT);
    assert_true(bench_ratio_of(&(struct bench_sample){logs, 0}, 1, 1).value == 0);
}

static void
each_query_counts_the_same_however_many_pairs_it_has(void **state)
{
    const double fast[] = {log(100), log(100), log(100), log(100), log(100), log(100)};
    const double same[] = {0, 0, 0};
    const struct bench_sample samples[] = {{fast, 6}, {NULL, 0}, {same, 3}};
    struct bench_ratio ratio = bench_ratio_of(samples, 3, 1);

    (void)state;
    assert_true(fabs(ratio.value - 10) < 1e-9);
    assert_true(fabs(ratio.low - 10) < 1e-9);
}

static void
a_slower_arm_and_a_change_within_noise(void **state)
{
    const double slower[] = {log(0.8), log(0.82), log(0.78), log(0.8)};
    const double noise[] = {log(1.01), log(0.99), log(1.005), log(1)};

    (void)state;
    assert_int_equal(bench_ratio_of(&(struct bench_sample){slower, 4}, 1, 1).verdict, BENCH_SLOWER);
    assert_int_equal(bench_ratio_of(&(struct bench_sample){noise, 4}, 1, 1).verdict,
                     BENCH_NO_CHANGE);
}

/* The interval of few noisy pairs must hold the true ratio as often as it says: 95 %. The plain
 * percentile interval holds it in some 82 % of the cases with 5 pairs. */
static void
the_interval_covers_what_it_promises(void **state)
{
    static const size_t counts[] = {5, 10};
    enum { RUNS = 300 };
    struct random random = {3};

    (void)state;
    for (size_t c = 0; c < 2; c++) {
        int held = 0;
        for (int run = 0; run < RUNS; run++) {
            double logs[10];
            for (size_t i = 0; i < counts[c]; i++)
                logs[i] = log(3) + 0.2 * normal(&random);
            struct bench_ratio ratio =
                bench_ratio_of(&(struct bench_sample){logs, counts[c]}, 1, (uint64_t)run);
            held += ratio.low <= 3 && 3 <= ratio.high;
        }
        print_message("%zu pairs: %d of %d intervals hold the truth\n", counts[c], held, RUNS);
        assert_in_range(held, RUNS * 91 / 100, RUNS * 99 / 100);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_ratio_is_found),
        cmocka_unit_test(two_pairs_are_too_few_for_an_interval),
        cmocka_unit_test(each_query_counts_the_same_however_many_pairs_it_has),
        cmocka_unit_test(a_slower_arm_and_a_change_within_noise),
        cmocka_unit_test(the_interval_covers_what_it_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
