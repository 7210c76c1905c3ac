// SPDX-License-Identifier: MIT
#include "index/wanted.h"

#include "base/embed.h"
#include "base/text.h"
#include "change/name.h"
#include "change/script.h"
#include "deck/definition.h"
#include "pg/script.h"

#include <string.h>

static const char unique[] = "UNIQUE ";

/* --- declared ----------------------------------------------------------------------------- */

static void
collect_file(struct arena *arena, const struct deck_sql_file *file,
             struct index_wanted_list *wanted)
{
    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        if (statement->kind != STATEMENT_CREATE_INDEX)
            continue;
        struct index_wanted *item = LIST_ADD(arena, &wanted->list);
        item->statement = statement;
        item->schema = statement->table_schema == NULL ? "public" : statement->table_schema;
        item->table = statement->table;
        item->name = statement->name;
        item->key = arena_printf(arena, "index %s", pg_qualified(arena, item->schema, item->name));
        item->declared = change_hash(arena, statement->sql);
    }
}

void
index_collect(struct arena *arena, const struct deck_database *database,
              struct index_wanted_list *ret_list)
{
    *ret_list = (struct index_wanted_list){0};
    collect_file(arena, database->schema, ret_list);
    if (database->indexes != database->schema)
        collect_file(arena, database->indexes, ret_list);
}

/* --- canonical text ----------------------------------------------------------------------- */

const char *
index_canonical(struct arena *arena, const struct catalog_index *index)
{
    return arena_printf(arena, "%s%s", index->is_unique ? unique : "", index->definition);
}

static const char *
create(struct arena *arena, const char *file, const char *canonical, const char *name,
       const char *table, bool is_concurrent)
{
    bool is_unique = strncmp(canonical, unique, strlen(unique)) == 0;

    return pg_script(arena, file,
                     PG_VARIABLES({"kind", arena_printf(arena, "%sINDEX%s", is_unique ? unique : "",
                                                        is_concurrent ? " CONCURRENTLY" : "")},
                                  {"name", name}, {"table", table},
                                  {"definition", canonical + (is_unique ? strlen(unique) : 0)}));
}

const char *
index_create_sql(struct arena *arena, const char *canonical, const char *schema, const char *table,
                 const char *name, bool is_concurrent)
{
    return create(arena, "index/sql/create.sql", canonical, name,
                  pg_qualified(arena, schema, table), is_concurrent);
}

const char *
index_create_only_sql(struct arena *arena, const char *canonical, const char *schema,
                      const char *table, const char *name)
{
    return create(arena, "index/sql/create.sql", canonical, name,
                  arena_printf(arena, "ONLY %s", pg_qualified(arena, schema, table)), false);
}

const char *
index_outline_sql(struct arena *arena, const char *canonical, const char *schema, const char *table,
                  const char *name)
{
    return create(arena, "index/sql/create_partitioned.sql", canonical, name,
                  pg_qualified(arena, schema, table), false);
}

/* --- probing ------------------------------------------------------------------------------ */

static bool
is_table_before(struct index_wanted *const *wanted, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(wanted[i]->table, wanted[at]->table) == 0)
            return true;
    }
    return false;
}

/* The statement with the empty copy in the place of its table. */
static bool
append_statement(struct arena *arena, const struct index_wanted *wanted, struct text *script,
                 struct error *err)
{
    const char *sql = wanted->statement->sql;
    struct deck_span table;

    if (!deck_index_table(arena, wanted->statement, &table, err))
        return false;
    text_append_bytes(script, sql, table.start);
    text_appendf(script, "pg_temp.%s", pg_identifier(arena, wanted->table));
    text_append(script, sql + table.start + table.length);
    text_append(script, change_semicolon(sql));
    return true;
}

static bool
read_canonical(struct arena *arena, PGconn *connection, struct index_wanted *const *wanted,
               size_t count, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[1] = {NULL};

    if (!pg_query(connection, embedded_file("index/sql/indexes.sql")->text, 1, parameters, &result,
                  err))
        return false;
    for (size_t i = 0; i < count; i++) {
        for (int row = 0; row < PQntuples(result); row++) {
            const char *canonical = pg_value(result, row, "canonical");
            if (canonical != NULL && strcmp(pg_value(result, row, "name"), wanted[i]->name) == 0)
                wanted[i]->canonical = arena_strdup(arena, canonical);
        }
        if (wanted[i]->canonical == NULL) {
            error_set(err, ERROR_INTERNAL, "cannot read back index \"%s\"", wanted[i]->name);
            return error_place(err, wanted[i]->statement->place);
        }
    }
    return true;
}

/* All of one schema, so that no two tables or indexes have the same name. */
static bool
probe_once(struct arena *arena, PGconn *connection, struct index_wanted *const *wanted,
           size_t count, struct error *err)
{
    AUTO_TEXT script = {0};
    struct error ignored;

    text_append(&script, "BEGIN;");
    for (size_t i = 0; i < count; i++) {
        if (is_table_before(wanted, i))
            continue;
        text_append(&script, pg_script(arena, "index/sql/probe_table.sql",
                                       PG_VARIABLES({"schema", wanted[i]->schema},
                                                    {"table", wanted[i]->table})));
        text_append(&script, ";");
    }
    /* What the statement names without a schema, it finds in public, as psql would. */
    text_append(&script, "SET LOCAL search_path = public, pg_temp;");
    for (size_t i = 0; i < count; i++) {
        if (!append_statement(arena, wanted[i], &script, err))
            return false;
    }
    text_append(&script, "SET LOCAL search_path = pg_catalog, pg_temp");
    bool is_fine = pg_execute(connection, text_chars(&script), err) &&
                   read_canonical(arena, connection, wanted, count, err);
    if (PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) != PQTRANS_IDLE &&
        !pg_execute(connection, "ROLLBACK", is_fine ? err : &ignored))
        return false;
    return is_fine;
}

/* After a failure: each for itself, to name the one that is to blame. */
static bool
blame(struct arena *arena, PGconn *connection, struct index_wanted *const *wanted, size_t count,
      struct error *err)
{
    for (size_t i = 0; i < count && err->code == ERROR_SQL; i++) {
        struct error fault = {0};
        if (probe_once(arena, connection, &wanted[i], 1, &fault))
            continue;
        *err = fault;
        error_wrap(err, "index \"%s\" cannot be built on table \"%s\"", wanted[i]->name,
                   wanted[i]->table);
        if (strcmp(fault.sqlstate, "42703") == 0)
            error_hint(err, "If the schema file has this column: pgdeck apply --only schema adds "
                            "it, or says why that is left to you.");
        return error_place(err, wanted[i]->statement->place);
    }
    return error_wrap(err, "cannot try the declared indexes on empty copies of their tables");
}

bool
index_probe(struct arena *arena, PGconn *connection, struct index_wanted *const *wanted,
            size_t count, struct error *err)
{
    struct index_wanted **group = ARENA_ARRAY(arena, struct index_wanted *, count);

    for (size_t first = 0; first < count; first++) {
        size_t grouped = 0;
        if (wanted[first]->canonical != NULL)
            continue;
        for (size_t i = first; i < count; i++) {
            if (strcmp(wanted[i]->schema, wanted[first]->schema) == 0)
                group[grouped++] = wanted[i];
        }
        if (!probe_once(arena, connection, group, grouped, err))
            return blame(arena, connection, group, grouped, err);
    }
    return true;
}
