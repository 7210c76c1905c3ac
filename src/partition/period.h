/* The calendar of RANGE partitions: periods of UTC, each with its name and bounds. Pure. */
#pragma once
#include "deck/deck.h"

struct partition_period {
    char suffix[48]; /* "y2026m11", "y2026m11d22", "y2026w47" (ISO week), "y2026" */
    char lower[48];  /* "2026-11-01 00:00:00+00" */
    char upper[48];  /* exclusive */
};

/* The period `offset` periods after the one that holds the day (days since 1970-01-01). Periods of
 * several units are counted from year 0, of days and weeks from 1970-01-05, a Monday. */
struct partition_period
partition_period_at(enum deck_unit unit, int every, long long day, int offset);
/* The same day `count` units earlier, or the last one of that month. */
long long partition_day_before(long long day, int count, enum deck_unit unit);
/* The day of a bound, "2026-11-22 ..."; false: is none (MINVALUE). */
bool partition_day_of_text(const char *text, long long *ret_day);
/* Days since 1970-01-01 as "2026-11-22 00:00:00", as bounds are compared. */
void partition_day_text(long long day, char *text, size_t size);
/* Its first day. */
long long partition_period_first(enum deck_unit unit, int every, long long day, int offset);
