// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "advise/tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many conditions of one kind are looked at in one table of one statement, how many columns an
 * index may carry along, how wide, and what share of a table a partial index may be worth having
 * for. */
enum { MAX_CLAUSES = 6, MAX_INCLUDED = 4, MAX_INCLUDED_BYTES = 72, FEW_VALUES = 50 };
static const double partial_share = 0.25;

struct proposal {
    struct advise *run;
    const struct advise_reference *reference;
    size_t statement;
    const struct advise_clause *equal[MAX_CLAUSES];
    const struct advise_clause *in[MAX_CLAUSES];
    const struct advise_clause *join[MAX_CLAUSES];
    const struct advise_clause *range[MAX_CLAUSES];
    size_t equal_count, in_count, join_count, range_count;
};

/* Keys of an index while they are put together. */
struct keys {
    const char *items[ADVISE_MAX_KEYS];
    size_t count;
};

/* --- one candidate ------------------------------------------------------------------------ */

static const char *
definition_of(struct arena *arena, const struct advise_candidate *candidate)
{
    AUTO_TEXT text = {0};

    if (strcmp(candidate->method, "btree") == 0)
        text_append(&text, "(");
    else
        text_appendf(&text, "USING %s (", candidate->method);
    for (size_t i = 0; i < candidate->key_count; i++)
        text_appendf(&text, "%s%s", i == 0 ? "" : ", ", candidate->keys[i]);
    text_append(&text, ")");
    for (size_t i = 0; i < candidate->included.count; i++)
        text_appendf(&text, "%s%s", i == 0 ? " INCLUDE (" : ", ", candidate->included.items[i]);
    text_append(&text, candidate->included.count > 0 ? ")" : "");
    if (candidate->predicate != NULL)
        text_appendf(&text, " WHERE %s", candidate->predicate);
    return arena_strdup(arena, text_chars(&text));
}

/* Whether two predicates are the same but for casts, parentheses and spaces, which PostgreSQL adds.
 */
static bool
is_same_condition(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        size_t skip_a = strspn(a, " ()");
        size_t skip_b = strspn(b, " ()");
        a += skip_a;
        b += skip_b;
        if (strncmp(a, "::", 2) == 0)
            a += strcspn(a, " ),");
        else if (strncmp(b, "::", 2) == 0)
            b += strcspn(b, " ),");
        else if (*a != *b)
            return false;
        else if (*a != '\0')
            a++, b++;
    }
    return true;
}

static bool
carries_all(const struct advise_index *index, const struct advise_candidate *candidate)
{
    size_t found = 0;

    for (size_t i = 0; i < candidate->included.count; i++) {
        bool is_carried = false;
        for (size_t k = 0; k < index->key_count; k++)
            is_carried |= strcmp(index->keys[k], candidate->included.items[i]) == 0;
        for (size_t k = 0; k < index->included_count; k++)
            is_carried |= strcmp(index->included[k], candidate->included.items[i]) == 0;
        found += is_carried;
    }
    return found == candidate->included.count;
}

/* Whether an index that is there begins with these keys, has the predicate and carries the rest. */
static bool
is_there(const struct advise_candidate *candidate)
{
    for (size_t i = 0; i < candidate->table->indexes.count; i++) {
        const struct advise_index *index = &candidate->table->indexes.items[i];
        bool is_same = strcmp(index->method, candidate->method) == 0 &&
                       (index->predicate[0] == '\0' ||
                        (candidate->predicate != NULL &&
                         is_same_condition(index->predicate, candidate->predicate))) &&
                       carries_all(index, candidate) && candidate->key_count <= index->key_count;
        for (size_t k = 0; is_same && k < candidate->key_count; k++)
            is_same = strcmp(index->keys[k], candidate->keys[k]) == 0;
        if (is_same)
            return true;
    }
    return false;
}

static struct advise_candidate *
find_candidate(struct advise *run, const struct advise_candidate *wanted)
{
    for (size_t i = 0; i < run->candidates.count; i++) {
        struct advise_candidate *candidate = &run->candidates.items[i];
        if (candidate->table == wanted->table &&
            strcmp(candidate->definition, wanted->definition) == 0)
            return candidate;
    }
    return NULL;
}

size_t
advise_add_candidate(struct advise *run, size_t statement, struct advise_candidate candidate)
{
    if (candidate.key_count == 0 || is_there(&candidate))
        return SIZE_MAX;
    candidate.definition = definition_of(run->arena, &candidate);
    struct advise_candidate *found = find_candidate(run, &candidate);
    if (found == NULL) {
        found = LIST_ADD(run->arena, &run->candidates);
        *found = candidate;
    }
    size_t count = found->statements.count;
    if (statement != SIZE_MAX && (count == 0 || found->statements.items[count - 1] != statement))
        *LIST_ADD(run->arena, &found->statements) = statement;
    return (size_t)(found - run->candidates.items);
}

