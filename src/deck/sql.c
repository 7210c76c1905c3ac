// SPDX-License-Identifier: MIT
#include "deck/sql.h"

#include "base/text.h"
#include "deck/sql_tokens.h"

#include <jansson.h>
#include <pg_query.h>
#include <string.h>
#include <strings.h>

enum { MAX_BYTES = 16 << 20, MAX_NAME_BYTES = 63 };

struct sql_reading {
    struct arena *arena;
    struct deck_faults *faults;
    const char *path;
    const char *text;
    bool is_indexes;
    struct sql_tokens tokens;
    struct deck_sql_file *file;
    /* counting lines goes on from the last place asked for */
    size_t counted;
    struct place counted_place;
};

/* --- places ------------------------------------------------------------------------------- */

/* The place of a byte; offsets mostly come in rising order, so that a file is counted once. */
static struct place
place_at(struct sql_reading *reading, size_t offset)
{
    struct place *place = &reading->counted_place;

    if (offset < reading->counted || place->line == 0) {
        reading->counted = 0;
        *place = (struct place){reading->path, 1, 1};
    }
    for (; reading->counted < offset && reading->text[reading->counted] != '\0';
         reading->counted++) {
        char c = reading->text[reading->counted];
        if (c == '\n') {
            place->line++;
            place->column = 1;
        } else if (((unsigned char)c & 0xC0) != 0x80) {
            place->column++;
        }
    }
    return *place;
}

/* Bytes before the character number `character` (from 1). */
static size_t
bytes_before(const char *text, int character)
{
    size_t offset = 0;

    for (int i = 1; i < character && text[offset] != '\0'; i++) {
        offset++;
        while (((unsigned char)text[offset] & 0xC0) == 0x80)
            offset++;
    }
    return offset;
}

static bool
is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || ((unsigned char)c & 0x80) != 0;
}

/* --- names in a parse tree ---------------------------------------------------------------- */

static const char *
text_of(struct sql_reading *reading, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? NULL : arena_strdup(reading->arena, text);
}

static const char *
string_node(struct sql_reading *reading, const json_t *node)
{
    return text_of(reading, json_object_get(node, "String"), "sval");
}

/* [{"String": ..}, ..]: the last is the name, the one before it the schema. */
static void
take_name_list(struct sql_reading *reading, const json_t *list, const char **ret_schema,
               const char **ret_name)
{
    size_t count = json_array_size(list);

    if (count > 0)
        *ret_name = string_node(reading, json_array_get(list, count - 1));
    if (count > 1)
        *ret_schema = string_node(reading, json_array_get(list, count - 2));
}

static void
take_relation(struct sql_reading *reading, const json_t *relation, const char **ret_schema,
              const char **ret_name)
{
    *ret_name = text_of(reading, relation, "relname");
    *ret_schema = text_of(reading, relation, "schemaname");
}

/* --- what each kind of statement says ----------------------------------------------------- */

typedef void
statement_reader(struct sql_reading *reading, const json_t *node, struct deck_statement *statement);

static struct error *
statement_fault(struct sql_reading *reading, const struct deck_statement *statement,
                const char *message)
{
    return deck_fault(reading->arena, reading->faults, statement->place, "%s", message);
}

static void
add_reference(struct sql_reading *reading, const json_t *constraint,
              struct deck_statement *statement)
{
    struct deck_reference *reference = LIST_ADD(reading->arena, &statement->references);
    const json_t *name;
    size_t i;

    take_relation(reading, json_object_get(constraint, "pktable"), &reference->schema,
                  &reference->table);
    json_array_foreach(json_object_get(constraint, "pk_attrs"), i, name)
    {
        *LIST_ADD(reading->arena, &reference->columns) = string_node(reading, name);
    }
}

static void
add_key(struct sql_reading *reading, const json_t *constraint, const char *column,
        struct deck_statement *statement)
{
    const char *type = json_string_value(json_object_get(constraint, "contype"));
    const json_t *name;
    size_t i;

