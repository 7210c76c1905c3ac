// SPDX-License-Identifier: MIT
#include "deck/definition.h"

#include "deck/sql_tokens.h"

#include <jansson.h>
#include <pg_query.h>
#include <string.h>

/* --- the tree ---------------------------------------------------------------------------- */

/* The tree of the only statement in sql; its node is {"CreateStmt": ...} or the like. */
static json_t *
parse(const struct deck_statement *statement, const char *node, struct error *err)
{
    PgQueryParseResult result = pg_query_parse(statement->sql);

    if (result.error != NULL) {
        error_set(err, ERROR_DECK, "%s", result.error->message);
        pg_query_free_parse_result(result);
        error_place(err, statement->place);
        return NULL;
    }
    json_t *tree = json_loads(result.parse_tree, 0, NULL);
    pg_query_free_parse_result(result);
    json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);
    json_t *found = json_object_get(json_object_get(first, "stmt"), node);
    json_incref(found);
    json_decref(tree);
    if (found == NULL) {
        error_set(err, ERROR_DECK, "the statement cannot be taken apart");
        error_place(err, statement->place);
    }
    return found;
}

static size_t
location_of(const json_t *node)
{
    /* left out of the JSON when it is 0 */
    return (size_t)json_integer_value(json_object_get(node, "location"));
}

static const char *
text_of(const json_t *node, const char *key)
{
    const char *text = json_string_value(json_object_get(node, key));

    return text == NULL ? "" : text;
}

/* --- the text ---------------------------------------------------------------------------- */

static bool
read_tokens(struct arena *arena, const struct deck_statement *statement,
            struct sql_tokens *ret_tokens, struct error *err)
{
    if (sql_tokens_read(arena, statement->sql, ret_tokens, err))
        return true;
    return error_place(err, statement->place);
}

static size_t
token_at(const struct sql_tokens *tokens, size_t offset)
{
    size_t at = 0;

    while (at + 1 < tokens->list.count && tokens->list.items[at].start < offset)
        at++;
    return at;
}

/* The end of the last token of a list's item that begins with token `first`. */
static size_t
end_of_item(const struct sql_tokens *tokens, size_t first)
{
    int depth = 0;
    size_t at = first;

    for (; at < tokens->list.count; at++) {
        bool is_opening = sql_token_is(tokens, at, "(") || sql_token_is(tokens, at, "[");
        bool is_closing = sql_token_is(tokens, at, ")") || sql_token_is(tokens, at, "]");
        if (depth == 0 && (is_closing || sql_token_is(tokens, at, ",")))
            break;
        depth += is_opening - is_closing;
    }
    return tokens->list.items[at > first ? at - 1 : first].end;
}

bool
deck_index_table(struct arena *arena, const struct deck_statement *statement,
                 struct deck_span *ret_span, struct error *err)
{
    struct sql_tokens tokens;
    json_t *node = parse(statement, "IndexStmt", err);

    if (node == NULL)
        return false;
    size_t start = location_of(json_object_get(node, "relation"));
    json_decref(node);
    if (!read_tokens(arena, statement, &tokens, err))
        return false;
    size_t last = token_at(&tokens, start) + (statement->table_schema == NULL ? 0 : 2);
    *ret_span = (struct deck_span){start, tokens.list.items[last].end - start};
    return true;
}

/* --- columns ----------------------------------------------------------------------------- */

/* Whether a default is the same for all rows: a constant, also cast, or the time of day. */
static bool
is_steady(const json_t *expression)
{
    const json_t *cast = json_object_get(expression, "TypeCast");
    const json_t *call = json_object_get(expression, "FuncCall");

    if (cast != NULL)
        return is_steady(json_object_get(cast, "arg"));
    if (call != NULL) {
        const json_t *names = json_object_get(call, "funcname");
        const json_t *last = json_array_get(names, json_array_size(names) - 1);
        return strcmp(text_of(json_object_get(last, "String"), "sval"), "now") == 0;
    }
    return json_object_get(expression, "A_Const") != NULL ||
           json_object_get(expression, "SQLValueFunction") != NULL;
}

static bool
is_serial(const json_t *column)
{
    static const char *const names[] = {"serial",  "bigserial", "smallserial",
                                        "serial4", "serial8",   "serial2"};
    const json_t *list = json_object_get(json_object_get(column, "typeName"), "names");
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    const char *type = text_of(json_object_get(last, "String"), "sval");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(type, names[i]) == 0)
            return true;
    }
    return false;
}

static bool
is_cheap(const json_t *column)
{
    bool is_not_null = false, has_default = false;
    size_t at;
    const json_t *item;

    json_array_foreach(json_object_get(column, "constraints"), at, item)
    {
        const json_t *constraint = json_object_get(item, "Constraint");
        const char *type = text_of(constraint, "contype");
        if (strcmp(type, "CONSTR_NOTNULL") == 0)
            is_not_null = true;
        else if (strcmp(type, "CONSTR_DEFAULT") == 0 &&
                 is_steady(json_object_get(constraint, "raw_expr")))
            has_default = true;
        else if (strcmp(type, "CONSTR_NULL") != 0)
            return false;
    }
    return !is_serial(column) && (has_default || !is_not_null);
}

bool
deck_table_column(struct arena *arena, const struct deck_statement *statement, const char *name,
                  struct deck_column *ret_column, struct error *err)
{
    struct sql_tokens tokens;
    bool is_found = false;
    size_t at;
    json_t *item;

    if (!read_tokens(arena, statement, &tokens, err))
        return false;
    json_t *node = parse(statement, "CreateStmt", err);
    if (node == NULL)
        return false;
    json_array_foreach(json_object_get(node, "tableElts"), at, item)
    {
        const json_t *column = json_object_get(item, "ColumnDef");
        if (column == NULL || strcmp(text_of(column, "colname"), name) != 0)
            continue;
        size_t start = location_of(column);
        size_t end = end_of_item(&tokens, token_at(&tokens, start));
        ret_column->definition = arena_strndup(arena, statement->sql + start, end - start);
        ret_column->is_cheap = is_cheap(column);
        is_found = true;
        break;
    }
    json_decref(node);
    if (is_found)
        return true;
    error_set(err, ERROR_DECK, "cannot find column \"%s\" in the statement", name);
    return error_place(err, statement->place);
}
