// SPDX-License-Identifier: MIT
#include "index/advisor.h"

#include "base/embed.h"
#include "change/name.h"
#include "change/script.h"
#include "index/build.h"
#include "index/drop.h"
#include "index/wanted.h"
#include "pg/script.h"

#include <string.h>

struct scope {
    struct advice *advice;
    const struct deck_database *database;
    const struct catalog_database *catalog;
    const char *owner; /* NULL: who is connected */
    struct index_room room;
};

static bool
is_same(const char *left, const char *right)
{
    return strcmp(left, right) == 0;
}

/* --- what there is ------------------------------------------------------------------------ */

static const struct catalog_table *
table_of(const struct scope *scope, const struct index_wanted *wanted)
{
    if (!scope->catalog->exists)
        return NULL;
    return catalog_find_table(scope->catalog, wanted->schema, wanted->table);
}

static const struct catalog_index *
index_of(const struct scope *scope, const struct index_wanted *wanted, const char *name)
{
    return catalog_find_index(scope->catalog, wanted->schema, name);
}

/* Partitioned now, or by an earlier change of this plan. */
static bool
is_to_be_partitioned(const struct scope *scope, const struct index_wanted *wanted)
{
    const char *key = change_partitions_key(scope->advice->arena, wanted->schema, wanted->table);

    return table_of(scope, wanted)->kind == 'p' ||
           change_find(scope->advice, scope->database->name, key) != NULL;
}

/* Declared text and canonical form are those that the journal remembers: nothing needs to be
 * built to know that they fit each other. */
static bool
is_remembered(const struct scope *scope, const struct index_wanted *wanted)
{
    const struct catalog_index *index = index_of(scope, wanted, wanted->name);
    const struct catalog_memo *memo =
        catalog_find_memo(scope->advice->catalog, scope->catalog, wanted->key);

    return index != NULL && memo != NULL && is_same(memo->declared, wanted->declared) &&
           is_same(memo->observed, index_canonical(scope->advice->arena, index));
}

/* A valid index of another name that is the same. */
static const struct catalog_index *
find_twin(const struct scope *scope, const struct index_wanted *wanted, uint32_t table_oid)
{
    for (size_t i = 0; i < scope->catalog->indexes.count; i++) {
        const struct catalog_index *index = &scope->catalog->indexes.items[i];
        if (index->table_oid == table_oid && index->is_valid && index->is_ready &&
            is_same(index_canonical(scope->advice->arena, index), wanted->canonical) &&
            strstr(index->name, "_pgdeck_") == NULL)
            return index;
    }
    return NULL;
}

/* --- changes ------------------------------------------------------------------------------ */

static struct change
change_of(const struct scope *scope, const struct index_wanted *wanted)
{
    return (struct change){
        .server = scope->advice->server->name,
        .database = scope->database->name,
        .key = wanted->key,
        .phase = CHANGE_INDEX,
        .action = CHANGE_CREATE,
        .place = wanted->statement->place,
        .declared = wanted->declared,
        .observe = pg_script(scope->advice->arena, "index/sql/observe.sql",
                             PG_VARIABLES({"schema", wanted->schema}, {"name", wanted->name})),
    };
}

static const char *
drop_sql(struct arena *arena, const struct index_wanted *wanted, const char *name,
         bool is_concurrent)
{
    return pg_script(arena,
                     is_concurrent ? "index/sql/drop_concurrently.sql" : "index/sql/drop.sql",
                     PG_VARIABLES({"schema", wanted->schema}, {"name", name}));
}

/* The table is made by the same apply and has no rows: nothing has to be careful. */
static void
add_on_new_table(const struct scope *scope, const struct index_wanted *wanted)
{
    struct arena *arena = scope->advice->arena;
    struct change change = change_of(scope, wanted);

    change.what = arena_printf(arena, "create index %s on %s", wanted->name, wanted->table);
    change.why = "the deck has it; its table is new and empty";
    change.sql = change_script(arena, scope->owner, "public", wanted->statement->sql);
    change.undo = drop_sql(arena, wanted, wanted->name, false);
    change.is_transactional = true;
    change_list_add(scope->advice->changes, &change);
}

