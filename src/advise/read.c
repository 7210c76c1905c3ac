// SPDX-License-Identifier: MIT
#include "advise/reading.h"

#include <string.h>

/* --- lists -------------------------------------------------------------------------------- */

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

/* FROM t AS a(b, c) */
static bool
has_names(const json_t *node)
{
    return json_object_get(json_object_get(node, "alias"), "colnames") != NULL;
}

static const char *
alias_of(const json_t *node, const char *otherwise)
{
    const char *alias = tree_text(json_object_get(node, "alias"), "aliasname");

    return alias != NULL ? alias : otherwise;
}

static struct block *
read_select(struct reading *reading, const json_t *select, const struct block *outer);

/* A subquery in FROM: conditions on its columns are ones on the columns behind them, unless it
 * takes the first rows only. */
static void
add_subquery(struct reading *reading, struct block *block, const char *alias, const json_t *query,
             bool has_names)
{
    const json_t *select = tree_as(query, "SelectStmt");
    struct item *item = LIST_ADD(reading->arena, &block->items);
    size_t at = block->items.count - 1;

    *item = (struct item){.alias = arena_strdup(reading->arena, alias), .reference = NO_REFERENCE};
    if (select == NULL) {
        reading_query(reading, query, block);
        return;
    }
    const struct block *inner = read_select(reading, select, block);
    if (inner == NULL || has_names || json_object_get(select, "limitCount") != NULL)
        return;
    block->items.items[at].inner = inner;
    block->items.items[at].select = select;
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
    if (table != NULL && table->query != NULL) {
        static const struct block nothing = {0}; /* what is around it, a view does not see */
        struct block *view = ARENA_NEW(reading->arena, struct block);
        *view = nothing;
        add_subquery(reading, view, alias_of(range, name), table->query, has_names(range));
        *LIST_ADD(reading->arena, &block->items) = view->items.items[0];
        return NO_REFERENCE;
    }
    struct item *item = LIST_ADD(reading->arena, &block->items);

    *item = (struct item){.alias = arena_strdup(reading->arena, alias_of(range, name)),
                          .reference = NO_REFERENCE};
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
    static const char *const others[] = {"RangeFunction", "RangeTableFunc"};
    const json_t *subquery = tree_as(node, "RangeSubselect");
    const json_t *range = tree_as(node, "RangeVar");
    const json_t *join = tree_as(node, "JoinExpr");
    const json_t *sample = tree_as(node, "RangeTableSample");

    if (range != NULL)
        add_table(reading, block, range);
    if (subquery != NULL)
        add_subquery(reading, block, alias_of(subquery, ""), json_object_get(subquery, "subquery"),
                     has_names(subquery));
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
        *LIST_ADD(reading->arena, &block->items) = (struct item){
            .alias = arena_strdup(reading->arena, alias_of(other, "")), .reference = NO_REFERENCE};
        reading_columns(reading, block, other);
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
            if (at < 0 || advise_find_column(reading_at(reading, at)->table, name) == NULL)
                continue;
            struct advise_reference *reference = reading_at(reading, at);
            const char *key = tree_identifier(reading->arena, arena_strdup(reading->arena, name));
            *LIST_ADD(reading->arena, &reference->clauses) =
                (struct advise_clause){.use = ADVISE_JOIN, .key = key, .column = name};
            reading_output(reading, at, name);
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
            reading_side(reading, block, target_of(targets, json_object_get(sort, "node")));
        bool is_descending = is_word(sort, "sortby_dir", "SORTBY_DESC");
        bool is_nulls_first =
            is_word(sort, "sortby_nulls", "SORTBY_NULLS_FIRST") ||
            (is_descending && !is_word(sort, "sortby_nulls", "SORTBY_NULLS_LAST"));
        if (side.reference < 0 || side.key == NULL || (i > 0 && side.reference != owner))
            return;
        owner = side.reference;
        *LIST_ADD(reading->arena, &reading_at(reading, owner)->order) =
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
        struct side side = reading_side(reading, block, target_of(targets, item));
        if (side.reference >= 0 && side.key != NULL && !side.is_expression)
            ADD_TEXT(reading->arena, &reading_at(reading, side.reference)->grouped, side.key);
    }
}

static void
note_limit(struct reading *reading, const json_t *node, bool is_offset)
{
    struct advise_parameter *parameter;
    int number = tree_parameter(node);

    reading_parameters(reading, node, NULL, ADVISE_EQUAL);
    if (number < 1 || number > READING_PARAMETERS)
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
        reading_query(reading, json_object_get(expression, "ctequery"), block);
    }
}

