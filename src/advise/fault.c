// SPDX-License-Identifier: MIT
#include "advise/fault.h"

#include "deck/sql_tokens.h"

#include <string.h>

struct search {
    struct advise *run;
    size_t statement;
    const char *text; /* of the statement; places in the tree are bytes of it */
    struct sql_tokens tokens;
    struct advise_faults *faults;
};

/* --- small readings ----------------------------------------------------------------------- */

const char *
advise_fault_word(enum advise_fault_kind kind)
{
    static const char *const words[] = {"outer join", "multiplied rows", "offset",
                                        "function on a column"};

    return words[kind];
}

static size_t
location(const json_t *node)
{
    return (size_t)json_integer_value(json_object_get(node, "location"));
}

/* The token that begins there; the count of tokens when none does. */
static size_t
token_at(const struct search *search, size_t offset)
{
    size_t at = 0;

    while (at < search->tokens.list.count && search->tokens.list.items[at].start != offset)
        at++;
    return at;
}

static struct advise_fault *
add_fault(struct search *search, enum advise_fault_kind kind, const char *text)
{
    struct advise_fault *fault = LIST_ADD(search->run->arena, &search->faults->list);

    *fault = (struct advise_fault){.kind = kind, .statement = search->statement, .text = text};
    return fault;
}

/* The statement's text with other words from start to end. */
static const char *
replaced(struct search *search, size_t start, size_t end, const char *words)
{
    return arena_printf(search->run->arena, "%.*s%s%s", (int)start, search->text, words,
                        search->text + end);
}

static const char *
alias_of(const json_t *range)
{
    const char *alias = tree_text(json_object_get(range, "alias"), "aliasname");

    return alias != NULL ? alias : tree_text(range, "relname");
}

/* "a" of a.b; NULL when there is none. */
static const char *
qualifier_of(const json_t *column)
{
    const json_t *fields = json_object_get(tree_as(column, "ColumnRef"), "fields");

    return json_array_size(fields) == 2
               ? tree_text(json_object_get(json_array_get(fields, 0), "String"), "sval")
               : NULL;
}

static const char *
column_of(const json_t *column)
{
    return tree_name(json_object_get(tree_as(column, "ColumnRef"), "fields"));
}

static bool
is_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* --- LEFT JOIN undone --------------------------------------------------------------------- */

/* Whether a condition is never true for a row of nulls: a plain comparison of the table's column.
 */
static bool
drops_nulls(const json_t *condition, const char *alias)
{
    static const char *const kinds[] = {"AEXPR_OP",    "AEXPR_IN",      "AEXPR_LIKE",
                                        "AEXPR_ILIKE", "AEXPR_BETWEEN", "AEXPR_OP_ANY"};
    const json_t *node = tree_as(condition, "A_Expr");
    const char *kind = tree_text(node, "kind");
    bool is_plain = false;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        is_plain |= is_text(kind, kinds[i]);
    return is_plain && (is_text(qualifier_of(json_object_get(node, "lexpr")), alias) ||
                        is_text(qualifier_of(json_object_get(node, "rexpr")), alias));
}

static bool
is_dropped(const json_t *where, const char *alias)
{
    const json_t *boolean = tree_as(where, "BoolExpr");
    const json_t *item;
    size_t i;

    if (!is_text(tree_text(boolean, "boolop"), "AND_EXPR"))
        return drops_nulls(where, alias);
    json_array_foreach(json_object_get(boolean, "args"), i, item)
    {
        if (drops_nulls(item, alias))
            return true;
    }
    return false;
}

static void
find_outer_join(struct search *search, const json_t *node, const json_t *where)
{
    const json_t *join = tree_as(node, "JoinExpr");
    const json_t *range = tree_as(json_object_get(join, "rarg"), "RangeVar");

    if (join == NULL)
        return;
    find_outer_join(search, json_object_get(join, "larg"), where);
    find_outer_join(search, json_object_get(join, "rarg"), where);
    if (!is_text(tree_text(join, "jointype"), "JOIN_LEFT") || range == NULL ||
        !is_dropped(where, alias_of(range)))
        return;
    struct advise_fault *fault = add_fault(
        search, ADVISE_OUTER_JOIN,
        arena_printf(search->run->arena,
                     "LEFT JOIN %s keeps rows without a match, and the WHERE on %s drops them "
                     "again. Write JOIN; or, to keep them, move that condition into ON.",
                     tree_text(range, "relname"), alias_of(range)));
    size_t at = token_at(search, location(range));
    bool has_outer = at >= 3 && sql_token_is(&search->tokens, at - 2, "outer");
    size_t left = at < 2 + (size_t)has_outer ? 0 : at - 2 - (size_t)has_outer;
    if (at < search->tokens.list.count && sql_token_is(&search->tokens, left, "left"))
        fault->rewritten = replaced(search, search->tokens.list.items[left].start,
                                    search->tokens.list.items[at - 1].start, "");
}

