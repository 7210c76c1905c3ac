// SPDX-License-Identifier: MIT
#include "pool/query.h"

#include <stdlib.h>
#include <string.h>

struct pool_measures *
pool_measures_new(void)
{
    struct pool_measures *measures = calloc(1, sizeof(*measures));

    if (measures == NULL)
        return NULL;
    measures->queries = pool_queries_new();
    if (measures->queries == NULL) {
        free(measures);
        return NULL;
    }
    return measures;
}

void
pool_measures_free(struct pool_measures *measures)
{
    if (measures == NULL)
        return;
    pool_queries_free(measures->queries);
    free(measures);
}

bool
pool_is_sqlstate(const char *text)
{
    return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && text[5] == '\0';
}

static void
count_errors(struct pool_measures *measures, const char *sqlstate, uint64_t count)
{
    for (size_t i = 0; i < measures->error_count; i++) {
        if (strcmp(measures->errors[i].sqlstate, sqlstate) == 0) {
            measures->errors[i].count += count;
            return;
        }
    }
    if (!pool_is_sqlstate(sqlstate) || measures->error_count == POOL_ERROR_KINDS_MAX) {
        measures->other_errors += count;
        return;
    }
    struct pool_error_count *made = &measures->errors[measures->error_count++];
    memcpy(made->sqlstate, sqlstate, sizeof(made->sqlstate));
    made->count = count;
}

void
pool_measure_error(struct pool_measures *measures, const char *sqlstate)
{
    count_errors(measures, sqlstate, 1);
}

void
pool_measures_add(struct pool_measures *into, const struct pool_measures *from)
{
    histogram_merge(&into->wait, &from->wait, 1);
    histogram_merge(&into->transaction, &from->transaction, 1);
    histogram_merge(&into->query, &from->query, 1);
    for (size_t i = 0; i < from->error_count; i++)
        count_errors(into, from->errors[i].sqlstate, from->errors[i].count);
    into->other_errors += from->other_errors;
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
