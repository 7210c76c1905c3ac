// SPDX-License-Identifier: MIT
#include "schema/advisor.h"

#include "base/text.h"
#include "change/name.h"
#include "change/script.h"
#include "deck/definition.h"
#include "pg/script.h"
#include "schema/database.h"

#include <string.h>
#include <strings.h>

/* One database with the statements of its schema file. */
/* What is known of the statements of one kind. */
struct kind {
    const char *word; /* also in catalog_database.objects */
    const char *drop; /* file */
    enum change_phase phase;
    bool is_run_by_owner;
};

static const struct kind kinds[] = {
    [STATEMENT_CREATE_TABLE] = {"table", "drop_table", CHANGE_TABLE, true},
    [STATEMENT_CREATE_TYPE] = {"type", "drop_type", CHANGE_TABLE, true},
    [STATEMENT_CREATE_FUNCTION] = {"function", "drop_function", CHANGE_TABLE, true},
    [STATEMENT_CREATE_TRIGGER] = {"trigger", "drop_trigger", CHANGE_TABLE, true},
    [STATEMENT_CREATE_VIEW] = {"view", "drop_view", CHANGE_TABLE, true},
    [STATEMENT_CREATE_SEQUENCE] = {"sequence", "drop_sequence", CHANGE_TABLE, true},
    /* What tables need comes before them. Trusted extensions belong to who is connected. */
    [STATEMENT_CREATE_EXTENSION] = {"extension", "drop_extension", CHANGE_EXTENSION, false},
    [STATEMENT_CREATE_SCHEMA] = {"schema", "drop_schema", CHANGE_EXTENSION, true},
};

static const char *
schema_of(const struct deck_statement *statement)
{
    if (statement->kind == STATEMENT_CREATE_TRIGGER)
        return statement->table_schema == NULL ? "public" : statement->table_schema;
    return statement->schema == NULL ? "public" : statement->schema;
}

/* --- what is there ----------------------------------------------------------------------- */

static bool
has_extension(const struct catalog_database *database, const char *name)
{
    for (size_t i = 0; i < database->extensions.count; i++) {
        if (strcmp(database->extensions.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool
is_there(const struct change_scope *scope, const struct deck_statement *statement)
{
    struct arena *arena = scope->advice->arena;
    const char *schema = schema_of(statement);

    if (!scope->catalog->exists)
        return false;
    switch (statement->kind) {
    case STATEMENT_CREATE_TABLE:
        return catalog_find_table(scope->catalog, schema, statement->name) != NULL;
    case STATEMENT_CREATE_EXTENSION:
        return has_extension(scope->catalog, statement->name);
    case STATEMENT_CREATE_SCHEMA:
        return catalog_has_schema(scope->catalog, statement->name);
    case STATEMENT_CREATE_TRIGGER:
        return catalog_has_object(scope->catalog, arena_printf(arena, "trigger %s.%s.%s", schema,
                                                               statement->table, statement->name));
    default:
        return catalog_has_object(
            scope->catalog,
            arena_printf(arena, "%s %s.%s", kinds[statement->kind].word, schema, statement->name));
    }
}

/* --- the way back ------------------------------------------------------------------------ */

static bool
is_materialized(const struct deck_statement *statement)
{
    return statement->kind == STATEMENT_CREATE_VIEW &&
           strncasecmp(statement->sql, "create materialized", 19) == 0;
}

static const char *
undo_of(struct arena *arena, const struct deck_statement *statement)
{
    const char *drop =
        is_materialized(statement) ? "drop_materialized_view" : kinds[statement->kind].drop;

    return pg_script(arena, arena_printf(arena, "schema/sql/%s.sql", drop),
                     PG_VARIABLES({"schema", schema_of(statement)}, {"name", statement->name},
                                  {"table", statement->table}));
}

/* --- changes ----------------------------------------------------------------------------- */

static bool
is_same(const char *left, const char *right)
{
    return strcmp(left, right) == 0;
}

/* Whether a COMMENT speaks of what the statement creates, or of a part of it. */
static bool
is_comment_of(const struct deck_statement *comment, const struct deck_statement *statement)
{
    const char *name = comment->table == NULL ? comment->name : comment->table;
    const char *schema = comment->table == NULL ? comment->schema : comment->table_schema;

    if (comment->kind != STATEMENT_COMMENT || statement->kind == STATEMENT_COMMENT || name == NULL)
        return false;
    return is_same(name, statement->name) &&
           is_same(schema == NULL ? "public" : schema, schema_of(statement));
}

/* The statement with the comments that follow it. A comment belongs to the nearest statement
 * before it that creates something of that name. */
static const char *
text_with_comments(struct arena *arena, const struct deck_sql_file *file, size_t at)
{
    const struct deck_statement *statements = file->statements.items;
    AUTO_TEXT text = {0};

    text_append(&text, statements[at].sql);
    for (size_t i = at + 1; i < file->statements.count; i++) {
        if (statements[i].kind == STATEMENT_COMMENT) {
            if (is_comment_of(&statements[i], &statements[at]))
                text_appendf(&text, "%s\n%s", change_semicolon(text.chars), statements[i].sql);
        } else if (statements[i].name != NULL && is_same(statements[i].name, statements[at].name)) {
            break;
        }
    }
    return arena_strdup(arena, text_chars(&text));
}

static const char *
key_of(struct arena *arena, const struct deck_statement *statement)
{
    const char *word = kinds[statement->kind].word;

    switch (statement->kind) {
    case STATEMENT_CREATE_EXTENSION:
    case STATEMENT_CREATE_SCHEMA:
        return arena_printf(arena, "%s %s", word, pg_identifier(arena, statement->name));
    case STATEMENT_CREATE_TRIGGER:
        return arena_printf(arena, "%s %s.%s", word,
                            pg_qualified(arena, schema_of(statement), statement->table),
                            pg_identifier(arena, statement->name));
    default:
        return arena_printf(arena, "%s %s", word,
                            pg_qualified(arena, schema_of(statement), statement->name));
    }
}

static void
add_creation(const struct change_scope *scope, size_t at)
{
    struct advice *advice = scope->advice;
    struct arena *arena = advice->arena;
    const struct deck_sql_file *file = scope->database->schema;
    const struct deck_statement *statement = &file->statements.items[at];
    const struct kind *kind = &kinds[statement->kind];
    const char *role = kind->is_run_by_owner ? scope->owner : NULL;

    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .database = scope->database->name,
            .key = key_of(arena, statement),
            .phase = kind->phase,
            .action = CHANGE_CREATE,
            .what = arena_printf(arena, "create %s %s", kind->word, statement->name),
            .why = "the deck's schema has it, the database does not",
            .place = statement->place,
            .sql = change_script(arena, role, "public", text_with_comments(arena, file, at)),
            .undo = undo_of(arena, statement),
            .undo_guard = statement->kind == STATEMENT_CREATE_TABLE
                              ? change_guard_empty(arena, schema_of(statement), statement->name)
                              : NULL, /* what is in use refuses to be dropped */
            .is_transactional = true,
        });
}

static void
add_column(const struct change_scope *scope, const struct deck_statement *statement,
           const char *column, const struct deck_column *definition)
{
    struct advice *advice = scope->advice;
    struct arena *arena = advice->arena;
    const char *schema = schema_of(statement);
    const struct pg_variable variables[] = {
        {"schema", schema},
        {"table", statement->name},
        {"column", column},
        {"definition", definition->definition},
    };
    const size_t count = sizeof(variables) / sizeof(variables[0]);

    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .database = scope->database->name,
            .key = arena_printf(arena, "column %s.%s", pg_qualified(arena, schema, statement->name),
                                pg_identifier(arena, column)),
            .phase = CHANGE_TABLE,
            .action = CHANGE_ALTER,
            .what = arena_printf(arena, "add column %s to %s", column, statement->name),
            .why = "the deck's schema has it, the table does not; no row is read or written",
            .place = statement->place,
            .sql = change_script(arena, NULL, "public",
                                 pg_script(arena, "schema/sql/add_column.sql", variables, count)),
            .undo = pg_script(arena, "schema/sql/drop_column.sql", variables, count),
            .undo_guard = pg_script(arena, "schema/sql/guard_column.sql", variables, count),
            .lock = arena_printf(arena, "ACCESS EXCLUSIVE on %s, for a moment", statement->name),
            .is_transactional = true,
        });
}

