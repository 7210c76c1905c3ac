/* Processes that belong to a private server: they end before it does, whoever stops it. */
#pragma once
#include "local/server.h"

/* Notes it in the server's folder. */
bool
local_companion_add(const struct local_server *server, pid_t pid, struct error *err) MUST_CHECK;
/* Asks them to end, and after 10 s makes them. */
void local_companions_end(const struct local_server *server);
