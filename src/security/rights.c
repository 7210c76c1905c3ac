// SPDX-License-Identifier: MIT
#include "security/rights.h"

#include "security/acl.h"
#include "security/roles.h"
#include "security/script.h"

#include <string.h>

/* What a role may with tables and sequences, those to come included. */
struct level {
    const char *tables, *sequences;               /* SQL */
    const char *table_letters, *sequence_letters; /* the same as in an acl */
    const char *verb;
};
static const struct level read_and_write = {"SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT",
                                            "rawd", "rU", "read and write"};
static const struct level read_only = {"SELECT", "SELECT", "r", "r", "read"};

struct scope {
    struct advice *advice;
    const struct deck_database *database;
    const struct catalog_database *catalog;
    const struct catalog_database_entry *entry; /* NULL: does not exist yet */
    const char *owner;
    LIST_OF(const char *) schemas; /* those that the deck's tables are in */
};

struct schema_state {
    bool exists;
    const char *owner, *acl; /* "" when it does not exist */
};

/* --- what is there ------------------------------------------------------------------------ */

static const struct catalog_database_entry *
find_entry(const struct catalog_server *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->databases.count; i++) {
        if (strcmp(catalog->databases.items[i].name, name) == 0)
            return &catalog->databases.items[i];
    }
    return NULL;
}

static void
add_schema(struct scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->schemas.count; i++) {
        if (strcmp(scope->schemas.items[i], name) == 0)
            return;
    }
    *LIST_ADD(scope->advice->arena, &scope->schemas) = name;
}

static const char *
table_schema(const struct deck_statement *statement)
{
    return statement->schema == NULL ? "public" : statement->schema;
}

static void
collect_schemas(struct scope *scope)
{
    const struct deck_sql_file *file = scope->database->schema;

    add_schema(scope, "public");
    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        if (file->statements.items[i].kind == STATEMENT_CREATE_TABLE)
            add_schema(scope, table_schema(&file->statements.items[i]));
    }
}

/* The text after the next '|' of "schema|owner|acl". A schema's name may have one, too. */
static struct schema_state
schema_state(const struct scope *scope, const char *schema)
{
    struct schema_state state = {false, "", ""};
    size_t length = strlen(schema);

    for (size_t i = 0; scope->catalog->exists && i < scope->catalog->schema_acl_count; i++) {
        const char *entry = scope->catalog->schema_acls[i];
        if (strcmp(scope->catalog->schemas[i], schema) != 0)
            continue;
        const char *owner = entry + length + 1;
        const char *acl = strstr(owner, "|{");
        state.exists = true;
        state.acl = acl == NULL ? "" : acl + 1;
        state.owner = arena_strndup(scope->advice->arena, owner,
                                    acl == NULL ? strlen(owner) - 1 : (size_t)(acl - owner));
    }
    return state;
}

/* A default privilege of the owner's in the schema: "role|schema|objtype|acl". */
static bool
has_default(const struct scope *scope, const char *schema, const char *role, char kind,
            const char *letters)
{
    const char *prefix =
        arena_printf(scope->advice->arena, "%s|%s|%c|", scope->owner, schema, kind);

    for (size_t i = 0; scope->catalog->exists && i < scope->catalog->default_acl_count; i++) {
        const char *entry = scope->catalog->default_acls[i];
        if (strncmp(entry, prefix, strlen(prefix)) == 0 &&
            acl_has(entry + strlen(prefix), role, letters))
            return true;
    }
    return false;
}

/* Rights on the root of a partitioned table are enough. */
static bool
is_counted(const struct catalog_table *table, const char *schema)
{
    return table->parent_oid == 0 && strcmp(table->schema, schema) == 0;
}

static bool
makes_tables(const struct scope *scope, const char *schema)
{
    const struct deck_sql_file *file = scope->database->schema;

    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        if (statement->kind == STATEMENT_CREATE_TABLE &&
            strcmp(table_schema(statement), schema) == 0 &&
            (!scope->catalog->exists ||
             catalog_find_table(scope->catalog, schema, statement->name) == NULL))
            return true;
    }
    return false;
}

/* --- changes ------------------------------------------------------------------------------ */

