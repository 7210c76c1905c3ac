// SPDX-License-Identifier: MIT
#include "security/tenant_keys.h"

#include "index/build.h"
#include "pg/script.h"

#include <string.h>

struct scope {
    struct advice *advice;
    const struct deck_database *database;
    struct index_room room;
    LIST_OF(const char *) indexes; /* that are built by a row of this plan */
};

/* A foreign key that is to have a twin with the tenant column. */
struct key {
    const char *schema, *table, *name;
    const char *to_schema, *to_table;
    const char *twin, *definition;
    const char *index, *index_columns;
    bool has_twin, is_validated; /* is_validated: the deck's own key */
    bool needs_index, is_to_partitioned;
    const char *why_not;
};

struct tenant_keys {
    LIST_OF(struct key) list;
};

static const char *
query(const struct advice *advice)
{
    return pg_script(advice->arena, "security/sql/tenant_keys.sql",
                     PG_VARIABLES({"column", advice->deck->tenants.column}));
}

const char *
security_new_tenant_keys(const struct advice *advice, const char *known)
{
    return pg_script(advice->arena, "security/sql/tenant_new_keys.sql",
                     PG_VARIABLES({"query", query(advice)}, {"known", known}));
}

static struct key
read_key(struct arena *arena, const PGresult *result, int row)
{
    return (struct key){
        .schema = pg_keep_text(arena, result, row, "schema"),
        .table = pg_keep_text(arena, result, row, "table"),
        .name = pg_keep_text(arena, result, row, "name"),
        .to_schema = pg_keep_text(arena, result, row, "to_schema"),
        .to_table = pg_keep_text(arena, result, row, "to_table"),
        .twin = pg_keep_text(arena, result, row, "key_name"),
        .definition = pg_keep_text(arena, result, row, "definition"),
        .index = pg_keep_text(arena, result, row, "index_name"),
        .index_columns = pg_keep_text(arena, result, row, "index_columns"),
        .has_twin = pg_bool(result, row, "has_key"),
        .is_validated = pg_bool(result, row, "is_validated"),
        .needs_index = pg_bool(result, row, "needs_index"),
        .is_to_partitioned = pg_bool(result, row, "is_to_partitioned"),
        .why_not = pg_keep(arena, result, row, "why_not"),
    };
}

static struct change
change_of(const struct scope *scope)
{
    return (struct change){
        .server = scope->advice->server->name,
        .database = scope->database->name,
        .place = scope->database->place,
        .phase = CHANGE_GRANT,
        .action = CHANGE_CREATE,
        .is_apart = true,
    };
}

/* What the twin refers to. Several may refer to the same. */
static void
add_index(struct scope *scope, const struct key *key)
{
    struct arena *arena = scope->advice->arena;
    const struct deck *deck = scope->advice->deck;
    const char *qualified = pg_qualified(arena, key->to_schema, key->index);
    struct index_build *build = ARENA_NEW(arena, struct index_build);
    struct change change = change_of(scope);

    for (size_t i = 0; i < scope->indexes.count; i++) {
        if (strcmp(scope->indexes.items[i], qualified) == 0)
            return;
    }
    *LIST_ADD(arena, &scope->indexes) = qualified;
    *build = (struct index_build){
        .schema = key->to_schema,
        .table = key->to_table,
        .name = key->index,
        .canonical = arena_printf(arena, "UNIQUE USING btree (%s)", key->index_columns),
        .lock_wait_ms = deck->lock_wait_ms,
        .give_up_ms = deck->give_up_ms,
        .max_block_ms = deck->max_block_ms,
        .room = scope->room,
    };
    change.key = arena_printf(arena, "tenants: index %s", qualified);
    change.what = arena_printf(arena, "create unique index %s on %s", key->index, key->to_table);
    change.why = arena_printf(arena, "tenants: foreign keys refer to %s with %s", key->to_table,
                              deck->tenants.column);
    change.sql = arena_printf(
        arena, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s)", pg_identifier(arena, key->index),
        pg_qualified(arena, key->to_schema, key->to_table), key->index_columns);
    change.procedure = &index_build_procedure;
    change.argument = build;
    change.undo = arena_printf(arena, "DROP INDEX %sIF EXISTS %s",
                               key->is_to_partitioned ? "" : "CONCURRENTLY ", qualified);
    change.lock = arena_printf(arena, "SHARE UPDATE EXCLUSIVE on %s", key->to_table);
    change_list_add(scope->advice->changes, &change);
}