/* Two builds at once on one table, or on a table and its partition, would only wait for each
 * other: the name of the topmost table. */
static const char *
queue_of(const struct scope *scope, const struct index_wanted *wanted)
{
    const struct catalog_table *table = table_of(scope, wanted);

    while (table->parent_oid != 0 && catalog_table_by_oid(scope->catalog, table->parent_oid))
        table = catalog_table_by_oid(scope->catalog, table->parent_oid);
    return pg_qualified(scope->advice->arena, table->schema, table->name);
}

/* Builds it under that name (its own, or that of a successor beside the old one). */
static void
add_build(const struct scope *scope, const struct index_wanted *wanted, const char *name,
          const char *what, const char *why)
{
    struct arena *arena = scope->advice->arena;
    bool is_partitioned = is_to_be_partitioned(scope, wanted);
    struct index_build *build = ARENA_NEW(arena, struct index_build);
    struct change change = change_of(scope, wanted);

    *build = (struct index_build){
        .schema = wanted->schema,
        .table = wanted->table,
        .name = name,
        .canonical = wanted->canonical,
        .is_own_name = !is_same(name, wanted->name),
        .lock_wait_ms = scope->advice->deck->lock_wait_ms,
        .give_up_ms = scope->advice->deck->give_up_ms,
        .max_block_ms = scope->advice->deck->max_block_ms,
        .room = scope->room,
    };
    change.what = what;
    change.why = why;
    change.sql =
        is_partitioned
            ? index_outline_sql(arena, wanted->canonical, wanted->schema, wanted->table, name)
            : index_create_sql(arena, wanted->canonical, wanted->schema, wanted->table, name, true);
    change.procedure = &index_build_procedure;
    change.argument = build;
    change.queue = queue_of(scope, wanted);
    change.undo = drop_sql(arena, wanted, name, !is_partitioned);
    change.lock = arena_printf(arena, "SHARE UPDATE EXCLUSIVE on %s%s", wanted->table,
                               is_partitioned ? ", one partition after the other; SHARE on the "
                                                "table itself for a moment"
                                              : "");
    if (!is_same(name, wanted->name)) {
        change.key = arena_printf(arena, "index %s", pg_qualified(arena, wanted->schema, name));
        change.declared = NULL;
        change.observe = NULL;
    }
    change_list_add(scope->advice->changes, &change);
}

static void
add_swap(const struct scope *scope, const struct index_wanted *wanted, const char *new_name,
         const char *old_name)
{
    struct arena *arena = scope->advice->arena;
    struct change change = change_of(scope, wanted);

    change.action = CHANGE_ALTER;
    change.what = arena_printf(arena, "put the new index %s in the place of the old", wanted->name);
    change.why = "it has been built beside it";
    change.sql = pg_script(arena, "index/sql/swap.sql",
                           PG_VARIABLES({"schema", wanted->schema}, {"name", wanted->name},
                                        {"new", new_name}, {"old", old_name}));
    change.undo = pg_script(arena, "index/sql/swap.sql",
                            PG_VARIABLES({"schema", wanted->schema}, {"name", wanted->name},
                                         {"new", old_name}, {"old", new_name}));
    change.lock = "SHARE UPDATE EXCLUSIVE on both indexes, for a moment";
    change.is_transactional = true;
    change_list_add(scope->advice->changes, &change);
}

/* What a swap left behind, or a build that nobody wants any more. */
static void
add_drop(const struct scope *scope, const struct index_wanted *wanted, const char *name,
         const char *canonical, const char *why)
{
    struct arena *arena = scope->advice->arena;
    const struct index_drop drop = {
        .deck = scope->advice->deck,
        .server = scope->advice->server->name,
        .database = scope->database->name,
        .place = wanted->statement->place,
        .schema = wanted->schema,
        .table = wanted->table,
        .name = name,
        .canonical = canonical,
        .is_partitioned = is_to_be_partitioned(scope, wanted),
        .what = arena_printf(arena, "drop the old index %s", wanted->name),
        .why = why,
    };

    index_add_drop(scope->advice->changes, &drop, false);
}