    if (type != NULL && strcmp(type, "CONSTR_FOREIGN") == 0)
        add_reference(reading, constraint, statement);
    if (type == NULL || (strcmp(type, "CONSTR_PRIMARY") != 0 && strcmp(type, "CONSTR_UNIQUE") != 0))
        return;
    struct deck_key_columns *key = LIST_ADD(reading->arena, &statement->keys);
    key->is_primary = strcmp(type, "CONSTR_PRIMARY") == 0;
    if (column != NULL)
        *LIST_ADD(reading->arena, &key->columns) = column;
    json_array_foreach(json_object_get(constraint, "keys"), i, name)
    {
        *LIST_ADD(reading->arena, &key->columns) = string_node(reading, name);
    }
}

static void
read_column(struct sql_reading *reading, const json_t *column, struct deck_statement *statement)
{
    const char *name = text_of(reading, column, "colname");
    const json_t *item;
    size_t i;

    *LIST_ADD(reading->arena, &statement->columns) = name;
    json_array_foreach(json_object_get(column, "constraints"), i, item)
    {
        add_key(reading, json_object_get(item, "Constraint"), name, statement);
    }
}

static void
read_table(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    const json_t *relation = json_object_get(node, "relation");
    const json_t *element;
    size_t i;

    take_relation(reading, relation, &statement->schema, &statement->name);
    json_array_foreach(json_object_get(node, "tableElts"), i, element)
    {
        const json_t *column = json_object_get(element, "ColumnDef");
        if (column != NULL)
            read_column(reading, column, statement);
        else if (json_object_get(element, "Constraint") != NULL)
            add_key(reading, json_object_get(element, "Constraint"), NULL, statement);
        else if (json_object_get(element, "TableLikeClause") != NULL)
            statement->has_other_columns = true;
    }
    statement->is_partitioned = json_object_get(node, "partspec") != NULL;
    if (json_object_get(node, "inhRelations") != NULL ||
        json_object_get(node, "ofTypename") != NULL)
        statement->has_other_columns = true;
    if (json_object_get(node, "partbound") != NULL)
        error_hint(statement_fault(reading, statement, "a partition is written out"),
                   "Partitions are declared in the deck, under \"partitions\".");
    const char *persistence = json_string_value(json_object_get(relation, "relpersistence"));
    if (persistence != NULL && strcmp(persistence, "t") == 0)
        statement_fault(reading, statement, "a temporary table would be gone at once");
}

static void
read_unique_columns(struct sql_reading *reading, const json_t *node,
                    struct deck_statement *statement)
{
    struct deck_key_columns *key = LIST_ADD(reading->arena, &statement->keys);
    const json_t *element;
    size_t i;

    json_array_foreach(json_object_get(node, "indexParams"), i, element)
    {
        *LIST_ADD(reading->arena, &key->columns) =
            text_of(reading, json_object_get(element, "IndexElem"), "name");
    }
}

static void
read_index(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_relation(reading, json_object_get(node, "relation"), &statement->table_schema,
                  &statement->table);
    statement->name = text_of(reading, node, "idxname");
    statement->is_unique = json_is_true(json_object_get(node, "unique"));
    statement->is_concurrent = json_is_true(json_object_get(node, "concurrent"));
    statement->is_if_not_exists = json_is_true(json_object_get(node, "if_not_exists"));
    if (statement->is_unique)
        read_unique_columns(reading, node, statement);
    if (statement->name != NULL)
        return;
    struct error *fault = statement_fault(reading, statement, "an index without a name");
    error_hint(fault, "Give it one, so that it can be found again: CREATE INDEX %s_..._idx ON ...",
               statement->table == NULL ? "table" : statement->table);
}

static void
read_type_name(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_name_list(reading, json_object_get(node, "typeName"), &statement->schema,
                   &statement->name);
}

static void
read_composite(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_relation(reading, json_object_get(node, "typevar"), &statement->schema, &statement->name);
}

static void
read_domain(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_name_list(reading, json_object_get(node, "domainname"), &statement->schema,
                   &statement->name);
}

