/* Until when the server's certificate holds: the one check that is no SQL, since it asks as a
 * client of TLS would. Needs no right. */
#pragma once
#include "health/health.h"

#define HEALTH_CERTIFICATE "certificate"

/* ret_has_tls false: there is nothing to look at. The finding's server is left to the caller. */
void health_certificate(struct arena *arena, PGconn *connection, int timeout_ms,
                        struct health_finding *ret_finding, bool *ret_has_tls);
