// SPDX-License-Identifier: MIT
#include "change/script.h"

#include "pg/script.h"

#include <string.h>

const char *
change_semicolon(const char *statement)
{
    const char *line = strrchr(statement, '\n');

    return strstr(line == NULL ? statement : line, "--") != NULL ? "\n;" : ";";
}

const char *
change_script(struct arena *arena, const char *role, const char *schema, const char *body)
{
    body = arena_printf(arena, "%s%s", body, change_semicolon(body));
    return pg_script(arena, role == NULL ? "change/sql/script.sql" : "change/sql/script_as.sql",
                     PG_VARIABLES({"role", role}, {"schema", schema}, {"body", body}));
}

const char *
change_owner(const struct advice *advice, const struct deck_database *database)
{
    if ((advice->deck->advisors & ADVISOR_SECURITY) == 0)
        return NULL;
    return deck_owner_role(advice->arena, database->environment);
}

bool
change_next_scope(struct advice *advice, size_t *at, struct change_scope *ret_scope)
{
    const struct deck *deck = advice->deck;

    while (*at < deck->databases.count) {
        const struct deck_database *database = &deck->databases.items[(*at)++];
        const struct catalog_database *catalog =
            catalog_find_database(advice->catalog, database->name);
        if (database->environment->server != advice->server || catalog == NULL)
            continue;
        *ret_scope = (struct change_scope){
            .advice = advice,
            .database = database,
            .catalog = catalog,
            .owner = change_owner(advice, database),
        };
        return true;
    }
    return false;
}

const struct change *
change_find(const struct advice *advice, const char *database, const char *key)
{
    const struct change_list *list = advice->changes;

    for (size_t i = 0; i < list->changes.count; i++) {
        const struct change *change = &list->changes.items[i];
        if (strcmp(change->key, key) != 0 || strcmp(change->server, advice->server->name) != 0)
            continue;
        if (database == NULL ? change->database == NULL
                             : change->database != NULL && strcmp(change->database, database) == 0)
            return change;
    }
    return NULL;
}

const char *
change_table_key(struct arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "table %s", pg_qualified(arena, schema, name));
}

const char *
change_partitions_key(struct arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "partitions of %s", pg_qualified(arena, schema, name));
}

const char *
change_guard_empty(struct arena *arena, const char *schema, const char *name)
{
    return pg_script(arena, "change/sql/guard_empty.sql",
                     PG_VARIABLES({"schema", schema}, {"table", name}));
}