/* --- rows multiplied ---------------------------------------------------------------------- */

/* Of a table by its name in FROM: what the statement's references know of it. */
static const struct advise_reference *
reference_of(const struct search *search, const char *alias)
{
    const struct advise_statement *statement = &search->run->statements.items[search->statement];

    for (size_t i = 0; alias != NULL && i < statement->references.count; i++) {
        if (strcmp(statement->references.items[i].alias, alias) == 0)
            return &statement->references.items[i];
    }
    return NULL;
}

static bool
is_unique(const struct advise_table *table, const char *column)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct advise_index *index = &table->indexes.items[i];
        if (index->is_unique && index->predicate[0] == '\0' && index->key_count == 1 &&
            strcmp(index->keys[0], column) == 0)
            return true;
    }
    return false;
}

/* A join by a = b.c where c is not unique: each row of a comes once for each of b. ret_other: b. */
static const char *
multiplier(const struct search *search, const json_t *condition, const char *alias)
{
    const json_t *node = tree_as(condition, "A_Expr");
    const json_t *sides[2] = {json_object_get(node, "lexpr"), json_object_get(node, "rexpr")};
    const json_t *boolean = tree_as(condition, "BoolExpr");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(boolean, "args"), i, item)
    {
        const char *other = multiplier(search, item, alias);
        if (other != NULL)
            return other;
    }
    if (!is_text(tree_name(json_object_get(node, "name")), "="))
        return NULL;
    for (size_t side = 0; side < 2; side++) {
        const char *other = qualifier_of(sides[1 - side]);
        const struct advise_reference *reference = reference_of(search, other);
        if (is_text(qualifier_of(sides[side]), alias) && reference != NULL &&
            !is_text(other, alias) && !is_unique(reference->table, column_of(sides[1 - side])))
            return other;
    }
    return NULL;
}

static const char *
find_multiplier(const struct search *search, const json_t *node, const char *alias)
{
    const json_t *join = tree_as(node, "JoinExpr");

    if (join == NULL)
        return NULL;
    const char *other = multiplier(search, json_object_get(join, "quals"), alias);
    if (other == NULL)
        other = find_multiplier(search, json_object_get(join, "larg"), alias);
    return other != NULL ? other : find_multiplier(search, json_object_get(join, "rarg"), alias);
}

static void
check_aggregate(struct search *search, const json_t *call, const json_t *from)
{
    const char *name = tree_name(json_object_get(call, "funcname"));
    const json_t *argument = json_array_get(json_object_get(call, "args"), 0);
    const char *alias = qualifier_of(argument);
    const struct advise_reference *reference = reference_of(search, alias);
    const char *other = NULL;

    if ((!is_text(name, "count") && !is_text(name, "sum") && !is_text(name, "avg")) ||
        json_is_true(json_object_get(call, "agg_distinct")) || reference == NULL)
        return;
    for (size_t i = 0; other == NULL && i < json_array_size(from); i++)
        other = find_multiplier(search, json_array_get(from, i), alias);
    if (other == NULL)
        return;
    struct advise_fault *fault = add_fault(
        search, ADVISE_MULTIPLIED,
        arena_printf(search->run->arena,
                     "%s(%s.%s) takes each row of %s once for every row of %s that is joined to "
                     "it. Count what is different, or group in a subquery before the join.",
                     name, alias, column_of(argument), reference->table->name,
                     reference_of(search, other)->table->name));
    fault->changes_rows = true;
    size_t at = token_at(search, location(call));
    if (is_text(name, "count") && is_unique(reference->table, column_of(argument)) &&
        sql_token_is(&search->tokens, at + 1, "("))
        fault->rewritten = replaced(search, search->tokens.list.items[at + 1].end,
                                    search->tokens.list.items[at + 1].end, "DISTINCT ");
}

