// SPDX-License-Identifier: MIT
#include "advise/tree.h"

#include "deck/sql_tokens.h"
#include "pg/connection.h"

#include <pg_query.h>
#include <string.h>

/* --- libpg_query -------------------------------------------------------------------------- */

bool
tree_parse(const char *sql, json_t **ret_statement, struct error *err)
{
    PgQueryParseResult parsed = pg_query_parse(sql);
    bool is_fine = false;

    if (parsed.error != NULL) {
        error_set(err, ERROR_SQL, "%s", parsed.error->message);
    } else {
        AUTO_TREE tree = json_loads(parsed.parse_tree, 0, NULL);
        const json_t *statements = json_object_get(tree, "stmts");
        json_t *statement = json_object_get(json_array_get(statements, 0), "stmt");
        if (json_array_size(statements) == 1 && statement != NULL) {
            *ret_statement = json_incref(statement);
            is_fine = true;
        } else {
            error_set(err, ERROR_SQL, "%zu statements in one", json_array_size(statements));
        }
    }
    pg_query_free_parse_result(parsed);
    return is_fine;
}

static char *
deparsed(struct arena *arena, const char *sql)
{
    PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql);
    char *text = NULL;

    if (parsed.error == NULL) {
        PgQueryDeparseResult result = pg_query_deparse_protobuf(parsed.parse_tree);
        if (result.error == NULL)
            text = arena_strdup(arena, result.query);
        pg_query_free_deparse_result(result);
    }
    pg_query_free_protobuf_parse_result(parsed);
    return text;
}

static bool
is_parameter(const struct sql_tokens *tokens, size_t at)
{
    return at < tokens->list.count && tokens->text[tokens->list.items[at].start] == '$';
}

/* extract ($1 FROM x): the grammar of servers wants a word there; the function takes any text. */
static bool
is_extract(const struct sql_tokens *tokens, size_t at)
{
    return sql_token_is(tokens, at, "extract") && sql_token_is(tokens, at + 1, "(") &&
           is_parameter(tokens, at + 2) && sql_token_is(tokens, at + 3, "from");
}

char *
tree_rewrite(struct arena *arena, const char *sql)
{
    AUTO_TEXT text = {0};
    struct sql_tokens tokens;
    struct error ignored = {0};
    const char *plain = deparsed(arena, sql);
    size_t copied = 0;

    if (plain == NULL || !sql_tokens_read(arena, plain, &tokens, &ignored))
        return NULL;
    for (size_t i = 0; i < tokens.list.count; i++) {
        size_t start = tokens.list.items[i].start;
        if (start < copied || !is_extract(&tokens, i))
            continue;
        const struct sql_token *parameter = &tokens.list.items[i + 2];
        text_append_bytes(&text, plain + copied, start - copied);
        text_append(&text, "pg_catalog.extract(");
        text_append_bytes(&text, plain + parameter->start, parameter->end - parameter->start);
        text_append(&text, "::text, ");
        copied = tokens.list.items[i + 3].end;
    }
    text_append(&text, plain + copied);
    return arena_strdup(arena, text_chars(&text));
}

/* --- reading ------------------------------------------------------------------------------ */

const json_t *
tree_as(const json_t *node, const char *kind)
{
    return json_object_get(node, kind);
}

const char *
tree_text(const json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

const char *
tree_name(const json_t *list)
{
    size_t count = json_array_size(list);
    const json_t *last = count == 0 ? NULL : json_array_get(list, count - 1);

    return tree_text(json_object_get(last, "String"), "sval");
}

int
tree_parameter(const json_t *node)
{
    const json_t *cast = tree_as(node, "TypeCast");

    if (cast != NULL)
        return tree_parameter(json_object_get(cast, "arg"));
    const json_t *parameter = tree_as(node, "ParamRef");
    return (int)json_integer_value(json_object_get(parameter, "number"));
}

const char *
tree_identifier(struct arena *arena, const char *name)
{
    AUTO_TREE tree = NULL;
    struct error ignored = {0};

    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0' &&
        tree_parse(arena_printf(arena, "SELECT %s", name), &tree, &ignored)) {
        const json_t *select = tree_as(tree, "SelectStmt");
        const json_t *target = json_array_get(json_object_get(select, "targetList"), 0);
        const json_t *value = json_object_get(tree_as(target, "ResTarget"), "val");
        const json_t *column = tree_as(value, "ColumnRef");
        const char *read = tree_name(json_object_get(column, "fields"));
        if (read != NULL && strcmp(read, name) == 0)
            return name;
    }
    return pg_identifier(arena, name);
}

/* --- writing ------------------------------------------------------------------------------ */

typedef bool node_writer(struct arena *arena, const json_t *node, struct text *text);

static bool
write_list(struct arena *arena, const json_t *list, struct text *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        text_append(text, i == 0 ? "" : ", ");
        if (!tree_write(arena, item, text))
            return false;
    }
    return true;
}

static bool
write_constant(struct arena *arena, const json_t *node, struct text *text)
{
    const json_t *value;

    if ((value = json_object_get(node, "sval")) != NULL) {
        const char *chars = tree_text(value, "sval");
        text_append(text, pg_literal(arena, chars == NULL ? "" : chars));
    } else if ((value = json_object_get(node, "ival")) != NULL) {
        text_appendf(text, "%lld", (long long)json_integer_value(json_object_get(value, "ival")));
    } else if ((value = json_object_get(node, "fval")) != NULL) {
        text_append(text, tree_text(value, "fval"));
    } else if ((value = json_object_get(node, "boolval")) != NULL) {
        text_append(text, json_is_true(json_object_get(value, "boolval")) ? "true" : "false");
    } else if (json_is_true(json_object_get(node, "isnull"))) {
        text_append(text, "NULL");
    } else {
        return false;
    }
    return true;
}

