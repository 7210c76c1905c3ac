/* The server's certificate and key, from files of the deck: written where the server has them,
 * read, looked at from outside, tried with a new login; else the former ones are back. And the
 * advisor's row for them. Keys stay in files (0600): in the server's data directory, and in
 * pgdeck's state folder for the way back. */
#pragma once
#include "change/advice.h"
#include "security/login.h"
#include "settings/host.h"

/* Before the former certificate's fingerprint (or "none"), in the journal's way back. */
#define TLS_UNDO "-- certificate: "

bool security_advise_certificate(struct advice *advice, struct error *err) MUST_CHECK;
/* Whether a row of the advice does that, on a server without TLS. */
bool security_turns_tls_on(const struct advice *advice);
/* Takes back by the text that the journal keeps. */
bool tls_undo(const struct change_execution *execution, const struct settings_host *host,
              const struct security_databases *databases, const char *undo,
              struct error *err) MUST_CHECK;
