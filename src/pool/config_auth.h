/* How a route's clients prove who they are. */
#pragma once
#include "pool/config.h"

/* By route->auth: certificates need authorities, peers a user of this system. host and port as
 * written; asker: the user that asks the server for verifiers, NULL when all secrets are known. */
struct pool_auth_wish {
    const char *asker, *query;
    const char *host, *host_address; /* address NULL: that of the host */
    int port;
    const struct pool_tls_wish *tls;
};
/* Errors without a place. The users are there already. */
bool pool_config_auth(struct pool_config *config, const struct pool_auth_wish *wish,
                      struct pool_route *route, struct error *err) MUST_CHECK;
/* Those of the pooler's stats_users: users of the pool, or of this system. */
bool pool_config_stats(struct pool_config *config, struct error *err) MUST_CHECK;
