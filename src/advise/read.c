// SPDX-License-Identifier: MIT
#include "advise/read.h"

#include <string.h>

enum { NO_REFERENCE = -1, SEVERAL_REFERENCES = -2, MAX_PARAMETERS = 200 };

/* A name in FROM. */
struct item {
    const char *alias;
    long reference; /* in the statement; NO_REFERENCE: a subquery, a function, a CTE */
};

/* One query block. */
struct block {
    const struct block *outer;
    LIST_OF(struct item) items;
    LIST_OF(const char *) hidden;    /* names of WITH */
    LIST_OF(const json_t *) filters; /* WHERE, ON */
    LIST_OF(const json_t *) shared;  /* USING */
};

struct reading {
    struct arena *arena;
    const struct advise_tables *tables;
    struct advise_statement *statement;
};

/* What one side of a condition is. */
struct side {
    const json_t *node;
    long reference;     /* whose columns of this block are in it */
    const char *column; /* the first of them */
    const char *key;    /* as in CREATE INDEX; NULL: it cannot be indexed */
    bool is_expression;
};

static void read_query(struct reading *reading, const json_t *node, const struct block *outer);
static void
read_conditions(struct reading *reading, struct block *block, const json_t *node, bool is_in_or);

/* --- lists -------------------------------------------------------------------------------- */

static struct advise_reference *
reference_at(struct reading *reading, long at)
{
    return &reading->statement->references.items[at];
}

static void
add_text(struct arena *arena, const char *text, const char ***items, size_t *count,
         size_t *capacity)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*items)[i], text) == 0)
            return;
    }
    arena_list_grow(arena, (void **)items, *count, capacity, sizeof(**items));
    (*items)[(*count)++] = text;
}
#define ADD_TEXT(arena, list, text)                                                                \
    add_text((arena), (text), &(list)->items, &(list)->count, &(list)->capacity)

static void
add_output(struct reading *reading, long at, const char *column)
{
    struct advise_reference *reference = reference_at(reading, at);

    for (size_t i = 0; i < reference->outputs.count; i++) {
        if (strcmp(reference->outputs.items[i].name, column) == 0) {
            reference->outputs.items[i].mentions++;
            return;
        }
    }
    *LIST_ADD(reading->arena, &reference->outputs) = (struct advise_output){column, 1};
}

/* --- columns ------------------------------------------------------------------------------ */

static bool
is_in_block(struct reading *reading, const struct block *block, const char *alias,
            const char *column, long *ret_reference)
{
    for (size_t i = 0; i < block->items.count; i++) {
        const struct item *item = &block->items.items[i];
        if (alias != NULL && strcmp(item->alias, alias) != 0)
            continue;
        if (alias == NULL &&
            (item->reference < 0 ||
             advise_find_column(reference_at(reading, item->reference)->table, column) == NULL))
            continue;
        *ret_reference = item->reference;
        return true;
    }
    return false;
}

/* Whose column that is, in this block or around it; *ret_column NULL for a star. */
static long
resolve(struct reading *reading, const struct block *block, const json_t *column_node,
        const char **ret_column, bool *ret_is_own)
{
    const json_t *fields = json_object_get(column_node, "fields");
    size_t count = json_array_size(fields);
    const json_t *before = count < 2 ? NULL : json_array_get(fields, count - 2);
    const char *alias = tree_text(json_object_get(before, "String"), "sval");
    const char *column = tree_name(fields);
    const struct block *at = block;
    long reference = NO_REFERENCE;

    *ret_column = column;
    while (at != NULL && !is_in_block(reading, at, alias, column == NULL ? "" : column, &reference))
        at = at->outer;
    *ret_is_own = at == block;
    if (at == NULL || reference < 0)
        return NO_REFERENCE;
    const struct advise_table *table = reference_at(reading, reference)->table;
    if (column != NULL && advise_find_column(table, column) == NULL)
        return NO_REFERENCE;
    return reference;
}