static void
add_twin(const struct scope *scope, const struct key *key)
{
    struct arena *arena = scope->advice->arena;
    struct change change = change_of(scope);

    change.key =
        arena_printf(arena, "tenants: foreign key %s of %s.%s", key->twin, key->schema, key->table);
    change.what = arena_printf(arena, "let %s refer to rows of the same tenant in %s only: %s",
                               key->table, key->to_table, key->twin);
    change.why = arena_printf(
        arena, "tenants: %s may lead to another tenant's row, past the policies", key->name);
    change.sql = pg_script(arena, "security/sql/tenant_key_add.sql",
                           PG_VARIABLES({"schema", key->schema}, {"table", key->table},
                                        {"name", key->twin}, {"definition", key->definition}));
    change.undo = pg_script(
        arena, "security/sql/tenant_key_drop.sql",
        PG_VARIABLES({"schema", key->schema}, {"table", key->table}, {"name", key->twin}));
    change.lock = arena_printf(arena, "SHARE ROW EXCLUSIVE on %s and %s, for a moment", key->table,
                               key->to_table);
    change.is_transactional = true;
    change_list_add(scope->advice->changes, &change);
}

static void
add_validation(const struct scope *scope, const struct key *key)
{
    struct arena *arena = scope->advice->arena;
    struct change change = change_of(scope);

    change.key =
        arena_printf(arena, "tenants: validate %s of %s.%s", key->twin, key->schema, key->table);
    change.action = CHANGE_RUN;
    change.what = arena_printf(arena, "validate %s of %s", key->twin, key->table);
    change.why = "rows that are there already refer to their own tenant's, too";
    change.warning =
        arena_printf(arena,
                     "It fails where a row refers to another tenant's already; %s then "
                     "stays for new rows, and those have to be mended first.",
                     key->twin);
    bool is_plain = scope->advice->catalog->is_superuser;
    change.sql =
        pg_script(arena,
                  is_plain ? "security/sql/tenant_key_validate.sql"
                           : "security/sql/tenant_key_validate_forced.sql",
                  PG_VARIABLES({"schema", key->schema}, {"table", key->table}, {"name", key->twin},
                               {"to_schema", key->to_schema}, {"to_table", key->to_table}));
    change.undo = "SELECT 1";
    change.lock =
        is_plain ? arena_printf(arena, "SHARE UPDATE EXCLUSIVE on %s while it is read", key->table)
                 : arena_printf(arena, "ACCESS EXCLUSIVE on %s and %s while they are read",
                                key->table, key->to_table);
    change.is_transactional = true;
    change_list_add(scope->advice->changes, &change);
}

static void
add_note(const struct scope *scope, const struct key *key)
{
    const char *server = scope->advice->server->name;
    const char *database = scope->database->name;

    if (key->why_not != NULL)
        change_list_note(scope->advice->changes, server, database, scope->database->place,
                         "Foreign key %s of %s.%s may lead to another tenant's row in %s, and is "
                         "left as it is: %s.",
                         key->name, key->schema, key->table, key->to_table, key->why_not);
    else if (!key->is_validated)
        change_list_note(scope->advice->changes, server, database, scope->database->place,
                         "Foreign key %s of %s.%s is not validated: %s holds for new rows only, "
                         "too.",
                         key->name, key->schema, key->table, key->twin);
}

void
security_add_tenant_keys(struct advice *advice, const struct deck_database *database,
                         const struct tenant_keys *keys)
{
    struct scope scope = {
        .advice = advice,
        .database = database,
        .room = {.data_directory =
                     advice->catalog->is_local ? advice->catalog->data_directory : NULL,
                 .claimed_bytes = ARENA_NEW(advice->arena, _Atomic int64_t)},
    };

    for (size_t i = 0; i < keys->list.count; i++) {
        const struct key *key = &keys->list.items[i];
        add_note(&scope, key);
        if (key->why_not == NULL && key->needs_index)
            add_index(&scope, key);
    }
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct key *key = &keys->list.items[i];
        if (key->why_not == NULL && !key->has_twin)
            add_twin(&scope, key);
    }
    for (size_t i = 0; i < keys->list.count; i++) {
        const struct key *key = &keys->list.items[i];
        if (key->why_not == NULL && key->is_validated)
            add_validation(&scope, key);
    }
}

const char *
security_known_tenant_keys(struct arena *arena, const struct tenant_keys *keys)
{
    const char **names = ARENA_ARRAY(arena, const char *, keys->list.count + 1);

    for (size_t i = 0; i < keys->list.count; i++) {
        const struct key *key = &keys->list.items[i];
        names[i] = arena_printf(arena, "%s.%s.%s", key->schema, key->table, key->name);
    }
    return pg_text_array(arena, names, keys->list.count);
}

bool
security_read_tenant_keys(const struct advice *advice, const struct deck_database *database,
                          struct tenant_keys **ret_keys, struct error *err)
{
    const struct catalog_database *catalog = catalog_find_database(advice->catalog, database->name);
    struct tenant_keys *keys = ARENA_NEW(advice->arena, struct tenant_keys);
    AUTO_PGRESULT result = NULL;

    if (catalog->exists) {
        if (!pg_query(catalog->connection, query(advice), 0, NULL, &result, err))
            return error_wrap(err, "cannot read the foreign keys of \"%s\"", database->name);
        for (int row = 0; row < PQntuples(result); row++)
            *LIST_ADD(advice->arena, &keys->list) = read_key(advice->arena, result, row);
    }
    *ret_keys = keys;
    return true;
}
