// SPDX-License-Identifier: MIT
#include "partition/period.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAYS_OF_ERA = 146097,
    YEARS_OF_ERA = 400,
    FIRST_MONDAY = 4, /* 1970-01-05 */
    ID_SIGN_BIT = 63,
    ID_TEXT_LENGTH = 20,
    MS_OF_DAY = 86400000,
};

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

/* First day of the period, or id; index counts periods. */
static long long
first_day(enum deck_unit unit, int every, long long index)
{
    long long first;

    if (unit == UNIT_ID) { /* bigint ends */
        bool is_over = __builtin_mul_overflow(index, (long long)every, &first);
        return !is_over ? first : index > 0 ? LLONG_MAX : LLONG_MIN;
    }
    long long months = index * every * (unit == UNIT_YEAR ? 12 : 1);
    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        return index * every * (unit == UNIT_WEEK ? 7 : 1) + FIRST_MONDAY;
    long long year = floor_divide(months, 12);
    return days_of_date((struct date){year, (int)(months - year * 12) + 1, 1});
}

static long long
index_of_day(enum deck_unit unit, int every, long long day)
{
    if (unit == UNIT_ID)
        return floor_divide(day, every);
    struct date date = date_of_days(day);
    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        return floor_divide(day - FIRST_MONDAY, (unit == UNIT_WEEK ? 7LL : 1LL) * every);
    return floor_divide(unit == UNIT_YEAR ? date.year : date.year * 12 + date.month - 1, every);
}

static void
write_suffix(enum deck_unit unit, long long day, char *suffix, size_t size)
{
    if (unit == UNIT_ID) {
        snprintf(suffix, size, "i%lld", day);
        return;
    }
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
write_bound(enum deck_unit unit, long long day, char *bound, size_t size)
{
    if (unit == UNIT_ID) {
        snprintf(bound, size, "%lld", day);
        return;
    }
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
    write_bound(unit, first, period.lower, sizeof(period.lower));
    write_bound(unit, first_day(unit, every, index + 1), period.upper, sizeof(period.upper));
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
    if (unit == UNIT_ID)
        return day - count;
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
partition_id_text(long long id, char *text, size_t size)
{
    /* the smallest one is 0 */
    snprintf(text, size, "%020llu", (unsigned long long)id ^ (1ULL << ID_SIGN_BIT));
}

void
partition_day_text(enum deck_unit unit, long long day, char *text, size_t size)
{
    if (unit == UNIT_ID) {
        partition_id_text(day, text, size);
        return;
    }
    struct date date = date_of_days(day);
    snprintf(text, size, "%04lld-%02d-%02d 00:00:00", date.year, date.month, date.day);
}

bool
partition_day_of_text(enum deck_unit unit, const char *text, long long *ret_day)
{
    struct date date;

    if (unit == UNIT_ID) {
        if (strlen(text) != ID_TEXT_LENGTH)
            return false;
        *ret_day = (long long)(strtoull(text, NULL, 10) ^ (1ULL << ID_SIGN_BIT));
        return true;
    }
    if (sscanf(text, "%lld-%d-%d", &date.year, &date.month, &date.day) != 3)
        return false;
    *ret_day = days_of_date(date);
    return true;
}

void
partition_uuid_text(long long day, char *text, size_t size)
{
    unsigned long long ms = (unsigned long long)(day * MS_OF_DAY);

    snprintf(text, size, "%08llx-%04llx-0000-0000-000000000000", ms >> 16, ms & 0xffff);
}

void
partition_uuid_moment(const char *uuid, char *text, size_t size)
{
    char hex[13] = {0};

    memcpy(hex, uuid, 8);
    memcpy(hex + 8, uuid + 9, 4);
    long long ms = strtoll(hex, NULL, 16);
    struct date date = date_of_days(ms / MS_OF_DAY);
    long long seconds = ms % MS_OF_DAY / 1000;
    int length = snprintf(text, size, "%04lld-%02d-%02d %02lld:%02lld:%02lld", date.year,
                          date.month, date.day, seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (ms % 1000 != 0 || strspn(uuid + 14, "0-") != strlen(uuid + 14))
        snprintf(text + length, size - (size_t)length, ".%03lld%s", ms % 1000, uuid + 14);
}

void
partition_period_text(enum deck_unit unit, long long day, char *text, size_t size)
{
    struct date date = date_of_days(unit == UNIT_ID ? 0 : day);

    if (unit == UNIT_ID)
        snprintf(text, size, "%lld", day);
    else
        snprintf(text, size, "%04lld-%02d-%02d", date.year, date.month, date.day);
}