static void
note_star(struct reading *reading, const struct block *block, const json_t *node, long reference)
{
    bool is_for_all = json_array_size(json_object_get(node, "fields")) == 1;

    for (size_t i = 0; is_for_all && i < block->items.count; i++) {
        if (block->items.items[i].reference >= 0)
            reference_at(reading, block->items.items[i].reference)->is_whole_row = true;
    }
    if (!is_for_all && reference >= 0)
        reference_at(reading, reference)->is_whole_row = true;
}

/* Every column that is read anywhere below, and the queries in it. */
static void
note_columns(struct reading *reading, const struct block *block, const json_t *node)
{
    const json_t *column_node = tree_as(node, "ColumnRef");
    const char *column;
    const char *key;
    json_t *value;
    size_t i;
    bool is_own;

    if (column_node != NULL) {
        long reference = resolve(reading, block, column_node, &column, &is_own);
        if (column == NULL)
            note_star(reading, block, column_node, reference);
        else if (reference >= 0)
            add_output(reading, reference, column);
        return;
    }
    if (tree_as(node, "SelectStmt") != NULL) {
        read_query(reading, node, block);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        note_columns(reading, block, value);
    }
    json_array_foreach(node, i, value)
    {
        note_columns(reading, block, value);
    }
}

/* --- sides of a condition ----------------------------------------------------------------- */

static void
find_owner(struct reading *reading, const struct block *block, const json_t *node,
           struct side *side)
{
    const json_t *column_node = tree_as(node, "ColumnRef");
    const char *column;
    const char *key;
    json_t *value;
    size_t i;
    bool is_own;

    if (column_node != NULL) {
        long reference = resolve(reading, block, column_node, &column, &is_own);
        if (!is_own)
            return;
        if (side->reference != NO_REFERENCE && side->reference != reference)
            side->reference = SEVERAL_REFERENCES;
        else
            side->reference = reference == NO_REFERENCE ? SEVERAL_REFERENCES : reference;
        if (side->column == NULL)
            side->column = column;
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        find_owner(reading, block, value, side);
    }
    json_array_foreach(node, i, value)
    {
        find_owner(reading, block, value, side);
    }
}

/* varchar::text and the like, which an index on the column serves too. */
static const json_t *
without_text_cast(struct reading *reading, const struct block *block, const json_t *node)
{
    const json_t *cast = tree_as(node, "TypeCast");
    const json_t *argument = json_object_get(cast, "arg");
    const char *name = tree_name(json_object_get(json_object_get(cast, "typeName"), "names"));
    const char *column;
    bool is_own;

    if (name == NULL || strcmp(name, "text") != 0 || tree_as(argument, "ColumnRef") == NULL)
        return node;
    long at = resolve(reading, block, tree_as(argument, "ColumnRef"), &column, &is_own);
    if (at < 0 || column == NULL)
        return node;
    const struct advise_column *found =
        advise_find_column(reference_at(reading, at)->table, column);
    return found->category == 'S' ? argument : node;
}

static struct side
read_side(struct reading *reading, const struct block *block, const json_t *node)
{
    struct side side = {.node = node, .reference = NO_REFERENCE};
    AUTO_TEXT text = {0};

    node = without_text_cast(reading, block, node);
    side.node = node;
    find_owner(reading, block, node, &side);
    if (side.reference < 0 || side.column == NULL || !tree_write(reading->arena, node, &text))
        return side;
    side.is_expression = tree_as(node, "ColumnRef") == NULL;
    side.key = arena_strdup(reading->arena, text_chars(&text));
    if (side.is_expression && tree_as(node, "TypeCast") != NULL)
        side.key = arena_printf(reading->arena, "(%s)", side.key);
    return side;
}

static void
note_parameters(struct reading *reading, const json_t *node, const struct side *key,
                enum advise_use use)
{
    int number = tree_parameter(node);
    const json_t *list = tree_as(node, "List");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        note_parameters(reading, item, key, use);
    }
    if (number < 1 || number > MAX_PARAMETERS)
        return;
    while (reading->statement->parameters.count < (size_t)number)
        LIST_ADD(reading->arena, &reading->statement->parameters);
    struct advise_parameter *parameter = &reading->statement->parameters.items[number - 1];
    if (key == NULL || key->is_expression)
        return;
    parameter->table = reference_at(reading, key->reference)->table;
    parameter->column = advise_find_column(parameter->table, key->column);
    parameter->use = use;
}

