// SPDX-License-Identifier: MIT
#include "advise/reading.h"

#include <string.h>

static void
add_clause(struct reading *reading, const struct side *key, enum advise_use use,
           const json_t *condition, const json_t *other, bool is_in_or)
{
    struct advise_reference *reference = reading_at(reading, key->reference);
    struct advise_clause clause = {.use = use,
                                   .key = key->key,
                                   .column = key->column,
                                   .is_expression = key->is_expression,
                                   .is_in_or = is_in_or,
                                   .parameter = tree_parameter(other)};

    if (!is_in_or && use != ADVISE_JOIN && condition != NULL)
        clause.predicate = tree_sql(reading->arena, condition);
    if (other != NULL)
        reading_parameters(reading, other, key, use);
    if (key->key != NULL) {
        *LIST_ADD(reading->arena, &reference->clauses) = clause;
        return;
    }
    reading_unknowns(reading, key, key->node);
    if (reading->statement->unknowns.count > 0)
        reading->statement->hint =
            arena_printf(reading->arena,
                         "an index would be on an expression of column %s with the constant $%zu, "
                         "which is not known: give the statement with it, or a log",
                         key->column, reading->statement->unknowns.items[0].parameter);
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
    struct side left = reading_side(reading, block, json_object_get(node, "lexpr"));
    struct side right = reading_side(reading, block, json_object_get(node, "rexpr"));

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

/* (a, b) = (1, 2) is a = 1 AND b = 2; of (a, b) > (1, 2), which an index on (a, b) answers, the
 * first is a range. */
static void
read_rows(struct reading *reading, struct block *block, const json_t *node, enum advise_use use,
          bool is_in_or)
{
    const json_t *left =
        json_object_get(tree_as(json_object_get(node, "lexpr"), "RowExpr"), "args");
    const json_t *right =
        json_object_get(tree_as(json_object_get(node, "rexpr"), "RowExpr"), "args");
    struct advise_reference *reference = NULL;

    for (size_t i = 0; i < json_array_size(left); i++) {
        struct side key = reading_side(reading, block, json_array_get(left, i));
        struct side other = reading_side(reading, block, json_array_get(right, i));
        if (key.reference < 0 || key.key == NULL || other.reference != NO_REFERENCE)
            return;
        if (i == 0)
            reference = reading_at(reading, key.reference);
        if (i == 0 || use != ADVISE_RANGE)
            add_clause(reading, &key, use, NULL, other.node, is_in_or);
        else
            reading_parameters(reading, other.node, &key, use);
        if (reading_at(reading, key.reference) != reference)
            return;
        if (use == ADVISE_RANGE)
            *LIST_ADD(reading->arena, &reference->row) = key.key;
    }
}

/* Whether the left side is a row, which is read then. */
static bool
is_of_rows(struct reading *reading, struct block *block, const json_t *node, bool is_in_or)
{
    const char *name = tree_name(json_object_get(node, "name"));
    const char *kind = tree_text(node, "kind");
    const struct operator_use *use = find_use(name);

    if (tree_as(json_object_get(node, "lexpr"), "RowExpr") == NULL)
        return false;
    if (kind != NULL && strcmp(kind, "AEXPR_IN") == 0 && strcmp(name, "=") == 0)
        read_rows(reading, block, node, ADVISE_IN, is_in_or);
    else if (use != NULL && (use->use == ADVISE_EQUAL || use->use == ADVISE_RANGE))
        read_rows(reading, block, node, use->use, is_in_or);
    return true;
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

    if (kind == NULL || name == NULL || is_of_rows(reading, block, node, is_in_or))
        return;
    if (strcmp(kind, "AEXPR_OP") == 0 || strcmp(kind, "AEXPR_LIKE") == 0 ||
        strcmp(kind, "AEXPR_ILIKE") == 0) {
        read_comparison(reading, block, condition, is_in_or);
        return;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) != 0 || strcmp(kinds[i].operator_name, name) != 0)
            continue;
        struct side left = reading_side(reading, block, json_object_get(node, "lexpr"));
        struct side right = reading_side(reading, block, json_object_get(node, "rexpr"));
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
    struct side side = reading_side(reading, block, argument);

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
        reading_conditions(reading, block, item, is_in_or || strcmp(kind, "OR_EXPR") == 0);
    }
}

/* x IN (SELECT ...) */
static void
read_sublink(struct reading *reading, struct block *block, const json_t *condition, bool is_in_or)
{
    const json_t *test = json_object_get(tree_as(condition, "SubLink"), "testexpr");

    if (test == NULL)
        return;
    struct side side = reading_side(reading, block, test);
    if (side.reference >= 0 && side.key != NULL)
        add_clause(reading, &side, ADVISE_JOIN, condition, NULL, is_in_or);
}

void
reading_conditions(struct reading *reading, struct block *block, const json_t *node, bool is_in_or)
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
