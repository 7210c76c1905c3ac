/* TLS of a configuration: what clients and servers are shown and asked for. */
#pragma once
#include "pool/config.h"

/* What a route's server wants, in libpq's words; NULL: not given. */
struct pool_tls_wish {
    const char *mode;        /* disable, require, verify-ca, verify-full */
    const char *authorities; /* sslrootcert: a file, or "system" */
    const char *certificate, *key;
};

/* For clients: from the pooler's keys. */
bool pool_config_tls_clients(struct pool_config *config, struct error *err) MUST_CHECK;
/* For the route's server: none where it is local and nothing else is said; elsewhere verify-full.
 * The route's address and host are set. Errors without a place. */
bool pool_config_tls_server(struct pool_config *config, const struct pool_tls_wish *wish,
                            struct pool_route *route, struct error *err) MUST_CHECK;
void pool_config_tls_release(struct pool_config *config);
