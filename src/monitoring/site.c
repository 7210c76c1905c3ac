// SPDX-License-Identifier: MIT
#include "monitoring/site.h"

#include "base/embed.h"
#include "change/script.h"
#include "pg/script.h"

#include <assert.h>
#include <string.h>

/* Two arrays side by side, as unnest($1, $2) wants them. */
struct pairs {
    LIST_OF(const char *) first;
    LIST_OF(const char *) second;
};

static void
add_pair(struct arena *arena, struct pairs *pairs, const char *first, const char *second)
{
    *LIST_ADD(arena, &pairs->first) = first;
    *LIST_ADD(arena, &pairs->second) = second;
}

static void
bind_pairs(struct arena *arena, const struct pairs *pairs, const char **parameters)
{
    parameters[0] = pg_text_array(arena, pairs->first.items, pairs->first.count);
    parameters[1] = pg_text_array(arena, pairs->second.items, pairs->second.count);
}

/* --- the server ---------------------------------------------------------------------------- */

static void
collect_columns(struct arena *arena, const struct monitoring_objects *objects, struct pairs *pairs)
{
    for (size_t i = 0; i < objects->list.count; i++) {
        const struct monitoring_object *object = &objects->list.items[i];
        for (size_t j = 0; j < object->needs.count; j++) {
            const struct monitoring_need *need = &object->needs.items[j];
            if (need->kind == MONITORING_NEEDS_COLUMN)
                add_pair(arena, pairs, need->relation, need->columns.list.items[0]);
        }
    }
}

static bool
read_columns(struct advice *advice, const struct monitoring_objects *objects,
             struct monitoring_sites *sites, struct error *err)
{
    struct pairs pairs = {0};
    const char *parameters[2];
    AUTO_PGRESULT result = NULL;

    collect_columns(advice->arena, objects, &pairs);
    collect_columns(advice->arena, &sites->checks, &pairs);
    bind_pairs(advice->arena, &pairs, parameters);
    if (!pg_query(advice->catalog->connection, embedded_file("monitoring/sql/columns.sql")->text, 2,
                  parameters, &result, err))
        return false;
    assert((size_t)PQntuples(result) == pairs.first.count);
    for (size_t i = 0; i < pairs.first.count; i++) {
        struct monitoring_column *column = LIST_ADD(advice->arena, &sites->columns);
        column->relation = pairs.first.items[i];
        column->name = pairs.second.items[i];
        column->is_there = pg_bool(result, (int)i, "is_there");
    }
    return true;
}

static bool
read_file_search_path(struct advice *advice, struct monitoring_sites *sites, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    sites->is_file_readable = advice->catalog->is_superuser;
    if (!sites->is_file_readable)
        return true;
    if (!pg_query(advice->catalog->connection,
                  embedded_file("monitoring/sql/file_search_path.sql")->text, 0, NULL, &result,
                  err))
        return false;
    if (PQntuples(result) > 0)
        sites->file_search_path = arena_strdup(advice->arena, pg_value(result, 0, "setting"));
    return true;
}

/* --- the databases ------------------------------------------------------------------------- */

static void
keep_rights(struct monitoring_site *site, const PGresult *result)
{
    struct arena *arena = site->advice->arena;

    for (int row = 0; row < PQntuples(result); row++) {
        struct monitoring_right *right = LIST_ADD(arena, &site->rights);
        right->schema = arena_strdup(arena, pg_value(result, row, "schema"));
        right->table = arena_strdup(arena, pg_value(result, row, "name"));
        right->column = arena_strdup(arena, pg_value(result, row, "column"));
    }
}

static void
collect_grants(struct arena *arena, const struct monitoring_objects *objects, struct pairs *pairs)
{
    for (size_t i = 0; i < objects->list.count; i++) {
        const struct monitoring_object *object = &objects->list.items[i];
        for (size_t j = 0; j < object->grants.count; j++) {
            const struct monitoring_grant *grant = &object->grants.items[j];
            for (size_t k = 0; k < grant->columns.list.count; k++)
                add_pair(arena, pairs, grant->table, grant->columns.list.items[k]);
        }
    }
}