static void
find_aggregates(struct search *search, const json_t *node, const json_t *from)
{
    const json_t *call = tree_as(node, "FuncCall");
    const char *key;
    json_t *value;
    size_t i;

    if (call != NULL)
        check_aggregate(search, call, from);
    if (tree_as(node, "SelectStmt") != NULL)
        return; /* a block of its own */
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        find_aggregates(search, value, from);
    }
    json_array_foreach(node, i, value)
    {
        find_aggregates(search, value, from);
    }
}

/* --- a function around a column ----------------------------------------------------------- */

static bool
has_index_on(const struct advise_table *table, const char *column)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct advise_index *index = &table->indexes.items[i];
        if (index->key_count > 0 && strcmp(index->keys[0], column) == 0)
            return true;
    }
    return false;
}

/* The one column inside x::date, date(x), date_trunc('day', x), lower(x) ...; NULL. */
static const json_t *
wrapped_column(const json_t *node)
{
    const json_t *cast = tree_as(node, "TypeCast");
    const json_t *arguments = json_object_get(tree_as(node, "FuncCall"), "args");
    const json_t *argument = cast != NULL
                                 ? json_object_get(cast, "arg")
                                 : json_array_get(arguments, json_array_size(arguments) - 1);

    return tree_as(argument, "ColumnRef") != NULL ? argument : NULL;
}

/* What the function makes of a moment: "day" of date_trunc('day', x) and x::date; NULL: other. */
static const char *
unit_of(const json_t *node)
{
    const json_t *cast = tree_as(node, "TypeCast");
    const json_t *call = tree_as(node, "FuncCall");
    const json_t *first = json_array_get(json_object_get(call, "args"), 0);
    const char *name = tree_name(json_object_get(call, "funcname"));

    if (cast != NULL)
        name = tree_name(json_object_get(json_object_get(cast, "typeName"), "names"));
    if (is_text(name, "date"))
        return "day";
    return is_text(name, "date_trunc")
               ? tree_text(json_object_get(tree_as(first, "A_Const"), "sval"), "sval")
               : NULL;
}

/* Behind a constant or a parameter, with the cast that may follow; 0: it is something else. */
static size_t
end_of_value(const struct search *search, const json_t *node)
{
    const json_t *cast = tree_as(node, "TypeCast");
    const json_t *value = cast != NULL ? json_object_get(cast, "arg") : node;
    const json_t *leaf =
        tree_as(value, "A_Const") != NULL ? tree_as(value, "A_Const") : tree_as(value, "ParamRef");
    size_t at = leaf == NULL ? SIZE_MAX : token_at(search, location(leaf));

    if (at >= search->tokens.list.count)
        return 0;
    if (cast != NULL && sql_token_is(&search->tokens, at + 1, "::"))
        at += 2;
    return at < search->tokens.list.count ? search->tokens.list.items[at].end : 0;
}

/* unit(column) = value as a range of the column. */
static const char *
range_of(struct search *search, const json_t *node, const json_t *column,
         const struct advise_column *found)
{
    struct arena *arena = search->run->arena;
    const json_t *left = json_object_get(node, "lexpr");
    const json_t *call = tree_as(left, "FuncCall");
    const char *unit = unit_of(left);
    size_t operator_at = token_at(search, location(node));
    size_t end = end_of_value(search, json_object_get(node, "rexpr"));
    size_t column_start = location(tree_as(column, "ColumnRef"));
    size_t start = call != NULL ? location(call) : column_start;
    size_t behind = token_at(search, column_start);

    if (unit == NULL || end == 0 || operator_at + 1 >= search->tokens.list.count ||
        behind >= search->tokens.list.count || found->category != 'D' ||
        !is_text(tree_name(json_object_get(node, "name")), "=") ||
        (start > 0 && search->text[start - 1] == '('))
        return NULL;
    while (sql_token_is(&search->tokens, behind + 1, "."))
        behind += 2;
    const char *name = arena_strndup(arena, search->text + column_start,
                                     search->tokens.list.items[behind].end - column_start);
    size_t value_start = search->tokens.list.items[operator_at + 1].start;
    const char *value = arena_strndup(arena, search->text + value_start, end - value_start);
    bool is_date = !is_text(tree_name(json_object_get(call, "funcname")), "date_trunc");
    const char *words =
        is_date ? arena_printf(arena, "(%s >= (%s)::date AND %s < (%s)::date + 1)", name, value,
                               name, value)
                : arena_printf(arena,
                               "(%s >= (%s)::%s AND %s < (%s)::%s + interval '1 %s' AND "
                               "date_trunc('%s', (%s)::%s) = (%s)::%s)",
                               name, value, found->type, name, value, found->type, unit, unit,
                               value, found->type, value, found->type);
    return replaced(search, start, end, words);
}