static void
add_clause(struct reading *reading, const struct side *key, enum advise_use use,
           const json_t *condition, const json_t *other, bool is_in_or)
{
    struct advise_reference *reference = reference_at(reading, key->reference);
    struct advise_clause clause = {.use = use,
                                   .key = key->key,
                                   .column = key->column,
                                   .is_expression = key->is_expression,
                                   .is_in_or = is_in_or,
                                   .parameter = tree_parameter(other)};

    if (!is_in_or && use != ADVISE_JOIN)
        clause.predicate = tree_sql(reading->arena, condition);
    if (other != NULL)
        note_parameters(reading, other, key, use);
    if (key->key != NULL)
        *LIST_ADD(reading->arena, &reference->clauses) = clause;
    else if (reading->statement->hint == NULL)
        reading->statement->hint =
            arena_printf(reading->arena,
                         "the constant in an expression on %s is not known: an index on the "
                         "expression needs it; give the statement with its constants",
                         key->column);
}

/* --- conditions --------------------------------------------------------------------------- */

struct operator_use {
    const char *name;
    const char *mirrored; /* with the sides exchanged; NULL: cannot be */
    enum advise_use use;
};

static const struct operator_use operator_uses[] = {
    {"=", "=", ADVISE_EQUAL},       {"<", ">", ADVISE_RANGE},      {"<=", ">=", ADVISE_RANGE},
    {">", "<", ADVISE_RANGE},       {">=", "<=", ADVISE_RANGE},    {"@>", "<@", ADVISE_CONTAINS},
    {"<@", "@>", ADVISE_CONTAINED}, {"?", NULL, ADVISE_HAS_KEY},   {"?|", NULL, ADVISE_HAS_KEY},
    {"?&", NULL, ADVISE_HAS_KEY},   {"&&", "&&", ADVISE_OVERLAPS}, {"@@", "@@", ADVISE_MATCHES},
    {"~~", NULL, ADVISE_PREFIX},    {"~~*", NULL, ADVISE_INFIX},   {"~", NULL, ADVISE_INFIX},
    {"~*", NULL, ADVISE_INFIX},     {"^@", NULL, ADVISE_PREFIX},
};

static const struct operator_use *
find_use(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(operator_uses) / sizeof(operator_uses[0]); i++) {
        if (strcmp(operator_uses[i].name, name) == 0)
            return &operator_uses[i];
    }
    return NULL;
}

/* LIKE with a pattern that is known not to begin with letters. */
static enum advise_use
like_use(enum advise_use use, const json_t *pattern)
{
    const json_t *constant = json_object_get(tree_as(pattern, "A_Const"), "sval");
    const char *text = tree_text(constant, "sval");

    return use == ADVISE_PREFIX && text != NULL && (text[0] == '%' || text[0] == '_') ? ADVISE_INFIX
                                                                                      : use;
}

static void
read_comparison(struct reading *reading, struct block *block, const json_t *condition,
                bool is_in_or)
{
    const json_t *node = tree_as(condition, "A_Expr");
    const struct operator_use *use = find_use(tree_name(json_object_get(node, "name")));
    struct side left = read_side(reading, block, json_object_get(node, "lexpr"));
    struct side right = read_side(reading, block, json_object_get(node, "rexpr"));

    if (use == NULL)
        return;
    if (left.reference >= 0 && right.reference == NO_REFERENCE) {
        add_clause(reading, &left, like_use(use->use, right.node), condition, right.node, is_in_or);
    } else if (right.reference >= 0 && left.reference == NO_REFERENCE && use->mirrored != NULL) {
        add_clause(reading, &right, find_use(use->mirrored)->use, condition, left.node, is_in_or);
    } else if (use->use == ADVISE_EQUAL && left.reference != right.reference) {
        if (left.reference >= 0 && left.key != NULL)
            add_clause(reading, &left, ADVISE_JOIN, condition, NULL, is_in_or);
        if (right.reference >= 0 && right.key != NULL)
            add_clause(reading, &right, ADVISE_JOIN, condition, NULL, is_in_or);
    }
}

