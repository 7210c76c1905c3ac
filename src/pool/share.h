/* A pool that several threads serve. Each has clients and servers of its own and works as if it
 * were alone; what they agree on is here, in atomics: how many servers there are in all, who has
 * idle ones, whose clients wait. A server changes threads as a whole (lend, pool_server_depart and
 * arrive), which costs two wake-ups, so it does only when
 * - a thread has clients waiting, cannot or need not connect, and another has one idle: it asks; or
 * - a server becomes free here while another thread's clients have waited for longer.
 * Owner: struct pool_shared, to the end. Any thread, except where it says otherwise. */
#pragma once
#include "pool/holding.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { POOL_WORKERS_MAX = 64, POOL_LINE_BYTES = 64 /* of a cache */, POOL_LOGINS_MAX = 16 };

struct pool;
struct pool_parameters;
struct pool_driver;
struct pool_group;
struct pool_server;
struct pool_shared;
struct pool_total;

/* What a thread says of its part; only asked_by, is_refused and coming are written by others. */
struct pool_place {
    _Alignas(POOL_LINE_BYTES) atomic_int idle;
    atomic_int waiting;                          /* clients */
    atomic_uint_least64_t since_us;              /* that the first of them waits */
    atomic_uint_least64_t spare_since_us;        /* that a server is idle; the longest */
    _Alignas(POOL_LINE_BYTES) atomic_int coming; /* servers that are on their way to it */
    atomic_uint_least64_t asked_by;              /* workers, as bits */
    atomic_bool is_refused;                      /* it has asked, and there was none */
    _Alignas(POOL_LINE_BYTES) struct pool_told_holding told;
};

/* What a thread has learnt of a login, for the others; see known.h. In no table. */
struct pool_known_copy {
    struct pool_parameters *startup, *reported;
};

struct pool_share {
    struct pool_share *next;
    char *database, *user; /* of the route */
    int first, width;      /* its threads: so many from first on, modulo worker_count */
    int worker_count;
    struct pool_total *total;                                 /* see total.h; NULL: not told yet */
    atomic_uint tickets;                                      /* of logins, which go round */
    _Atomic(struct pool_known_copy *) known[POOL_LOGINS_MAX]; /* NULL: no more; never changed */
    _Alignas(POOL_LINE_BYTES) atomic_int servers; /* connected, or being so, in all threads */
    _Alignas(POOL_LINE_BYTES) atomic_int hungry;  /* threads that have clients waiting */
    struct pool_place places[];
};

/* Of the route; NULL: not there. Before the threads start or in worker 0. */
struct pool_share *
pool_share_find(const struct pool_shared *shared, const char *database, const char *user);
/* Made, and kept in shared. NULL: no memory. Likewise. */
struct pool_share *pool_share_new(struct pool_shared *shared, const char *database,
                                  const char *user, int first, int width, int worker_count);
void pool_share_free_all(struct pool_shared *shared);
/* NULL: a pool of one thread. */
bool pool_share_has(const struct pool_share *share, int worker);
/* The thread of the next client. */
int pool_share_turn(struct pool_share *share);

/* --- of a group, in its thread; all do nothing for a group of one thread -------------------- */

/* Servers in all threads. */
int pool_share_size(const struct pool_group *group);
/* A further server may be connected to: counted from now on. */
bool pool_share_reserve(struct pool_group *group);
/* One less: a thread that waits for room is told. Nothing without a share. */
void pool_share_unreserve(struct pool_share *share, struct pool_driver *driver);
/* On their way here. */
int pool_share_coming(const struct pool_group *group);
/* Says how it stands: when idle servers or waiting clients have become more or fewer. */
void pool_share_note(struct pool_group *group);
/* Lends idle servers to threads whose clients have waited for longer. */
void pool_share_give(struct pool_group *group);
/* Another thread has been asked for a server, and will answer. */
bool pool_share_ask(struct pool_group *group);
/* Woken: what others ask for, and what they answered. */
void pool_share_look(struct pool *pool);
/* A server that was on its way to a thread has got there, or has ended. */
void pool_share_arrived(struct pool_server *server);