/* change: phase, key, what, why and warning; the rest is the same for all. */
static void
add_change(const struct scope *scope, struct change change, const struct security_script *script)
{
    change.server = scope->advice->server->name;
    change.database = scope->database->name;
    change.action = CHANGE_ALTER;
    change.place = scope->database->place;
    change.sql = arena_strdup(scope->advice->arena, text_chars(&script->sql));
    change.undo = script->undo;
    change.is_transactional = true;
    change_list_add(scope->advice->changes, &change);
}

/* --- the owner ---------------------------------------------------------------------------- */

/* A database that belongs to someone who is neither superuser nor who applies stays theirs: they
 * might lose it. */
static void
advise_owner(const struct scope *scope)
{
    const struct catalog_server *catalog = scope->advice->catalog;
    struct arena *arena = scope->advice->arena;
    struct security_script script;

    if (scope->entry == NULL || strcmp(scope->entry->owner, scope->owner) == 0)
        return;
    const struct catalog_role *former = catalog_find_role(catalog, scope->entry->owner);
    if ((former == NULL || !former->is_superuser || !catalog->is_superuser) &&
        strcmp(scope->entry->owner, catalog->role) != 0) {
        change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                         scope->database->place,
                         "The database belongs to \"%s\" and is left to it; the deck's owner would "
                         "be \"%s\": ALTER DATABASE ... OWNER TO.",
                         scope->entry->owner, scope->owner);
        return;
    }
    security_script_init(&script, arena);
    security_script_add(&script, "set_owner", NULL,
                        PG_VARIABLES({"database", scope->database->name}, {"role", scope->owner}));
    script.undo = arena_printf(arena, "%s;\n",
                               pg_script(arena, "security/sql/set_owner.sql",
                                         PG_VARIABLES({"database", scope->database->name},
                                                      {"role", scope->entry->owner})));
    add_change(scope,
               (struct change){
                   .phase = CHANGE_DATABASE,
                   .key = "owner of the database",
                   .what = arena_printf(arena, "give the database to %s (now %s's)", scope->owner,
                                        scope->entry->owner),
                   .why = "nothing that services log in as owns what they use",
               },
               &script);
    security_script_release(&script);
}

/* Only a database's owner gives rights on it; a plan makes who applies a member of the owner. */
static bool
may_grant(const struct scope *scope)
{
    const struct catalog_server *catalog = scope->advice->catalog;

    if (catalog->is_superuser || scope->entry == NULL ||
        strcmp(scope->entry->owner, scope->owner) == 0 ||
        security_is_member(catalog, catalog->role, scope->entry->owner))
        return true;
    change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                     scope->database->place,
                     "Rights in this database are \"%s\"'s to give, and \"%s\" may not act for it: "
                     "they stay as they are.",
                     scope->entry->owner, catalog->role);
    return false;
}

/* Before 15, the schema public belongs to the superuser who made the server. */
static bool
may_grant_schema(const struct scope *scope, const char *schema)
{
    const struct catalog_server *catalog = scope->advice->catalog;
    struct schema_state state = schema_state(scope, schema);

    if (catalog->is_superuser)
        return true;
    if (!state.exists)
        return strcmp(schema, "public") != 0 || catalog->major >= 15;
    return strcmp(state.owner, "pg_database_owner") == 0 ||
           strcmp(state.owner, scope->owner) == 0 ||
           security_is_member(catalog, catalog->role, state.owner);
}

/* Since 15 the schema public belongs to the database's owner, before nobody but a superuser (or
 * everybody) could create in it. Must be there before the tables. */
