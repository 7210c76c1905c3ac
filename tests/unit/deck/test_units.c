// SPDX-License-Identifier: MIT
#include "deck/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
sizes_have_the_units_of_postgresql(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        {"0", 0},           {"1B", 1},          {"8kB", 8192},        {"512MB", 512LL << 20},
        {"4GB", 4LL << 30}, {"1TB", 1LL << 40}, {"1.5GB", 3LL << 29}, {"4 GB", 4LL << 30},
    };
    struct error err;
    int64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(deck_unit_size(good[i].text, &bytes, &err));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void
wrong_sizes_say_what_is_right(void **state)
{
    static const struct {
        const char *text;
        const char *hint;
    } bad[] = {
        {"4gb", "Write 4GB."},
        {"4Gb", "Write 4GB."},
        {"8KB", "Write 8kB."},
        {"1g", "Write 1GB."},
        {"4GiB", "Write 4GB."},
        {"4PB", "Units are kB, MB, GB, TB."},
        {"4", "Units are kB, MB, GB, TB: write such as 512MB."},
        {"", "Write a number and a unit (kB, MB, GB, TB), such as 512MB."},
        {"-4GB", "Write a number and a unit (kB, MB, GB, TB), such as 512MB."},
        {"1.GB", "Write a number and a unit (kB, MB, GB, TB), such as 512MB."},
        {"0x10GB", "Units are kB, MB, GB, TB."},
        {"1.0000001kB", "Use a smaller unit."},
        {"9999999TB", ""},
        {"99999999999999999999GB", "Write a number and a unit (kB, MB, GB, TB), such as 512MB."},
    };
    struct error err;
    int64_t bytes = -7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(deck_unit_size(bad[i].text, &bytes, &err));
        assert_string_equal(err.hint, bad[i].hint);
        assert_int_equal(bytes, -7);
    }
}

static void
durations(void **state)
{
    struct error err;
    int64_t ms;

    (void)state;
    assert_true(deck_unit_duration("180s", &ms, &err));
    assert_int_equal(ms, 180000);
    assert_true(deck_unit_duration("1.5min", &ms, &err));
    assert_int_equal(ms, 90000);
    assert_true(deck_unit_duration("2 h", &ms, &err));
    assert_int_equal(ms, 7200000);
    assert_false(deck_unit_duration("3m", &ms, &err));
    assert_string_equal(err.hint, "Write 3min.");
    assert_false(deck_unit_duration("3 hours", &ms, &err));
    assert_string_equal(err.hint, "Write 3h.");
    assert_false(deck_unit_duration("soon", &ms, &err));
}

static void
shares_and_ranges(void **state)
{
    struct error err;
    double share;
    int min;
    int max;

    (void)state;
    assert_true(deck_unit_share("95%", &share, &err));
    assert_true(share > 0.9499 && share < 0.9501);
    assert_false(deck_unit_share("0.95", &share, &err));
    assert_string_equal(err.hint, "Write 95%.");
    assert_false(deck_unit_share("100.1%", &share, &err));
    assert_false(deck_unit_share("95 %%", &share, &err));
    assert_true(deck_unit_range("50-100", &min, &max, &err));
    assert_int_equal(min, 50);
    assert_int_equal(max, 100);
    assert_true(deck_unit_range("5 - 5", &min, &max, &err));
    assert_false(deck_unit_range("100-50", &min, &max, &err));
    assert_string_equal(err.hint, "Write 50-100.");
    assert_false(deck_unit_range("-5", &min, &max, &err));
    assert_false(deck_unit_range("5-", &min, &max, &err));
    assert_false(deck_unit_range("1-99999999999999999999", &min, &max, &err));
}

static void
periods(void **state)
{
    struct deck_period period;
    struct error err;

    (void)state;
    assert_true(deck_unit_period("6 months", &period, &err));
    assert_int_equal(period.count, 6);
    assert_int_equal(period.unit, UNIT_MONTH);
    assert_true(deck_unit_period("1day", &period, &err));
    assert_int_equal(period.unit, UNIT_DAY);
    assert_false(deck_unit_period("1 hour", &period, &err));
    assert_false(deck_unit_period("0 days", &period, &err));
    assert_false(deck_unit_period("month", &period, &err));
    assert_false(deck_unit_period("9999999 days", &period, &err));
    assert_int_equal(deck_period_days((struct deck_period){2, UNIT_WEEK}), 14);
}

static void
counts_have_limits(void **state)
{
    struct error err;
    int64_t count;

    (void)state;
    assert_true(deck_unit_count("-1", -1, 5, &count, &err));
    assert_int_equal(count, -1);
    assert_false(deck_unit_count("6", -1, 5, &count, &err));
    assert_string_equal(err.hint, "It must be from -1 to 5.");
    assert_false(deck_unit_count("1e3", 0, 5000, &count, &err));
    assert_false(deck_unit_count("99999999999999999999", 0, INT64_MAX, &count, &err));
    assert_false(deck_unit_count("-", 0, 5, &count, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_the_units_of_postgresql),
        cmocka_unit_test(wrong_sizes_say_what_is_right),
        cmocka_unit_test(durations),
        cmocka_unit_test(shares_and_ranges),
        cmocka_unit_test(periods),
        cmocka_unit_test(counts_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
