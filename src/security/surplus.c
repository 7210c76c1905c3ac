// SPDX-License-Identifier: MIT
#include "security/surplus.h"

#include "base/embed.h"
#include "pg/script.h"
#include "security/facts.h"
#include "security/roles.h"

/* One row of surplus_*.sql: a change, or what somebody else has to do. */
static void
add_row(struct advice *advice, const struct deck_database *database, struct place place,
        const PGresult *result, int row)
{
    struct arena *arena = advice->arena;
    const char *what = arena_strdup(arena, pg_value(result, row, "what"));
    const char *sql = arena_strdup(arena, pg_value(result, row, "sql"));
    const char *obstacle = pg_value(result, row, "obstacle");
    const char *warning = pg_value(result, row, "warning");
    const char *key = arena_printf(arena, "surplus: %s", what);
    const char *why = "the deck does not give this right";
    const char *name = database == NULL ? NULL : database->name;

    if (obstacle != NULL) {
        change_list_manual(advice->changes, &(struct change_manual){
                                                .server = advice->server->name,
                                                .database = name,
                                                .place = place,
                                                .key = key,
                                                .what = what,
                                                .why = why,
                                                .obstacle = arena_strdup(arena, obstacle),
                                                .remedy = sql,
                                            });
        return;
    }
    change_list_add(advice->changes,
                    &(struct change){
                        .server = advice->server->name,
                        .database = name,
                        .key = key,
                        .phase = database == NULL ? CHANGE_ROLE : CHANGE_GRANT,
                        .action = CHANGE_ALTER,
                        .what = what,
                        .why = why,
                        .warning = warning == NULL ? NULL : arena_strdup(arena, warning),
                        .place = place,
                        .sql = sql,
                        .undo = arena_strdup(arena, pg_value(result, row, "undo")),
                        .is_transactional = true,
                        .is_revocation = true,
                        .is_apart = true,
                    });
}

bool
security_surplus_roles(struct advice *advice, struct error *err)
{
    static const char *const files[] = {"security/sql/surplus_roles.sql",
                                        "security/sql/surplus_parameters.sql"};
    const char *parameters[1] = {security_facts(advice->arena, advice)};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const struct embedded_file *file = embedded_file(files[i]);
        AUTO_PGRESULT result = NULL;
        if (advice->catalog->major < file->min_version)
            continue;
        if (!pg_query(advice->catalog->connection, file->text, 1, parameters, &result, err))
            return error_wrap(err, "cannot read what the deck's roles may");
        for (int row = 0; row < PQntuples(result); row++)
            add_row(advice, NULL, advice->server->place, result, row);
    }
    return true;
}

bool
security_surplus_rights(struct advice *advice, const struct deck_database *database,
                        struct error *err)
{
    const struct catalog_database *catalog = catalog_find_database(advice->catalog, database->name);
    struct security_roles here = security_roles_in(advice->arena, database);
    AUTO_PGRESULT result = NULL;

    if (catalog == NULL || !catalog->exists)
        return true;
    if (deck_has_pool_logins(database->environment))
        *LIST_ADD(advice->arena, &here.names) =
            deck_pool_asker(advice->arena, database->environment);
    const char *parameters[2] = {security_facts(advice->arena, advice),
                                 pg_text_array(advice->arena, here.names.items, here.names.count)};
    if (!pg_query(catalog->connection, embedded_file("security/sql/surplus_rights.sql")->text, 2,
                  parameters, &result, err))
        return error_wrap(err, "cannot read the rights in \"%s\"", database->name);
    for (int row = 0; row < PQntuples(result); row++)
        add_row(advice, database, database->place, result, row);
    return true;
}