static void
add_drop_old(const struct scope *scope, const struct index_wanted *wanted, const char *old_name,
             const char *old_canonical)
{
    add_drop(scope, wanted, old_name, old_canonical,
             arena_printf(scope->advice->arena, "replaced; it was %s", old_canonical));
}

static void
note(const struct scope *scope, const struct index_wanted *wanted, const char *text)
{
    change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                     wanted->statement->place, "%s", text);
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Beside the old one, then the names are swapped, then the old one goes: the table is never
 * without an index. Each plan continues from what it finds. */
static void
replace(const struct scope *scope, const struct index_wanted *wanted,
        const struct catalog_index *index)
{
    struct arena *arena = scope->advice->arena;
    const char *new_name = change_name(arena, wanted->name, "_pgdeck_new");
    const char *old_name = change_name(arena, wanted->name, "_pgdeck_old");
    const struct catalog_index *successor = index_of(scope, wanted, new_name);
    const char *canonical = index_canonical(arena, index);

    if (index->is_constraint) {
        note(scope, wanted,
             arena_printf(arena,
                          "the name \"%s\" is that of a constraint; choose "
                          "another name for the index",
                          wanted->name));
        return;
    }
    bool is_built = successor != NULL && successor->is_valid &&
                    is_same(index_canonical(arena, successor), wanted->canonical);
    if (!is_built)
        add_build(scope, wanted, new_name,
                  arena_printf(arena, "build index %s anew on %s", wanted->name, wanted->table),
                  arena_printf(arena, "it differs: the deck wants %s, there is %s",
                               wanted->canonical, canonical));
    add_swap(scope, wanted, new_name, old_name);
    add_drop_old(scope, wanted, old_name, canonical);
}

static void
compare(const struct scope *scope, const struct index_wanted *wanted)
{
    struct arena *arena = scope->advice->arena;
    const struct catalog_table *table = table_of(scope, wanted);
    const struct catalog_index *index = index_of(scope, wanted, wanted->name);
    const char *old_name = change_name(arena, wanted->name, "_pgdeck_old");
    const char *what = arena_printf(arena, "create index %s on %s", wanted->name, wanted->table);

    if (index == NULL) {
        const struct catalog_index *twin = find_twin(scope, wanted, table->oid);
        if (twin == NULL)
            add_build(scope, wanted, wanted->name, what, "the deck has it, the table does not");
        else
            note(scope, wanted,
                 arena_printf(arena, "index %s is there under the name %s", wanted->name,
                              twin->name));
        return;
    }
    if (index->table_oid != table->oid) {
        note(scope, wanted,
             arena_printf(arena, "another table has an index of the name %s", wanted->name));
        return;
    }
    if (!is_same(index_canonical(arena, index), wanted->canonical)) {
        replace(scope, wanted, index);
        return;
    }
    if (!index->is_valid)
        add_build(
            scope, wanted, wanted->name,
            arena_printf(arena, "build the invalid index %s on %s", wanted->name, wanted->table),
            "its build was broken off: it costs writes and serves no query");
    const struct catalog_index *old = index_of(scope, wanted, old_name);
    if (old != NULL && old->table_oid == table->oid && index->is_valid)
        add_drop_old(scope, wanted, old_name, index_canonical(arena, old));
    const struct catalog_index *successor =
        index_of(scope, wanted, change_name(arena, wanted->name, "_pgdeck_new"));
    if (successor != NULL && successor->table_oid == table->oid)
        add_drop(scope, wanted, successor->name, index_canonical(arena, successor),
                 "it was built to replace the index, which the deck now wants as it is");
}

/* --- what nobody wants any more ----------------------------------------------------------- */

/* Under its name or one of pgdeck's own for it. */
static bool
has_wanted(const struct scope *scope, const struct index_wanted_list *wanted, const char *schema,
           const char *name)
{
    struct arena *arena = scope->advice->arena;

    for (size_t i = 0; i < wanted->list.count; i++) {
        const struct index_wanted *item = &wanted->list.items[i];
        if (is_same(item->schema, schema) &&
            (is_same(item->name, name) ||
             is_same(change_name(arena, item->name, "_pgdeck_new"), name) ||
             is_same(change_name(arena, item->name, "_pgdeck_old"), name)))
            return true;
    }
    return false;
}

