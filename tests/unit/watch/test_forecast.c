// SPDX-License-Identifier: MIT
#include "watch/forecast.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 1700000040, MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static void
a_steady_line_ends_on_its_day(void **state)
{
    struct watch_trend trend = {60, NOW - HOUR_S, NOW, 24000, 0.95};
    double at = 0;

    (void)state;
    assert_int_equal(watch_trend_outlook(&trend, 10000, NOW, &at), WATCH_RUNS_OUT);
    assert_true(fabs(at - (NOW + 10 * HOUR_S)) <= 1);
    assert_int_equal(watch_trend_outlook(&trend, 31000, NOW, &at), WATCH_IS_FAR);
    trend.fit = 0.5;
    assert_int_equal(watch_trend_outlook(&trend, 10000, NOW, &at), WATCH_IS_UNSTEADY);
    trend.a_day = -1;
    assert_int_equal(watch_trend_outlook(&trend, 10000, NOW, &at), WATCH_STAYS);
    trend.samples = 5;
    assert_int_equal(watch_trend_outlook(&trend, 10000, NOW, &at), WATCH_IS_YOUNG);
    trend = (struct watch_trend){60, NOW - 20 * MINUTE_S, NOW, 24000, 1};
    assert_int_equal(watch_trend_outlook(&trend, 1, NOW, &at), WATCH_IS_YOUNG);
    assert_true(fabs(at - (NOW + 10 * HOUR_S)) <= 1); /* of the one that runs out only */
}

static void
a_day_of_minutes_is_a_line(void **state)
{
    struct watch_series *left = watch_series_new(2);

    (void)state;
    assert_true(watch_trend_of(left, NOW).samples <= 0);
    for (int i = 0; i <= 100; i += i == 50 ? 10 : 1) { /* not known for some minutes */
        double bytes = 5e11 - 1e6 * i + (i % 2 == 0 ? 1e5 : -1e5);
        watch_series_add(left, NOW - (100 - i) * MINUTE_S, (const double[]){2 * bytes, 2});
    }
    struct watch_trend trend = watch_trend_of(left, NOW);
    assert_true(fabs(trend.samples - 92) < 0.5);
    assert_true(fabs(trend.until - trend.since - 100 * MINUTE_S) < 1);
    assert_true(fabs(trend.a_day - 1e6 * 1440) < 1e6);
    assert_true(trend.fit > 0.99 && trend.fit <= 1);
    watch_series_free(left);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_line_ends_on_its_day),
        cmocka_unit_test(a_day_of_minutes_is_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
