/* What a pool is in all of its threads together, as SHOW and /metrics tell it. Made in a visit of
 * each thread; a pool of one thread is read where it is. */
#pragma once
#include "pool/state.h"

struct pool_total {
    const struct pool_group *group; /* for its route and its flags */
    struct pool_statistics statistics;
    struct pool_statistics minute; /* the last whole one's */
    uint64_t minute_us;            /* its length; 0: there was none yet */
    struct pool_measures *measures;
    int clients, waiting, client_active, client_pinned;
    int servers, server_active, server_idle, server_used, server_login;
    uint64_t wait_us; /* of the client that waits longest */
    uint64_t live_received_bytes, live_sent_bytes;
    char last_error[sizeof(((struct error *)NULL)->message)]; /* of connecting; "": none */
};

/* Adds up all pools of several threads; from worker 0, before each time that they are told. */
void pool_total_collect(struct pool *pool);
/* Of the group, in a visit of its thread. False: another thread tells of this pool. */
bool pool_total_of(struct pool_group *group, struct pool_total *ret_total);
/* At each tick: counts the minutes. */
void pool_total_tick(struct pool *pool);
void pool_total_free(struct pool_total *total);
