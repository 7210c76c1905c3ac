// SPDX-License-Identifier: MIT
#include "advise/reading.h"

#include <string.h>

/* --- lists -------------------------------------------------------------------------------- */

struct advise_reference *
reading_at(struct reading *reading, long at)
{
    return &reading->statement->references.items[at];
}

void
reading_output(struct reading *reading, long at, const char *column)
{
    struct advise_reference *reference = reading_at(reading, at);

    for (size_t i = 0; i < reference->outputs.count; i++) {
        if (strcmp(reference->outputs.items[i].name, column) == 0) {
            reference->outputs.items[i].mentions++;
            return;
        }
    }
    *LIST_ADD(reading->arena, &reference->outputs) = (struct advise_output){column, 1};
}

/* --- columns ------------------------------------------------------------------------------ */

static bool is_in_block(struct reading *reading, const struct block *block, const char *alias,
                        const char **column, long *ret_reference);

/* The last but one name of a column: of its table. */
static const char *
alias_in(const json_t *fields)
{
    size_t count = json_array_size(fields);
    const json_t *before = count < 2 ? NULL : json_array_get(fields, count - 2);

    return tree_text(json_object_get(before, "String"), "sval");
}

/* Whose column is behind the column of a subquery; *column becomes its name there. */
static bool
is_behind(struct reading *reading, const struct item *item, const char **column,
          long *ret_reference)
{
    const json_t *target;
    size_t i;

    json_array_foreach(json_object_get(item->select, "targetList"), i, target)
    {
        const json_t *result = tree_as(target, "ResTarget");
        const json_t *value = tree_as(json_object_get(result, "val"), "ColumnRef");
        const json_t *fields = json_object_get(value, "fields");
        const char *inner = tree_name(fields);
        const char *name = tree_text(result, "name") != NULL ? tree_text(result, "name") : inner;
        if (name != NULL && strcmp(name, *column) != 0)
            continue;
        if (name == NULL) /* a star, or an expression without a name */
            inner = *column;
        if (value == NULL || inner == NULL ||
            !is_in_block(reading, item->inner, alias_in(fields), &inner, ret_reference))
            continue;
        *column = inner;
        return true;
    }
    return false;
}

/* Whether an item of the block, or the one of that alias, has the column; *column NULL: a star. */
static bool
is_in_block(struct reading *reading, const struct block *block, const char *alias,
            const char **column, long *ret_reference)
{
    for (size_t i = 0; i < block->items.count; i++) {
        const struct item *item = &block->items.items[i];
        if (alias != NULL && strcmp(item->alias, alias) != 0)
            continue;
        if (*column != NULL && item->select != NULL &&
            is_behind(reading, item, column, ret_reference))
            return true;
        if (alias == NULL &&
            (item->reference < 0 || *column == NULL ||
             advise_find_column(reading_at(reading, item->reference)->table, *column) == NULL))
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
    const char *alias = alias_in(fields);
    const char *column = tree_name(fields);
    const struct block *at = block;
    long reference = NO_REFERENCE;

    while (at != NULL && !is_in_block(reading, at, alias, &column, &reference))
        at = at->outer;
    *ret_column = column;
    *ret_is_own = at == block;
    if (at == NULL || reference < 0)
        return NO_REFERENCE;
    const struct advise_table *table = reading_at(reading, reference)->table;
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
            reading_at(reading, block->items.items[i].reference)->is_whole_row = true;
    }
    if (!is_for_all && reference >= 0)
        reading_at(reading, reference)->is_whole_row = true;
}

/* Every column that is read anywhere below, and the queries in it. */
void
reading_columns(struct reading *reading, const struct block *block, const json_t *node)
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
            reading_output(reading, reference, column);
        return;
    }
    if (tree_as(node, "SelectStmt") != NULL) {
        reading_query(reading, node, block);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        reading_columns(reading, block, value);
    }
    json_array_foreach(node, i, value)
    {
        reading_columns(reading, block, value);
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
        const char *written = tree_name(json_object_get(column_node, "fields"));
        side->is_renamed |= column != NULL && strcmp(written, column) != 0;
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
    const struct advise_column *found = advise_find_column(reading_at(reading, at)->table, column);
    return found->category == 'S' ? argument : node;
}

