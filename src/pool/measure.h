/* What a pool's clients saw: how long they waited, how long transactions and queries took, and what
 * failed. Recorded with the time that the loop has anyway, so a record is a few additions to
 * memory (tests/perf/pool/measure.c says how long it takes). One worker's thread. */
#pragma once
#include "base/histogram.h"
#include <stdbool.h>

enum { POOL_ERROR_KINDS_MAX = 64, POOL_US_NS = 1000 };

struct pool_queries; /* pool/query.h */

struct pool_error_count {
    char sqlstate[6];
    uint64_t count;
};

struct pool_measures {
    struct histogram wait;        /* for a server, each time one was wanted */
    struct histogram transaction; /* as long as the client had the server */
    struct histogram query;       /* from when the server was asked until it was ready again */
    struct pool_error_count errors[POOL_ERROR_KINDS_MAX];
    size_t error_count;
    uint64_t other_errors; /* of more kinds than fit */
    struct pool_queries *queries;
};

/* Zeroed; what is never recorded into takes no memory. NULL: no memory. */
struct pool_measures *pool_measures_new(void);
void pool_measures_free(struct pool_measures *measures);

static inline void
pool_measure(struct histogram *histogram, uint64_t duration_us)
{
    histogram_record(histogram, duration_us * POOL_US_NS);
}
bool pool_is_sqlstate(const char *text); /* servers are not believed */
void pool_measure_error(struct pool_measures *measures, const char *sqlstate);
void pool_measures_add(struct pool_measures *into, const struct pool_measures *from);
/* How many took at most each of the bounds, which rise. */
void pool_measure_below(const struct histogram *histogram, const uint64_t *bounds_ns, size_t count,
                        uint64_t *ret_counts);
