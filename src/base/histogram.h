/* Counts durations in log-linear buckets: 1024 equal ones in each doubling, so that any value read
 * back is within 0.05 % of what was recorded (three significant digits). Nanoseconds, 1 us to 1 h;
 * smaller values are exact, larger ones count as the largest. Adding two histograms loses nothing,
 * so percentiles are never averaged. Fixed size, no allocation after histogram_new; one thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_MAX_NS ((UINT64_C(1) << 42) - 1) /* 73 min: an hour fits */
enum {
    HISTOGRAM_DIGIT_BITS = 10,
    HISTOGRAM_BUCKETS = (42 - HISTOGRAM_DIGIT_BITS + 1) << HISTOGRAM_DIGIT_BITS,
};

struct histogram {
    uint64_t total;          /* sum of the counts */
    uint64_t min_ns, max_ns; /* as recorded, exact; 0 when empty */
    uint64_t counts[HISTOGRAM_BUCKETS];
};

struct arena;
struct histogram *histogram_new(struct arena *arena);
void histogram_clear(struct histogram *histogram);

static inline size_t
histogram_bucket(uint64_t value_ns)
{
    if (value_ns >> HISTOGRAM_DIGIT_BITS == 0)
        return (size_t)value_ns;
    unsigned shift = 63U - (unsigned)__builtin_clzll(value_ns) - HISTOGRAM_DIGIT_BITS;
    return ((size_t)shift << HISTOGRAM_DIGIT_BITS) + (size_t)(value_ns >> shift);
}

static inline void
histogram_record(struct histogram *histogram, uint64_t value_ns)
{
    if (value_ns > HISTOGRAM_MAX_NS)
        value_ns = HISTOGRAM_MAX_NS;
    histogram->counts[histogram_bucket(value_ns)]++;
    if (histogram->total++ == 0 || value_ns < histogram->min_ns)
        histogram->min_ns = value_ns;
    if (value_ns > histogram->max_ns)
        histogram->max_ns = value_ns;
}

/* Adds every count of from, times weight (at least 1). */
void histogram_merge(struct histogram *into, const struct histogram *from, uint64_t weight);

/* The smallest recorded value that at least share (0..1) of all values do not exceed (nearest
 * rank); the middle of its bucket, but never outside of min..max. 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double share);
