// SPDX-License-Identifier: MIT
#include "index/build.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "change/name.h"
#include "index/wanted.h"
#include "index/watch.h"
#include "pg/script.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct table {
    const char *oid, *parent_oid, *schema, *name;
    bool is_partitioned;
};

struct index {
    const char *oid, *table_oid, *parent_oid, *schema, *name, *canonical;
    bool is_valid, is_constraint;
};

struct build {
    struct arena *arena;
    struct change_execution *execution;
    const struct index_build *wanted;
    struct index_watch watch;
    LIST_OF(struct table) tables; /* parents first */
    LIST_OF(struct index) indexes;
    size_t built;
    size_t leaves;
};

bool
index_is_build_unsafe(int version)
{
    return version >= 140000 && version <= 140003;
}

const char *
index_part_name(struct arena *arena, const char *table, const char *name, bool is_second)
{
    return change_name(arena, table, arena_printf(arena, "_%s%s", name, is_second ? "_2" : ""));
}

/* --- what is there ------------------------------------------------------------------------ */

static bool
read_tables(struct build *build, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {build->wanted->schema, build->wanted->table};

    if (!pg_query(build->execution->connection, embedded_file("index/sql/tables.sql")->text, 2,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct table *table = LIST_ADD(build->arena, &build->tables);
        table->oid = pg_keep_text(build->arena, result, row, "oid");
        table->parent_oid = pg_keep_text(build->arena, result, row, "parent_oid");
        table->schema = pg_keep_text(build->arena, result, row, "schema");
        table->name = pg_keep_text(build->arena, result, row, "name");
        table->is_partitioned = pg_bool(result, row, "is_partitioned");
        build->leaves += !table->is_partitioned;
    }
    if (build->tables.count == 0)
        return error_set(err, ERROR_SQL, "table \"%s\" does not exist", build->wanted->table);
    return true;
}

static bool
read_indexes(struct build *build, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char **oids = ARENA_ARRAY(build->arena, const char *, build->tables.count);

    for (size_t i = 0; i < build->tables.count; i++)
        oids[i] = build->tables.items[i].oid;
    const char *parameters[1] = {pg_text_array(build->arena, oids, build->tables.count)};
    if (!pg_query(build->execution->connection, embedded_file("index/sql/indexes.sql")->text, 1,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct index *index = LIST_ADD(build->arena, &build->indexes);
        index->oid = pg_keep_text(build->arena, result, row, "oid");
        index->table_oid = pg_keep_text(build->arena, result, row, "table_oid");
        index->parent_oid = pg_keep_text(build->arena, result, row, "parent_oid");
        index->schema = pg_keep_text(build->arena, result, row, "schema");
        index->name = pg_keep_text(build->arena, result, row, "name");
        index->canonical = pg_keep_text(build->arena, result, row, "canonical");
        index->is_valid = pg_bool(result, row, "is_valid");
        index->is_constraint = pg_bool(result, row, "is_constraint");
    }
    return true;
}

/* After parts of an index went with it. */
static bool
reread_indexes(struct build *build, struct error *err)
{
    build->indexes.count = 0;
    return read_indexes(build, err);
}

static const struct index *
find_by_name(const struct build *build, const struct table *table, const char *name)
{
    for (size_t i = 0; i < build->indexes.count; i++) {
        const struct index *index = &build->indexes.items[i];
        if (strcmp(index->table_oid, table->oid) == 0 && strcmp(index->name, name) == 0)
            return index;
    }
    return NULL;
}

/* The index of a partition that is part of parent's, or could become it. */
static const struct index *
find_part(const struct build *build, const struct table *table, const struct index *parent)
{
    const struct index *found = NULL;

    for (size_t i = 0; i < build->indexes.count; i++) {
        const struct index *index = &build->indexes.items[i];
        if (strcmp(index->table_oid, table->oid) != 0)
            continue;
        if (parent->oid != NULL && strcmp(index->parent_oid, parent->oid) == 0)
            return index;
        if (strcmp(index->parent_oid, "0") == 0 && index->is_valid && !index->is_constraint &&
            strcmp(index->canonical, parent->canonical) == 0)
            found = index;
    }
    return found;
}

/* --- one table ---------------------------------------------------------------------------- */

static void
tell(struct build *build, const char *line)
{
    struct change_execution *execution = build->execution;

    if (execution->progress != NULL)
        execution->progress(execution->progress_sink, line);
}

static const char *
label(struct build *build, const struct table *table)
{
    const char *database = PQdb(build->execution->connection);

    build->built++;
    if (build->leaves <= 1)
        return arena_printf(build->arena, "%s %s", database, build->wanted->name);
    return arena_printf(build->arena, "%s %s, partition %zu of %zu: %s", database,
                        build->wanted->name, build->built, build->leaves, table->name);
}

/* What was not finished. Dropping it waits, too, for those who may still use it. */
static bool
drop_leftover(struct build *build, const struct table *table, const char *name, struct error *err)
{
    return index_watch_timeout(&build->watch, 0, err) &&
           index_watch_run(&build->watch,
                           pg_script(build->arena, "index/sql/drop_concurrently.sql",
                                     PG_VARIABLES({"schema", table->schema}, {"name", name})),
                           err);
}

static bool
create(struct build *build, const struct table *table, const char *name, struct error *err)
{
    const char *canonical = build->wanted->canonical;
    int64_t claimed_bytes;

    if (!index_room_claim(build->execution, &build->wanted->room, table->schema, table->name,
                          canonical, &claimed_bytes, err))
        return false;
    bool is_built =
        index_watch_timeout(&build->watch, 0, err) &&
        index_watch_run(
            &build->watch,
            index_create_sql(build->arena, canonical, table->schema, table->name, name, true), err);
    index_room_release(&build->wanted->room, claimed_bytes);
    return is_built;
}

/* Leaves no invalid index behind if that can be had now: else the next apply finds it. */
static void
break_off(struct build *build, const struct table *table, const char *leftover,
          const struct error *fault)
{
    struct error ignored;

    if (leftover == NULL || fault->code == ERROR_INTERRUPTED ||
        PQstatus(build->execution->connection) != CONNECTION_OK ||
        !index_watch_timeout(&build->watch, build->wanted->max_block_ms, &ignored) ||
        !pg_execute(build->execution->connection,
                    pg_script(build->arena, "index/sql/drop_concurrently.sql",
                              PG_VARIABLES({"schema", table->schema}, {"name", leftover})),
                    &ignored))
        return;
}

/* The build waits for older transactions to end, which stops nobody until somebody asks for a
 * strong lock on the table. Then it gives way, and is tried again a few times. */
static bool
build_concurrently(struct build *build, const struct table *table, const char *name,
                   bool has_leftover, struct error *err)
{
    enum { TRIES = 3, FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000 };
    int pause_ms = FIRST_PAUSE_MS;

    build->watch.label = label(build, table);
    if (build->leaves > 1)
        tell(build, build->watch.label);
    for (int tries = 1;; tries++) {
        bool is_locked = index_watch_lock(&build->watch, table->schema, table->name, err);
        bool is_free = is_locked && (!has_leftover || drop_leftover(build, table, name, err));
        if (is_free && create(build, table, name, err))
            break;
        crash_point();
        has_leftover = has_leftover || (is_free && strcmp(err->sqlstate, "42P07") != 0);
        if (err->code != ERROR_LOCKED || !is_locked || tries == TRIES) {
            if (err->code == ERROR_LOCKED && is_locked)
                error_hint(err, "Tried %d times. Apply again when that has ended.", tries);
            break_off(build, table, has_leftover ? name : NULL, err);
            return false;
        }
        tell(build, arena_printf(build->arena, "%s: gave way, tries again", build->watch.label));
        if (!index_watch_pause(&pause_ms, LONGEST_PAUSE_MS, err))
            return false;
        error_clear(err);
    }
    crash_point();
    return index_watch_timeout(&build->watch, build->wanted->lock_wait_ms, err);
}

/* Makes sure of a valid index of that name on a table that is not partitioned. */
static bool
ensure_plain(struct build *build, const struct table *table, const char *name, struct error *err)
{
    const struct index *index = find_by_name(build, table, name);
    bool is_same = index != NULL && strcmp(index->canonical, build->wanted->canonical) == 0;

    if (index != NULL && !is_same && !build->wanted->is_own_name)
        return error_set(err, ERROR_STALE_PLAN, "there is another index \"%s\" now", name);
    if (is_same && index->is_valid)
        return true;
    return build_concurrently(build, table, name, index != NULL, err);
}

/* --- partitioned tables ------------------------------------------------------------------- */

static bool ensure_parts(struct build *build, const struct table *table, const struct index *parent,
                         struct error *err);

static bool
attach(struct build *build, const struct index *parent, const struct index *part, struct error *err)
{
    bool is_attached = pg_execute(
        build->execution->connection,
        pg_script(build->arena, "index/sql/attach.sql",
                  PG_VARIABLES({"parent_schema", parent->schema}, {"parent", parent->name},
                               {"schema", part->schema}, {"name", part->name})),
        err);
    crash_point();
    return is_attached;
}

/* The index on a partitioned table itself, invalid until all partitions have theirs. */
static bool
ensure_parent(struct build *build, const struct table *table, const char *name,
              struct index *ret_parent, struct error *err)
{
    const struct index *there = find_by_name(build, table, name);

    bool is_same = there != NULL && strcmp(there->canonical, build->wanted->canonical) == 0;
    if (is_same) {
        *ret_parent = *there;
        return true;
    }
    if (there != NULL && !(build->wanted->is_own_name && strcmp(there->parent_oid, "0") == 0))
        return error_set(err, ERROR_STALE_PLAN, "there is another index \"%s\" now", name);
    if (there != NULL &&
        (!pg_execute(build->execution->connection,
                     pg_script(build->arena, "index/sql/drop.sql",
                               PG_VARIABLES({"schema", there->schema}, {"name", name})),
                     err) ||
         !reread_indexes(build, err)))
        return false;
    if (!pg_execute(build->execution->connection,
                    index_create_only_sql(build->arena, build->wanted->canonical, table->schema,
                                          table->name, name),
                    err))
        return false;
    crash_point();
    *ret_parent = (struct index){.schema = table->schema,
                                 .name = name,
                                 .canonical = build->wanted->canonical,
                                 .parent_oid = "0"};
    return true;
}

static const char *
part_name(struct build *build, const struct table *table)
{
    const char *name = index_part_name(build->arena, table->name, build->wanted->name, false);
    const struct index *named = find_by_name(build, table, name);

    return named == NULL || strcmp(named->parent_oid, "0") == 0
               ? name
               : index_part_name(build->arena, table->name, build->wanted->name, true);
}

static bool
ensure_part(struct build *build, const struct table *table, const struct index *parent,
            struct error *err)
{
    const struct index *there = find_part(build, table, parent);
    struct index part = {.schema = table->schema, .name = part_name(build, table)};

    if (there != NULL)
        part = *there;
    bool is_attached = there != NULL && strcmp(there->parent_oid, "0") != 0;
    if (table->is_partitioned) {
        if (!ensure_parent(build, table, part.name, &part, err) ||
            !ensure_parts(build, table, &part, err))
            return false;
    } else if (there == NULL && !ensure_plain(build, table, part.name, err)) {
        return false;
    }
    return is_attached || attach(build, parent, &part, err);
}

static bool
ensure_parts(struct build *build, const struct table *table, const struct index *parent,
             struct error *err)
{
    for (size_t i = 0; i < build->tables.count; i++) {
        const struct table *part = &build->tables.items[i];
        if (strcmp(part->parent_oid, table->oid) == 0 && !ensure_part(build, part, parent, err))
            return error_wrap(err, "partition \"%s\"", part->name);
    }
    return true;
}

static bool
ensure(struct build *build, struct error *err)
{
    const char *name = build->wanted->name;
    struct index parent;

    if (!read_tables(build, err) || !read_indexes(build, err))
        return false;
    const struct table *root = &build->tables.items[0];
    if (!root->is_partitioned)
        return ensure_plain(build, root, name, err);
    return ensure_parent(build, root, name, &parent, err) &&
           ensure_parts(build, root, &parent, err);
}

/* PostgreSQL marks the index of a partitioned table valid with its last part. */
static bool
check(struct build *build, struct error *err)
{
    if (!reread_indexes(build, err))
        return false;
    const struct index *index = find_by_name(build, &build->tables.items[0], build->wanted->name);
    if (index != NULL && index->is_valid)
        return true;
    error_set(err, ERROR_SQL, "index \"%s\" is not valid after its build", build->wanted->name);
    return error_hint(err, "A partition has an invalid index that is part of it: "
                           "REINDEX INDEX CONCURRENTLY mends that.");
}

/* Leaves the session as it was. */
static bool
put_back(PGconn *connection, struct error *err)
{
    if (PQstatus(connection) != CONNECTION_OK || is_interrupted())
        return true;
    if (PQtransactionStatus(connection) != PQTRANS_IDLE && !pg_execute(connection, "ROLLBACK", err))
        return false;
    return pg_execute(connection, "RESET lock_timeout; RESET application_name", err);
}

/* So that the next apply can tell a build that a killed pgdeck left behind. */
static bool
name_session(struct build *build, struct error *err)
{
    char name[64];
    const char *parameters[1] = {name};
    AUTO_PGRESULT result = NULL;

    index_watch_application(name, sizeof(name));
    return pg_query(build->execution->connection,
                    "SELECT set_config('application_name', $1, false)", 1, parameters, &result,
                    err);
}

static bool
run(struct change_execution *execution, struct error *err)
{
    const struct index_build *wanted = execution->change->argument;
    struct build build = {.arena = execution->arena, .execution = execution, .wanted = wanted};
    struct error ignored;

    assert(!execution->change->is_transactional);
    if (index_is_build_unsafe(PQserverVersion(execution->connection))) {
        error_set(err, ERROR_SERVER_VERSION,
                  "indexes built concurrently by PostgreSQL 14.0 to 14.3 can lack rows");
        return error_hint(err, "Update the server to the newest 14 first.");
    }
    build.watch = (struct index_watch){.execution = execution,
                                       .lock_wait_ms = wanted->lock_wait_ms,
                                       .max_block_ms = wanted->max_block_ms,
                                       .give_up_ms = wanted->give_up_ms};
    bool is_fine = name_session(&build, err) &&
                   index_watch_timeout(&build.watch, wanted->lock_wait_ms, err) &&
                   ensure(&build, err) && check(&build, err);
    index_watch_release(&build.watch);
    return put_back(execution->connection, is_fine ? err : &ignored) && is_fine;
}

const struct change_procedure index_build_procedure = {"build index", run};
