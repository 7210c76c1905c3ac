/* Keeping rollups up: closing buckets, renewing those that changed. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "pg/connection.h"

/* All that there is to do for one rollup, in steps, each a transaction. */
bool rollup_refresh(PGconn *connection, const char *name, struct error *err) MUST_CHECK;
/* All rollups of the database, one after the other. The first fault is told after the others' turn.
 */
bool rollup_refresh_all(PGconn *connection, struct error *err) MUST_CHECK;
/* The same as one statement, which does nothing where there is no such rollup. */
const char *rollup_refresh_loop(struct arena *arena, const char *name);