static void
read_expression(struct reading *reading, struct block *block, const json_t *condition,
                bool is_in_or)
{
    static const struct {
        const char *kind;
        const char *operator_name;
        enum advise_use use;
    } kinds[] = {
        {"AEXPR_IN", "=", ADVISE_IN},
        {"AEXPR_OP_ANY", "=", ADVISE_IN},
        {"AEXPR_BETWEEN", "BETWEEN", ADVISE_RANGE},
        {"AEXPR_NOT_DISTINCT", "=", ADVISE_EQUAL},
    };
    const json_t *node = tree_as(condition, "A_Expr");
    const char *kind = tree_text(node, "kind");
    const char *name = tree_name(json_object_get(node, "name"));

    if (kind == NULL || name == NULL)
        return;
    if (strcmp(kind, "AEXPR_OP") == 0 || strcmp(kind, "AEXPR_LIKE") == 0 ||
        strcmp(kind, "AEXPR_ILIKE") == 0) {
        read_comparison(reading, block, condition, is_in_or);
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) != 0 || strcmp(kinds[i].operator_name, name) != 0)
            continue;
        struct side left = read_side(reading, block, json_object_get(node, "lexpr"));
        struct side right = read_side(reading, block, json_object_get(node, "rexpr"));
        if (left.reference >= 0 && right.reference == NO_REFERENCE)
            add_clause(reading, &left, kinds[i].use, condition, right.node, is_in_or);
        else if (right.reference >= 0 && left.reference == NO_REFERENCE)
            add_clause(reading, &right, ADVISE_CONTAINS_ELEMENT, condition, left.node, is_in_or);
    }
}

/* x, NOT x, x IS TRUE, x IS NULL: equality with one value. */
static void
read_state(struct reading *reading, struct block *block, const json_t *condition,
           const json_t *argument, bool is_in_or)
{
    struct side side = read_side(reading, block, argument);

    if (side.reference >= 0 && !side.is_expression)
        add_clause(reading, &side, ADVISE_EQUAL, condition, NULL, is_in_or);
}

static void
read_boolean(struct reading *reading, struct block *block, const json_t *condition, bool is_in_or)
{
    const json_t *node = tree_as(condition, "BoolExpr");
    const json_t *arguments = json_object_get(node, "args");
    const char *kind = tree_text(node, "boolop");
    const json_t *item;
    size_t i;

    if (kind == NULL)
        return;
    if (strcmp(kind, "NOT_EXPR") == 0) {
        if (tree_as(json_array_get(arguments, 0), "ColumnRef") != NULL)
            read_state(reading, block, condition, json_array_get(arguments, 0), is_in_or);
        return;
    }
    json_array_foreach(arguments, i, item)
    {
        read_conditions(reading, block, item, is_in_or || strcmp(kind, "OR_EXPR") == 0);
    }
}

/* x IN (SELECT ...) */
static void
read_sublink(struct reading *reading, struct block *block, const json_t *condition, bool is_in_or)
{
    const json_t *test = json_object_get(tree_as(condition, "SubLink"), "testexpr");

    if (test == NULL)
        return;
    struct side side = read_side(reading, block, test);
    if (side.reference >= 0 && side.key != NULL)
        add_clause(reading, &side, ADVISE_JOIN, condition, NULL, is_in_or);
}