/* Somebody's build of the same index under another name: broken off, it costs writes and serves no
 * query. One that still runs is left alone. */
static bool
drop_invalid_twins(const struct scope *scope, const struct index_wanted_list *all,
                   const struct index_wanted *wanted, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    uint32_t table_oid = table_of(scope, wanted)->oid;

    for (size_t i = 0; i < scope->catalog->indexes.count; i++) {
        const struct catalog_index *index = &scope->catalog->indexes.items[i];
        if (index->table_oid != table_oid || index->is_valid || index->kind != 'i' ||
            index->is_partition || index->is_constraint ||
            has_wanted(scope, all, index->schema, index->name) ||
            !is_same(index_canonical(arena, index), wanted->canonical))
            continue;
        const char *parameters[] = {arena_printf(arena, "%u", index->oid)};
        AUTO_PGRESULT result = NULL;
        if (!pg_query(scope->catalog->connection, embedded_file("index/sql/being_built.sql")->text,
                      1, parameters, &result, err))
            return false;
        if (pg_bool(result, 0, "is_being_built")) {
            note(scope, wanted,
                 arena_printf(arena, "index %s, of the same definition as %s, is being built now",
                              index->name, wanted->name));
            continue;
        }
        const struct index_drop drop = {
            .deck = scope->advice->deck,
            .server = scope->advice->server->name,
            .database = scope->database->name,
            .place = wanted->statement->place,
            .schema = index->schema,
            .table = wanted->table,
            .name = index->name,
            .canonical = wanted->canonical,
            .is_invalid = true,
            .what = arena_printf(arena, "drop the invalid index %s", index->name),
            .why = arena_printf(arena,
                                "its build was broken off: it costs writes and serves no query; "
                                "%s is the same",
                                wanted->name),
        };
        index_add_drop(scope->advice->changes, &drop, false);
    }
    return true;
}

/* The index itself, or what was built of it on a partition and has not become a part of it. */
static bool
is_left_of(const struct scope *scope, const struct catalog_index *index, const char *schema,
           const char *name)
{
    struct arena *arena = scope->advice->arena;
    const struct catalog_table *table = catalog_table_by_oid(scope->catalog, index->table_oid);

    if (table == NULL || index->is_constraint || index->is_partition)
        return false;
    if (is_same(index->name, name) && is_same(index->schema, schema))
        return !index->is_valid || !index->is_ready;
    return table->parent_oid != 0 &&
           (is_same(index->name, index_part_name(arena, table->name, name, false)) ||
            is_same(index->name, index_part_name(arena, table->name, name, true)));
}

static void
drop_left(const struct scope *scope, const char *schema, const char *name)
{
    struct arena *arena = scope->advice->arena;

    for (size_t i = 0; i < scope->catalog->indexes.count; i++) {
        const struct catalog_index *index = &scope->catalog->indexes.items[i];
        if (!is_left_of(scope, index, schema, name))
            continue;
        const struct index_drop drop = {
            .deck = scope->advice->deck,
            .server = scope->advice->server->name,
            .database = scope->database->name,
            .place = scope->database->place,
            .schema = index->schema,
            .table = catalog_table_by_oid(scope->catalog, index->table_oid)->name,
            .name = index->name,
            .canonical = index_canonical(arena, index),
            .is_partitioned = index->kind == 'I',
            .what = arena_printf(arena, "drop what is left of index %s", index->name),
            .why = "its build was broken off, and the deck does not want it any more",
        };
        index_add_drop(scope->advice->changes, &drop, false);
    }
}

static bool
advise_leftovers(const struct scope *scope, const struct index_wanted_list *wanted,
                 struct error *err)
{
    AUTO_PGRESULT unfinished = NULL;
    bool has_invalid = false;

