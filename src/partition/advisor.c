// SPDX-License-Identifier: MIT
#include "partition/advisor.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/script.h"
#include "partition/adopt.h"
#include "partition/convert.h"
#include "partition/drain.h"
#include "partition/live.h"
#include "partition/part.h"
#include "partition/promote.h"
#include "partition/retire.h"
#include "partition/shape.h"
#include "partition/upkeep.h"
#include "pg/script.h"

#include <string.h>

struct scope {
    struct advice *advice;
    const struct deck_database *database;
    const struct catalog_database *catalog;
    long long today; /* days since 1970-01-01, UTC, by the server's clock; of a table by ids
                      * the newest one */
};

static void
note(const struct scope *scope, const struct deck_partition *partition, const char *text)
{
    change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                     partition->place, "table %s %s", partition->table, text);
}

static struct change
change_of(const struct scope *scope, const struct deck_partition *partition)
{
    return (struct change){
        .server = scope->advice->server->name,
        .database = scope->database->name,
        .phase = CHANGE_PARTITION,
        .place = partition->place,
        .is_transactional = true,
    };
}

/* --- conversion --------------------------------------------------------------------------- */

/* What will be done to a table that is not there yet. */
static const char *
outline(struct arena *arena, const struct deck_partition *partition,
        const struct partition_parts *parts)
{
    AUTO_TEXT lines = {0};

    for (size_t i = 0; i < parts->list.count; i++) {
        const struct partition_part *part = &parts->list.items[i];
        const char *parent = part->parent == NULL ? partition->table : part->parent;
        const char *bound = part->partition_by == NULL
                                ? part->clause
                                : arena_printf(arena, "%s %s", part->clause, part->partition_by);
        text_appendf(&lines, "%s%s", i == 0 ? "" : ";\n",
                     pg_script(arena, "partition/sql/outline_part.sql",
                               PG_VARIABLES({"schema", partition->schema}, {"table", parent},
                                            {"name", part->name}, {"bound", bound})));
    }
    return pg_script(arena, "partition/sql/outline.sql",
                     PG_VARIABLES({"schema", partition->schema}, {"table", partition->table},
                                  {"kind", partition_kind_word(partition->kind)},
                                  {"column", partition->column},
                                  {"partitions", text_chars(&lines)}));
}

static const char *
drop_sql(struct arena *arena, const char *schema, const char *name)
{
    return pg_script(arena, "partition/sql/drop.sql",
                     PG_VARIABLES({"schema", schema}, {"table", name}));
}

static void
add_conversion(const struct scope *scope, const struct deck_partition *partition,
               const struct partition_parts *parts, const char *sql, const char *undo)
{
    struct arena *arena = scope->advice->arena;
    struct partition_conversion *conversion = ARENA_NEW(arena, struct partition_conversion);
    struct change change = change_of(scope, partition);

    *conversion = (struct partition_conversion){partition, *parts};
    change.key = change_partitions_key(arena, partition->schema, partition->table);
    change.action = CHANGE_ALTER;
    change.what = arena_printf(arena, "partition %s by %s, %zu partitions", partition->table,
                               partition_key_text(arena, partition), parts->list.count);
    change.why = arena_printf(arena,
                              "the deck has it partitioned; it is empty. Keys without %s%s%s "
                              "get it as their last column",
                              partition->column, partition->then_range == NULL ? "" : " or ",
                              partition->then_range == NULL ? "" : partition->then_range);
    change.sql = sql;
    change.procedure = &partition_convert_procedure;
    change.argument = conversion;
    change.undo = undo;
    change.undo_guard = change_guard_empty(arena, partition->schema, partition->table);
    change.lock = arena_printf(arena, "ACCESS EXCLUSIVE on %s, for a moment", partition->table);
    change_list_add(scope->advice->changes, &change);
}