static void
read_conditions(struct reading *reading, struct block *block, const json_t *node, bool is_in_or)
{
    const json_t *null_test = tree_as(node, "NullTest");
    const json_t *boolean_test = tree_as(node, "BooleanTest");

    if (tree_as(node, "BoolExpr") != NULL)
        read_boolean(reading, block, node, is_in_or);
    else if (tree_as(node, "A_Expr") != NULL)
        read_expression(reading, block, node, is_in_or);
    else if (tree_as(node, "SubLink") != NULL)
        read_sublink(reading, block, node, is_in_or);
    else if (tree_as(node, "ColumnRef") != NULL)
        read_state(reading, block, node, node, is_in_or);
    else if (null_test != NULL)
        read_state(reading, block, node, json_object_get(null_test, "arg"), is_in_or);
    else if (boolean_test != NULL)
        read_state(reading, block, node, json_object_get(boolean_test, "arg"), is_in_or);
}

/* --- FROM --------------------------------------------------------------------------------- */

static bool
is_hidden(const struct block *block, const char *name)
{
    for (; block != NULL; block = block->outer) {
        for (size_t i = 0; i < block->hidden.count; i++) {
            if (strcmp(block->hidden.items[i], name) == 0)
                return true;
        }
    }
    return false;
}

static const char *
alias_of(const json_t *node, const char *otherwise)
{
    const char *alias = tree_text(json_object_get(node, "alias"), "aliasname");

    return alias != NULL ? alias : otherwise;
}

static long
add_table(struct reading *reading, struct block *block, const json_t *range)
{
    const char *name = tree_text(range, "relname");
    bool is_name_of_with = tree_text(range, "schemaname") == NULL && is_hidden(block, name);
    const struct advise_table *table =
        is_name_of_with
            ? NULL
            : advise_find_table(reading->tables, advise_written_name(reading->arena, range));
    struct item *item = LIST_ADD(reading->arena, &block->items);

    *item = (struct item){arena_strdup(reading->arena, alias_of(range, name)), NO_REFERENCE};
    if (table == NULL)
        return NO_REFERENCE;
    item->reference = (long)reading->statement->references.count;
    *LIST_ADD(reading->arena, &reading->statement->references) =
        (struct advise_reference){.table = table, .alias = item->alias};
    return item->reference;
}

static void
read_from(struct reading *reading, struct block *block, const json_t *node)
{
    static const char *const others[] = {"RangeSubselect", "RangeFunction", "RangeTableFunc"};
    const json_t *range = tree_as(node, "RangeVar");
    const json_t *join = tree_as(node, "JoinExpr");
    const json_t *sample = tree_as(node, "RangeTableSample");

    if (range != NULL)
        add_table(reading, block, range);
    if (sample != NULL)
        read_from(reading, block, json_object_get(sample, "relation"));
    if (join != NULL) {
        read_from(reading, block, json_object_get(join, "larg"));
        read_from(reading, block, json_object_get(join, "rarg"));
        if (json_object_get(join, "quals") != NULL)
            *LIST_ADD(reading->arena, &block->filters) = json_object_get(join, "quals");
        for (size_t i = 0; i < json_array_size(json_object_get(join, "usingClause")); i++)
            *LIST_ADD(reading->arena, &block->shared) =
                json_array_get(json_object_get(join, "usingClause"), i);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const json_t *other = tree_as(node, others[i]);
        if (other == NULL)
            continue;
        *LIST_ADD(reading->arena, &block->items) =
            (struct item){arena_strdup(reading->arena, alias_of(other, "")), NO_REFERENCE};
        note_columns(reading, block, other);
    }
}

/* USING (a): a join by a of every table here that has one. */
static void
read_shared(struct reading *reading, struct block *block)
{
    for (size_t i = 0; i < block->shared.count; i++) {
        const char *name = tree_text(tree_as(block->shared.items[i], "String"), "sval");
        for (size_t j = 0; name != NULL && j < block->items.count; j++) {
            long at = block->items.items[j].reference;
            if (at < 0 || advise_find_column(reference_at(reading, at)->table, name) == NULL)
                continue;
            struct advise_reference *reference = reference_at(reading, at);
            const char *key = tree_identifier(reading->arena, arena_strdup(reading->arena, name));
            *LIST_ADD(reading->arena, &reference->clauses) =
                (struct advise_clause){.use = ADVISE_JOIN, .key = key, .column = name};
            add_output(reading, at, name);
        }
    }
}

