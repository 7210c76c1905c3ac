/* What a pool is given from outside: the daemon's loop and threads, or a test's simulated ones. */
#pragma once
#include "net/address.h"
#include "net/stream.h"
#include "pool/lookup.h"

/* How the pool gets connections: the loop, or a simulated network. */
struct pool_driver {
    bool (*connect)(struct pool_driver *driver, const struct net_address *address,
                    struct net_stream *stream, struct error *err);
    bool (*random)(struct pool_driver *driver, void *bytes, size_t count);
    void (*log)(struct pool_driver *driver, const char *line);
    /* Asks a server for a verifier; false: not now. The answer comes by pool_client_found. */
    bool (*look_up)(struct pool_driver *driver, const struct pool_lookup_question *question);
};
