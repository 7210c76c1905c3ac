// SPDX-License-Identifier: MIT
#include "advise/tables.h"

#include "base/embed.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

static double
number(const PGresult *result, int row, const char *column)
{
    const char *value = pg_value(result, row, column);

    return value == NULL ? 0 : strtod(value, NULL);
}

static struct advise_table *
table_of(const struct advise_tables *tables, uint32_t oid)
{
    for (size_t i = 0; i < tables->list.count; i++) {
        if (tables->list.items[i]->oid == oid)
            return tables->list.items[i];
    }
    return NULL;
}

const char *
advise_table_name(struct arena *arena, const struct advise_table *table)
{
    const char *name = tree_identifier(arena, table->name);

    if (strcmp(table->schema, "public") == 0)
        return name;
    return arena_printf(arena, "%s.%s", tree_identifier(arena, table->schema), name);
}

static struct advise_table *
read_table(struct arena *arena, const PGresult *result, int row)
{
    struct advise_table *table = ARENA_NEW(arena, struct advise_table);

    table->oid = (uint32_t)pg_integer(result, row, "oid");
    table->schema = pg_keep_text(arena, result, row, "schema");
    table->name = pg_keep_text(arena, result, row, "name");
    table->kind = pg_keep_text(arena, result, row, "kind")[0];
    table->rows = number(result, row, "rows");
    table->pages = number(result, row, "pages");
    table->inserts = number(result, row, "inserts");
    table->updates = number(result, row, "updates");
    table->deletes = number(result, row, "deletes");
    table->hot_updates = number(result, row, "hot_updates");
    table->leaf_count = pg_array(arena, pg_value(result, row, "leaves"), &table->leaves);
    return table;
}

/* As parameter of the other two: their oids. */
static const char *
oid_array(struct arena *arena, const struct advise_tables *tables)
{
    AUTO_TEXT array = {0};

    text_append(&array, "{");
    for (size_t i = 0; i < tables->list.count; i++)
        text_appendf(&array, "%s%u", i == 0 ? "" : ",", tables->list.items[i]->oid);
    text_append(&array, "}");
    return arena_strdup(arena, text_chars(&array));
}

typedef void
row_reader(struct arena *arena, const PGresult *result, int row, struct advise_table *table);

static void
read_column(struct arena *arena, const PGresult *result, int row, struct advise_table *table)
{
    struct advise_column *column = LIST_ADD(arena, &table->columns);
    char **shares;
    double distinct = number(result, row, "distinct");

    column->name = pg_keep_text(arena, result, row, "name");
    column->type = pg_keep_text(arena, result, row, "type");
    column->category = pg_keep_text(arena, result, row, "category")[0];
    column->is_not_null = pg_bool(result, row, "is_not_null");
    column->is_c_collated = pg_bool(result, row, "is_c_collated");
    column->distinct = distinct < 0 ? -distinct * table->rows : distinct;
    column->null_share = number(result, row, "null_share");
    column->width_bytes = number(result, row, "width_bytes");
    column->correlation = number(result, row, "correlation");
    column->value_count = pg_array(arena, pg_value(result, row, "values"), &column->values);
    size_t share_count = pg_array(arena, pg_value(result, row, "shares"), &shares);
    column->shares = ARENA_ARRAY(arena, double, column->value_count + 1);
    for (size_t i = 0; i < column->value_count && i < share_count; i++)
        column->shares[i] = strtod(shares[i], NULL);
    column->bound_count = pg_array(arena, pg_value(result, row, "bounds"), &column->bounds);
    table->row_bytes += column->width_bytes;
}

static void
read_index(struct arena *arena, const PGresult *result, int row, struct advise_table *table)
{
    struct advise_index *index = LIST_ADD(arena, &table->indexes);

    index->oid = (uint32_t)pg_integer(result, row, "oid");
    index->name = pg_keep_text(arena, result, row, "name");
    index->method = pg_keep_text(arena, result, row, "method");
    index->predicate = pg_keep_text(arena, result, row, "predicate");
    index->key_count = pg_array(arena, pg_value(result, row, "keys"), &index->keys);
    index->included_count = pg_array(arena, pg_value(result, row, "included"), &index->included);
    index->is_unique = pg_bool(result, row, "is_unique");
    index->is_constraint = pg_bool(result, row, "is_constraint");
    index->size_bytes = number(result, row, "size_bytes");
}

typedef void
row_reader(struct arena *arena, const PGresult *result, int row, struct advise_table *table);

/* What file says of the tables of oids (an array), one row a thing. */
static bool
read_rows(struct arena *arena, PGconn *connection, const char *file, const char *oids,
          const struct advise_tables *tables, row_reader *read, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file(file)->text, 1, &oids, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct advise_table *table =
            table_of(tables, (uint32_t)pg_integer(result, row, "table_oid"));
        if (table != NULL)
            read(arena, result, row, table);
    }
    return true;
}

/* All at once; when one of them is locked, each by itself, without that one: its statements will
 * not be planned either, and say so. */
static bool
read_parts(struct arena *arena, PGconn *connection, const char *file,
           const struct advise_tables *tables, row_reader *read, struct error *err)
{
    struct error fault = {0};

    if (read_rows(arena, connection, file, oid_array(arena, tables), tables, read, &fault))
        return true;
    for (size_t i = 0; fault.code == ERROR_LOCKED && i < tables->list.count; i++) {
        const char *oids = arena_printf(arena, "{%u}", tables->list.items[i]->oid);
        struct error one = {0};
        if (table_of(tables, tables->list.items[i]->oid) == tables->list.items[i] &&
            !read_rows(arena, connection, file, oids, tables, read, &one) &&
            one.code != ERROR_LOCKED)
            fault = one;
    }
    if (fault.code == ERROR_LOCKED)
        return true;
    *err = fault;
    return false;
}

bool
advise_tables_read(struct arena *arena, PGconn *connection, const struct advise_names *names,
                   const char *schemas, struct advise_tables *ret_tables, struct error *err)
{
    struct advise_tables tables = {0};
    const char *parameters[] = {pg_text_array(arena, names->list.items, names->list.count),
                                schemas};
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("advise/sql/tables.sql")->text, 2, parameters, &result,
                  err))
        return error_wrap(err, "cannot read the tables");
    for (int row = 0; row < PQntuples(result); row++) {
        struct advise_table *table = table_of(&tables, (uint32_t)pg_integer(result, row, "oid"));
        *LIST_ADD(arena, &tables.written) = pg_keep_text(arena, result, row, "written");
        *LIST_ADD(arena, &tables.list) = table != NULL ? table : read_table(arena, result, row);
    }
    if (!read_parts(arena, connection, "advise/sql/columns.sql", &tables, read_column, err) ||
        !read_parts(arena, connection, "advise/sql/indexes.sql", &tables, read_index, err))
        return error_wrap(err, "cannot read the tables' columns and indexes");
    *ret_tables = tables;
    return true;
}