static void
check_wrapped(struct search *search, const json_t *node)
{
    const json_t *left = json_object_get(node, "lexpr");
    const json_t *column = wrapped_column(left);
    const char *name = column_of(column);
    const struct advise_statement *statement = &search->run->statements.items[search->statement];

    for (size_t i = 0; name != NULL && i < statement->references.count; i++) {
        const struct advise_reference *reference = &statement->references.items[i];
        const struct advise_column *found = advise_find_column(reference->table, name);
        const char *qualifier = qualifier_of(column);
        if (found == NULL || !has_index_on(reference->table, name) ||
            (qualifier != NULL && strcmp(qualifier, reference->alias) != 0))
            continue;
        struct advise_fault *fault = add_fault(
            search, ADVISE_WRAPPED,
            arena_printf(search->run->arena,
                         "An index on %s.%s is there, and the function around the column keeps it "
                         "from being used. Compare the column itself, or index the expression.",
                         reference->table->name, name));
        fault->rewritten = range_of(search, node, column, found);
        return;
    }
}

static void
find_wrapped(struct search *search, const json_t *condition)
{
    const json_t *boolean = tree_as(condition, "BoolExpr");
    const json_t *node = tree_as(condition, "A_Expr");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(boolean, "args"), i, item)
    {
        find_wrapped(search, item);
    }
    if (is_text(tree_text(node, "kind"), "AEXPR_OP"))
        check_wrapped(search, node);
}

/* --- pages by OFFSET ---------------------------------------------------------------------- */

/* The tokens of a statement's parts, outside of parentheses; 0: not there. */
struct parts {
    size_t from, where, order, limit, offset, end;
};

static bool
find_parts(const struct search *search, struct parts *ret_parts)
{
    struct parts parts = {.end = search->tokens.list.count};
    int depth = 0;

    for (size_t i = 0; i < search->tokens.list.count; i++) {
        depth += sql_token_is(&search->tokens, i, "(");
        depth -= sql_token_is(&search->tokens, i, ")");
        if (depth > 0)
            continue;
        if (sql_token_is(&search->tokens, i, "from") && parts.from == 0)
            parts.from = i;
        else if (sql_token_is(&search->tokens, i, "where"))
            parts.where = i;
        else if (sql_token_is(&search->tokens, i, "order"))
            parts.order = i;
        else if (sql_token_is(&search->tokens, i, "limit"))
            parts.limit = i;
        else if (sql_token_is(&search->tokens, i, "offset"))
            parts.offset = i;
        else if (sql_token_is(&search->tokens, i, ";"))
            parts.end = i;
    }
    *ret_parts = parts;
    return parts.from > 0 && parts.order > parts.from && parts.limit > parts.order &&
           parts.offset > parts.limit;
}

/* The words from one token to before another. */
static const char *
words_between(const struct search *search, size_t first, size_t behind)
{
    const struct sql_token *tokens = search->tokens.list.items;

    return arena_strndup(search->run->arena, search->text + tokens[first].start,
                         tokens[behind - 1].end - tokens[first].start);
}

/* The columns of ORDER BY, comma-separated, when all go one way, none has nulls and one is unique:
 * then a page can begin behind the last row of the page before. */
static const char *
page_key(const struct search *search, const json_t *sorts, bool *ret_is_descending)
{
    AUTO_TEXT key = {0};
    bool has_unique = false;
    const json_t *item;
    size_t i;

    json_array_foreach(sorts, i, item)
    {
        const json_t *sort = tree_as(item, "SortBy");
        const json_t *column = json_object_get(sort, "node");
        const char *qualifier = qualifier_of(column);
        const struct advise_statement *statement =
            &search->run->statements.items[search->statement];
        const struct advise_reference *reference =
            qualifier != NULL ? reference_of(search, qualifier) : &statement->references.items[0];
        bool is_descending = is_text(tree_text(sort, "sortby_dir"), "SORTBY_DESC");
        if (column_of(column) == NULL || reference == NULL ||
            (i > 0 && is_descending != *ret_is_descending) ||
            !is_text(tree_text(sort, "sortby_nulls"), "SORTBY_NULLS_DEFAULT"))
            return NULL;
        const struct advise_column *found = advise_find_column(reference->table, column_of(column));
        if (found == NULL || !found->is_not_null)
            return NULL;
        *ret_is_descending = is_descending;
        has_unique |= is_unique(reference->table, found->name);
        text_appendf(&key, "%s%s%s%s", i == 0 ? "" : ", ",
                     qualifier == NULL ? "" : tree_identifier(search->run->arena, qualifier),
                     qualifier == NULL ? "" : ".",
                     tree_identifier(search->run->arena, found->name));
    }
    return has_unique ? arena_strdup(search->run->arena, text_chars(&key)) : NULL;
}

