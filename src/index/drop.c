// SPDX-License-Identifier: MIT
#include "index/drop.h"

#include "base/embed.h"
#include "index/wanted.h"
#include "index/watch.h"
#include "pg/script.h"

/* Its builder may have ended meanwhile. */
static bool
check_invalid(struct change_execution *execution, const struct index_drop *drop, struct error *err)
{
    const char *parameters[] = {drop->schema, drop->name};
    AUTO_PGRESULT result = NULL;

    if (!drop->is_invalid)
        return true;
    if (!pg_query(execution->connection, embedded_file("index/sql/is_valid.sql")->text, 2,
                  parameters, &result, err))
        return false;
    if (PQntuples(result) == 0 || !pg_bool(result, 0, "is_valid"))
        return true;
    return error_set(err, ERROR_STALE_PLAN, "index \"%s\" is valid now", drop->name);
}

/* DROP INDEX CONCURRENTLY waits for all who may still use the index. */
static bool
run(struct change_execution *execution, struct error *err)
{
    const struct index_drop *drop = execution->change->argument;
    struct error ignored;
    struct index_watch watch = {
        .execution = execution,
        .lock_wait_ms = drop->deck->lock_wait_ms,
        .max_block_ms = drop->deck->max_block_ms,
        .give_up_ms = drop->deck->give_up_ms,
        .label = arena_printf(execution->arena, "%s %s", drop->database, drop->name),
    };

    bool is_fine = index_watch_lock(&watch, drop->schema, drop->table, err) &&
                   check_invalid(execution, drop, err) && index_watch_timeout(&watch, 0, err) &&
                   index_watch_run(&watch, execution->change->sql, err);
    index_watch_release(&watch);
    if (PQtransactionStatus(execution->connection) == PQTRANS_INERROR &&
        !pg_execute(execution->connection, "ROLLBACK", &ignored))
        return false;
    if (PQstatus(execution->connection) == CONNECTION_OK &&
        !pg_execute(execution->connection, "RESET lock_timeout", is_fine ? err : &ignored))
        return false;
    return is_fine;
}

/* A comment and the like go first, so that a rollback puts them on again last. */
static void
add_extra_off(struct change_list *changes, const struct index_drop *drop)
{
    struct arena *arena = changes->arena;
    const char *name = pg_qualified(arena, drop->schema, drop->name);
    const struct change change = {
        .server = drop->server,
        .database = drop->database,
        .key = arena_printf(arena, "extra of index %s", name),
        .phase = CHANGE_INDEX,
        .action = CHANGE_ALTER,
        .place = drop->place,
        .what =
            arena_printf(arena, "keep the comment and statistics targets of index %s", drop->name),
        .why = "CREATE INDEX, which brings the index back, does not bring them",
        .sql = drop->extra_off,
        .undo = drop->extra_on,
        .lock = arena_printf(arena, "SHARE UPDATE EXCLUSIVE on index %s", drop->name),
        .is_transactional = true,
    };

    change_list_add(changes, &change);
}

static const struct change_procedure drop_procedure = {"drop index", run};

void
index_add_drop(struct change_list *changes, const struct index_drop *drop, bool is_destructive)
{
    struct arena *arena = changes->arena;
    struct index_drop *kept = ARENA_NEW(arena, struct index_drop);

    *kept = *drop;
    if (drop->extra_off != NULL && drop->extra_off[0] != '\0')
        add_extra_off(changes, drop);
    const struct change change = {
        .server = drop->server,
        .database = drop->database,
        .key = arena_printf(arena, "index %s", pg_qualified(arena, drop->schema, drop->name)),
        .phase = CHANGE_INDEX,
        .action = CHANGE_DROP,
        .place = drop->place,
        .what = drop->what,
        .why = drop->why,
        .sql = pg_script(
            arena, drop->is_partitioned ? "index/sql/drop.sql" : "index/sql/drop_concurrently.sql",
            PG_VARIABLES({"schema", drop->schema}, {"name", drop->name})),
        /* on a partitioned table PostgreSQL can do neither concurrently */
        .procedure = drop->is_partitioned ? NULL : &drop_procedure,
        .argument = kept,
        .undo = index_create_sql(arena, drop->canonical, drop->schema, drop->table, drop->name,
                                 !drop->is_partitioned),
        .lock = arena_printf(arena,
                             drop->is_partitioned ? "ACCESS EXCLUSIVE on %s, for a moment"
                                                  : "SHARE UPDATE EXCLUSIVE on %s",
                             drop->table),
        .is_transactional = drop->is_partitioned,
        .is_destructive = is_destructive,
    };
    change_list_add(changes, &change);
}
