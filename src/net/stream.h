/* One connection of the pool, whatever carries it: a socket, or a simulated one in tests. The
 * owner of the stream embeds it; the transport's functions do the rest. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct net_stream;
struct net_tls_session; /* tls.h */

struct net_transport {
    /* As recv and send of a non-blocking socket: -1 with errno EAGAIN when nothing can be done
     * now; receive gives 0 at the end. */
    ssize_t (*receive)(struct net_stream *stream, void *bytes, size_t count);
    ssize_t (*send)(struct net_stream *stream, const void *bytes, size_t count);
    /* Whether the owner is to be told when it can send (again). */
    void (*want_write)(struct net_stream *stream, bool is_wanted);
    void (*close)(struct net_stream *stream);
};

struct net_stream {
    const struct net_transport *transport;
    void *owner; /* given back with each event */
    void *host;  /* the transport's: its loop */
    int descriptor;
    /* Events come once (edge-triggered): these stay set until the owner has seen to them. */
    bool is_readable;
    bool has_ended; /* the other side will send no more */
    bool is_gone;   /* nor take anything: reset, or closed as far as can be told */
    bool wants_write;
    bool is_partial;                /* part of a TLS record is there */
    struct net_tls_session *secure; /* NULL: no TLS */
    bool is_local;                  /* unix socket */
    uid_t user; /* at the other end of a unix socket that was accepted; else (uid_t)-1 */
};
