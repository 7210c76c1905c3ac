/* What servers report to clients by the parameters that they start with: learnt from logins, so
 * that a further one needs no server. What is learnt of a pool of several threads is for all of
 * them. Any pool's own thread. */
#pragma once
#include "pool/state.h"

/* What a server is going to report to that start-up: as to the same one, or put together from
 * others that had these values. NULL: only a server can tell. The caller owns a reference. */
const struct pool_parameters *
pool_known_find(struct pool_group *group, const struct pool_parameters *startup);
void pool_known_add(struct pool_group *group, const struct pool_parameters *startup,
                    const struct pool_parameters *reported);
void pool_known_release(struct pool_group *group);
/* Of a share that is freed. */
void pool_known_free_shared(struct pool_share *share);
