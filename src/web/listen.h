/* Where the dashboard's server listens. Inner side of web/web.h. */
#pragma once
#include "base/arena.h"
#include "web/web.h"

/* Opens the socket that options->listen names, and refuses what must not be: another address than
 * a loopback one without a token and TLS, a token that is soon guessed. ret_url: in the arena. */
bool web_listen(struct arena *arena, const struct web_options *options, int *ret_socket,
                const char **ret_url, struct error *err) MUST_CHECK;
