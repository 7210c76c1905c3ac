// SPDX-License-Identifier: MIT
#include "security/tenants.h"

#include "base/embed.h"
#include "base/text.h"
#include "pg/script.h"
#include "security/roles.h"
#include "security/surplus.h"
#include "security/tenant_keys.h"

#include <string.h>

const char *
security_tenant_setting(const struct deck *deck)
{
    if (deck->tenants.identity == IDENTITY_LOGIN)
        return "";
    return deck->tenants.setting == NULL ? "app.tenant" : deck->tenants.setting;
}

bool
security_has_tenants(const struct deck *deck, const char *database)
{
    const struct deck_tenants *tenants = &deck->tenants;

    for (size_t i = 0; i < tenants->databases.count; i++) {
        if (strcmp(tenants->databases.items[i], database) == 0)
            return true;
    }
    return tenants->column != NULL && tenants->databases.count == 0;
}

/* What is wrong with the tables that are there. */
struct findings {
    struct text names, undo;
    const char *known_keys; /* foreign keys that have rows of their own: text[] */
};

/* Row-level security and the policy of that name as they are now. */
static void
add_undo(struct findings *findings, struct arena *arena, const PGresult *result, int row)
{
    const char *former = pg_value(result, row, "former");

    text_appendf(
        &findings->undo, "%s;\n",
        pg_script(
            arena, "security/sql/tenants_undo.sql",
            PG_VARIABLES({"schema", pg_value(result, row, "schema")},
                         {"table", pg_value(result, row, "name")},
                         {"policy", pg_value(result, row, "policy")},
                         {"words", pg_bool(result, row, "is_on") ? "ENABLE" : "DISABLE"},
                         {"force", pg_bool(result, row, "is_forced") ? "FORCE" : "NO FORCE"})));
    if (former != NULL)
        text_appendf(&findings->undo, "%s;\n", former);
}

static void
read_tables(const struct advice *advice, const struct deck_database *database,
            const PGresult *result, struct findings *findings)
{
    for (int row = 0; row < PQntuples(result); row++) {
        const char *others = pg_value(result, row, "others");
        if (others != NULL)
            change_list_note(advice->changes, advice->server->name, database->name, database->place,
                             "On %s.%s other policies let in more than the tenant's rows: %s.",
                             pg_value(result, row, "schema"), pg_value(result, row, "name"),
                             others);
        if (pg_bool(result, row, "is_right"))
            continue;
        text_appendf(&findings->names, "%s%s", findings->names.length > 0 ? ", " : "",
                     pg_value(result, row, "label"));
        add_undo(findings, advice->arena, result, row);
    }
}

static bool
makes_tables(const struct advice *advice, const struct deck_database *database,
             const struct catalog_database *catalog)
{
    const struct deck_sql_file *file = database->schema;
    const char *column = advice->deck->tenants.column;
    const char *quoted = pg_identifier(advice->arena, column);

    for (size_t i = 0; advice->creates_tables && file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        const char *schema = statement->schema == NULL ? "public" : statement->schema;
        if (statement->kind == STATEMENT_CREATE_TABLE &&
            (strstr(statement->sql, column) != NULL || strstr(statement->sql, quoted) != NULL) &&
            (!catalog->exists || catalog_find_table(catalog, schema, statement->name) == NULL))
            return true;
    }
    return false;
}

/* The script is in dollar quotes of that name. */
static bool
check_names(const struct advice *advice, const struct deck_database *database, const char *readers,
            const char *known_keys, struct error *err)
{
    const char *all =
        arena_printf(advice->arena, "%s %s %s %s %s", advice->deck->tenants.column,
                     security_tenant_setting(advice->deck),
                     deck_owner_role(advice->arena, database->environment), readers, known_keys);

    if (strstr(all, "$tenants$") == NULL)
        return true;
    error_set(err, ERROR_DECK,
              "a name of the deck or a foreign key has $tenants$ in it: row-level security "
              "cannot be set up");
    return error_place(err, database->place);
}

/* A rollup that the rollup advisor will make, with the tenants' figures in it. */
static bool
makes_rollups(const struct advice *advice, const struct catalog_database *catalog)
{
    const struct deck *deck = advice->deck;

    for (size_t i = 0; (deck->advisors & ADVISOR_ROLLUP) != 0 && i < deck->rollups.count; i++) {
        const struct deck_rollup *rollup = &deck->rollups.items[i];
        if (catalog->exists && catalog_find_table(catalog, "rollups", rollup->name) != NULL)
            continue;
        if (catalog->exists && catalog_find_table(catalog, rollup->schema, rollup->table) == NULL)
            continue;
        for (size_t j = 0; j < rollup->by.count; j++) {
            if (strcmp(rollup->by.items[j], deck->tenants.column) == 0)
                return true;
        }
    }
    return false;
}