static const char *
page_after(struct search *search, const struct parts *parts, const char *key, bool is_descending,
           const char *last)
{
    struct arena *arena = search->run->arena;
    const char *head = words_between(search, 0, parts->where > 0 ? parts->where : parts->order);
    const char *condition =
        parts->where == 0 ? ""
                          : arena_printf(arena, "(%s) AND ",
                                         words_between(search, parts->where + 1, parts->order));

    return arena_printf(arena, "%s WHERE %s(%s) %s (%s) %s", head, condition, key,
                        is_descending ? "<" : ">", last,
                        words_between(search, parts->order, parts->offset));
}

static void
find_offset(struct search *search, const json_t *select, bool is_whole)
{
    const json_t *offset = json_object_get(select, "limitOffset");
    const json_t *sorts = json_object_get(select, "sortClause");
    const json_t *constant = json_object_get(tree_as(offset, "A_Const"), "ival");
    json_int_t rows = json_integer_value(json_object_get(constant, "ival"));
    struct arena *arena = search->run->arena;
    bool is_descending = false;
    struct parts parts;

    if (offset == NULL || (constant != NULL && rows == 0))
        return;
    struct advise_fault *fault =
        add_fault(search, ADVISE_OFFSET,
                  "OFFSET reads and throws away all the rows of the pages before. Begin behind the "
                  "last row of the page before, by a unique order.");
    if (!is_whole || sorts == NULL || json_object_get(select, "groupClause") != NULL ||
        json_object_get(select, "larg") != NULL ||
        search->run->statements.items[search->statement].references.count == 0 ||
        !find_parts(search, &parts))
        return;
    const char *key = page_key(search, sorts, &is_descending);
    if (key == NULL)
        return;
    AUTO_TEXT places = {0};
    for (size_t i = 0; i < json_array_size(sorts); i++)
        text_appendf(&places, "%s:last_%zu", i == 0 ? "" : ", ", i + 1);
    fault->rewritten =
        page_after(search, &parts, key, is_descending, arena_strdup(arena, text_chars(&places)));
    if (constant == NULL)
        return;
    const char *last =
        arena_printf(arena, "SELECT %s %s OFFSET %lld LIMIT 1", key,
                     words_between(search, parts.from, parts.limit), (long long)rows - 1);
    fault->checked = page_after(search, &parts, key, is_descending, last);
}

/* --- all ---------------------------------------------------------------------------------- */

static void
find_in_select(struct search *search, const json_t *select, bool is_whole)
{
    const json_t *from = json_object_get(select, "fromClause");
    const json_t *where = json_object_get(select, "whereClause");

    for (size_t i = 0; i < json_array_size(from); i++)
        find_outer_join(search, json_array_get(from, i), where);
    find_aggregates(search, json_object_get(select, "targetList"), from);
    if (where != NULL)
        find_wrapped(search, where);
    find_offset(search, select, is_whole);
}

static void
find_in(struct search *search, const json_t *node, bool is_whole)
{
    const json_t *select = tree_as(node, "SelectStmt");
    const char *key;
    json_t *value;
    size_t i;

    if (select != NULL)
        find_in_select(search, select, is_whole);
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        find_in(search, value, false);
    }
    json_array_foreach(node, i, value)
    {
        find_in(search, value, false);
    }
}

void
advise_find_faults(struct advise *run, struct advise_faults *ret_faults)
{
    *ret_faults = (struct advise_faults){0};
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        struct search search = {
            .run = run, .statement = i, .text = statement->text, .faults = ret_faults};
        struct error ignored = {0};
        if (statement->problem == NULL &&
            sql_tokens_read(run->arena, statement->text, &search.tokens, &ignored))
            find_in(&search, statement->tree, true);
    }
}
