// SPDX-License-Identifier: MIT
#include "index/room.h"

#include "base/embed.h"
#include "index/wanted.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

struct need {
    int64_t bytes; /* 0: unknown */
    const char *folder;
};

/* Of a partial index: the share of the table's rows that the planner expects to be in it. */
static double
share_of_rows(struct change_execution *execution, const char *const parameters[2],
              const char *predicate, double rows)
{
    static const char label[] = "\"Plan Rows\": ";
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    if (predicate[0] == '\0' || rows <= 0 ||
        !pg_query(execution->connection,
                  pg_script(execution->arena, "index/sql/room_share.sql",
                            PG_VARIABLES({"schema", parameters[0]}, {"table", parameters[1]},
                                         {"predicate", predicate})),
                  0, NULL, &result, &ignored))
        return 1;
    const char *at = strstr(PQgetvalue(result, 0, 0), label);
    double share = at == NULL ? 1 : strtod(at + strlen(label), NULL) / rows;
    return share > 1 ? 1 : share;
}

static void
read_need(struct change_execution *execution, const struct index_room *room,
          const char *const parameters[2], const PGresult *result, struct need *need)
{
    const char *rows = pg_value(result, 0, "rows");
    double share = share_of_rows(execution, parameters, pg_value(result, 0, "predicate"),
                                 rows == NULL ? 0 : strtod(rows, NULL));
    const char *location = pg_value(result, 0, "location");
    int64_t size_bytes = (int64_t)((double)pg_integer(result, 0, "size_bytes") * share);

    /* A fifth more than the guess; and parallel workers sort on disk, whatever the memory. */
    need->bytes = size_bytes * 2 + size_bytes / 5;
    need->folder = location == NULL || location[0] == '\0'
                       ? room->data_directory
                       : arena_strdup(execution->arena, location);
}

/* What cannot be found out is no obstacle: need->bytes stays 0. */
static void
find_need(struct change_execution *execution, const struct index_room *room,
          const char *const parameters[2], const char *canonical, struct need *need)
{
    struct arena *arena = execution->arena;
    PGconn *connection = execution->connection;
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    const char *copy = arena_printf(
        arena, "BEGIN; %s; %s",
        pg_script(arena, "index/sql/room_copy.sql",
                  PG_VARIABLES({"schema", parameters[0]}, {"table", parameters[1]})),
        index_create_sql(arena, canonical, "pg_temp", "pgdeck_room", "pgdeck_room_index", false));
    if (pg_execute(connection, copy, &ignored) &&
        pg_query(connection, embedded_file("index/sql/room.sql")->text, 2, parameters, &result,
                 &ignored) &&
        PQntuples(result) == 1)
        read_need(execution, room, parameters, result, need);
    if (PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) != PQTRANS_IDLE &&
        !pg_execute(connection, "ROLLBACK", &ignored))
        need->bytes = 0;
}

bool
index_room_claim(struct change_execution *execution, const struct index_room *room,
                 const char *schema, const char *table, const char *canonical,
                 int64_t *ret_claimed_bytes, struct error *err)
{
    const char *parameters[2] = {schema, table};
    struct need need = {0};
    struct statvfs disk;

    *ret_claimed_bytes = 0;
    if (room->data_directory == NULL)
        return true;
    find_need(execution, room, parameters, canonical, &need);
    if (need.bytes == 0 || statvfs(need.folder, &disk) != 0)
        return true;
    int64_t free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
    int64_t claimed_bytes = atomic_fetch_add(room->claimed_bytes, need.bytes);
    if (claimed_bytes + need.bytes <= free_bytes) {
        *ret_claimed_bytes = need.bytes;
        return true;
    }
    index_room_release(room, need.bytes);
    error_set(err, ERROR_DISK_FULL, "no room for an index on \"%s\"", table);
    error_detail(err,
                 "It takes about %lld MB while it is built, other builds take %lld MB, and %lld MB "
                 "are free in %s.",
                 (long long)(need.bytes >> 20), (long long)(claimed_bytes >> 20),
                 (long long)(free_bytes >> 20), need.folder);
    return error_hint(err, "Make room, or leave the index out.");
}

void
index_room_release(const struct index_room *room, int64_t claimed_bytes)
{
    atomic_fetch_sub(room->claimed_bytes, claimed_bytes);
}
