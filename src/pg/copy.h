/* COPY ... TO STDOUT into a file of this host. */
#pragma once
#include "base/error.h"
#include <libpq-fe.h>

/* Runs the COPY statement and writes what comes to path, which is replaced when all of it is on
 * disk. Errors: ERROR_FILE, ERROR_DISK_FULL, the statement's. */
bool pg_copy_to_file(PGconn *connection, const char *sql, const char *path, long long *ret_bytes,
                     struct error *err) MUST_CHECK;