struct side
reading_side(struct reading *reading, const struct block *block, const json_t *node)
{
    struct side side = {.node = node, .reference = NO_REFERENCE};
    AUTO_TEXT text = {0};

    node = without_text_cast(reading, block, node);
    side.node = node;
    find_owner(reading, block, node, &side);
    if (side.reference < 0 || side.column == NULL || !tree_write(reading->arena, node, &text))
        return side;
    side.is_expression = tree_as(node, "ColumnRef") == NULL;
    if (side.is_renamed && side.is_expression)
        return side;
    side.key = side.is_renamed ? tree_identifier(reading->arena, side.column)
                               : arena_strdup(reading->arena, text_chars(&text));
    if (side.is_expression && tree_as(node, "TypeCast") != NULL)
        side.key = arena_printf(reading->arena, "(%s)", side.key);
    return side;
}

void
reading_parameters(struct reading *reading, const json_t *node, const struct side *key,
                   enum advise_use use)
{
    int number = tree_parameter(node);
    const json_t *list = tree_as(node, "List");
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        reading_parameters(reading, item, key, use);
    }
    if (number < 1 || number > READING_PARAMETERS)
        return;
    while (reading->statement->parameters.count < (size_t)number)
        LIST_ADD(reading->arena, &reading->statement->parameters);
    struct advise_parameter *parameter = &reading->statement->parameters.items[number - 1];
    if (key == NULL || key->is_expression)
        return;
    parameter->table = reading_at(reading, key->reference)->table;
    parameter->column = advise_find_column(parameter->table, key->column);
    parameter->use = use;
}

/* What kind of constant item is in node, around which there is a column. */
static enum advise_unknown_kind
unknown_kind(const json_t *node, const json_t *item)
{
    const json_t *operation = tree_as(node, "A_Expr");
    const char *name = tree_name(json_object_get(operation, "name"));
    const json_t *call = tree_as(node, "FuncCall");
    const char *function = tree_name(json_object_get(call, "funcname"));

    if (name != NULL && (strcmp(name, "->>") == 0 || strcmp(name, "->") == 0) &&
        json_object_get(operation, "rexpr") == item &&
        tree_as(json_object_get(operation, "lexpr"), "ColumnRef") != NULL)
        return ADVISE_DOCUMENT_KEY;
    if (function != NULL && strcmp(function, "to_tsvector") == 0 &&
        json_array_get(json_object_get(call, "args"), 0) == item)
        return ADVISE_WORDS;
    return ADVISE_ANY_CONSTANT;
}

/* around: the operation or call next above. */
static void
find_unknowns(struct reading *reading, const struct side *key, const json_t *node,
              const json_t *around)
{
    int number = tree_parameter(node);
    const char *name;
    json_t *value;
    size_t i;

    if (number > 0 && number <= READING_PARAMETERS) {
        *LIST_ADD(reading->arena, &reading->statement->unknowns) =
            (struct advise_unknown){.parameter = (size_t)number,
                                    .kind = unknown_kind(around, node),
                                    .table = reading_at(reading, key->reference)->table,
                                    .column = arena_strdup(reading->arena, key->column)};
        return;
    }
    if (tree_as(node, "A_Expr") != NULL || tree_as(node, "FuncCall") != NULL)
        around = node;
    json_object_foreach((json_t *)(uintptr_t)node, name, value)
    {
        find_unknowns(reading, key, value, around);
    }
    json_array_foreach(node, i, value)
    {
        find_unknowns(reading, key, value, around);
    }
}

void
reading_unknowns(struct reading *reading, const struct side *key, const json_t *node)
{
    find_unknowns(reading, key, node, NULL);
}
