/* Where a group's servers are: the address of the configuration, or what its name has come to stand
 * for since. One thread. */
#pragma once
#include "pool/group.h"

struct pool_server;

/* Where the next one is to be connected to by TCP, or by the socket that was configured. */
struct net_address pool_where(const struct pool_group *group);
/* A connection of that turn could not reach it: the next one goes to the name's next address. */
void pool_where_failed(struct pool_group *group, unsigned turn);
/* At how many addresses it may be. */
size_t pool_where_count(const struct pool_group *group);
/* Whether the server is where its name leads to, as far as that is known. */
bool pool_where_has(const struct pool_group *group, const struct pool_server *server);
/* Servers at addresses that the name has no more are replaced as they become free. */
void pool_where_tick(struct pool_group *group);
/* Has the resolver of all threads keep up the names of a configuration; makes it when needed. */
bool pool_where_keep(struct pool_shared *shared, const struct pool_config *config,
                     struct error *err) MUST_CHECK;