static bool
write_column(struct arena *arena, const json_t *node, struct text *text)
{
    const char *name = tree_name(json_object_get(node, "fields"));

    if (name == NULL)
        return false;
    text_append(text, tree_identifier(arena, name));
    return true;
}

static bool
write_names(struct arena *arena, const json_t *list, struct text *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const char *name = tree_text(json_object_get(item, "String"), "sval");
        if (name == NULL)
            return false;
        text_appendf(text, "%s%s", i == 0 ? "" : ".", tree_identifier(arena, name));
    }
    return i > 0;
}

static bool
write_call(struct arena *arena, const json_t *node, struct text *text)
{
    if (json_object_get(node, "over") != NULL || json_object_get(node, "agg_filter") != NULL ||
        json_object_get(node, "agg_order") != NULL ||
        json_is_true(json_object_get(node, "agg_star")))
        return false;
    if (!write_names(arena, json_object_get(node, "funcname"), text))
        return false;
    text_append(text, "(");
    bool is_fine = write_list(arena, json_object_get(node, "args"), text);
    text_append(text, ")");
    return is_fine;
}

static bool
write_cast(struct arena *arena, const json_t *node, struct text *text)
{
    const json_t *type = json_object_get(node, "typeName");
    const json_t *names = json_object_get(type, "names");

    if (json_object_get(type, "typmods") != NULL || json_object_get(type, "arrayBounds") != NULL)
        return false;
    text_append(text, "(");
    if (!tree_write(arena, json_object_get(node, "arg"), text))
        return false;
    text_append(text, ")::");
    return write_names(arena, names, text);
}

static bool
write_in(struct arena *arena, const json_t *node, struct text *text)
{
    bool is_not = strcmp(tree_name(json_object_get(node, "name")), "<>") == 0;
    const json_t *list = tree_as(json_object_get(node, "rexpr"), "List");

    if (list == NULL || !tree_write(arena, json_object_get(node, "lexpr"), text))
        return false;
    text_append(text, is_not ? " NOT IN (" : " IN (");
    if (!write_list(arena, json_object_get(list, "items"), text))
        return false;
    text_append(text, ")");
    return true;
}

static bool
write_operation(struct arena *arena, const json_t *node, struct text *text)
{
    const char *kind = tree_text(node, "kind");
    const json_t *left = json_object_get(node, "lexpr");
    const char *name = tree_name(json_object_get(node, "name"));

    if (kind == NULL || name == NULL || left == NULL)
        return false;
    if (strcmp(kind, "AEXPR_IN") == 0)
        return write_in(arena, node, text);
    if (strcmp(kind, "AEXPR_OP") != 0)
        return false;
    text_append(text, "(");
    if (!tree_write(arena, left, text))
        return false;
    text_appendf(text, " %s ", name);
    if (!tree_write(arena, json_object_get(node, "rexpr"), text))
        return false;
    text_append(text, ")");
    return true;
}

static bool
write_coalesce(struct arena *arena, const json_t *node, struct text *text)
{
    text_append(text, "COALESCE(");
    bool is_fine = write_list(arena, json_object_get(node, "args"), text);
    text_append(text, ")");
    return is_fine;
}

static bool
write_null_test(struct arena *arena, const json_t *node, struct text *text)
{
    const char *kind = tree_text(node, "nulltesttype");

    if (kind == NULL || !tree_write(arena, json_object_get(node, "arg"), text))
        return false;
    text_append(text, strcmp(kind, "IS_NULL") == 0 ? " IS NULL" : " IS NOT NULL");
    return true;
}

static bool
write_not(struct arena *arena, const json_t *node, struct text *text)
{
    const char *kind = tree_text(node, "boolop");

    if (kind == NULL || strcmp(kind, "NOT_EXPR") != 0)
        return false;
    text_append(text, "NOT ");
    return tree_write(arena, json_array_get(json_object_get(node, "args"), 0), text);
}

bool
tree_write(struct arena *arena, const json_t *node, struct text *text)
{
    static const struct {
        const char *kind;
        node_writer *write;
    } writers[] = {
        {"A_Const", write_constant},   {"ColumnRef", write_column},
        {"FuncCall", write_call},      {"TypeCast", write_cast},
        {"A_Expr", write_operation},   {"CoalesceExpr", write_coalesce},
        {"NullTest", write_null_test}, {"BoolExpr", write_not},
    };

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        const json_t *found = tree_as(node, writers[i].kind);
        if (found != NULL)
            return writers[i].write(arena, found, text);
    }
    return false;
}

const char *
tree_sql(struct arena *arena, const json_t *node)
{
    const json_t *operation = tree_as(node, "A_Expr");
    AUTO_TEXT text = {0};

    if (!tree_write(arena, node, &text))
        return NULL;
    const char *kind = tree_text(operation, "kind");
    bool has_parentheses = kind != NULL && strcmp(kind, "AEXPR_OP") == 0;
    return arena_strndup(arena, text_chars(&text) + has_parentheses,
                         text.length - 2 * (size_t)has_parentheses);
}