static bool
advise_ordinary(const struct scope *scope, const struct deck_partition *partition,
                const struct partition_parts *parts, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    PGconn *connection = scope->catalog->connection;
    struct partition_obstacles obstacles;
    const char *forth;
    const char *back;

    if (!partition_find_obstacles(arena, connection, partition, &obstacles, err))
        return false;
    if (obstacles.hard != NULL) {
        note(scope, partition,
             arena_printf(arena, "cannot be partitioned by %s: %s",
                          partition_key_text(arena, partition), obstacles.hard));
        return true;
    }
    if (obstacles.light != NULL)
        return partition_live_advise(&(struct partition_live_advice){scope->advice, scope->database,
                                                                     connection, partition, NULL},
                                     err);
    if (!partition_convert_script(arena, connection, partition, parts, false, &forth, err) ||
        !partition_convert_script(arena, connection, partition, parts, true, &back, err))
        return false;
    add_conversion(scope, partition, parts, forth, back);
    return true;
}

/* --- partitions of a partitioned table ---------------------------------------------------- */

/* Whether the wanted part is missing and can be added, under a name that is free; otherwise says in
 * a note why not. */
static bool
is_missing(const struct scope *scope, const struct deck_partition *partition,
           const struct catalog_table *table, struct partition_part *wanted)
{
    enum { TRIES = 9 };
    struct arena *arena = scope->advice->arena;

    for (size_t i = 0; i < scope->catalog->tables.count; i++) {
        const struct catalog_table *existing = &scope->catalog->tables.items[i];
        struct partition_bound bound;
        if (existing->parent_oid != table->oid ||
            !partition_bound_parse(arena, existing->partition_bound, &bound))
            continue;
        enum partition_relation relation = partition_bound_compare(&bound, &wanted->bound);
        if (relation == BOUND_SAME || relation == BOUND_COVERS)
            return false;
        if (relation == BOUND_OVERLAPS) {
            note(scope, partition,
                 arena_printf(arena,
                              "has the partition %s %s, which does not fit to %s of the "
                              "deck, %s: it is left as it is",
                              existing->name, existing->partition_bound, wanted->name,
                              wanted->clause));
            return false;
        }
    }
    /* the old table of a conversion may have partitions of that name */
    for (int number = 2;
         catalog_find_table(scope->catalog, partition->schema, wanted->name) != NULL; number++) {
        if (number > TRIES) {
            note(scope, partition,
                 arena_printf(arena, "lacks the partition %s, but others have such names",
                              wanted->name));
            return false;
        }
        wanted->name = partition_numbered_name(arena, wanted->name, number);
    }
    return true;
}

static bool
has_default(const struct scope *scope, const struct catalog_table *table)
{
    for (size_t i = 0; i < scope->catalog->tables.count; i++) {
        const struct catalog_table *existing = &scope->catalog->tables.items[i];
        if (existing->parent_oid == table->oid && strcmp(existing->partition_bound, "DEFAULT") == 0)
            return true;
    }
    return false;
}

static const char *
missing_text(struct arena *arena, const struct deck_partition *partition,
             const struct partition_part *part)
{
    if (partition->unit == UNIT_ID)
        return arena_printf(arena, "rows %s have no place", part->clause);
    return arena_printf(arena, "rows of %.10s to %.10s have no place", part->bound.lower,
                        part->bound.upper);
}

static void
add_partition(const struct scope *scope, const struct deck_partition *partition,
              const struct catalog_table *table, const struct partition_part *part,
              const char *script)
{
    struct arena *arena = scope->advice->arena;
    struct change change = change_of(scope, partition);

    change.key =
        arena_printf(arena, "partition %s", pg_qualified(arena, partition->schema, part->name));
    change.action = CHANGE_CREATE;
    change.what = arena_printf(arena, "add partition %s to %s", part->name, partition->table);
    change.why = partition->kind == PARTITION_RANGE
                     ? missing_text(arena, partition, part)
                     : arena_printf(arena, "the deck has it, the table does not: %s", part->clause);
    change.sql = script;
    change.undo = drop_sql(arena, partition->schema, part->name);
    change.undo_guard = change_guard_empty(arena, partition->schema, part->name);
    change.lock = arena_printf(
        arena, "SHARE UPDATE EXCLUSIVE on %s%s, for a moment", partition->table,
        has_default(scope, table) ? ", ACCESS EXCLUSIVE on its default partition, which is read"
                                  : "");
    change_list_add(scope->advice->changes, &change);
}

