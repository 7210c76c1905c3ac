// SPDX-License-Identifier: MIT
#include "partition/retire.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "partition/period.h"
#include "pg/copy.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the plan ----------------------------------------------------------------------------- */

static void
add(const struct partition_live_advice *about, const char *schema, const char *name,
    const char *what, const char *why)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    struct partition_retirement *argument = ARENA_NEW(arena, struct partition_retirement);
    const char *parent = partition == NULL ? "its table" : partition->table;
    const struct place no_place = {0};

    *argument = (struct partition_retirement){about->advice->deck, partition, about->database->name,
                                              schema, name};
    change_list_add(
        about->advice->changes,
        &(struct change){
            .server = about->advice->server->name,
            .database = about->database->name,
            .key = arena_printf(arena, "retire %s", pg_qualified(arena, schema, name)),
            .phase = CHANGE_PARTITION,
            .action = CHANGE_DROP,
            .what = what,
            .why = why,
            .place = partition == NULL ? no_place : partition->place,
            .sql = arena_printf(arena, "%s;\n%s%s",
                                pg_script(arena, "partition/sql/detach.sql",
                                          PG_VARIABLES({"parent_schema", schema},
                                                       {"parent", parent}, {"schema", schema},
                                                       {"table", name}, {"how", "CONCURRENTLY"})),
                                partition != NULL && partition->export != NULL
                                    ? arena_printf(arena, "-- COPY to %s\n", partition->export)
                                    : "",
                                pg_script(arena, "partition/sql/drop.sql",
                                          PG_VARIABLES({"schema", schema}, {"table", name}))),
            .procedure = &partition_retire_procedure,
            .argument = argument,
            .lock = arena_printf(arena, "SHARE UPDATE EXCLUSIVE on %s, ACCESS EXCLUSIVE on %s",
                                 parent, name),
            .is_destructive = true,
        });
}

void
partition_retire_advise(const struct partition_live_advice *about,
                        const struct catalog_table *table, long long today)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);
    char limit[48];

    if (partition->kind != PARTITION_RANGE || partition->retain == 0)
        return;
    long long oldest = partition_day_before(today, partition->retain, partition->retain_unit);
    const char *shown =
        partition->unit == UNIT_ID ? arena_printf(arena, "ids below %lld", oldest) : NULL;
    partition_day_text(partition->unit, oldest, limit, sizeof(limit));
    if (shown == NULL)
        shown = arena_printf(arena, "rows older than %.10s", limit);
    for (size_t i = 0; i < catalog->tables.count; i++) {
        const struct catalog_table *part = &catalog->tables.items[i];
        struct partition_bound bound;
        if (part->parent_oid != table->oid ||
            !partition_bound_parse(arena, part->partition_bound, &bound) || bound.is_default ||
            strcmp(bound.upper, limit) > 0)
            continue;
        add(about, part->schema, part->name,
            arena_printf(arena, "drop partition %s of %s%s", part->name, partition->table,
                         partition->export == NULL ? "" : ", after writing it to a file"),
            arena_printf(arena, "it has %s only; about %.0f rows, %.0f MB", shown,
                         part->row_estimate < 0 ? 0 : part->row_estimate, part->pages / 128));
    }
}

static const char *
note_text(struct arena *arena, const char *parent)
{
    return arena_printf(arena, "pgdeck removes it: a partition of %s", parent);
}

/* Of which table of the deck it was a partition; NULL: of none. */
static const struct deck_partition *
find_parent(const struct partition_live_advice *about, const char *schema, const char *note)
{
    const struct deck_partitions *partitions = about->database->partitions;
    struct arena *arena = about->advice->arena;

    for (size_t i = 0; i < partitions->list.count; i++) {
        const struct deck_partition *partition = &partitions->list.items[i];
        struct partition_parts parts;
        if (strcmp(partition->schema, schema) != 0)
            continue;
        if (strcmp(note_text(arena, partition->table), note) == 0)
            return partition;
        partition_parts_wanted(arena, partition, 0, &parts);
        for (size_t j = 0; j < parts.list.count; j++) {
            if (parts.list.items[j].partition_by != NULL &&
                strcmp(note_text(arena, parts.list.items[j].name), note) == 0)
                return partition_inner(arena, partition, parts.list.items[j].name);
        }
    }
    return NULL;
}

