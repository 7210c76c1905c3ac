// SPDX-License-Identifier: MIT
#include "pool/measure.h"

#include <stdlib.h>
#include <string.h>

struct pool_measures *
pool_measures_new(void)
{
    return calloc(1, sizeof(struct pool_measures));
}

void
pool_measures_free(struct pool_measures *measures)
{
    free(measures);
}

void
pool_measure_error(struct pool_measures *measures, const char *sqlstate)
{
    for (size_t i = 0; i < measures->error_count; i++) {
        if (strcmp(measures->errors[i].sqlstate, sqlstate) == 0) {
            measures->errors[i].count++;
            return;
        }
    }
    bool is_sqlstate = strspn(sqlstate, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 &&
                       sqlstate[5] == '\0'; /* servers are not believed */
    if (!is_sqlstate || measures->error_count == POOL_ERROR_KINDS_MAX) {
        measures->other_errors++;
        return;
    }
    struct pool_error_count *made = &measures->errors[measures->error_count++];
    memcpy(made->sqlstate, sqlstate, sizeof(made->sqlstate));
    made->count = 1;
}

void
pool_measure_below(const struct histogram *histogram, const uint64_t *bounds_ns, size_t count,
                   uint64_t *ret_counts)
{
    size_t at = histogram_bucket(histogram->min_ns), last = histogram_bucket(histogram->max_ns);
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        size_t bound = histogram_bucket(bounds_ns[i]);
        for (; histogram->total > 0 && at <= last && at <= bound; at++)
            sum += histogram->counts[at];
        ret_counts[i] = sum;
    }
}