static void
add_candidate(struct proposal *proposal, struct advise_candidate candidate)
{
    candidate.table = proposal->reference->table;
    advise_add_candidate(proposal->run, proposal->statement, candidate);
}

/* --- keys --------------------------------------------------------------------------------- */

static void
add_key(struct keys *keys, const char *key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->items[i], key) == 0)
            return;
    }
    if (keys->count < ADVISE_MAX_KEYS)
        keys->items[keys->count++] = key;
}

static void
add_keys(struct keys *keys, const struct advise_clause *const *clauses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_key(keys, clauses[i]->key);
}

/* A key that LIKE 'prefix%' can use needs its own operator class where the collation sorts as
 * people do. */
static const char *
range_key(struct proposal *proposal, const struct advise_clause *clause)
{
    const struct advise_column *column =
        advise_find_column(proposal->reference->table, clause->column);

    if (clause->use != ADVISE_PREFIX || column == NULL || column->is_c_collated)
        return clause->key;
    return arena_printf(proposal->run->arena, "%s text_pattern_ops", clause->key);
}

/* Whether the order, read from the other end, is one without DESC and NULLS. */
static bool
is_plain_backwards(const struct advise_reference *reference)
{
    for (size_t i = 0; i < reference->order.count; i++) {
        const struct advise_order *order = &reference->order.items[i];
        if (!order->is_descending || !order->is_nulls_first)
            return false;
    }
    return true;
}

static const char *
order_key(struct proposal *proposal, const struct advise_order *order)
{
    const struct advise_reference *reference = proposal->reference;
    const struct advise_column *column = advise_find_column(reference->table, order->key);
    bool has_nulls = column == NULL || !column->is_not_null;
    const char *nulls = order->is_nulls_first ? " NULLS FIRST" : " NULLS LAST";

    if (is_plain_backwards(reference))
        return order->key;
    return arena_printf(proposal->run->arena, "%s%s%s", order->key,
                        order->is_descending ? " DESC" : "",
                        has_nulls && order->is_nulls_first != order->is_descending ? nulls : "");
}

/* The first items of the order; what is equal to a constant is in any order. */
static void
add_order(struct proposal *proposal, struct keys *keys, size_t count)
{
    size_t equal_count = keys->count;

    for (size_t i = 0; i < count; i++) {
        const struct advise_order *order = &proposal->reference->order.items[i];
        bool is_equal = false;
        for (size_t k = 0; k < equal_count; k++)
            is_equal |= strcmp(keys->items[k], order->key) == 0;
        if (!is_equal)
            add_key(keys, order_key(proposal, order));
    }
}

static size_t
key_name_length(const char *key)
{
    const char *space = strstr(key, " DESC");
    const char *nulls = strstr(key, " NULLS");
    const char *class_name = strstr(key, " text_pattern_ops");
    size_t length = strlen(key);

    if (space != NULL && (size_t)(space - key) < length)
        length = (size_t)(space - key);
    if (nulls != NULL && (size_t)(nulls - key) < length)
        length = (size_t)(nulls - key);
    if (class_name != NULL && (size_t)(class_name - key) < length)
        length = (size_t)(class_name - key);
    return length;
}

static bool
has_key(const struct keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++) {
        size_t length = key_name_length(keys->items[i]);
        if (strlen(name) == length && strncmp(keys->items[i], name, length) == 0)
            return true;
    }
    return false;
}

/* Whether an update of this workload assigns the column: nothing to carry along, it would no longer
 * be HOT. */
static bool
is_assigned(const struct advise *run, const struct advise_table *table, const char *column)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        for (size_t j = 0; statement->target == table && j < statement->assigned.count; j++) {
            if (strcmp(statement->assigned.items[j], column) == 0)
                return true;
        }
    }
    return false;
}

/* What the statement reads besides the keys, when that is little: then the table itself need not
 * be read. */
static bool
add_included(struct proposal *proposal, const struct keys *keys, const char *predicate_column,
             struct advise_candidate *candidate)
{
    const struct advise_reference *reference = proposal->reference;
    double width = 0;

    if (reference->is_whole_row)
        return false;
    for (size_t i = 0; i < reference->outputs.count; i++) {
        const char *name = reference->outputs.items[i].name;
        bool is_in_predicate = candidate->predicate != NULL && predicate_column != NULL &&
                               strcmp(predicate_column, name) == 0 &&
                               reference->outputs.items[i].mentions == 1;
        const struct advise_column *column = advise_find_column(reference->table, name);
        const char *key = tree_identifier(proposal->run->arena, name);
        if (column == NULL || has_key(keys, key) || is_in_predicate)
            continue;
        if (column->category == 'A' || strncmp(column->type, "json", 4) == 0 ||
            is_assigned(proposal->run, reference->table, name))
            return false;
        width += column->width_bytes;
        *LIST_ADD(proposal->run->arena, &candidate->included) = key;
    }
    return candidate->included.count > 0 && candidate->included.count <= MAX_INCLUDED &&
           width <= MAX_INCLUDED_BYTES;
}