static void
read_function(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_name_list(reading, json_object_get(node, "funcname"), &statement->schema,
                   &statement->name);
}

static void
read_trigger(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    statement->name = text_of(reading, node, "trigname");
    take_relation(reading, json_object_get(node, "relation"), &statement->table_schema,
                  &statement->table);
}

static void
read_extension(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    statement->name = text_of(reading, node, "extname");
}

static void
read_view(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_relation(reading, json_object_get(node, "view"), &statement->schema, &statement->name);
}

static void
read_sequence(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    take_relation(reading, json_object_get(node, "sequence"), &statement->schema, &statement->name);
}

static void
read_schema(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    statement->name = text_of(reading, node, "schemaname");
    if (statement->name == NULL)
        statement_fault(reading, statement, "a schema without a name");
}

static bool
is_in_table(const char *object_type)
{
    return strcmp(object_type, "OBJECT_COLUMN") == 0 ||
           strcmp(object_type, "OBJECT_TRIGGER") == 0 ||
           strcmp(object_type, "OBJECT_TABCONSTRAINT") == 0;
}

static void
read_comment(struct sql_reading *reading, const json_t *node, struct deck_statement *statement)
{
    const char *type = json_string_value(json_object_get(node, "objtype"));
    const json_t *object = json_object_get(node, "object");
    const json_t *names = json_object_get(json_object_get(object, "List"), "items");

    if (names == NULL)
        names = json_object_get(json_object_get(object, "ObjectWithArgs"), "objname");
    if (names == NULL)
        names = json_object_get(json_object_get(object, "TypeName"), "names");
    if (names == NULL)
        statement->name = string_node(reading, object);
    else
        take_name_list(reading, names, &statement->schema, &statement->name);
    if (type != NULL && is_in_table(type)) {
        size_t count = json_array_size(names);
        statement->table = statement->schema;
        statement->schema = NULL;
        if (count > 2)
            statement->table_schema = string_node(reading, json_array_get(names, count - 3));
    }
    if (reading->is_indexes && (type == NULL || strcmp(type, "OBJECT_INDEX") != 0))
        error_hint(statement_fault(reading, statement, "this comment is not on an index"),
                   "It belongs into the schema file.");
}

struct statement_kind {
    const char *node; /* in libpg_query's tree */
    enum deck_statement_kind kind;
    statement_reader *read;
};
static const struct statement_kind statement_kinds[] = {
    {"CreateStmt", STATEMENT_CREATE_TABLE, read_table},
    {"IndexStmt", STATEMENT_CREATE_INDEX, read_index},
    {"CreateEnumStmt", STATEMENT_CREATE_TYPE, read_type_name},
    {"CreateRangeStmt", STATEMENT_CREATE_TYPE, read_type_name},
    {"CompositeTypeStmt", STATEMENT_CREATE_TYPE, read_composite},
    {"CreateDomainStmt", STATEMENT_CREATE_TYPE, read_domain},
    {"CreateFunctionStmt", STATEMENT_CREATE_FUNCTION, read_function},
    {"CreateTrigStmt", STATEMENT_CREATE_TRIGGER, read_trigger},
    {"CreateExtensionStmt", STATEMENT_CREATE_EXTENSION, read_extension},
    {"ViewStmt", STATEMENT_CREATE_VIEW, read_view},
    {"CreateSeqStmt", STATEMENT_CREATE_SEQUENCE, read_sequence},
    {"CreateSchemaStmt", STATEMENT_CREATE_SCHEMA, read_schema},
    {"CommentStmt", STATEMENT_COMMENT, read_comment},
};