static bool
has_column(const struct catalog_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (is_same(table->columns[i], name))
            return true;
    }
    return false;
}

static bool
compare_columns(const struct change_scope *scope, const struct deck_statement *statement,
                struct error *err)
{
    struct advice *advice = scope->advice;
    const struct catalog_table *table =
        catalog_find_table(scope->catalog, schema_of(statement), statement->name);

    for (size_t i = 0; i < statement->columns.count; i++) {
        const char *name = statement->columns.items[i];
        struct deck_column column;
        if (has_column(table, name))
            continue;
        if (!deck_table_column(advice->arena, statement, name, &column, err))
            return false;
        if (column.is_cheap)
            add_column(scope, statement, name, &column);
        else
            change_list_note(advice->changes, advice->server->name, scope->database->name,
                             statement->place,
                             "table %s lacks the column \"%s\". Its definition has a constraint or "
                             "a default that every row would have to be read or written for: add "
                             "it by hand.",
                             statement->name, name);
    }
    return true;
}

static bool
advise_database(const struct change_scope *scope, struct error *err)
{
    const struct deck_sql_file *file = scope->database->schema;

    for (size_t i = 0; file != NULL && i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        /* Indexes are the index advisor's; comments go with what they speak of. */
        if (statement->kind == STATEMENT_COMMENT || statement->kind == STATEMENT_CREATE_INDEX)
            continue;
        if (!is_there(scope, statement))
            add_creation(scope, i);
        else if (statement->kind == STATEMENT_CREATE_TABLE &&
                 !compare_columns(scope, statement, err))
            return false;
    }
    return true;
}

/* What is to be made by a role that is not there will not be made: said before it is tried. */
static void
note_missing_owner(const struct change_scope *scope)
{
    struct advice *advice = scope->advice;
    const char *key = arena_printf(advice->arena, "role %s", scope->owner);

    if (catalog_find_role(advice->catalog, scope->owner) != NULL ||
        change_find(advice, NULL, key) != NULL)
        return;
    change_list_note(advice->changes, advice->server->name, scope->database->name,
                     scope->database->place,
                     "The role \"%s\", which is to own what is made, is not there: apply the "
                     "advisor security, too, or take it out of the deck.",
                     scope->owner);
}

bool
schema_advise(struct advice *advice, struct error *err)
{
    struct change_scope scope;

    for (size_t at = 0; change_next_scope(advice, &at, &scope);) {
        size_t before = advice->changes->changes.count;
        if (!scope.catalog->exists && !schema_add_database(advice, scope.database, err))
            return false;
        if (!advise_database(&scope, err))
            return error_wrap(err, "database \"%s\"", scope.database->name);
        if (scope.owner != NULL && advice->changes->changes.count > before)
            note_missing_owner(&scope);
    }
    return true;
}
