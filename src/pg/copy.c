// SPDX-License-Identifier: MIT
#include "pg/copy.h"

#include "base/interrupt.h"
#include "pg/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
receive(PGconn *connection, FILE *file, const char *path, long long *ret_bytes, struct error *err)
{
    char *row;
    int length;

    *ret_bytes = 0;
    while ((length = PQgetCopyData(connection, &row, false)) > 0) {
        bool is_written = fwrite(row, 1, (size_t)length, file) == (size_t)length;
        PQfreemem(row);
        *ret_bytes += length;
        if (!is_written)
            return error_errno(err, "cannot write \"%s\"", path);
        if (is_interrupted())
            return interrupt_error(err);
    }
    AUTO_PGRESULT result = PQgetResult(connection);
    if (length == -2 || PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_fault(connection, result, err);
    PQclear(PQgetResult(connection));
    return true;
}

/* The rows that are still on their way would be taken for the answer of the next statement. */
static void
give_up(PGconn *connection)
{
    char ignored[256];
    PGcancel *cancel = PQgetCancel(connection);
    char *row;

    PQcancel(cancel, ignored, sizeof(ignored));
    PQfreeCancel(cancel);
    while (PQgetCopyData(connection, &row, false) > 0)
        PQfreemem(row);
    for (PGresult *rest = PQgetResult(connection); rest != NULL; rest = PQgetResult(connection))
        PQclear(rest);
}

static bool
sync_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    int descriptor = open(dirname(folder), O_RDONLY | O_DIRECTORY);
    bool is_synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (!is_synced)
        error_errno(err, "cannot write \"%s\"", path);
    if (descriptor >= 0)
        close(descriptor);
    return is_synced;
}

bool
pg_copy_to_file(PGconn *connection, const char *sql, const char *path, long long *ret_bytes,
                struct error *err)
{
    char part[PATH_MAX];
    AUTO_PGRESULT result = NULL;

    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
        return error_set(err, ERROR_FILE, "the path \"%s\" is too long", path);
    FILE *file = fopen(part, "w");
    if (file == NULL)
        return error_errno(err, "cannot write \"%s\"", part);
    result = PQexec(connection, sql);
    bool is_fine = PQresultStatus(result) == PGRES_COPY_OUT;
    if (!is_fine)
        pg_fault(connection, result, err);
    else if (!receive(connection, file, part, ret_bytes, err)) {
        is_fine = false;
        give_up(connection);
    }
    if (is_fine && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        is_fine = error_errno(err, "cannot write \"%s\"", part);
    if (fclose(file) != 0 && is_fine)
        is_fine = error_errno(err, "cannot write \"%s\"", part);
    if (is_fine && rename(part, path) != 0)
        is_fine = error_errno(err, "cannot write \"%s\"", path);
    return is_fine && sync_folder(path, err);
}