/* --- ORDER BY, GROUP BY, LIMIT ------------------------------------------------------------ */

/* What a sort item means when it is a number or the name of an output column. */
static const json_t *
target_of(const json_t *targets, const json_t *node)
{
    const json_t *number = json_object_get(tree_as(node, "A_Const"), "ival");
    const json_t *fields = json_object_get(tree_as(node, "ColumnRef"), "fields");
    const json_t *target;
    size_t i;

    json_array_foreach(targets, i, target)
    {
        const json_t *result = tree_as(target, "ResTarget");
        const char *name = tree_text(result, "name");
        bool is_named = name != NULL && json_array_size(fields) == 1 && tree_name(fields) != NULL &&
                        strcmp(name, tree_name(fields)) == 0;
        bool is_counted = number != NULL &&
                          json_integer_value(json_object_get(number, "ival")) == (json_int_t)i + 1;
        if (is_named || is_counted)
            return json_object_get(result, "val");
    }
    return node;
}

static bool
is_word(const json_t *node, const char *key, const char *word)
{
    const char *text = tree_text(node, key);

    return text != NULL && strcmp(text, word) == 0;
}

/* The leading items that are of one table: with a LIMIT they can be read in order. */
static void
read_order(struct reading *reading, struct block *block, const json_t *select)
{
    const json_t *targets = json_object_get(select, "targetList");
    const json_t *item;
    long owner = NO_REFERENCE;
    size_t i;

    json_array_foreach(json_object_get(select, "sortClause"), i, item)
    {
        const json_t *sort = tree_as(item, "SortBy");
        struct side side =
            read_side(reading, block, target_of(targets, json_object_get(sort, "node")));
        bool is_descending = is_word(sort, "sortby_dir", "SORTBY_DESC");
        bool is_nulls_first =
            is_word(sort, "sortby_nulls", "SORTBY_NULLS_FIRST") ||
            (is_descending && !is_word(sort, "sortby_nulls", "SORTBY_NULLS_LAST"));
        if (side.reference < 0 || side.key == NULL || (i > 0 && side.reference != owner))
            return;
        owner = side.reference;
        *LIST_ADD(reading->arena, &reference_at(reading, owner)->order) =
            (struct advise_order){side.key, is_descending, is_nulls_first};
    }
}

static void
read_groups(struct reading *reading, struct block *block, const json_t *select)
{
    const json_t *targets = json_object_get(select, "targetList");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(select, "groupClause"), i, item)
    {
        struct side side = read_side(reading, block, target_of(targets, item));
        if (side.reference >= 0 && side.key != NULL && !side.is_expression)
            ADD_TEXT(reading->arena, &reference_at(reading, side.reference)->grouped, side.key);
    }
}

static void
note_limit(struct reading *reading, const json_t *node, bool is_offset)
{
    struct advise_parameter *parameter;
    int number = tree_parameter(node);

    note_parameters(reading, node, NULL, ADVISE_EQUAL);
    if (number < 1 || number > MAX_PARAMETERS)
        return;
    parameter = &reading->statement->parameters.items[number - 1];
    parameter->is_limit = !is_offset;
    parameter->is_offset = is_offset;
}

/* --- queries ------------------------------------------------------------------------------ */

static void
read_with(struct reading *reading, struct block *block, const json_t *with)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(with, "ctes"), i, item)
    {
        const json_t *expression = tree_as(item, "CommonTableExpr");
        const char *name = tree_text(expression, "ctename");
        if (name != NULL)
            *LIST_ADD(reading->arena, &block->hidden) = arena_strdup(reading->arena, name);
        read_query(reading, json_object_get(expression, "ctequery"), block);
    }
}