/* The first fault of any; what was read is kept and freed either way. */
static bool
keep_results(struct monitoring_sites *sites, struct pg_statement *const *batches,
             const struct error *errors, struct error *err)
{
    bool is_fine = true;

    for (size_t i = 0; i < sites->list.count; i++) {
        struct monitoring_site *site = &sites->list.items[i];
        if (is_fine && errors[i].code != ERROR_NONE) {
            *err = errors[i];
            is_fine = error_wrap(err, "database \"%s\"", site->deck->name);
        }
        if (batches[i]->result != NULL)
            keep_rights(site, batches[i]->result);
        PQclear(batches[i]->result);
    }
    return is_fine;
}

static bool
read_rights(struct advice *advice, const struct monitoring_objects *objects,
            struct monitoring_sites *sites, struct error *err)
{
    struct arena *arena = advice->arena;
    size_t count = sites->list.count;
    PGconn **connections = ARENA_ARRAY(arena, PGconn *, count + 1);
    struct pg_statement **batches = ARENA_ARRAY(arena, struct pg_statement *, count + 1);
    struct error *errors = ARENA_ARRAY(arena, struct error, count + 1);
    struct pairs pairs = {0};
    const char **parameters = ARENA_ARRAY(arena, const char *, 2);

    collect_grants(arena, objects, &pairs);
    bind_pairs(arena, &pairs, parameters);
    for (size_t i = 0; i < count; i++) {
        connections[i] = sites->list.items[i].catalog->connection;
        batches[i] = ARENA_NEW(arena, struct pg_statement);
        batches[i]->sql = embedded_file("monitoring/sql/rights.sql")->text;
        batches[i]->parameter_count = 2;
        batches[i]->parameters = parameters;
    }
    return pg_query_batch(connections, batches, count, 1, errors, err) &&
           keep_results(sites, batches, errors, err);
}

/* Whether the database is there or made by this plan; not with `--only monitoring`. */
static bool
comes_to_be(const struct advice *advice, const struct catalog_database *database)
{
    const char *key =
        arena_printf(advice->arena, "database %s", pg_identifier(advice->arena, database->name));

    return database->exists || change_find(advice, NULL, key) != NULL;
}

bool
monitoring_sites_read(struct advice *advice, const struct monitoring_objects *objects,
                      struct monitoring_sites *ret_sites, struct error *err)
{
    memset(ret_sites, 0, sizeof(*ret_sites));
    if (!monitoring_checks_read(advice->arena, advice->deck->views, &ret_sites->checks, err))
        return false;
    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *database = &advice->deck->databases.items[i];
        if (database->environment->server != advice->server)
            continue;
        const struct catalog_database *catalog =
            catalog_find_database(advice->catalog, database->name);
        if (catalog == NULL || !comes_to_be(advice, catalog))
            continue;
        struct monitoring_site *site = LIST_ADD(advice->arena, &ret_sites->list);
        site->advice = advice;
        site->deck = database;
        site->catalog = catalog;
        site->objects = objects;
    }
    if (read_columns(advice, objects, ret_sites, err) &&
        read_file_search_path(advice, ret_sites, err) &&
        read_rights(advice, objects, ret_sites, err))
        return true;
    return error_wrap(err, "cannot look at the schema monitoring");
}

/* --- what is there ------------------------------------------------------------------------- */

static bool
table_has(const struct catalog_table *table, const struct monitoring_names *columns)
{
    for (size_t i = 0; i < columns->list.count; i++) {
        bool is_found = false;
        for (size_t j = 0; j < table->column_count && !is_found; j++)
            is_found = strcmp(table->columns[j], columns->list.items[i]) == 0;
        if (!is_found)
            return false;
    }
    return true;
}

