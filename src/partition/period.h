/* The calendar of RANGE partitions: periods of UTC, each with its name and bounds. Pure.
 * A period of ids is one, too: a "day" is then an id. */
#pragma once
#include "deck/deck.h"

struct partition_period {
    char suffix[48]; /* "y2026m11", "y2026m11d22", "y2026w47" (ISO week), "y2026", "i3000000" */
    char lower[48];  /* "2026-11-01 00:00:00+00" */
    char upper[48];  /* exclusive; of ids: the ids */
};

/* The period `offset` periods after the one that holds the day (days since 1970-01-01). Periods of
 * several units are counted from year 0, of days and weeks from 1970-01-05, a Monday. */
struct partition_period
partition_period_at(enum deck_unit unit, int every, long long day, int offset);
/* The same day `count` units earlier, or the last one of that month. */
long long partition_day_before(long long day, int count, enum deck_unit unit);
/* The day of a bound, "2026-11-22 ..."; false: is none (MINVALUE). */
bool partition_day_of_text(enum deck_unit unit, const char *text, long long *ret_day);
/* Days since 1970-01-01 as "2026-11-22 00:00:00", as bounds are compared. */
void partition_day_text(enum deck_unit unit, long long day, char *text, size_t size);
/* For people: "2026-11-22", or the id. */
void partition_period_text(enum deck_unit unit, long long day, char *text, size_t size);
/* An id as text that sorts. */
void partition_id_text(long long id, char *text, size_t size);
/* The least uuid of version 7 of a day; and the moment of one, which sorts as the uuids do. */
void partition_uuid_text(long long day, char *text, size_t size);
void partition_uuid_moment(const char *uuid, char *text, size_t size);
/* Its first day. */
long long partition_period_first(enum deck_unit unit, int every, long long day, int offset);