/* --- partial ------------------------------------------------------------------------------ */

/* 1: the value is not one of few that come again and again. */
static double
share_of_value(const struct advise_column *column, const char *value)
{
    if (column->distinct == 0 || column->distinct > FEW_VALUES)
        return 1;
    for (size_t i = 0; i < column->value_count; i++) {
        if (strcmp(column->values[i], value) == 0)
            return column->shares[i];
    }
    return column->value_count > 0 ? 0.001 : 1; /* rarer than the frequent ones */
}

/* Share of the rows that a condition without parameters holds for; 1: unknown. */
static double
predicate_share(const struct advise_table *table, const struct advise_clause *clause)
{
    const struct advise_column *column = advise_find_column(table, clause->column);
    const char *at = clause->predicate;
    double share = 0;

    if (column == NULL || clause->is_expression)
        return 1;
    if (strstr(at, " IS NOT NULL") != NULL)
        return 1 - column->null_share;
    if (strstr(at, " IS NULL") != NULL)
        return column->null_share;
    if (strncmp(at, "NOT ", 4) == 0)
        return share_of_value(column, "f");
    if (strcmp(at, clause->key) == 0)
        return share_of_value(column, "t");
    while ((at = strchr(at, '\'')) != NULL) {
        size_t length = strcspn(at + 1, "'");
        char value[128];
        snprintf(value, sizeof(value), "%.*s", (int)length, at + 1);
        share += share_of_value(column, value);
        at += length + (at[length + 1] == '\'' ? 2 : 1);
    }
    return share == 0 ? 1 : share;
}

static bool
is_partial(const struct proposal *proposal, const struct advise_clause *clause)
{
    return clause->predicate != NULL && !clause->is_in_or && !clause->is_expression &&
           (clause->use == ADVISE_EQUAL || clause->use == ADVISE_IN) &&
           predicate_share(proposal->reference->table, clause) <= partial_share;
}

/* --- combinations ------------------------------------------------------------------------- */

/* The keys as they are, carrying along, and each only for the rows of a rare constant. */
static void
add_variants(struct proposal *proposal, const struct keys *keys)
{
    const struct advise_reference *reference = proposal->reference;
    struct advise_candidate plain = {.method = "btree", .key_count = keys->count};
    memcpy(plain.keys, keys->items, sizeof(plain.keys));
    struct advise_candidate covering = plain;
    bool has_covering = add_included(proposal, keys, NULL, &covering);

    add_candidate(proposal, plain);
    if (has_covering)
        add_candidate(proposal, covering);
    for (size_t i = 0; i < reference->clauses.count; i++) {
        const struct advise_clause *clause = &reference->clauses.items[i];
        if (!is_partial(proposal, clause))
            continue;
        struct keys rest = {0};
        for (size_t k = 0; k < keys->count; k++) {
            struct keys one = {{keys->items[k]}, 1};
            if (!has_key(&one, clause->key) || clause->use == ADVISE_IN)
                add_key(&rest, keys->items[k]);
        }
        if (rest.count == 0)
            add_key(&rest, clause->key);
        struct advise_candidate partial = {
            .method = "btree", .key_count = rest.count, .predicate = clause->predicate};
        memcpy(partial.keys, rest.items, sizeof(partial.keys));
        struct advise_candidate both = partial;
        add_candidate(proposal, partial);
        if (add_included(proposal, &rest, clause->column, &both))
            add_candidate(proposal, both);
    }
}

static double
distinct_of(const struct proposal *proposal, const struct advise_clause *clause)
{
    const struct advise_column *column =
        advise_find_column(proposal->reference->table, clause->column);

    return column == NULL ? 1 : column->distinct;
}

static void
sort_clauses(const struct proposal *proposal, const struct advise_clause **clauses, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i;
             j > 0 && distinct_of(proposal, clauses[j]) > distinct_of(proposal, clauses[j - 1]);
             j--) {
            const struct advise_clause *swapped = clauses[j];
            clauses[j] = clauses[j - 1];
            clauses[j - 1] = swapped;
        }
    }
}

