// SPDX-License-Identifier: MIT
#include "partition/period.h"

#include <stdio.h>

enum { DAYS_OF_ERA = 146097, YEARS_OF_ERA = 400, FIRST_MONDAY = 4 /* 1970-01-05 */ };

struct date {
    long long year;
    int month, day;
};

static long long
floor_divide(long long value, long long by)
{
    return value / by - (value % by < 0);
}

/* Gregorian calendar, with years that begin in March so that the leap day is the last one.
 * Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static long long
days_of_date(struct date date)
{
    long long year = date.year - (date.month <= 2);
    long long era = floor_divide(year, YEARS_OF_ERA);
    long long year_of_era = year - era * YEARS_OF_ERA;
    long long day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    long long day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_OF_ERA + day_of_era - 719468;
}

static struct date
date_of_days(long long days)
{
    long long shifted = days + 719468;
    long long era = floor_divide(shifted, DAYS_OF_ERA);
    long long day_of_era = shifted - era * DAYS_OF_ERA;
    long long year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    long long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted_month = (int)((5 * day_of_year + 2) / 153);
    int month = shifted_month + (shifted_month < 10 ? 3 : -9);

    return (struct date){
        .year = year_of_era + era * YEARS_OF_ERA + (month <= 2),
        .month = month,
        .day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1),
    };
}

/* First day of the period; index counts periods. */
static long long
first_day(enum deck_unit unit, int every, long long index)
{
    long long months = index * every * (unit == UNIT_YEAR ? 12 : 1);

    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        return index * every * (unit == UNIT_WEEK ? 7 : 1) + FIRST_MONDAY;
    long long year = floor_divide(months, 12);
    return days_of_date((struct date){year, (int)(months - year * 12) + 1, 1});
}

static long long
index_of_day(enum deck_unit unit, int every, long long day)
{
    struct date date = date_of_days(day);

    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        return floor_divide(day - FIRST_MONDAY, (unit == UNIT_WEEK ? 7LL : 1LL) * every);
    return floor_divide(unit == UNIT_YEAR ? date.year : date.year * 12 + date.month - 1, every);
}

static void
write_suffix(enum deck_unit unit, long long day, char *suffix, size_t size)
{
    struct date date = date_of_days(day);

    if (unit == UNIT_WEEK) {
        /* the ISO year of a week is the one that its Thursday is in */
        long long year = date_of_days(day + 3).year;
        long long week = (day + 3 - days_of_date((struct date){year, 1, 1})) / 7 + 1;
        snprintf(suffix, size, "y%04lldw%02lld", year, week);
    } else if (unit == UNIT_DAY) {
        snprintf(suffix, size, "y%04lldm%02dd%02d", date.year, date.month, date.day);
    } else if (unit == UNIT_MONTH) {
        snprintf(suffix, size, "y%04lldm%02d", date.year, date.month);
    } else {
        snprintf(suffix, size, "y%04lld", date.year);
    }
}

static void
write_bound(long long day, char *bound, size_t size)
{
    struct date date = date_of_days(day);

    snprintf(bound, size, "%04lld-%02d-%02d 00:00:00+00", date.year, date.month, date.day);
}

struct partition_period
partition_period_at(enum deck_unit unit, int every, long long day, int offset)
{
    struct partition_period period = {0};
    long long index = index_of_day(unit, every, day) + offset;
    long long first = first_day(unit, every, index);

    write_suffix(unit, first, period.suffix, sizeof(period.suffix));
    write_bound(first, period.lower, sizeof(period.lower));
    write_bound(first_day(unit, every, index + 1), period.upper, sizeof(period.upper));
    return period;
}

long long
partition_period_first(enum deck_unit unit, int every, long long day, int offset)
{
    return first_day(unit, every, index_of_day(unit, every, day) + offset);
}

long long
partition_day_before(long long day, int count, enum deck_unit unit)
{
    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        return day - count * (unit == UNIT_WEEK ? 7LL : 1LL);
    struct date date = date_of_days(day);
    long long months = date.year * 12 + date.month - 1 - count * (unit == UNIT_YEAR ? 12LL : 1LL);
    long long year = floor_divide(months, 12);
    int month = (int)(months - year * 12) + 1;
    long long first = days_of_date((struct date){year, month, 1});
    long long next = days_of_date((struct date){year + month / 12, month % 12 + 1, 1});
    long long same = first + date.day - 1;
    return same < next ? same : next - 1;
}

void
partition_day_text(long long day, char *text, size_t size)
{
    struct date date = date_of_days(day);

    snprintf(text, size, "%04lld-%02d-%02d 00:00:00", date.year, date.month, date.day);
}

bool
partition_day_of_text(const char *text, long long *ret_day)
{
    struct date date;

    if (sscanf(text, "%lld-%d-%d", &date.year, &date.month, &date.day) != 3)
        return false;
    *ret_day = days_of_date(date);
    return true;
}
