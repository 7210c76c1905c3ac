/* TLS 1.2 and newer under a stream: its transport is replaced by one that encrypts over the old
 * one, so that whoever reads and writes the stream sees no difference. A context holds one side's
 * certificates; it is constant, counted, and may be used by all threads; what is open keeps it, so
 * that a reload makes a new one and disturbs nobody. A stream's session is of its thread. */
#pragma once
#include "base/error.h"
#include "net/stream.h"

struct net_tls;

enum net_tls_check {
    NET_TLS_CHECK_NONE, /* any certificate */
    NET_TLS_CHECK_CA,   /* one that an authority has signed */
    NET_TLS_CHECK_FULL, /* and that is the host's */
};

struct net_tls_files {
    const char *certificate, *key; /* PEM; NULL: none */
    const char *authorities;       /* NULL: clients: none are asked for; servers: the system's */
};

/* For connections that are accepted: certificate and key are needed; with authorities clients may
 * show a certificate, which must then hold. Errors: ERROR_DECK and ERROR_FILE, also for a
 * certificate that has expired, one that is not the key's, and a key that others may read. */
struct net_tls *net_tls_for_clients(const struct net_tls_files *files, struct error *err);
/* For connections that are made. */
struct net_tls *
net_tls_for_servers(const struct net_tls_files *files, enum net_tls_check check, struct error *err);
void net_tls_drop(struct net_tls *tls); /* NULL: nothing */
/* When the certificate ends, in seconds since 1970; 0: it has none. */
long long net_tls_expires_s(const struct net_tls *tls);

/* From now on the stream speaks TLS as the side that was connected to; first: bytes that have been
 * read already. The handshake goes on within receive and send. False: no memory. */
bool net_tls_accept(struct net_tls *tls, struct net_stream *stream, const void *first,
                    size_t first_bytes) MUST_CHECK;
/* The same as the side that connects, to host (a name or an address; NULL: not told). */
bool net_tls_connect(struct net_tls *tls, struct net_stream *stream, const char *host) MUST_CHECK;

/* The stream is another loop's now: the session of before goes on over its new transport. */
void net_tls_carry(struct net_stream *stream, const struct net_stream *before);
/* Ends the session of a stream that has no socket any more. */
void net_tls_forget(struct net_stream *stream);

static inline bool
net_tls_is_on(const struct net_stream *stream)
{
    return stream->secure != NULL;
}
/* Whether the other side asked for the protocol "postgresql" (ALPN), as direct TLS must. */
bool net_tls_has_protocol(const struct net_stream *stream);
/* The common name of the other side's certificate, which an authority has signed; false: none, or
 * it does not fit. */
bool net_tls_peer_name(const struct net_stream *stream, char *name, size_t size);
/* "TLSv1.3/TLS_AES_256_GCM_SHA384"; "" without TLS. */
const char *net_tls_text(const struct net_stream *stream, char *text, size_t size);
/* Why it failed; "" when it did not. */
const char *net_tls_fault(const struct net_stream *stream);
