/* What a pool is given from outside: the daemon's loop and threads, or a test's simulated ones. */
#pragma once
#include "net/address.h"
#include "net/local.h"
#include "net/stream.h"
#include "pool/lookup.h"
#include "wire/scram.h"
#include <stdatomic.h>

struct pool;
struct pool_object;
struct pool_share;
struct net_resolver;

/* What the pools of all threads share. */
struct pool_shared {
    atomic_int client_count;
    struct pool_share *shares;               /* of all pools: see share.h */
    _Atomic(struct net_resolver *) resolver; /* NULL: no name is to be looked up again */
    uint8_t mock_secret[WIRE_SCRAM_KEY_BYTES];
};

/* Something done to the pool of each thread, in that thread. */
typedef void pool_visit(struct pool *pool, void *context);

/* How the pool gets connections: the loop, or a simulated network. */
struct pool_driver {
    bool (*connect)(struct pool_driver *driver, const struct net_address *address,
                    struct net_stream *stream, struct error *err);
    bool (*random)(struct pool_driver *driver, void *bytes, size_t count);
    /* is_json: text is a JSON string with its quotes; else it has no control characters. */
    void (*log)(struct pool_driver *driver, const char *text, bool is_json);
    /* Asks a server for a verifier; false: not now. The answer comes by pool_client_found. */
    bool (*look_up)(struct pool_driver *driver, const struct pool_lookup_question *question);
    /* See net/local.h; NULL: local sockets are not looked for. */
    bool (*find_local)(struct pool_driver *driver, const struct net_stream *stream, pid_t backend,
                       struct net_local *ret_local);
    bool (*is_local_same)(struct pool_driver *driver, const struct net_stream *stream,
                          const struct net_local *local);
    struct pool_shared *shared;
    int worker, worker_count; /* this pool's place among those of all threads */
    /* Only for worker 0, which waits meanwhile; NULL where it is the only one. */
    void (*visit_all)(struct pool_driver *driver, pool_visit *visit, void *context);
    /* The client, whose is_moving is set, or the server, which is LEAVING, goes to another's pool:
     * pool_..._depart here and pool_..._arrive there. NULL where there is only one. */
    void (*move)(struct pool_driver *driver, struct pool_object *object, int worker);
    /* Has another call pool_share_look soon. Likewise. */
    void (*wake)(struct pool_driver *driver, int worker);
};
