/* One apply at a time on a server: a session advisory lock on a direct connection of its own. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

/* Takes the lock; is_waiting: until it is free (or interrupted), else ERROR_LOCKED names the
 * holder. The lock lasts as long as the connection, which must not be a pooler's: ERROR_REFUSED. */
bool plan_lock(const struct deck_server *server, const char *purpose, bool is_waiting,
               PGconn **ret_connection, struct error *err) MUST_CHECK;
/* Whether the lock is still held, i.e. its connection alive. */
bool plan_lock_is_held(PGconn *connection, struct error *err) MUST_CHECK;
