/* Values with units, as PostgreSQL writes them: sizes (kB, MB, GB, TB), durations (ms, s, min, h,
 * d); and those of a deck: shares (95%), ranges (50-100), periods (1 month, 100000 ids). Pure
 * functions; on failure err has message and hint (no place). */
#pragma once
#include "deck/deck.h"

struct deck_period {
    int count;
    enum deck_unit unit;
};

bool deck_unit_size(const char *text, int64_t *ret_bytes, struct error *err) MUST_CHECK;
bool deck_unit_duration(const char *text, int64_t *ret_ms, struct error *err) MUST_CHECK;
bool deck_unit_share(const char *text, double *ret_share, struct error *err) MUST_CHECK;
bool deck_unit_range(const char *text, int *ret_min, int *ret_max, struct error *err) MUST_CHECK;
bool
deck_unit_period(const char *text, struct deck_period *ret_period, struct error *err) MUST_CHECK;
bool deck_unit_count(const char *text, int64_t min, int64_t max, int64_t *ret_count,
                     struct error *err) MUST_CHECK;
/* What a level of an alert is written as: with a percent sign, a unit of size, digits only; all
 * else is to be a duration. */
enum deck_level_unit deck_unit_of_level(const char *text);
/* Shortest length of a period in days: a month has 28, a year 365. Of ids their number. */
int deck_period_days(struct deck_period period);
const char *deck_unit_name(enum deck_unit unit); /* "day" */