static void
collect(struct proposal *proposal)
{
    const struct advise_reference *reference = proposal->reference;

    for (size_t i = 0; i < reference->clauses.count; i++) {
        const struct advise_clause *clause = &reference->clauses.items[i];
        if (clause->is_in_or)
            continue;
        if (clause->use == ADVISE_EQUAL && proposal->equal_count < MAX_CLAUSES)
            proposal->equal[proposal->equal_count++] = clause;
        else if (clause->use == ADVISE_IN && proposal->in_count < MAX_CLAUSES)
            proposal->in[proposal->in_count++] = clause;
        else if (clause->use == ADVISE_JOIN && proposal->join_count < MAX_CLAUSES)
            proposal->join[proposal->join_count++] = clause;
        else if ((clause->use == ADVISE_RANGE || clause->use == ADVISE_PREFIX) &&
                 proposal->range_count < MAX_CLAUSES)
            proposal->range[proposal->range_count++] = clause;
    }
    sort_clauses(proposal, proposal->equal, proposal->equal_count);
    sort_clauses(proposal, proposal->join, proposal->join_count);
}

/* Each condition alone, also those of an OR, whose indexes work together. */
static void
propose_single(struct proposal *proposal)
{
    for (size_t i = 0; i < proposal->reference->clauses.count; i++) {
        const struct advise_clause *clause = &proposal->reference->clauses.items[i];
        struct keys keys = {0};
        if (clause->use > ADVISE_PREFIX)
            continue;
        add_key(&keys, range_key(proposal, clause));
        add_variants(proposal, &keys);
    }
}

/* Equalities first; then what is a list, one range, or the order. */
static void
propose_combined(struct proposal *proposal, const struct keys *start)
{
    struct keys listed = *start;

    if (start->count > 0)
        add_variants(proposal, start);
    add_keys(&listed, proposal->in, proposal->in_count);
    if (proposal->in_count > 0)
        add_variants(proposal, &listed);
    for (size_t i = 0; i < proposal->range_count; i++) {
        struct keys keys = listed;
        add_key(&keys, range_key(proposal, proposal->range[i]));
        add_variants(proposal, &keys);
    }
    if (proposal->reference->row.count > 0) {
        struct keys keys = *start;
        for (size_t i = 0; i < proposal->reference->row.count; i++)
            add_key(&keys, proposal->reference->row.items[i]);
        add_variants(proposal, &keys);
    }
    for (size_t i = 1; i <= proposal->reference->order.count; i++) {
        struct keys keys = *start;
        if (i > 1 && i < proposal->reference->order.count)
            continue;
        add_order(proposal, &keys, i);
        add_variants(proposal, &keys);
    }
    if (proposal->reference->grouped.count > 0) {
        struct keys keys = listed;
        for (size_t i = 0; i < proposal->reference->grouped.count; i++)
            add_key(&keys, proposal->reference->grouped.items[i]);
        add_variants(proposal, &keys);
    }
}

static void
propose(struct advise *run, size_t statement, const struct advise_reference *reference)
{
    struct proposal proposal = {.run = run, .reference = reference, .statement = statement};
    struct keys equal = {0};

    if (reference->table->kind == 'v' || reference->table->kind == 'f')
        return;
    collect(&proposal);
    propose_single(&proposal);
    add_keys(&equal, proposal.equal, proposal.equal_count);
    propose_combined(&proposal, &equal);
    for (size_t i = 0; i < proposal.join_count; i++) {
        struct keys joined = {{proposal.join[i]->key}, 1};
        add_keys(&joined, proposal.equal, proposal.equal_count);
        propose_combined(&proposal, &joined);
        struct keys behind = equal;
        add_key(&behind, proposal.join[i]->key);
        add_variants(&proposal, &behind);
    }
    if (proposal.join_count > 1) {
        struct keys all = {0};
        add_keys(&all, proposal.join, proposal.join_count);
        add_keys(&all, proposal.equal, proposal.equal_count);
        propose_combined(&proposal, &all);
    }
}

/* What hypopg cannot show is built on a sample; without hypopg, what the server may refuse. */
static bool
try(struct advise *run, struct advise_candidate *candidate, struct error *err)
{
    bool has_expression = strchr(candidate->definition + 1, '(') != NULL;

    if (advise_is_shown(run, candidate))
        return advise_try(run, candidate, err);
    candidate->size_bytes = advise_rule_size(candidate);
    if (strcmp(candidate->method, "gin") == 0 || has_expression || candidate->predicate != NULL)
        return advise_sample(run, candidate, err);
    return true;
}

bool
advise_propose(struct advise *run, struct error *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        for (size_t j = 0; statement->problem == NULL && j < statement->references.count; j++) {
            propose(run, i, &statement->references.items[j]);
            advise_propose_special(run, i, &statement->references.items[j]);
        }
    }
    for (size_t i = 0; i < run->candidates.count; i++) {
        struct error fault = {0};
        while (!try(run, &run->candidates.items[i], &fault)) {
            if (!advise_recover(run, &fault, err))
                return false;
            error_clear(&fault);
        }
    }
    return true;
}