/* What people put into such files, and where it belongs instead. */
struct refusal {
    const char *node;
    const char *hint;
};
static const struct refusal refusals[] = {
    {"InsertStmt", "A deck says what the schema is; data is loaded by other means."},
    {"UpdateStmt", "A deck says what the schema is; data is changed by other means."},
    {"DeleteStmt", "A deck says what the schema is; data is changed by other means."},
    {"CopyStmt", "A deck says what the schema is; data is loaded by other means."},
    {"SelectStmt", "Queries belong into the workload folder."},
    {"AlterTableStmt", "Write columns and constraints into CREATE TABLE itself."},
    {"AlterSeqStmt", "Write it into CREATE SEQUENCE, or use an identity column."},
    {"AlterOwnerStmt", "Owners come from the environment."},
    {"RenameStmt", "Write the new name into the CREATE statement."},
    {"DropStmt", "What is not declared is left alone; nothing needs to be dropped first."},
    {"TruncateStmt", "A deck never removes data."},
    {"GrantStmt", "Rights come from the services of the database (pools and services)."},
    {"GrantRoleStmt", "Rights come from the services of the database (pools and services)."},
    {"AlterDefaultPrivilegesStmt", "Rights come from the services of the database."},
    {"CreateRoleStmt", "Roles come from the environments and their pools."},
    {"CreatedbStmt", "List it in the deck, under \"databases\"."},
    {"TransactionStmt", "pgdeck makes the transactions itself."},
    {"VariableSetStmt", "Settings come from the deck; names are qualified where needed."},
    {"AlterDatabaseSetStmt", "Settings come from the deck."},
    {"AlterSystemStmt", "Settings come from the deck."},
    {"CreateTableAsStmt", "Write the columns out (CREATE TABLE), or make it a plain view."},
    {"DoStmt", "Plain statements only: what a DO block does cannot be compared."},
    {"VacuumStmt", "Maintenance is pgdeck's own work."},
};

static void
refuse_statement(struct sql_reading *reading, const char *node,
                 const struct deck_statement *statement, size_t first, size_t end)
{
    const struct sql_token *token = &reading->tokens.list.items[first];
    const char *hint = "Supported are CREATE TABLE, INDEX, TYPE, DOMAIN, FUNCTION, TRIGGER, "
                       "EXTENSION, VIEW, SEQUENCE, SCHEMA, and COMMENT.";

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(refusals[i].node, node) == 0)
            hint = refusals[i].hint;
    }
    bool has_two = first + 1 < end && is_name_character(reading->text[token[1].start]);
    struct error *fault =
        deck_fault(reading->arena, reading->faults, statement->place,
                   "this statement (%.*s%s%.*s%s) has no place in a deck",
                   (int)(token->end - token->start), reading->text + token->start,
                   has_two ? " " : "", has_two ? (int)(token[1].end - token[1].start) : 0,
                   has_two ? reading->text + token[1].start : "", first + 2 < end ? " ..." : "");
    error_hint(fault, "%s", hint);
}

/* --- statements --------------------------------------------------------------------------- */

/* The text of tokens first..end, without CONCURRENTLY and IF NOT EXISTS where an index is made:
 * CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] name. */
static const char *
statement_text(struct sql_reading *reading, const struct deck_statement *statement, size_t first,
               size_t end)
{
    const struct sql_token *tokens = reading->tokens.list.items;
    size_t from = tokens[first].start;
    size_t to = tokens[end - 1].end;
    size_t at = first;
    size_t words = (statement->is_concurrent ? 1U : 0U) + (statement->is_if_not_exists ? 3U : 0U);

    if (statement->kind != STATEMENT_CREATE_INDEX || words == 0)
        return arena_strndup(reading->arena, reading->text + from, to - from);
    while (at < end && !sql_token_is(&reading->tokens, at, "index"))
        at++;
    if (at + words + 1 >= end)
        return arena_strndup(reading->arena, reading->text + from, to - from);
    size_t cut_from = tokens[at + 1].start;
    size_t cut_to = tokens[at + 1 + words].start;
    return arena_printf(reading->arena, "%.*s%.*s", (int)(cut_from - from), reading->text + from,
                        (int)(to - cut_to), reading->text + cut_to);
}

static void
syntax_fault(struct sql_reading *reading, const PgQueryError *problem, const char *text,
             size_t offset)
{
    size_t at = problem->cursorpos > 0 ? offset + bytes_before(text, problem->cursorpos) : offset;
    size_t length = strcspn(problem->message, "\r\n"); /* it may quote the rest of the file */
    struct error *fault =
        deck_fault(reading->arena, reading->faults, place_at(reading, at), "%.*s%s", (int)length,
                   problem->message, problem->message[length] == '\0' ? "" : "...\"");

    if (reading->text[at] == '\\')
        error_hint(fault, "Commands of psql (backslash) have no place here.");
}