static struct partition_live_advice
about_of(const struct scope *scope, const struct deck_partition *partition)
{
    return (struct partition_live_advice){scope->advice, scope->database,
                                          scope->catalog->connection, partition, NULL};
}

/* The partitions of a level that are wanted and not there; of a missing one those in it, too. */
static void
find_missing(const struct scope *scope, const struct deck_partition *partition,
             const struct catalog_table *table, const struct partition_parts *wanted,
             struct partition_parts *missing)
{
    for (size_t i = 0; i < wanted->list.count; i++) {
        struct partition_part part = wanted->list.items[i];
        if (part.parent != NULL || !is_missing(scope, partition, table, &part))
            continue;
        *LIST_ADD(scope->advice->arena, &missing->list) = part;
        for (size_t j = 0; j < wanted->list.count; j++) {
            const char *parent = wanted->list.items[j].parent;
            if (parent == NULL || strcmp(parent, wanted->list.items[i].name) != 0)
                continue;
            struct partition_part *inner = LIST_ADD(scope->advice->arena, &missing->list);
            *inner = wanted->list.items[j];
            inner->parent = part.name;
        }
    }
}

static bool
add_missing(const struct scope *scope, const struct deck_partition *partition,
            const struct catalog_table *table, const struct partition_parts *missing,
            struct error *err)
{
    const char **scripts = ARENA_ARRAY(scope->advice->arena, const char *, missing->list.count);
    size_t at = 0;

    if (!partition_attach_scripts(scope->advice->arena, scope->catalog->connection, partition,
                                  missing, scripts, err))
        return false;
    for (size_t i = 0; i < missing->list.count; i++) {
        if (missing->list.items[i].parent == NULL)
            add_partition(scope, partition, table, &missing->list.items[i], scripts[at++]);
    }
    return true;
}

static bool advise_partitioned(const struct scope *scope, const struct deck_partition *partition,
                               const struct catalog_table *table,
                               const struct partition_parts *wanted, struct error *err);

static const struct catalog_table *
find_same(const struct scope *scope, const struct catalog_table *table,
          const struct partition_part *part)
{
    for (size_t i = 0; i < scope->catalog->tables.count; i++) {
        const struct catalog_table *existing = &scope->catalog->tables.items[i];
        struct partition_bound bound;
        if (existing->parent_oid == table->oid &&
            partition_bound_parse(scope->advice->arena, existing->partition_bound, &bound) &&
            partition_bound_compare(&bound, &part->bound) == BOUND_SAME)
            return existing;
    }
    return NULL;
}

/* A part of the first level that is there is a partitioned table by itself. */
static bool
advise_inner(const struct scope *scope, const struct deck_partition *partition,
             const struct catalog_table *table, const struct partition_parts *wanted,
             const struct partition_part *part, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    const struct catalog_table *inner = find_same(scope, table, part);
    struct partition_parts parts = {0};

    if (inner == NULL)
        return true;
    if (inner->kind != 'p') {
        note(scope, partition,
             arena_printf(arena,
                          "has the partition %s, which the deck has partitioned by RANGE (%s): "
                          "it is left as it is",
                          inner->name, partition->then_range));
        return true;
    }
    for (size_t i = 0; i < wanted->list.count; i++) {
        const struct partition_part *leaf = &wanted->list.items[i];
        if (leaf->parent == NULL || strcmp(leaf->parent, part->name) != 0)
            continue;
        struct partition_part *own = LIST_ADD(arena, &parts.list);
        *own = *leaf;
        own->parent = NULL;
    }
    return advise_partitioned(scope, partition_inner(arena, partition, inner->name), inner, &parts,
                              err);
}

