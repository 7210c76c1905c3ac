/* A day of figures, minute by minute: each minute is a few sums that can be added to those of
 * others (hits and reads; calls by duration), so that an hour is not a mean of means. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_MINUTES = 24 * 60, WATCH_WIDTH_MAX = 24 };

struct watch_series {
    size_t width;                   /* sums a minute */
    int64_t minutes[WATCH_MINUTES]; /* which one the slot holds, since 1970; 0: none */
    double *sums;                   /* WATCH_MINUTES x width */
};

struct watch_series *watch_series_new(size_t width);
void watch_series_free(struct watch_series *series);
void watch_series_add(struct watch_series *series, double now, const double *values);
/* One minute's sums, where nothing is known of it. */
void watch_series_fill(struct watch_series *series, int64_t minute, const double *values);
/* Those of a minute; NULL: nothing is known. */
const double *watch_series_minute(const struct watch_series *series, int64_t minute);
/* Sums from (exclusive) to `to` (inclusive), in minutes since 1970; false: nothing is known. */
bool
watch_series_sum(const struct watch_series *series, int64_t from, int64_t to, double *ret_sums);

/* Durations as counts by bucket: the upper bounds in ms, ascending; the last bucket has none. */
extern const double watch_bounds_ms[];
extern const size_t watch_bound_count;
size_t watch_bucket(double ms);
/* The duration that `share` of all do not exceed, interpolated within its bucket; NAN: none. */
double watch_percentile(const double *counts, double share);
