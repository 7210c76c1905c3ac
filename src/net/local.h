/* The unix socket of a server on this host that is spoken to by TCP: cheaper, and the same server.
 * Proof: the connection's other end is a socket of this host and of the user that listens behind
 * the unix socket, and the process at it is a child of the process that listens there. */
#pragma once
#include "net/stream.h"
#include <sys/un.h>

struct net_local {
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    pid_t listener; /* the postmaster */
};

/* stream: a connection by TCP, without TLS; backend: the process that serves it. Reads /proc, some
 * milliseconds where there are many connections. False: there is none, or it is not proven. */
bool net_local_find(const struct net_stream *stream, pid_t backend, struct net_local *ret_local);
/* Whether a connection by that socket is still one to the same listener. */
bool net_local_is_same(const struct net_local *local, const struct net_stream *stream);