static bool
advise_partitioned(const struct scope *scope, const struct deck_partition *partition,
                   const struct catalog_table *table, const struct partition_parts *wanted,
                   struct error *err)
{
    struct arena *arena = scope->advice->arena;
    struct partition_parts missing = {0};

    if (!partition_is_alike(arena, partition, table)) {
        note(scope, partition,
             arena_printf(arena,
                          "is partitioned by %s, not by %s as the deck says: it is left as it is. "
                          "rewrite: true in the deck has it made anew",
                          table->partition_key, partition_key_text(arena, partition)));
        return true;
    }
    find_missing(scope, partition, table, wanted, &missing);
    if (missing.list.count > 0 && !add_missing(scope, partition, table, &missing, err))
        return false;
    for (size_t i = 0; i < wanted->list.count; i++) {
        if (wanted->list.items[i].partition_by != NULL &&
            !advise_inner(scope, partition, table, wanted, &wanted->list.items[i], err))
            return false;
    }
    const struct partition_live_advice about = about_of(scope, partition);
    if (scope->advice->scope == ADVICE_UPKEEP && !partition_upkeep_advise(&about, err))
        return false;
    partition_retire_advise(&about, table, scope->today);
    return true;
}

/* --- all ---------------------------------------------------------------------------------- */

/* A table of another shape is made anew beside itself, as one that is not partitioned. */
static bool
advise_rewrite(const struct scope *scope, const struct partition_live_advice *about,
               const struct catalog_table *table, bool *ret_is_other, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    const struct deck_partition *partition = about->partition;
    struct partition_obstacles obstacles;
    const char *difference = "its key";

    if (partition_is_alike(arena, partition, table) &&
        !partition_find_difference(about, table, &difference, err))
        return false;
    *ret_is_other = difference != NULL;
    if (difference == NULL)
        return true;
    if (!partition_find_obstacles(arena, about->connection, partition, &obstacles, err))
        return false;
    if (obstacles.hard == NULL)
        return partition_live_advise(about, err);
    note(scope, partition,
         arena_printf(arena, "cannot be partitioned by %s: %s",
                      partition_key_text(arena, partition), obstacles.hard));
    return true;
}

static void
leave_out(struct arena *arena, struct partition_parts *parts, const struct partition_bound *bound)
{
    struct partition_parts rest = {0};

    for (size_t i = 0; i < parts->list.count; i++) {
        if (partition_bound_compare(bound, &parts->list.items[i].bound) == BOUND_APART)
            *LIST_ADD(arena, &rest.list) = parts->list.items[i];
    }
    *parts = rest;
}

static bool
advise_there(const struct scope *scope, const struct partition_live_advice *live,
             const struct catalog_table *table, struct partition_parts *wanted, struct error *err)
{
    const struct deck_partition *partition = live->partition;
    struct partition_bound promoted = {0};
    bool is_whole = scope->advice->scope == ADVICE_ALL;
    bool is_other = false;

    if (is_whole && !partition_take_over_advise(live, err))
        return false;
    if (partition_is_alike(scope->advice->arena, partition, table) &&
        !partition_promote_advise(live, table, scope->today, &promoted, err))
        return false;
    if (promoted.lower != NULL)
        leave_out(scope->advice->arena, wanted, &promoted);
    else if (partition->has_rewrite && is_whole &&
             !advise_rewrite(scope, live, table, &is_other, err))
        return false;
    if (promoted.lower == NULL && !is_other && !partition->has_rewrite) {
        bool is_drained = false;
        if (partition_is_alike(scope->advice->arena, partition, table) &&
            !partition_drain_advise(live, table, &is_drained, err))
            return false;
        if (is_drained) /* they come with it, or cannot be made */
            *wanted = (struct partition_parts){0};
    }
    return is_other || advise_partitioned(scope, partition, table, wanted, err);
}