    for (size_t i = 0; i < scope->catalog->indexes.count; i++)
        has_invalid = has_invalid || !scope->catalog->indexes.items[i].is_valid ||
                      !scope->catalog->indexes.items[i].is_ready;
    if (!has_invalid || !catalog_has_schema(scope->catalog, "pgdeck"))
        return true;
    if (!pg_query(scope->catalog->connection, embedded_file("index/sql/unfinished.sql")->text, 0,
                  NULL, &unfinished, err)) {
        if (!is_same(err->sqlstate, "42P01") && err->code != ERROR_PRIVILEGE)
            return false;
        error_clear(err); /* no journal of ours */
        return true;
    }
    for (int row = 0; row < PQntuples(unfinished); row++) {
        const char *schema = pg_value(unfinished, row, "schema");
        const char *name = pg_value(unfinished, row, "name");
        if (schema != NULL && name != NULL && !has_wanted(scope, wanted, schema, name))
            drop_left(scope, schema, name);
    }
    return true;
}

static bool
is_declared(const struct scope *scope, const struct index_wanted *wanted)
{
    const struct deck_sql_file *file = scope->database->schema;

    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        if (statement->kind == STATEMENT_CREATE_TABLE && is_same(statement->name, wanted->table) &&
            is_same(statement->schema == NULL ? "public" : statement->schema, wanted->schema))
            return true;
    }
    return false;
}

static bool
missing_table(const struct scope *scope, const struct index_wanted *wanted, struct error *err)
{
    error_set(err, ERROR_DECK, "index \"%s\": there is no table \"%s\" in database \"%s\"",
              wanted->name, wanted->table, scope->database->name);
    error_hint(err, "Neither the database has it nor the deck's schema.");
    return error_place(err, wanted->statement->place);
}

static void
note_missing_table(const struct scope *scope, const struct index_wanted *wanted)
{
    change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                     wanted->statement->place,
                     "index %s waits for its table \"%s\", which the schema advisor would create.",
                     wanted->name, wanted->table);
}

static bool
advise_database(const struct scope *scope, struct error *err)
{
    struct arena *arena = scope->advice->arena;
    struct index_wanted_list wanted;
    size_t count = 0;

    index_collect(arena, scope->database, &wanted);
    struct index_wanted **unknown =
        ARENA_ARRAY(arena, struct index_wanted *, wanted.list.count + 1);
    for (size_t i = 0; i < wanted.list.count; i++) {
        struct index_wanted *item = &wanted.list.items[i];
        if (table_of(scope, item) != NULL) {
            const struct catalog_index *index = index_of(scope, item, item->name);
            if (is_remembered(scope, item))
                item->canonical = index_canonical(arena, index);
            else
                unknown[count++] = item;
        } else if (is_declared(scope, item)) {
            if (scope->advice->creates_tables)
                add_on_new_table(scope, item);
            else
                note_missing_table(scope, item);
        } else {
            return missing_table(scope, item, err);
        }
    }
    if (count > 0 && !index_probe(arena, scope->catalog->connection, unknown, count, err))
        return false;
    bool is_unsafe = index_is_build_unsafe(scope->advice->catalog->version);
    for (size_t i = 0; i < wanted.list.count; i++) {
        const struct index_wanted *item = &wanted.list.items[i];
        if (item->canonical == NULL || is_unsafe)
            continue;
        if (index_of(scope, item, item->name) == NULL &&
            !drop_invalid_twins(scope, &wanted, item, err))
            return false;
        compare(scope, item);
    }
    if (scope->catalog->exists && !advise_leftovers(scope, &wanted, err))
        return false;
    if (is_unsafe && count > 0)
        change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                         scope->database->place,
                         "indexes on existing tables are left alone: those built concurrently by "
                         "PostgreSQL 14.0 to 14.3 can lack rows. Update the server.");
    return true;
}

bool
index_advise(struct advice *advice, struct error *err)
{
    struct change_scope found;
    const struct index_room room = {
        .data_directory = advice->catalog->is_local ? advice->catalog->data_directory : NULL,
        .claimed_bytes = ARENA_NEW(advice->arena, _Atomic int64_t),
    };

    for (size_t at = 0; change_next_scope(advice, &at, &found);) {
        const struct scope scope = {advice, found.database, found.catalog, found.owner, room};
        if (!advise_database(&scope, err))
            return false;
    }
    return true;
}
