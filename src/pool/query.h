/* What a pool measures of each query, by a fingerprint: texts that differ in constants only are
 * one. The first and those that come often have a place, all others are "other" together, as are
 * those that lost theirs. Times to 3 % (1/32 of each doubling). One worker's thread. */
#pragma once
#include "pool/measure.h"

enum {
    POOL_TIMES_BITS = 5,
    POOL_TIMES_BUCKETS = 27 << POOL_TIMES_BITS, /* 1 us to 35 min */
    POOL_QUERIES_MAX = 64,
    POOL_QUERY_SLOTS = 256,
    POOL_QUERY_SEEN = 1024,
    POOL_QUERY_ERRORS = 6,
    POOL_QUERY_TEXT_BYTES = 512,
    POOL_QUERY_WHOLE_BYTES = 16384, /* a longer one has no fingerprint */
};

struct pool_times {
    uint64_t total, sum_us;
    uint32_t max_us;
    uint32_t counts[POOL_TIMES_BUCKETS];
};

struct pool_query {
    uint64_t hash;        /* of the text without constants (struct pool_sql); 0: other */
    uint64_t fingerprint; /* workload_fingerprint of the text; 0: not known yet, or no SQL */
    bool has_fingerprint;
    uint32_t recent;                     /* how often lately */
    uint64_t sent_bytes, received_bytes; /* to the server, from it */
    struct pool_error_count errors[POOL_QUERY_ERRORS];
    size_t error_count;
    uint64_t other_errors;
    struct pool_times wait;        /* of transactions that it began, for a server */
    struct pool_times transaction; /* that it began */
    struct pool_times query;       /* from when it, or what was before it, was answered or asked */
    char text[POOL_QUERY_TEXT_BYTES]; /* with ? for constants; cut */
    char *whole;                      /* as it came, until the fingerprint is known; NULL */
};

struct pool_queries {
    struct pool_query *items[POOL_QUERIES_MAX];
    size_t count;
    uint8_t slots[POOL_QUERY_SLOTS]; /* index + 1; 0: free */
    uint8_t seen[POOL_QUERY_SEEN];   /* how often lately, by hash, of those without a place */
    uint32_t touched;                /* since the last halving */
    struct pool_query other;
};

struct pool_queries *pool_queries_new(void); /* NULL: no memory */
void pool_queries_free(struct pool_queries *queries);

/* Where that is counted; other when it has no place. */
struct pool_query *pool_queries_find(struct pool_queries *queries, uint64_t hash);
/* A query of that text comes: it may get a place. */
struct pool_query *
pool_queries_touch(struct pool_queries *queries, uint64_t hash, const char *text, size_t length);
void pool_query_error(struct pool_query *query, const char *sqlstate);
void pool_query_add(struct pool_query *into, const struct pool_query *from);

static inline size_t
pool_times_bucket(uint64_t time_us)
{
    if (time_us >> POOL_TIMES_BITS == 0)
        return (size_t)time_us;
    unsigned shift = 63U - (unsigned)__builtin_clzll(time_us) - POOL_TIMES_BITS;
    return ((size_t)shift << POOL_TIMES_BITS) + (size_t)(time_us >> shift);
}

static inline void
pool_times_record(struct pool_times *times, uint64_t time_us)
{
    uint32_t time = time_us > INT32_MAX ? INT32_MAX : (uint32_t)time_us;

    times->total++;
    times->sum_us += time;
    times->counts[pool_times_bucket(time)]++;
    if (time > times->max_us)
        times->max_us = time;
}
/* The middle of a bucket. */
uint64_t pool_times_middle_us(size_t bucket);
/* Nearest rank: the middle of its bucket, at most the largest; 0 when empty. */
uint64_t pool_times_percentile_us(const struct pool_times *times, double share);
