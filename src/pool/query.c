// SPDX-License-Identifier: MIT
#include "pool/query.h"

#include "pool/sql.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OFTEN = 8, HALVING = 4096 };

struct pool_queries *
pool_queries_new(void)
{
    return calloc(1, sizeof(struct pool_queries));
}

static void
query_free(struct pool_query *query)
{
    free(query->whole);
    free(query);
}

void
pool_queries_free(struct pool_queries *queries)
{
    for (size_t i = 0; queries != NULL && i < queries->count; i++)
        query_free(queries->items[i]);
    free(queries);
}

/* --- times --------------------------------------------------------------------------------- */

uint64_t
pool_times_middle_us(size_t bucket)
{
    if (bucket < 1 << POOL_TIMES_BITS)
        return bucket;
    unsigned shift = (unsigned)(bucket >> POOL_TIMES_BITS) - 1;
    uint64_t low = (uint64_t)(bucket - ((size_t)shift << POOL_TIMES_BITS)) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

uint64_t
pool_times_percentile_us(const struct pool_times *times, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)times->total), sum = 0;
    size_t at = 0;

    if (times->total == 0)
        return 0;
    for (; at + 1 < POOL_TIMES_BUCKETS; at++) {
        sum += times->counts[at];
        if (sum >= rank)
            break;
    }
    uint64_t middle = pool_times_middle_us(at);
    return middle < times->max_us ? middle : times->max_us;
}

static void
add_times(struct pool_times *into, const struct pool_times *from)
{
    into->total += from->total;
    into->sum_us += from->sum_us;
    if (from->max_us > into->max_us)
        into->max_us = from->max_us;
    for (size_t i = 0; i < POOL_TIMES_BUCKETS; i++)
        into->counts[i] += from->counts[i];
}

/* --- queries ------------------------------------------------------------------------------- */

static void
add_errors(struct pool_query *query, const char *sqlstate, uint64_t count)
{
    size_t at = 0;

    while (at < query->error_count && strcmp(query->errors[at].sqlstate, sqlstate) != 0)
        at++;
    if (at == POOL_QUERY_ERRORS) {
        query->other_errors += count;
        return;
    }
    if (at == query->error_count) {
        memcpy(query->errors[at].sqlstate, sqlstate, sizeof(query->errors[at].sqlstate));
        query->error_count++;
    }
    query->errors[at].count += count;
}

void
pool_query_error(struct pool_query *query, const char *sqlstate)
{
    if (pool_is_sqlstate(sqlstate))
        add_errors(query, sqlstate, 1);
    else
        query->other_errors++;
}

void
pool_query_add(struct pool_query *into, const struct pool_query *from)
{
    into->sent_bytes += from->sent_bytes;
    into->received_bytes += from->received_bytes;
    for (size_t i = 0; i < from->error_count; i++)
        add_errors(into, from->errors[i].sqlstate, from->errors[i].count);
    into->other_errors += from->other_errors;
    add_times(&into->wait, &from->wait);
    add_times(&into->transaction, &from->transaction);
    add_times(&into->query, &from->query);
}

static uint8_t *
slot_of(struct pool_queries *queries, uint64_t hash)
{
    size_t at = hash % POOL_QUERY_SLOTS;

    while (queries->slots[at] != 0 && queries->items[queries->slots[at] - 1]->hash != hash)
        at = (at + 1) % POOL_QUERY_SLOTS;
    return &queries->slots[at];
}

struct pool_query *
pool_queries_find(struct pool_queries *queries, uint64_t hash)
{
    uint8_t slot = *slot_of(queries, hash);

    return slot == 0 ? &queries->other : queries->items[slot - 1];
}

/* What came lately weighs less from now on. */
static void
halve(struct pool_queries *queries)
{
    queries->touched = 0;
    for (size_t i = 0; i < queries->count; i++)
        queries->items[i]->recent /= 2;
    for (size_t i = 0; i < POOL_QUERY_SEEN; i++)
        queries->seen[i] /= 2;
}

/* The place of one that comes less often than this; NULL: none. */
static struct pool_query *
replace(struct pool_queries *queries, uint64_t hash)
{
    uint8_t *seen = &queries->seen[hash % POOL_QUERY_SEEN];
    struct pool_query *least = queries->items[0];

    if (*seen < UINT8_MAX)
        ++*seen;
    if (*seen < OFTEN)
        return NULL;
    for (size_t i = 1; i < queries->count; i++) {
        if (queries->items[i]->recent < least->recent)
            least = queries->items[i];
    }
    if (least->recent >= *seen)
        return NULL;
    pool_query_add(&queries->other, least);
    least->hash = 0;
    memset(queries->slots, 0, sizeof(queries->slots));
    for (size_t i = 0; i < queries->count; i++) {
        if (queries->items[i] != least)
            *slot_of(queries, queries->items[i]->hash) = (uint8_t)(i + 1);
    }
    return least;
}

static struct pool_query *
make(struct pool_queries *queries, uint64_t hash)
{
    struct pool_query *made;
    size_t at = 0;

    if (queries->count == POOL_QUERIES_MAX) {
        made = replace(queries, hash);
        if (made == NULL)
            return NULL;
        free(made->whole);
        memset(made, 0, sizeof(*made));
        while (queries->items[at] != made)
            at++;
    } else {
        made = calloc(1, sizeof(*made));
        if (made == NULL)
            return NULL;
        at = queries->count++;
        queries->items[at] = made;
        made->hash = 0; /* found by nobody yet */
    }
    *slot_of(queries, hash) = (uint8_t)(at + 1);
    made->hash = hash;
    return made;
}

struct pool_query *
pool_queries_touch(struct pool_queries *queries, uint64_t hash, const char *text, size_t length)
{
    struct pool_query *query = pool_queries_find(queries, hash);

    if (++queries->touched == HALVING)
        halve(queries);
    if (query == &queries->other && hash != 0) {
        query = make(queries, hash);
        if (query == NULL)
            return &queries->other;
        pool_sql_normalize(text, length, query->text, sizeof(query->text));
        if (length < POOL_QUERY_WHOLE_BYTES)
            query->whole = strndup(text, length);
    }
    query->recent++;
    return query;
}
