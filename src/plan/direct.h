/* Whether a connection leads to the server itself. Behind a pooler that gives its sessions to
 * others after each transaction, locks and settings would be another's. */
#pragma once
#include "pg/connection.h"

/* Refuses (ERROR_REFUSED) a connection to target whose session is shared, or that has not taken the
 * settings of pgdeck's sessions. A pooler that keeps a session for its client is fine. */
bool
plan_is_direct(const struct pg_target *target, PGconn *connection, struct error *err) MUST_CHECK;