static void
advise_schema_owner(const struct scope *scope, const char *schema)
{
    struct schema_state state = schema_state(scope, schema);
    bool is_public = strcmp(schema, "public") == 0;
    struct security_script script;

    if (!state.exists && (!is_public || scope->advice->catalog->major >= 15))
        return;
    if (strcmp(state.owner, scope->owner) == 0 || acl_has(state.acl, scope->owner, "UC") ||
        strcmp(state.owner, "pg_database_owner") == 0 || !may_grant_schema(scope, schema))
        return;
    security_script_init(&script, scope->advice->arena);
    security_script_add(
        &script, "grant_schema", "revoke_schema",
        PG_VARIABLES({"rights", "USAGE, CREATE"}, {"schema", schema}, {"role", scope->owner}));
    add_change(scope,
               (struct change){
                   .phase = CHANGE_EXTENSION,
                   .key = arena_printf(scope->advice->arena, "owner of schema %s", schema),
                   .what = arena_printf(scope->advice->arena, "let %s create in schema %s",
                                        scope->owner, schema),
                   .why = "it makes and owns the deck's tables",
               },
               &script);
    security_script_release(&script);
}

/* --- who may connect ---------------------------------------------------------------------- */

/* Without any GRANT everybody can connect. */
static bool
can_public_connect(const struct scope *scope)
{
    return scope->entry == NULL || scope->entry->acl[0] == '\0' ||
           acl_has(scope->entry->acl, "", "c");
}

static bool
has_connect(const struct scope *scope, const char *role)
{
    return scope->entry != NULL && acl_has(scope->entry->acl, role, "c");
}

/* Whether the role would still get in once PUBLIC may not. */
static bool
keeps_access(const struct scope *scope, const char *name)
{
    const struct catalog_server *catalog = scope->advice->catalog;
    const struct catalog_role *role = catalog_find_role(catalog, name);

    if (role != NULL && role->is_superuser)
        return true;
    if (scope->entry != NULL && security_is_member(catalog, name, scope->entry->owner))
        return true;
    if (security_is_member(catalog, name, scope->owner) || has_connect(scope, name))
        return true;
    for (size_t i = 0; role != NULL && i < role->member_of_count; i++) {
        if (keeps_access(scope, role->member_of[i]))
            return true;
    }
    struct security_roles roles = security_roles_in(scope->advice->arena, scope->database);
    for (size_t i = 0; i < roles.names.count; i++) {
        if (security_is_member(catalog, name, roles.names.items[i]))
            return true;
    }
    return false;
}