static void
add_statement(struct sql_reading *reading, const json_t *tree, size_t first, size_t end)
{
    const json_t *wrapper = json_array_get(json_object_get(tree, "stmts"), 0);
    const json_t *stmt = json_object_get(wrapper, "stmt");
    const char *node = json_object_iter_key(json_object_iter((json_t *)stmt));
    const struct statement_kind *kind = NULL;
    struct deck_statement statement = {
        .place = place_at(reading, reading->tokens.list.items[first].start)};

    if (node == NULL)
        return;
    for (size_t i = 0; i < sizeof(statement_kinds) / sizeof(statement_kinds[0]); i++) {
        if (strcmp(statement_kinds[i].node, node) == 0)
            kind = &statement_kinds[i];
    }
    if (kind == NULL) {
        refuse_statement(reading, node, &statement, first, end);
        return;
    }
    statement.kind = kind->kind;
    kind->read(reading, json_object_get(stmt, node), &statement);
    if (reading->is_indexes && kind->kind != STATEMENT_CREATE_INDEX &&
        kind->kind != STATEMENT_COMMENT) {
        error_hint(statement_fault(reading, &statement, "this statement makes no index"),
                   "It belongs into the schema file.");
        return;
    }
    if (statement.name == NULL)
        return; /* told already */
    statement.sql = statement_text(reading, &statement, first, end);
    *LIST_ADD(reading->arena, &reading->file->statements) = statement;
}

static void
read_statement(struct sql_reading *reading, size_t first, size_t end)
{
    const struct sql_token *tokens = reading->tokens.list.items;
    size_t offset = tokens[first].start;
    char *text =
        arena_strndup(reading->arena, reading->text + offset, tokens[end - 1].end - offset);
    PgQueryParseResult result = pg_query_parse(text);

    if (result.error != NULL) {
        syntax_fault(reading, result.error, text, offset);
    } else {
        json_error_t problem;
        json_t *tree = json_loads(result.parse_tree, 0, &problem);
        if (tree == NULL)
            deck_fault(reading->arena, reading->faults, place_at(reading, offset),
                       "the statement is too complicated: %s", problem.text);
        else
            add_statement(reading, tree, first, end);
        json_decref(tree);
    }
    pg_query_free_parse_result(result);
}

/* --- the file ----------------------------------------------------------------------------- */

/* Where an object is; an index and a trigger are where their table is. */
static const char *
schema_of(const struct deck_statement *statement)
{
    const char *schema = statement->table != NULL ? statement->table_schema : statement->schema;

    return schema == NULL ? "public" : schema;
}

/* Tables, views, sequences and indexes share one name space in a schema. */
static bool
is_relation(const struct deck_statement *statement)
{
    return statement->kind == STATEMENT_CREATE_TABLE || statement->kind == STATEMENT_CREATE_VIEW ||
           statement->kind == STATEMENT_CREATE_SEQUENCE ||
           statement->kind == STATEMENT_CREATE_INDEX;
}

/* Whether both would have the same name in the same name space. Functions may be overloaded. */
static bool
is_same_object(const struct deck_statement *left, const struct deck_statement *right)
{
    if (strcmp(left->name, right->name) != 0 || left->kind == STATEMENT_COMMENT ||
        left->kind == STATEMENT_CREATE_FUNCTION ||
        (left->kind != right->kind && !(is_relation(left) && is_relation(right))))
        return false;
    if (left->kind == STATEMENT_CREATE_TRIGGER && strcmp(left->table, right->table) != 0)
        return false;
    return strcmp(schema_of(left), schema_of(right)) == 0;
}