bool
partition_retire_go_on(const struct partition_live_advice *about, struct error *err)
{
    struct arena *arena = about->advice->arena;
    AUTO_PGRESULT result = NULL;

    if (!pg_query(about->connection, embedded_file("partition/sql/retired.sql")->text, 0, NULL,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *schema = arena_strdup(arena, pg_value(result, row, "schema"));
        const char *name = arena_strdup(arena, pg_value(result, row, "name"));
        struct partition_live_advice its = *about;
        its.partition = find_parent(about, schema, pg_value(result, row, "note"));
        add(&its, schema, name, arena_printf(arena, "drop %s, which was a partition", name),
            arena_printf(arena, "it says: %s", pg_value(result, row, "note")));
    }
    return true;
}

/* --- the procedure ------------------------------------------------------------------------ */

struct state {
    bool is_there, is_pending, has_default;
    const char *parent_schema, *parent; /* NULL: a table of its own */
};

static bool
observe(struct change_execution *execution, const struct partition_retirement *retired,
        struct state *ret_state, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {retired->schema, retired->name};

    *ret_state = (struct state){0};
    if (!pg_query(execution->connection, embedded_file("partition/sql/retire_state.sql")->text, 2,
                  parameters, &result, err))
        return false;
    if (PQntuples(result) == 0)
        return true;
    const char *parent = pg_value(result, 0, "parent");
    *ret_state = (struct state){
        .is_there = true,
        .is_pending = pg_bool(result, 0, "is_pending"),
        .has_default = pg_bool(result, 0, "has_default"),
        .parent_schema = parent == NULL
                             ? NULL
                             : arena_strdup(execution->arena, pg_value(result, 0, "parent_schema")),
        .parent = parent == NULL ? NULL : arena_strdup(execution->arena, parent),
    };
    return true;
}

/* With timeouts of its own: for the lock, and for the whole statement (0: none). */
static bool
execute(struct change_execution *execution, const char *sql, long long lock_ms,
        long long statement_ms, struct error *err)
{
    struct error ignored;
    const char *set =
        arena_printf(execution->arena, "SET lock_timeout = %lld; SET statement_timeout = %lld",
                     lock_ms, statement_ms);
    bool is_done =
        pg_execute(execution->connection, set, err) && pg_execute(execution->connection, sql, err);

    crash_point();
    if (PQstatus(execution->connection) == CONNECTION_OK &&
        !pg_execute(execution->connection, "RESET lock_timeout; RESET statement_timeout",
                    is_done ? err : &ignored))
        return false;
    return is_done;
}

/* DETACH CONCURRENTLY waits for whoever uses the table and stops nobody meanwhile; what is broken
 * off is finished by the next one. A table with a default partition allows only the other form. */
static bool
detach(struct change_execution *execution, const struct partition_retirement *retired,
       const struct state *state, struct error *err)
{
    const char *how = state->is_pending ? "FINALIZE" : state->has_default ? "" : "CONCURRENTLY";
    const char *sql = pg_script(execution->arena, "partition/sql/detach.sql",
                                PG_VARIABLES({"parent_schema", state->parent_schema},
                                             {"parent", state->parent}, {"schema", retired->schema},
                                             {"table", retired->name}, {"how", how}));
    const char *note = note_text(execution->arena, state->parent);
    const char *mark = pg_script(
        execution->arena, "partition/sql/retire_note.sql",
        PG_VARIABLES({"schema", retired->schema}, {"table", retired->name}, {"note", note}));
    bool is_brief = state->has_default && !state->is_pending;

    if (!execute(execution, mark, retired->deck->lock_wait_ms, 0, err))
        return false;
    bool is_done = execute(execution, sql, is_brief ? retired->deck->lock_wait_ms : 0,
                           is_brief ? 0 : retired->deck->give_up_ms, err);
    if (!is_done && strcmp(err->sqlstate, "57014") == 0 && !is_interrupted())
        error_hint(err, "Transactions that use %s do not end; the next time goes on.",
                   state->parent);
    return is_done;
}

static bool export(struct change_execution *execution, const struct partition_retirement *retired,
                   struct error *err)
{
    enum { FOLDER_MODE = 0700 };
    const char *folder = retired->partition->export;
    const char *path = arena_printf(execution->arena, "%s/%s.%s.%s.csv", folder, retired->database,
                                    retired->schema, retired->name);
    const char *sql =
        pg_script(execution->arena, "partition/sql/export.sql",
                  PG_VARIABLES({"schema", retired->schema}, {"table", retired->name}));
    long long bytes;

    if (strchr(retired->database, '/') != NULL || strchr(retired->schema, '/') != NULL ||
        strchr(retired->name, '/') != NULL)
        return error_set(err, ERROR_FILE, "\"%s\" cannot be the name of a file", path);
    if (!file_make_folder(folder, FOLDER_MODE, err) ||
        !pg_copy_to_file(execution->connection, sql, path, &bytes, err))
        return false;
    if (execution->progress != NULL)
        execution->progress(execution->progress_sink,
                            arena_printf(execution->arena, "wrote %lld bytes to %s", bytes, path));
    crash_point();
    return true;
}

static bool
run_once(struct change_execution *execution, struct error *err)
{
    const struct partition_retirement *retired = execution->change->argument;
    struct state state;

    if (!observe(execution, retired, &state, err))
        return false;
    if (!state.is_there)
        return true;
    if (state.parent != NULL && !detach(execution, retired, &state, err))
        return false;
    if (retired->partition != NULL && retired->partition->export != NULL &&
        !export(execution, retired, err))
        return false;
    return execute(execution,
                   pg_script(execution->arena, "partition/sql/drop.sql",
                             PG_VARIABLES({"schema", retired->schema}, {"table", retired->name})),
                   retired->deck->lock_wait_ms, 0, err);
}

const struct change_procedure partition_retire_procedure = {"retire a partition", run_once};