static bool
is_listed(const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->roles.count; i++) {
        if (strcmp(deck->roles.items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* A login that pgdeck made, of a service that this database is not for, or of the pool. */
static bool
is_other_service(const struct scope *scope, const char *name)
{
    const struct deck *deck = scope->advice->deck;

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        struct security_services services = security_services_of(scope->advice, environment);
        if (strcmp(deck_pool_asker(scope->advice->arena, environment), name) == 0)
            return true;
        for (size_t j = 0; j < services.names.count; j++) {
            const char *login =
                deck_login_role(scope->advice->arena, environment, services.names.items[j]);
            if (strcmp(login, name) == 0 ||
                strcmp(deck_other_login(scope->advice->arena, login), name) == 0)
                return true;
        }
    }
    return false;
}

/* Those who could connect because everybody could: roles of the deck get the right of their own,
 * the others are named. */
static const char *
keep_or_name(const struct scope *scope, struct security_script *script)
{
    const struct catalog_server *catalog = scope->advice->catalog;
    AUTO_TEXT names = {0};

    for (size_t i = 0; i < catalog->roles.count; i++) {
        const struct catalog_role *role = &catalog->roles.items[i];
        if (!role->can_login || keeps_access(scope, role->name) ||
            is_other_service(scope, role->name))
            continue;
        if (is_listed(scope->advice->deck, role->name))
            security_script_add(
                script, "grant_connect", "revoke_connect",
                PG_VARIABLES({"database", scope->database->name}, {"role", role->name}));
        else
            text_appendf(&names, "%s%s", names.length > 0 ? ", " : "", role->name);
    }
    if (names.length == 0)
        return NULL;
    return arena_printf(scope->advice->arena,
                        "these roles can connect to %s now and will not be able to: %s; to keep "
                        "one, list it under roles",
                        scope->database->name, text_chars(&names));
}

static void
close_to_public(const struct scope *scope, struct security_script *script, const char **warning)
{
    bool had_schema_create = scope->advice->catalog->major < 15;

    /* In a database that is there already, those who get in may rely on TEMPORARY. */
    const char *rights = scope->entry == NULL ? "CONNECT, TEMPORARY" : "CONNECT";

    if (can_public_connect(scope)) {
        if (scope->entry != NULL)
            *warning = keep_or_name(scope, script);
        security_script_add(script, "revoke_connect_public", "grant_connect_public",
                            PG_VARIABLES({"rights", rights}, {"database", scope->database->name}));
    }
    if (scope->catalog->exists)
        had_schema_create = acl_has(schema_state(scope, "public").acl, "", "C");
    if (had_schema_create && !may_grant_schema(scope, "public"))
        change_list_note(scope->advice->changes, scope->advice->server->name, scope->database->name,
                         scope->database->place,
                         "Everybody may create objects in the schema public; only a superuser can "
                         "end that here: REVOKE CREATE ON SCHEMA public FROM PUBLIC.");
    else if (had_schema_create)
        security_script_add(script, "revoke_schema_public", "grant_schema_public",
                            PG_VARIABLES({"schema", "public"}));
}

static void
advise_access(const struct scope *scope)
{
    struct security_roles roles = security_roles_in(scope->advice->arena, scope->database);
    struct arena *arena = scope->advice->arena;
    const char *warning = NULL; /* the applying role stays in: it acts for the owner */
    struct security_script script;
    AUTO_TEXT names = {0};

    security_script_init(&script, arena);
    for (size_t i = 0; i < roles.names.count; i++) {
        const char *role = roles.names.items[i];
        text_appendf(&names, "%s%s", i > 0 ? ", " : "", role);
        if (!has_connect(scope, role))
            security_script_add(&script, "grant_connect", "revoke_connect",
                                PG_VARIABLES({"database", scope->database->name}, {"role", role}));
    }
    close_to_public(scope, &script, &warning);
    if (!security_script_is_empty(&script))
        add_change(scope,
                   (struct change){
                       .phase = CHANGE_GRANT,
                       .key = "access to the database",
                       .what = names.length == 0 ? "let only its owner connect"
                                                 : arena_printf(arena, "let only these connect: %s",
                                                                text_chars(&names)),
                       .why = "PostgreSQL lets everybody connect to every database",
                       .warning = warning,
                   },
                   &script);
    security_script_release(&script);
}

/* --- what a service may read and write ---------------------------------------------------- */

/* The SQL words for a level's letters. */
static const char *
words_of(struct arena *arena, const char *letters)
{
    static const struct {
        char letter;
        const char *word;
    } words[] = {{'r', "SELECT"}, {'a', "INSERT"}, {'w', "UPDATE"}, {'d', "DELETE"}};
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strchr(letters, words[i].letter) != NULL)
            text_appendf(&text, "%s%s", text.length > 0 ? ", " : "", words[i].word);
    }
    return arena_strdup(arena, text_chars(&text));
}

static const char *
missing_letters(struct arena *arena, const struct catalog_table *table, const char *role,
                const struct level *level)
{
    char *missing = arena_strdup(arena, "");
    const char *there = acl_which(arena, table->acl, role, level->table_letters);

    for (const char *letter = level->table_letters; *letter != '\0'; letter++) {
        if (strchr(there, *letter) == NULL)
            missing = arena_printf(arena, "%s%c", missing, *letter);
    }
    return missing;
}

/* A role that gets rights in this database. */
struct grantee {
    const char *role;
    const struct level *level;
    const char *why;
};