static bool
add_change(const struct advice *advice, const struct deck_database *database,
           const struct findings *findings, struct error *err)
{
    struct arena *arena = advice->arena;
    const struct deck_tenants *tenants = &advice->deck->tenants;
    const char *setting = security_tenant_setting(advice->deck);
    struct security_roles readers = security_roles_in(arena, database);
    const char *names = pg_text_array(arena, readers.names.items, readers.names.count);

    if (!check_names(advice, database, names, findings->known_keys, err))
        return false;
    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .database = database->name,
            .key = "row-level security",
            .phase = CHANGE_GRANT,
            .action = CHANGE_ALTER,
            .what = arena_printf(
                arena, "show each tenant its own rows only, by %s: %s", tenants->column,
                findings->names.length > 0 ? text_chars(&findings->names) : "new tables"),
            .why = setting[0] == '\0'
                       ? "tenants: the login tells which (table tenants.login)"
                       : arena_printf(arena,
                                      "tenants: %s tells which; whoever can send SQL can set it",
                                      setting),
            .place = database->place,
            .sql = arena_printf(
                arena,
                "%s;\n%s", /* keys first: a forced policy would hide the rows from their check */
                security_new_tenant_keys(advice, findings->known_keys),
                pg_script(arena, "security/sql/tenants_apply.sql",
                          PG_VARIABLES({"owner", deck_owner_role(arena, database->environment)},
                                       {"column", tenants->column}, {"setting", setting},
                                       {"readers", names}))),
            .undo = arena_printf(arena, "%s%s", text_chars(&findings->undo),
                                 pg_script(arena, "security/sql/tenants_undo_login.sql", NULL, 0)),
            .lock = "ACCESS EXCLUSIVE on each, for a moment",
            .is_consequence = findings->names.length == 0, /* tables and rollups to come */
            .declared = arena_printf(arena, "%s %s", tenants->column, setting),
            .is_transactional = true,
        });
    return true;
}

static bool
read_state(const struct advice *advice, const struct deck_database *database,
           const struct catalog_database *catalog, struct findings *findings, struct error *err)
{
    const struct deck *deck = advice->deck;
    struct security_roles readers = security_roles_in(advice->arena, database);
    const char *of_tables[2] = {deck->tenants.column, security_tenant_setting(deck)};
    const char *of_logins[2] = {
        deck_owner_role(advice->arena, database->environment),
        pg_text_array(advice->arena, readers.names.items, readers.names.count)};
    AUTO_PGRESULT tables = NULL;
    AUTO_PGRESULT logins = NULL;

    if (!pg_query(catalog->connection, embedded_file("security/sql/tenants_state.sql")->text, 2,
                  of_tables, &tables, err) ||
        (deck->tenants.identity == IDENTITY_LOGIN &&
         !pg_query(catalog->connection, embedded_file("security/sql/tenant_login_state.sql")->text,
                   2, of_logins, &logins, err)))
        return error_wrap(err, "cannot read the row-level security of \"%s\"", database->name);
    read_tables(advice, database, tables, findings);
    if (logins != NULL)
        read_tables(advice, database, logins, findings);
    return true;
}

bool
security_advise_tenants(struct advice *advice, const struct deck_database *database,
                        struct error *err)
{
    const struct deck *deck = advice->deck;
    const struct catalog_database *catalog = catalog_find_database(advice->catalog, database->name);
    struct findings findings = {0};

    if (catalog == NULL || !security_has_tenants(deck, database->name))
        return true;
    if (catalog->exists && !read_state(advice, database, catalog, &findings, err))
        return false;
    struct tenant_keys *keys = NULL;
    bool is_fine = security_read_tenant_keys(advice, database, &keys, err);
    if (is_fine) {
        findings.known_keys = security_known_tenant_keys(advice->arena, keys);
        is_fine = (findings.names.length == 0 && !makes_tables(advice, database, catalog) &&
                   !makes_rollups(advice, catalog)) ||
                  add_change(advice, database, &findings, err);
    }
    if (is_fine)
        security_add_tenant_keys(advice, database, keys);
    text_release(&findings.names);
    text_release(&findings.undo);
    return is_fine;
}
