// SPDX-License-Identifier: MIT
#include "schema/database.h"

#include "base/embed.h"
#include "change/script.h"
#include "pg/script.h"

static bool
may_create(const struct advice *advice, const struct deck_database *database, struct error *err)
{
    const struct catalog_server *server = advice->catalog;

    if (server->is_superuser || server->can_create_database)
        return true;
    error_set(err, ERROR_PRIVILEGE, "role \"%s\" may not create database \"%s\"", server->role,
              database->name);
    error_hint(err,
               "Create the database by hand, or let an administrator run "
               "ALTER ROLE %s CREATEDB.",
               pg_identifier(advice->arena, server->role));
    return error_place(err, database->place);
}

static bool
is_template_utf8(const struct advice *advice, bool *ret_is_utf8, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(advice->catalog->connection, embedded_file("schema/sql/template.sql")->text, 0,
                  NULL, &result, err))
        return error_wrap(err, "cannot look at the server's template database");
    *ret_is_utf8 = PQntuples(result) == 1 && pg_bool(result, 0, "is_utf8");
    return true;
}

bool
schema_add_database(struct advice *advice, const struct deck_database *database, struct error *err)
{
    struct arena *arena = advice->arena;
    const char *owner = change_owner(advice, database);
    const char *name = database->name;
    bool is_utf8;

    if (!may_create(advice, database, err) || !is_template_utf8(advice, &is_utf8, err))
        return false;
    if (owner == NULL)
        owner = advice->catalog->role;
    const char *file =
        is_utf8 ? "schema/sql/create_database.sql" : "schema/sql/create_database_plain.sql";
    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .key = arena_printf(arena, "database %s", pg_identifier(arena, name)),
            .phase = CHANGE_DATABASE,
            .action = CHANGE_CREATE,
            .what = arena_printf(arena, "create database %s", name),
            .why = "the deck has it, the server does not",
            .place = database->place,
            .sql = pg_script(arena, file, PG_VARIABLES({"database", name}, {"owner", owner})),
            .undo = pg_script(arena, "schema/sql/drop_database.sql", PG_VARIABLES({"name", name})),
            .undo_guard =
                pg_script(arena, "schema/sql/guard_database.sql", PG_VARIABLES({"database", name})),
            .undo_guard_database = name,
        });
    return true;
}