static void
grant_tables(const struct scope *scope, const char *schema, const struct grantee *grantee,
             bool is_new_in_schema, struct security_script *script)
{
    struct arena *arena = scope->advice->arena;
    const struct level *level = grantee->level;
    const char *role = grantee->role;
    size_t granted = 0, missing = 0;

    for (size_t i = 0; scope->catalog->exists && i < scope->catalog->tables.count; i++) {
        const struct catalog_table *table = &scope->catalog->tables.items[i];
        if (!is_counted(table, schema))
            continue;
        granted += acl_which(arena, table->acl, role, level->table_letters)[0] != '\0';
        missing += missing_letters(arena, table, role, level)[0] != '\0';
    }
    if (granted == 0 && (missing > 0 || (is_new_in_schema && makes_tables(scope, schema)))) {
        security_script_add(script, "grant_all_tables", "revoke_all_tables",
                            PG_VARIABLES({"rights", level->tables},
                                         {"sequence_rights", level->sequences}, {"schema", schema},
                                         {"role", role}));
        return;
    }
    /* One by one, so that the way back takes no right that was there before. */
    for (size_t i = 0; missing > 0 && i < scope->catalog->tables.count; i++) {
        const struct catalog_table *table = &scope->catalog->tables.items[i];
        const char *letters = missing_letters(arena, table, role, level);
        if (is_counted(table, schema) && letters[0] != '\0')
            security_script_add(script, "grant_table", "revoke_table",
                                PG_VARIABLES({"rights", words_of(arena, letters)},
                                             {"schema", schema}, {"table", table->name},
                                             {"role", role}));
    }
}

static void
grant_schema(const struct scope *scope, const char *schema, const struct grantee *grantee,
             struct security_script *script)
{
    const struct level *level = grantee->level;
    const char *role = grantee->role;
    bool has_defaults = has_default(scope, schema, role, 'r', level->table_letters) &&
                        has_default(scope, schema, role, 'S', level->sequence_letters);

    if (!acl_has(schema_state(scope, schema).acl, role, "U") && may_grant_schema(scope, schema))
        security_script_add(script, "grant_schema", "revoke_schema",
                            PG_VARIABLES({"rights", "USAGE"}, {"schema", schema}, {"role", role}));
    grant_tables(scope, schema, grantee, !has_defaults, script);
    if (!has_defaults)
        security_script_add(script, "grant_new_tables", "revoke_new_tables",
                            PG_VARIABLES({"owner", scope->owner}, {"rights", level->tables},
                                         {"sequence_rights", level->sequences}, {"schema", schema},
                                         {"role", role}));
}

static void
advise_grantee(const struct scope *scope, const struct grantee *grantee)
{
    struct arena *arena = scope->advice->arena;
    struct security_script script;
    AUTO_TEXT schemas = {0};

    security_script_init(&script, arena);
    for (size_t i = 0; i < scope->schemas.count; i++) {
        grant_schema(scope, scope->schemas.items[i], grantee, &script);
        text_appendf(&schemas, "%s%s", i > 0 ? ", " : "", scope->schemas.items[i]);
    }
    if (!security_script_is_empty(&script))
        add_change(scope,
                   (struct change){
                       .phase = CHANGE_GRANT,
                       .key = arena_printf(arena, "rights of %s", grantee->role),
                       .what = arena_printf(arena, "let %s %s in %s", grantee->role,
                                            grantee->level->verb, text_chars(&schemas)),
                       .why = grantee->why,
                   },
                   &script);
    security_script_release(&script);
}

static void
advise_grantees(const struct scope *scope)
{
    struct arena *arena = scope->advice->arena;
    const struct deck_environment *environment = scope->database->environment;

    for (size_t i = 0; i < scope->database->services.count; i++) {
        const char *service = scope->database->services.items[i];
        advise_grantee(scope, &(struct grantee){
                                  deck_service_role(arena, environment, service), &read_and_write,
                                  arena_printf(arena,
                                               "%s works with the tables, those to come included; "
                                               "it may not change them",
                                               service)});
    }
    if (environment->has_read_only)
        advise_grantee(scope, &(struct grantee){deck_read_only_role(arena, environment), &read_only,
                                                "its members read the tables, those to come "
                                                "included"});
}

void
security_advise_rights(struct advice *advice, const struct deck_database *database)
{
    struct scope scope = {
        .advice = advice,
        .database = database,
        .catalog = catalog_find_database(advice->catalog, database->name),
        .entry = find_entry(advice->catalog, database->name),
        .owner = deck_owner_role(advice->arena, database->environment),
    };

    if (scope.catalog == NULL)
        return;
    collect_schemas(&scope);
    advise_owner(&scope);
    if (!may_grant(&scope))
        return;
    for (size_t i = 0; i < scope.schemas.count; i++)
        advise_schema_owner(&scope, scope.schemas.items[i]);
    advise_access(&scope);
    advise_grantees(&scope);
}
