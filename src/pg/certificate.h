/* A server's certificate: as a file, as what it shows to whoever asks for TLS. No password and no
 * right is needed for the latter. Strings in the arena given. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <libpq-fe.h>

enum { PG_CERTIFICATE_DAYS_LEFT = 30 }; /* fewer are worth a warning */

struct pg_certificate {
    const char *subject;     /* "CN = db.example" */
    const char *fingerprint; /* SHA-256, hexadecimal */
    const char *ends;        /* "2027-03-01 12:00:00 UTC" */
    int days;                /* that it still holds; negative: it has expired */
};

/* The first one of a PEM text. ERROR_FILE: there is none. */
bool pg_certificate_read(struct arena *arena, const char *pem,
                         struct pg_certificate *ret_certificate, struct error *err) MUST_CHECK;
/* What the server at the other end of a connection shows a new client: at the connection's address,
 * at 127.0.0.1 when it goes through a socket. ret_has_tls false: no TLS there, or nothing listens.
 * Waits at most timeout_ms for each step. */
bool pg_certificate_shown(struct arena *arena, PGconn *connection, int timeout_ms,
                          struct pg_certificate *ret_certificate, bool *ret_has_tls,
                          struct error *err) MUST_CHECK;
