// SPDX-License-Identifier: MIT
#include "partition/period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DAY_2026_11_22 = 20779, DAY_2024_12_30 = 20087, DAY_2024_02_29 = 19782 };

static void
check(struct partition_period period, const char *suffix, const char *lower, const char *upper)
{
    assert_string_equal(period.suffix, suffix);
    assert_memory_equal(period.lower, lower, 10);
    assert_string_equal(period.lower + 10, " 00:00:00+00");
    assert_memory_equal(period.upper, upper, 10);
}

static void
months_know_the_year_that_they_end(void **state)
{
    (void)state;
    check(partition_period_at(UNIT_MONTH, 1, DAY_2026_11_22, 0), "y2026m11", "2026-11-01",
          "2026-12-01");
    check(partition_period_at(UNIT_MONTH, 1, DAY_2026_11_22, 1), "y2026m12", "2026-12-01",
          "2027-01-01");
    check(partition_period_at(UNIT_MONTH, 1, DAY_2026_11_22, -11), "y2025m12", "2025-12-01",
          "2026-01-01");
    check(partition_period_at(UNIT_MONTH, 3, DAY_2026_11_22, 0), "y2026m10", "2026-10-01",
          "2027-01-01");
    check(partition_period_at(UNIT_MONTH, 5, DAY_2026_11_22, 0), "y2026m09", "2026-09-01",
          "2027-02-01");
}

static void
days_know_leap_years(void **state)
{
    (void)state;
    check(partition_period_at(UNIT_DAY, 1, DAY_2024_02_29, 0), "y2024m02d29", "2024-02-29",
          "2024-03-01");
    check(partition_period_at(UNIT_DAY, 1, DAY_2024_02_29, 366), "y2025m03d01", "2025-03-01",
          "2025-03-02");
    check(partition_period_at(UNIT_DAY, 1, 0, -1), "y1969m12d31", "1969-12-31", "1970-01-01");
}

static void
the_same_day_of_a_shorter_month_is_its_last(void **state)
{
    char text[32];

    (void)state;
    partition_day_text(UNIT_DAY, partition_day_before(DAY_2024_02_29, 1, UNIT_YEAR), text,
                       sizeof(text));
    assert_string_equal(text, "2023-02-28 00:00:00");
    partition_day_text(UNIT_DAY, partition_day_before(DAY_2024_12_30, 10, UNIT_MONTH), text,
                       sizeof(text));
    assert_string_equal(text, "2024-02-29 00:00:00");
    partition_day_text(UNIT_DAY, partition_day_before(DAY_2026_11_22, 11, UNIT_MONTH), text,
                       sizeof(text));
    assert_string_equal(text, "2025-12-22 00:00:00");
    partition_day_text(UNIT_DAY, partition_day_before(DAY_2026_11_22, 2, UNIT_WEEK), text,
                       sizeof(text));
    assert_string_equal(text, "2026-11-08 00:00:00");
}

static void
ids_have_periods_of_their_number(void **state)
{
    struct partition_period period = partition_period_at(UNIT_ID, 1000, 2500, 1);
    char text[48];
    long long id;

    (void)state;
    assert_string_equal(period.suffix, "i3000");
    assert_string_equal(period.lower, "3000");
    assert_string_equal(period.upper, "4000");
    assert_string_equal(partition_period_at(UNIT_ID, 1000, -1, 0).lower, "-1000");
    partition_day_text(UNIT_ID, -7, text, sizeof(text));
    assert_true(partition_day_of_text(UNIT_ID, text, &id));
    assert_int_equal(id, -7);
    assert_int_equal(partition_day_before(900, 500, UNIT_ID), 400);
}

static void
uuids_of_a_day_begin_at_its_midnight(void **state)
{
    char uuid[48];
    char text[64];

    (void)state;
    partition_uuid_text(DAY_2026_11_22, uuid, sizeof(uuid));
    assert_string_equal(uuid, "01a2008d-7400-0000-0000-000000000000");
    partition_uuid_moment(uuid, text, sizeof(text));
    assert_string_equal(text, "2026-11-22 00:00:00");
    partition_uuid_moment("00000000-0001-7abc-0000-000000000000", text, sizeof(text));
    assert_string_equal(text, "1970-01-01 00:00:00.0017abc-0000-000000000000");
}

static void
weeks_are_iso_weeks(void **state)
{
    (void)state;
    check(partition_period_at(UNIT_WEEK, 1, DAY_2026_11_22, 0), "y2026w47", "2026-11-16",
          "2026-11-23");
    check(partition_period_at(UNIT_WEEK, 1, DAY_2024_12_30, 0), "y2025w01", "2024-12-30",
          "2025-01-06");
    check(partition_period_at(UNIT_WEEK, 1, DAY_2026_11_22, 6), "y2026w53", "2026-12-28",
          "2027-01-04");
}

static void
years(void **state)
{
    (void)state;
    check(partition_period_at(UNIT_YEAR, 1, DAY_2026_11_22, 0), "y2026", "2026-01-01",
          "2027-01-01");
    check(partition_period_at(UNIT_YEAR, 5, DAY_2026_11_22, 0), "y2025", "2025-01-01",
          "2030-01-01");
}

/* No gap and no overlap, whatever the day from which they are counted. */
static void
periods_follow_each_other(void **state)
{
    static const enum deck_unit units[] = {UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR};

    (void)state;
    for (size_t unit = 0; unit < 4; unit++) {
        for (int every = 1; every < 8; every++) {
            for (long long day = -800; day < 40000; day += 37) {
                struct partition_period now = partition_period_at(units[unit], every, day, 0);
                struct partition_period next = partition_period_at(units[unit], every, day, 1);
                assert_string_equal(now.upper, next.lower);
                struct partition_period today = partition_period_at(UNIT_DAY, 1, day, 0);
                assert_true(strcmp(now.lower, today.lower) <= 0);
                assert_true(strcmp(today.lower, now.upper) < 0);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_know_the_year_that_they_end),
        cmocka_unit_test(days_know_leap_years),
        cmocka_unit_test(the_same_day_of_a_shorter_month_is_its_last),
        cmocka_unit_test(ids_have_periods_of_their_number),
        cmocka_unit_test(uuids_of_a_day_begin_at_its_midnight),
        cmocka_unit_test(weeks_are_iso_weeks),
        cmocka_unit_test(years),
        cmocka_unit_test(periods_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