static void
read_filters(struct reading *reading, struct block *block, const json_t *where)
{
    if (where != NULL)
        *LIST_ADD(reading->arena, &block->filters) = where;
    read_shared(reading, block);
    for (size_t i = 0; i < block->filters.count; i++) {
        read_conditions(reading, block, block->filters.items[i], false);
        note_columns(reading, block, block->filters.items[i]);
    }
}

static void
read_list(struct reading *reading, struct block *block, const json_t *list)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        read_from(reading, block, item);
    }
}

static void
read_select(struct reading *reading, const json_t *select, const struct block *outer)
{
    static const char *const parts[] = {"targetList", "groupClause",  "havingClause",
                                        "sortClause", "windowClause", "distinctClause",
                                        "limitCount", "valuesLists"};
    struct block block = {.outer = outer};
    bool has_limit = json_object_get(select, "limitCount") != NULL;

    read_with(reading, &block, json_object_get(select, "withClause"));
    if (json_object_get(select, "larg") != NULL) { /* UNION and the like */
        read_select(reading, json_object_get(select, "larg"), &block);
        read_select(reading, json_object_get(select, "rarg"), &block);
        return;
    }
    read_list(reading, &block, json_object_get(select, "fromClause"));
    read_filters(reading, &block, json_object_get(select, "whereClause"));
    read_order(reading, &block, select);
    read_groups(reading, &block, select);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        note_columns(reading, &block, json_object_get(select, parts[i]));
    note_limit(reading, json_object_get(select, "limitCount"), false);
    note_limit(reading, json_object_get(select, "limitOffset"), true);
    for (size_t i = 0; i < block.items.count; i++) {
        if (block.items.items[i].reference >= 0)
            reference_at(reading, block.items.items[i].reference)->has_limit = has_limit;
    }
}

static void
note_target(struct reading *reading, long reference, enum advise_kind kind, const json_t *node)
{
    const json_t *item;
    size_t i;

    reading->statement->kind = kind;
    if (reference < 0)
        return;
    reading->statement->target = reference_at(reading, reference)->table;
    reference_at(reading, reference)->is_whole_row = true; /* rows are fetched to be written */
    json_array_foreach(json_object_get(node, "targetList"), i, item)
    {
        const char *name = tree_text(tree_as(item, "ResTarget"), "name");
        if (name != NULL && kind == ADVISE_UPDATE)
            ADD_TEXT(reading->arena, &reading->statement->assigned,
                     arena_strdup(reading->arena, name));
    }
}

static void
read_write(struct reading *reading, const json_t *node, enum advise_kind kind,
           const struct block *outer)
{
    struct block block = {.outer = outer};

    read_with(reading, &block, json_object_get(node, "withClause"));
    note_target(reading, add_table(reading, &block, json_object_get(node, "relation")), kind, node);
    read_list(reading, &block, json_object_get(node, "fromClause"));
    read_list(reading, &block, json_object_get(node, "usingClause"));
    read_filters(reading, &block, json_object_get(node, "whereClause"));
    note_columns(reading, &block, json_object_get(node, "targetList"));
    if (json_object_get(node, "selectStmt") != NULL)
        read_query(reading, json_object_get(node, "selectStmt"), &block);
}

static void
read_query(struct reading *reading, const json_t *node, const struct block *outer)
{
    if (tree_as(node, "SelectStmt") != NULL)
        read_select(reading, tree_as(node, "SelectStmt"), outer);
    else if (tree_as(node, "InsertStmt") != NULL)
        read_write(reading, tree_as(node, "InsertStmt"), ADVISE_INSERT, outer);
    else if (tree_as(node, "UpdateStmt") != NULL)
        read_write(reading, tree_as(node, "UpdateStmt"), ADVISE_UPDATE, outer);
    else if (tree_as(node, "DeleteStmt") != NULL)
        read_write(reading, tree_as(node, "DeleteStmt"), ADVISE_DELETE, outer);
}

void
advise_read_statement(struct arena *arena, const json_t *tree, const struct advise_tables *tables,
                      struct advise_statement *statement)
{
    struct reading reading = {arena, tables, statement};

    read_query(&reading, tree, NULL);
}
