// SPDX-License-Identifier: MIT
#include "partition/status.h"

#include "base/embed.h"
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

    root->made_next =
        arena_printf(arena, "%s_%s%s on %.10s", partition->table,
                     partition->then_range == NULL ? "" : "*_", next.suffix, begins.lower);
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
    enum { FAR_DAYS = 36600 };
    for (long long day = today; day < today + FAR_DAYS; day++) {
        partition_day_text(partition_day_before(day, partition->retain, partition->retain_unit),
                           text, sizeof(text));
        if (strcmp(upper, text) > 0)
            continue;
        partition_day_text(day, text, sizeof(text));
        statuses->list.items[root].dropped_next =
            arena_printf(arena, "%s on %.10s", oldest->name, text);
        return;
    }
}

static void
foresee(struct arena *arena, const struct deck_database *database, long long today,
        struct partition_statuses *statuses, size_t root)
{
    struct partition_status *status = &statuses->list.items[root];
    const struct deck_partition *partition = find_declared(database, status);

    if (partition == NULL)
        return;
    status->manager = status->manager == NULL ? "deck" : status->manager;
    if (partition_range_column(partition) == NULL)
        return;
    foresee_making(arena, partition, today, status);
    if (partition->retain != 0)
        foresee_dropping(arena, partition, today, statuses, root);
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
            .last_analyze = pg_keep(arena, result, row, "last_analyze"),
            .manager = pg_keep(arena, result, row, "manager"),
        };
        if (status.level == 0 && row > 0)
            foresee(arena, database, pg_integer(today, 0, "today"), ret_statuses, root);
        if (status.level == 0)
            root = ret_statuses->list.count;
        *LIST_ADD(arena, &ret_statuses->list) = status;
    }
    if (ret_statuses->list.count > 0)
        foresee(arena, database, pg_integer(today, 0, "today"), ret_statuses, root);
    return true;
}
