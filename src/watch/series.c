// SPDX-License-Identifier: MIT
#include "watch/series.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const double watch_bounds_ms[] = {0.05,  0.1,   0.25,  0.5,    1,      2.5,     5,      10,
                                  25,    50,    100,   250,    500,    1000,    2500,   5000,
                                  10000, 30000, 60000, 120000, 300000, 1800000, 7200000};
const size_t watch_bound_count = sizeof(watch_bounds_ms) / sizeof(watch_bounds_ms[0]);
static_assert(sizeof(watch_bounds_ms) / sizeof(watch_bounds_ms[0]) < WATCH_WIDTH_MAX, "too many");

struct watch_series *
watch_series_new(size_t width)
{
    struct watch_series *series = calloc(1, sizeof(*series));

    assert(width > 0 && width <= WATCH_WIDTH_MAX);
    if (series == NULL || (series->sums = calloc(WATCH_MINUTES * width, sizeof(double))) == NULL)
        abort();
    series->width = width;
    return series;
}

void
watch_series_free(struct watch_series *series)
{
    if (series != NULL)
        free(series->sums);
    free(series);
}

void
watch_series_add(struct watch_series *series, double now, const double *values)
{
    enum { MINUTE_S = 60 };
    int64_t minute = (int64_t)now / MINUTE_S;
    size_t slot = (size_t)(minute % WATCH_MINUTES);
    double *sums = series->sums + slot * series->width;

    if (series->minutes[slot] != minute) {
        memset(sums, 0, series->width * sizeof(*sums));
        series->minutes[slot] = minute;
    }
    for (size_t i = 0; i < series->width; i++)
        sums[i] += values[i];
}

const double *
watch_series_minute(const struct watch_series *series, int64_t minute)
{
    size_t slot = (size_t)(minute % WATCH_MINUTES);

    return series->minutes[slot] == minute ? series->sums + slot * series->width : NULL;
}

void
watch_series_fill(struct watch_series *series, int64_t minute, const double *values)
{
    size_t slot = (size_t)(minute % WATCH_MINUTES);

    if (series->minutes[slot] >= minute)
        return;
    series->minutes[slot] = minute;
    memcpy(series->sums + slot * series->width, values, series->width * sizeof(*values));
}

bool
watch_series_sum(const struct watch_series *series, int64_t from, int64_t to, double *ret_sums)
{
    bool is_known = false;

    memset(ret_sums, 0, series->width * sizeof(*ret_sums));
    for (int64_t minute = from + 1 > to - WATCH_MINUTES ? from + 1 : to - WATCH_MINUTES + 1;
         minute <= to; minute++) {
        const double *sums = watch_series_minute(series, minute);
        is_known |= sums != NULL;
        for (size_t i = 0; sums != NULL && i < series->width; i++)
            ret_sums[i] += sums[i];
    }
    return is_known;
}

size_t
watch_bucket(double ms)
{
    size_t bucket = 0;

    while (bucket < watch_bound_count && ms > watch_bounds_ms[bucket])
        bucket++;
    return bucket;
}

double
watch_percentile(const double *counts, double share)
{
    double total = 0, below = 0;

    for (size_t i = 0; i <= watch_bound_count; i++)
        total += counts[i];
    if (total <= 0)
        return NAN;
    for (size_t i = 0; i < watch_bound_count; i++) {
        double low = i == 0 ? 0 : watch_bounds_ms[i - 1];
        if (below + counts[i] >= share * total)
            return low + (watch_bounds_ms[i] - low) * (share * total - below) / counts[i];
        below += counts[i];
    }
    return watch_bounds_ms[watch_bound_count - 1]; /* or more */
}
