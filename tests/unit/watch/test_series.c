// SPDX-License-Identifier: MIT
#include "watch/series.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 1700000040, MINUTE_S = 60 }; /* a whole minute */

static void
sums_are_of_whole_minutes(void **state)
{
    struct watch_series *series = watch_series_new(2);
    const int64_t minute = NOW / MINUTE_S;
    double sums[2];

    (void)state;
    assert_false(watch_series_sum(series, 0, minute, sums));
    watch_series_add(series, NOW, (const double[]){1, 10});
    watch_series_add(series, NOW + 59, (const double[]){2, 20});
    watch_series_add(series, NOW + 60, (const double[]){4, 40});
    assert_true(watch_series_sum(series, minute - 1, minute, sums));
    assert_float_equal(sums[0], 3, 0);
    assert_true(watch_series_sum(series, minute - 100, minute + 1, sums));
    assert_float_equal(sums[1], 70, 0);
    watch_series_add(series, NOW + (double)WATCH_MINUTES * MINUTE_S, (const double[]){8, 80});
    assert_false(watch_series_sum(series, minute - 1, minute, sums)); /* a day ago */
    watch_series_free(series);
}

static void
what_is_recalled_fills_gaps_only(void **state)
{
    struct watch_series *series = watch_series_new(1);
    const int64_t minute = NOW / MINUTE_S;

    (void)state;
    watch_series_add(series, NOW, (const double[]){1});
    watch_series_fill(series, minute, (const double[]){5});
    watch_series_fill(series, minute - 1, (const double[]){6});
    assert_float_equal(*watch_series_minute(series, minute), 1, 0);
    assert_float_equal(*watch_series_minute(series, minute - 1), 6, 0);
    assert_null(watch_series_minute(series, minute - 2));
    watch_series_free(series);
}

static void
percentiles_by_buckets(void **state)
{
    double counts[WATCH_WIDTH_MAX] = {0};

    (void)state;
    assert_true(isnan(watch_percentile(counts, 0.95)));
    counts[watch_bucket(7)] += 90;
    counts[watch_bucket(700)] += 10;
    assert_float_equal(watch_percentile(counts, 0.45), 7.5, 1e-6);
    assert_float_equal(watch_percentile(counts, 0.95), 750, 1e-3);
    counts[watch_bucket(1e9)] += 1000;
    assert_float_equal(watch_percentile(counts, 0.95), 2 * 3600e3, 0);
    counts[watch_bucket(50 * 60e3)] += 1e6;
    assert_in_range((int64_t)watch_percentile(counts, 0.95), 30 * 60000, 120 * 60000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_of_whole_minutes),
        cmocka_unit_test(what_is_recalled_fills_gaps_only),
        cmocka_unit_test(percentiles_by_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