static void
read_filters(struct reading *reading, struct block *block, const json_t *where)
{
    if (where != NULL)
        *LIST_ADD(reading->arena, &block->filters) = where;
    read_shared(reading, block);
    for (size_t i = 0; i < block->filters.count; i++) {
        reading_conditions(reading, block, block->filters.items[i], false);
        reading_columns(reading, block, block->filters.items[i]);
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

/* A LIMIT holds for what is behind the items, too. */
static void
note_limited(struct reading *reading, const struct block *block)
{
    for (size_t i = 0; i < block->items.count; i++) {
        const struct item *item = &block->items.items[i];
        if (item->reference >= 0)
            reading_at(reading, item->reference)->has_limit = true;
        if (item->inner != NULL)
            note_limited(reading, item->inner);
    }
}

/* Returns its block, in the arena; NULL for UNION and the like, which have several. */
static struct block *
read_select(struct reading *reading, const json_t *select, const struct block *outer)
{
    static const char *const parts[] = {"targetList", "groupClause",  "havingClause",
                                        "sortClause", "windowClause", "distinctClause",
                                        "limitCount", "valuesLists"};
    struct block *block = ARENA_NEW(reading->arena, struct block);

    block->outer = outer;
    read_with(reading, block, json_object_get(select, "withClause"));
    if (json_object_get(select, "larg") != NULL) { /* UNION and the like */
        read_select(reading, json_object_get(select, "larg"), block);
        read_select(reading, json_object_get(select, "rarg"), block);
        return NULL;
    }
    read_list(reading, block, json_object_get(select, "fromClause"));
    read_filters(reading, block, json_object_get(select, "whereClause"));
    read_order(reading, block, select);
    read_groups(reading, block, select);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        reading_columns(reading, block, json_object_get(select, parts[i]));
    note_limit(reading, json_object_get(select, "limitCount"), false);
    note_limit(reading, json_object_get(select, "limitOffset"), true);
    if (json_object_get(select, "limitCount") != NULL)
        note_limited(reading, block);
    return block;
}

static void
note_target(struct reading *reading, long reference, enum advise_kind kind, const json_t *node)
{
    const json_t *item;
    size_t i;

    reading->statement->kind = kind;
    if (reference < 0)
        return;
    reading->statement->target = reading_at(reading, reference)->table;
    reading_at(reading, reference)->is_whole_row = true; /* rows are fetched to be written */
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
    reading_columns(reading, &block, json_object_get(node, "targetList"));
    if (json_object_get(node, "selectStmt") != NULL)
        reading_query(reading, json_object_get(node, "selectStmt"), &block);
}

/* MERGE INTO target USING source ON condition WHEN ... */
static void
read_merge(struct reading *reading, const json_t *node, const struct block *outer)
{
    const json_t *clauses = json_object_get(node, "mergeWhenClauses");
    enum advise_kind kind = ADVISE_INSERT;
    struct block block = {.outer = outer};
    const json_t *clause;
    size_t i;

    json_array_foreach(clauses, i, clause)
    {
        const json_t *when = tree_as(clause, "MergeWhenClause");
        if (is_word(when, "commandType", "CMD_UPDATE"))
            kind = ADVISE_UPDATE;
        else if (is_word(when, "commandType", "CMD_DELETE") && kind == ADVISE_INSERT)
            kind = ADVISE_DELETE;
    }
    read_with(reading, &block, json_object_get(node, "withClause"));
    long target = add_table(reading, &block, json_object_get(node, "relation"));
    note_target(reading, target, kind, NULL);
    read_from(reading, &block, json_object_get(node, "sourceRelation"));
    read_filters(reading, &block, json_object_get(node, "joinCondition"));
    json_array_foreach(clauses, i, clause)
    {
        const json_t *when = tree_as(clause, "MergeWhenClause");
        if (is_word(when, "commandType", "CMD_UPDATE"))
            note_target(reading, target, kind, when);
        reading_columns(reading, &block, json_object_get(when, "condition"));
        reading_columns(reading, &block, json_object_get(when, "targetList"));
    }
}

void
reading_query(struct reading *reading, const json_t *node, const struct block *outer)
{
    if (tree_as(node, "SelectStmt") != NULL)
        read_select(reading, tree_as(node, "SelectStmt"), outer);
    else if (tree_as(node, "InsertStmt") != NULL)
        read_write(reading, tree_as(node, "InsertStmt"), ADVISE_INSERT, outer);
    else if (tree_as(node, "UpdateStmt") != NULL)
        read_write(reading, tree_as(node, "UpdateStmt"), ADVISE_UPDATE, outer);
    else if (tree_as(node, "DeleteStmt") != NULL)
        read_write(reading, tree_as(node, "DeleteStmt"), ADVISE_DELETE, outer);
    else if (tree_as(node, "MergeStmt") != NULL)
        read_merge(reading, tree_as(node, "MergeStmt"), outer);
}

void
advise_read_statement(struct arena *arena, const json_t *tree, const struct advise_tables *tables,
                      struct advise_statement *statement)
{
    struct reading reading = {arena, tables, statement};

    reading_query(&reading, tree, NULL);
}