static void
find_duplicates(struct sql_reading *reading)
{
    const struct deck_statement *statements = reading->file->statements.items;

    for (size_t i = 0; i < reading->file->statements.count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!is_same_object(&statements[j], &statements[i]))
                continue;
            struct error *fault = deck_fault(reading->arena, reading->faults, statements[i].place,
                                             "\"%s\" is made twice", statements[i].name);
            error_detail(fault, "It is there already in line %d.", statements[j].place.line);
            break;
        }
    }
}

/* What pgdeck keeps for itself there: its journal, who the tenants are. */
static void
check_schemas(struct sql_reading *reading)
{
    for (size_t i = 0; i < reading->file->statements.count; i++) {
        const struct deck_statement *statement = &reading->file->statements.items[i];
        bool is_schema = statement->kind == STATEMENT_CREATE_SCHEMA;
        const char *schema = is_schema ? statement->name : schema_of(statement);
        if (strcmp(schema, "pgdeck") == 0)
            error_hint(deck_fault(reading->arena, reading->faults, statement->place,
                                  "the schema pgdeck is pgdeck's own"),
                       "What stands there gets no rights and no policies: take another schema.");
        else if (strcmp(schema, "tenants") == 0 && !is_schema && is_relation(statement) &&
                 strcmp(statement->name, "login") == 0)
            error_hint(deck_fault(reading->arena, reading->faults, statement->place,
                                  "the table tenants.login is pgdeck's own"),
                       "pgdeck makes it for tenants: {identity: login}; take another name.");
    }
}

/* libpg_query cuts long names silently, as PostgreSQL does; here they are faults. */
static void
check_names(struct sql_reading *reading)
{
    for (size_t i = 0; i < reading->tokens.list.count; i++) {
        const struct sql_token *token = &reading->tokens.list.items[i];
        const char *text = reading->text + token->start;
        size_t length = token->end - token->start;
        size_t name_length = 0;

        if (length <= MAX_NAME_BYTES)
            continue;
        for (size_t j = 1; text[0] == '"' && j + 1 < length; j++) {
            j += text[j] == '"'; /* doubled */
            name_length++;
        }
        while (text[0] != '"' && name_length < length && is_name_character(text[name_length]))
            name_length++;
        if (name_length > MAX_NAME_BYTES && (text[0] == '"' || name_length == length))
            deck_fault(reading->arena, reading->faults, place_at(reading, token->start),
                       "a name has %zu bytes; at most %d fit", name_length, MAX_NAME_BYTES);
    }
}

static bool
is_readable(struct sql_reading *reading, size_t length)
{
    struct place start = {reading->path, 0, 0};
    size_t bad = text_utf8_length(reading->text, length);

    if (length > MAX_BYTES) {
        deck_fault(reading->arena, reading->faults, start, "longer than %d bytes", MAX_BYTES);
        return false;
    }
    if (bad < length) {
        deck_fault(reading->arena, reading->faults, place_at(reading, bad),
                   reading->text[bad] == '\0' ? "the file contains the character NUL"
                                              : "the file is not in UTF-8");
        return false;
    }
    return true;
}

const struct deck_sql_file *
deck_sql_read(struct arena *arena, const char *path, const char *text, size_t length,
              bool is_indexes, struct deck_faults *faults)
{
    struct sql_reading reading = {.arena = arena,
                                  .faults = faults,
                                  .path = path,
                                  .text = text,
                                  .is_indexes = is_indexes,
                                  .file = ARENA_NEW(arena, struct deck_sql_file)};
    struct error err;

    reading.file->path = path;
    if (!is_readable(&reading, length))
        return reading.file;
    if (!sql_tokens_read(arena, text, &reading.tokens, &err)) {
        PgQueryError problem = {.message = err.message, .cursorpos = err.column};
        syntax_fault(&reading, &problem, text, 0);
        return reading.file;
    }
    for (size_t first = 0; first < reading.tokens.list.count;) {
        size_t end = sql_statement_end(&reading.tokens, first);
        if (end > first)
            read_statement(&reading, first, end);
        first = end + 1;
    }
    find_duplicates(&reading);
    check_names(&reading);
    check_schemas(&reading);
    return reading.file;
}
