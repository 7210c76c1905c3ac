// SPDX-License-Identifier: MIT
#include "base/histogram.h"

#include "base/arena.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct histogram *
histogram_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct histogram);
}

void
histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

void
histogram_merge(struct histogram *into, const struct histogram *from, uint64_t weight)
{
    assert(weight > 0);
    if (from->total == 0)
        return;
    if (into->total == 0 || from->min_ns < into->min_ns)
        into->min_ns = from->min_ns;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    into->total += from->total * weight;
    /* Nothing was counted outside of these two. */
    size_t last = histogram_bucket(from->max_ns);
    for (size_t i = histogram_bucket(from->min_ns); i <= last; i++)
        into->counts[i] += from->counts[i] * weight;
}

static uint64_t
bucket_middle(size_t bucket)
{
    size_t block = bucket >> HISTOGRAM_DIGIT_BITS;

    if (block <= 1)
        return bucket;
    unsigned shift = (unsigned)block - 1;
    uint64_t low = (uint64_t)(bucket - ((size_t)shift << HISTOGRAM_DIGIT_BITS)) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->total);
    uint64_t seen = 0;

    assert(share >= 0 && share <= 1);
    if (histogram->total == 0)
        return 0;
    if (rank <= 1)
        return histogram->min_ns;
    if (rank >= histogram->total)
        return histogram->max_ns;
    size_t bucket = histogram_bucket(histogram->min_ns);
    for (;; bucket++) {
        seen += histogram->counts[bucket];
        if (seen >= rank)
            break;
    }
    uint64_t value = bucket_middle(bucket);
    if (value < histogram->min_ns)
        return histogram->min_ns;
    return value > histogram->max_ns ? histogram->max_ns : value;
}
