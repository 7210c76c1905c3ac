/* A server that cannot be had: when it is tried again, and what clients are told meanwhile. */
#pragma once
#include "base/error.h"

#include <stdint.h>

struct pool_group;

/* A connection that was begun then, at the address whose turn it was, did not come to be. */
void pool_group_failed(struct pool_group *group, const struct error *err, uint64_t began_us,
                       unsigned turn);
/* Clients that wait for a server that cannot be had are told. */
void pool_outage_tick(struct pool_group *group);