static bool
statement_has(const struct deck_statement *statement, const struct monitoring_names *columns)
{
    for (size_t i = 0; i < columns->list.count; i++) {
        bool is_found = false;
        for (size_t j = 0; j < statement->columns.count && !is_found; j++)
            is_found = strcmp(statement->columns.items[j], columns->list.items[i]) == 0;
        if (!is_found)
            return false;
    }
    return true;
}

static void
find_new_tables(const struct monitoring_site *site, const char *name,
                const struct monitoring_names *columns, struct monitoring_tables *tables)
{
    struct arena *arena = site->advice->arena;
    const struct deck_sql_file *file = site->deck->schema;

    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        if (statement->kind != STATEMENT_CREATE_TABLE || strcmp(statement->name, name) != 0 ||
            !statement_has(statement, columns))
            continue;
        const char *schema = statement->schema != NULL ? statement->schema : "public";
        if (catalog_find_table(site->catalog, schema, name) != NULL ||
            change_find(site->advice, site->deck->name, change_table_key(arena, schema, name)) ==
                NULL)
            continue;
        struct monitoring_table *table = LIST_ADD(arena, &tables->list);
        table->schema = schema;
        table->name = name;
    }
}

void
monitoring_find_tables(const struct monitoring_site *site, const char *name,
                       const struct monitoring_names *columns, struct monitoring_tables *ret_tables)
{
    memset(ret_tables, 0, sizeof(*ret_tables));
    for (size_t i = 0; i < site->catalog->tables.count; i++) {
        const struct catalog_table *table = &site->catalog->tables.items[i];
        if (table->parent_oid != 0 || strcmp(table->name, name) != 0 || !table_has(table, columns))
            continue;
        struct monitoring_table *found = LIST_ADD(site->advice->arena, &ret_tables->list);
        found->schema = table->schema;
        found->name = table->name;
    }
    find_new_tables(site, name, columns, ret_tables);
}

static bool
has_right(const struct monitoring_site *site, const char *schema, const char *table,
          const char *column)
{
    for (size_t i = 0; i < site->rights.count; i++) {
        const struct monitoring_right *right = &site->rights.items[i];
        if (strcmp(right->schema, schema) == 0 && strcmp(right->table, table) == 0 &&
            strcmp(right->column, column) == 0)
            return true;
    }
    return false;
}

bool
monitoring_may_read(const struct monitoring_site *site, const struct monitoring_table *table,
                    const struct monitoring_names *columns)
{
    for (size_t i = 0; i < columns->list.count; i++) {
        if (!has_right(site, table->schema, table->name, columns->list.items[i]))
            return false;
    }
    return true;
}

bool
monitoring_may_use(const struct monitoring_site *site, const char *schema)
{
    return has_right(site, schema, "", "");
}

bool
monitoring_may_connect(const struct monitoring_site *site, bool has_own)
{
    return has_right(site, "", "", has_own ? "own connect" : "connect");
}

static bool
is_met(const struct monitoring_site *site, const struct monitoring_sites *sites,
       const struct monitoring_need *need)
{
    struct monitoring_tables tables;

    if (need->kind == MONITORING_NEEDS_TABLE) {
        monitoring_find_tables(site, need->relation, &need->columns, &tables);
        return (tables.list.count > 0) == need->is_wanted;
    }
    if (strncmp(need->relation, "monitoring.", strlen("monitoring.")) == 0)
        return need->is_wanted; /* of ours: comes with the same plan */
    for (size_t i = 0; i < sites->columns.count; i++) {
        const struct monitoring_column *column = &sites->columns.items[i];
        if (strcmp(column->relation, need->relation) == 0 &&
            strcmp(column->name, need->columns.list.items[0]) == 0)
            return column->is_there == need->is_wanted;
    }
    return false;
}

bool
monitoring_is_served(const struct monitoring_site *site, const struct monitoring_sites *sites,
                     const struct monitoring_object *object)
{
    for (size_t i = 0; i < object->needs.count; i++) {
        if (!is_met(site, sites, &object->needs.items[i]))
            return false;
    }
    return true;
}