/* No ordinary table: refused, with what would make it possible. */
static bool
note_other(const struct scope *scope, const struct deck_partition *partition, bool *ret_is_other,
           struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {partition->schema, partition->table};

    *ret_is_other = false;
    if (!scope->catalog->exists)
        return true;
    if (!pg_query(scope->catalog->connection, embedded_file("partition/sql/what_is.sql")->text, 2,
                  parameters, &result, err))
        return false;
    *ret_is_other = PQntuples(result) > 0;
    if (*ret_is_other)
        note(scope, partition,
             arena_printf(scope->advice->arena,
                          "is %s: only an ordinary table can be partitioned; make one with its "
                          "rows, or partition the one that they come from",
                          pg_value(result, 0, "what")));
    return true;
}

static bool
advise_table(const struct scope *scope, const struct deck_partition *partition, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    const struct catalog_table *table =
        scope->catalog->exists
            ? catalog_find_table(scope->catalog, partition->schema, partition->table)
            : NULL;
    struct partition_parts wanted;
    long long position = 0;
    bool is_open; /* or something else has the name */

    if (table != NULL && !partition_read_position(arena, scope->catalog->connection, partition,
                                                  scope->today, &position, err))
        return false;
    if (table == NULL && partition->unit != UNIT_ID)
        position = scope->today;
    partition_parts_wanted(arena, partition, position, &wanted);
    if (table == NULL && scope->advice->scope != ADVICE_ALL)
        return true;
    if (table == NULL && !note_other(scope, partition, &is_open, err))
        return false;
    if (table == NULL && is_open)
        return true;
    if (table == NULL && (scope->database->schema == NULL || !scope->advice->creates_tables)) {
        note(scope, partition, "is not there: there is nothing to partition");
        return true;
    }
    if (table == NULL) { /* the schema declares it: deck_load has seen to that */
        add_conversion(scope, partition, &wanted, outline(arena, partition, &wanted),
                       drop_sql(arena, partition->schema, partition->table));
        return true;
    }
    struct partition_live_advice live = about_of(scope, partition);
    if (scope->advice->scope == ADVICE_UPKEEP && table->kind != 'p')
        return true;
    if (!partition_adopt_go_on(&live, &is_open, err))
        return false;
    if (!is_open && !partition_live_go_on(&live, &is_open, &live.kept, err))
        return false;
    if (is_open)
        return true;
    if (table->kind == 'p') {
        struct scope own = *scope;
        own.today = position;
        return advise_there(&own, &live, table, &wanted, err);
    }
    return advise_ordinary(scope, partition, &wanted, err);
}

static bool
read_today(struct advice *advice, long long *ret_today, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(advice->catalog->connection, embedded_file("partition/sql/today.sql")->text, 0,
                  NULL, &result, err))
        return false;
    *ret_today = pg_integer(result, 0, "today");
    return true;
}

static bool
advise_database(const struct scope *scope, struct error *err)
{
    const struct deck_partitions *partitions = scope->database->partitions;
    const struct partition_live_advice about = about_of(scope, NULL);

    if (scope->advice->scope == ADVICE_REMAINS || scope->advice->scope == ADVICE_REMAINS_ALL)
        return !scope->catalog->exists ||
               (partition_remains_advise(&about, err) && partition_adopt_remains(&about, err));
    if (scope->catalog->exists && !partition_retire_go_on(&about, err))
        return false;
    for (size_t i = 0; i < partitions->list.count; i++) {
        if (!advise_table(scope, &partitions->list.items[i], err))
            return error_wrap(err, "partitions of \"%s\" in database \"%s\"",
                              partitions->list.items[i].table, scope->database->name);
    }
    return true;
}

bool
partition_advise(struct advice *advice, struct error *err)
{
    struct change_scope found;
    long long today;

    if (!read_today(advice, &today, err))
        return false;
    for (size_t at = 0; change_next_scope(advice, &at, &found);) {
        struct scope scope = {advice, found.database, found.catalog, today};
        if (found.database->partitions != NULL && !advise_database(&scope, err))
            return false;
    }
    return true;
}
