// SPDX-License-Identifier: MIT
#include "partition/status.h"

#include "base/embed.h"
#include "partition/live.h"
#include "partition/part.h"
#include "partition/period.h"

#include <string.h>

static const struct deck_partition *
find_declared(const struct deck_database *database, const struct partition_status *status)
{
    for (size_t i = 0; database->partitions != NULL && i < database->partitions->list.count; i++) {
        const struct deck_partition *partition = &database->partitions->list.items[i];
        if (strcmp(partition->schema, status->root_schema) == 0 &&
            strcmp(partition->table, status->root) == 0)
            return partition;
    }
    return NULL;
}

/* Partitions are made at the beginning of a period, for the last one of premake. */
static void
foresee_making(struct arena *arena, const struct deck_partition *partition, long long today,
               struct partition_status *root)
{
    struct partition_period next =
        partition_period_at(partition->unit, partition->every, today, partition->premake + 1);
    struct partition_period begins =
        partition_period_at(partition->unit, partition->every, today, 1);

    const char *when = partition->unit == UNIT_ID ? arena_printf(arena, "at id %s", begins.lower)
                                                  : arena_printf(arena, "on %.10s", begins.lower);

    root->made_next = arena_printf(arena, "%s_%s%s %s", partition->table,
                                   partition->then_range == NULL ? "" : "*_", next.suffix, when);
}

/* The oldest partition goes on the first day on which retain reaches its end. */
static void
foresee_dropping(struct arena *arena, const struct deck_partition *partition, long long today,
                 struct partition_statuses *statuses, size_t root)
{
    const struct partition_status *oldest = NULL;
    const char *upper = "~";
    char text[48];

    for (size_t i = root + 1; i < statuses->list.count; i++) {
        const struct partition_status *part = &statuses->list.items[i];
        struct partition_bound bound;
        if (!part->is_leaf || part->bound == NULL ||
            !partition_bound_parse(arena, part->bound, &bound) || bound.is_default ||
            bound.kind != PARTITION_RANGE || strcmp(bound.upper, upper) >= 0)
            continue;
        upper = bound.upper;
        oldest = part;
    }
    if (oldest == NULL)
        return;
    if (partition->unit == UNIT_ID) {
        long long id;
        if (partition_day_of_text(UNIT_ID, upper, &id))
            statuses->list.items[root].dropped_next =
                arena_printf(arena, "%s at id %lld", oldest->name, id + partition->retain);
        return;
    }
    enum { FAR_DAYS = 36600 };
    for (long long day = today; day < today + FAR_DAYS; day++) {
        partition_day_text(partition->unit,
                           partition_day_before(day, partition->retain, partition->retain_unit),
                           text, sizeof(text));
        if (strcmp(upper, text) > 0)
            continue;
        partition_day_text(partition->unit, day, text, sizeof(text));
        statuses->list.items[root].dropped_next =
            arena_printf(arena, "%s on %.10s", oldest->name, text);
        return;
    }
}

struct outlook {
    struct arena *arena;
    PGconn *connection;
    const struct deck_database *database;
    long long today;
};

/* A table that somebody is about to alter is not waited for: what comes next stays untold. */
static bool
read_position(const struct outlook *outlook, const struct deck_partition *partition,
              long long *ret_position, bool *ret_is_known, struct error *err)
{
    struct error ignored;

    *ret_is_known = true;
    *ret_position = outlook->today;
    if (partition->unit != UNIT_ID)
        return true;
    if (!pg_execute(outlook->connection, "SET lock_timeout = '50ms'", err))
        return false;
    *ret_is_known = partition_read_position(outlook->arena, outlook->connection, partition,
                                            outlook->today, ret_position, err);
    bool is_fine = *ret_is_known || err->code == ERROR_LOCKED;
    if (is_fine)
        error_clear(err);
    return pg_execute(outlook->connection, "RESET lock_timeout", is_fine ? err : &ignored) &&
           is_fine;
}

static bool
foresee(const struct outlook *outlook, struct partition_statuses *statuses, size_t root,
        struct error *err)
{
    struct partition_status *status = &statuses->list.items[root];
    const struct deck_partition *partition = find_declared(outlook->database, status);
    long long position;
    bool is_known;

    if (partition == NULL)
        return true;
    status->manager = status->manager == NULL ? "deck" : status->manager;
    if (partition_range_column(partition) == NULL)
        return true;
    if (!read_position(outlook, partition, &position, &is_known, err))
        return false;
    if (is_known)
        foresee_making(outlook->arena, partition, position, status);
    if (partition->retain != 0)
        foresee_dropping(outlook->arena, partition, position, statuses, root);
    return true;
}

bool
partition_read_statuses(struct arena *arena, PGconn *connection,
                        const struct deck_database *database,
                        struct partition_statuses *ret_statuses, struct error *err)
{
    AUTO_PGRESULT today = NULL;
    AUTO_PGRESULT result = NULL;
    size_t root = 0;

    *ret_statuses = (struct partition_statuses){0};
    if (!pg_query(connection, embedded_file("partition/sql/today.sql")->text, 0, NULL, &today,
                  err) ||
        !pg_query(connection, embedded_file("partition/sql/status.sql")->text, 0, NULL, &result,
                  err))
        return false;
    const struct outlook outlook = {arena, connection, database, pg_integer(today, 0, "today")};
    for (int row = 0; row < PQntuples(result); row++) {
        struct partition_status status = {
            .root_schema = pg_keep(arena, result, row, "root_schema"),
            .root = pg_keep(arena, result, row, "root"),
            .schema = pg_keep(arena, result, row, "schema"),
            .name = pg_keep(arena, result, row, "name"),
            .key = pg_keep(arena, result, row, "key"),
            .bound = pg_keep(arena, result, row, "bound"),
            .level = (int)pg_integer(result, row, "level"),
            .is_leaf = pg_bool(result, row, "is_leaf"),
            .is_pending = pg_bool(result, row, "is_pending"),
            .rows = pg_integer(result, row, "rows"),
            .bytes = pg_integer(result, row, "bytes"),
            .writes = pg_integer(result, row, "writes"),
            .last_write = pg_keep(arena, result, row, "last_write"),
            .last_analyze = pg_keep(arena, result, row, "last_analyze"),
            .manager = pg_keep(arena, result, row, "manager"),
        };
        if (status.level == 0 && row > 0 && !foresee(&outlook, ret_statuses, root, err))
            return false;
        if (status.level == 0)
            root = ret_statuses->list.count;
        *LIST_ADD(arena, &ret_statuses->list) = status;
    }
    return ret_statuses->list.count == 0 || foresee(&outlook, ret_statuses, root, err);
}
