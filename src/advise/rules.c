// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include <math.h>
#include <string.h>

/* The planner's own formulas, simplified: what a scan by an index would cost, from the scan that is
 * in the plan and the statistics. Used where hypopg is not there, and for GIN. The constants are
 * PostgreSQL's defaults. */
static const double random_page_cost = 4;
static const double row_cost = 0.01;
static const double entry_cost = 0.005;
static const double start_cost = 4.5;   /* down the tree, and one leaf page */
static const double range_share = 0.25; /* of the rows, where nothing is known */
static const double list_items = 3;
static const double gin_start_cost = 20; /* a few terms, each a way down and a list to read */

struct match {
    double share;     /* of the rows that the keys leave */
    size_t used;      /* keys with a condition */
    bool is_ordered;  /* the keys behind those are the order */
    bool is_joined;   /* by a column of another table */
    bool is_covering; /* the table itself need not be read */
    bool fits;        /* its predicate holds for the rows wanted */
};

static double
clause_share(const struct advise_table *table, const struct advise_clause *clause)
{
    const struct advise_column *column = advise_find_column(table, clause->column);
    double distinct =
        column == NULL || column->distinct <= 0 || clause->is_expression ? 200 : column->distinct;

    if (clause->use == ADVISE_RANGE || clause->use == ADVISE_PREFIX)
        return range_share;
    if (column != NULL && clause->predicate != NULL &&
        strstr(clause->predicate, " IS NULL") != NULL)
        return column->null_share;
    return clause->use == ADVISE_IN ? fmin(1, list_items / distinct) : 1 / distinct;
}

static size_t
name_length(const char *key)
{
    const char *space = key[0] == '(' ? NULL : strchr(key, ' ');

    return space == NULL || strchr(key, '(') != NULL ? strlen(key) : (size_t)(space - key);
}

static bool
is_key(const char *key, const char *name)
{
    size_t length = name_length(key);

    return strlen(name) == length && strncmp(key, name, length) == 0;
}

static const struct advise_clause *
clause_on(const struct advise_reference *reference, const char *key)
{
    const struct advise_clause *found = NULL;

    for (size_t i = 0; i < reference->clauses.count; i++) {
        const struct advise_clause *clause = &reference->clauses.items[i];
        if (!clause->is_in_or && clause->use <= ADVISE_PREFIX && is_key(key, clause->key) &&
            (found == NULL || clause->use < found->use))
            found = clause;
    }
    return found;
}

static bool
is_ordered(const struct advise_candidate *candidate, const struct advise_reference *reference,
           size_t used)
{
    if (reference->order.count == 0 || used + reference->order.count > candidate->key_count)
        return false;
    for (size_t i = 0; i < reference->order.count; i++) {
        if (!is_key(candidate->keys[used + i], reference->order.items[i].key))
            return false;
    }
    return true;
}

static bool
carries(const struct advise_candidate *candidate, const char *column)
{
    for (size_t i = 0; i < candidate->key_count; i++) {
        if (is_key(candidate->keys[i], column))
            return true;
    }
    for (size_t i = 0; i < candidate->included.count; i++) {
        if (strcmp(candidate->included.items[i], column) == 0)
            return true;
    }
    return false;
}

static bool
has_predicate(const struct advise_candidate *candidate, const struct advise_reference *reference)
{
    for (size_t i = 0; i < reference->clauses.count; i++) {
        const char *predicate = reference->clauses.items[i].predicate;
        if (predicate != NULL && strcmp(predicate, candidate->predicate) == 0)
            return true;
    }
    return candidate->predicate == NULL;
}

static struct match
match_keys(const struct advise_candidate *candidate, const struct advise_reference *reference)
{
    struct match match = {.share = 1, .fits = true};
    bool is_open = true;

    match.fits = candidate->predicate == NULL || has_predicate(candidate, reference);
    for (size_t i = 0; i < candidate->key_count && is_open; i++) {
        const struct advise_clause *clause = clause_on(reference, candidate->keys[i]);
        if (clause == NULL)
            break;
        match.share *= clause_share(reference->table, clause);
        match.is_joined |= clause->use == ADVISE_JOIN;
        match.used++;
        is_open = clause->use != ADVISE_RANGE && clause->use != ADVISE_PREFIX;
    }
    /* in the order from the end of the equalities on; a range may be of its first key */
    match.is_ordered = is_ordered(candidate, reference, match.used - !is_open);
    match.is_covering = !reference->is_whole_row;
    for (size_t i = 0; match.is_covering && i < reference->outputs.count; i++)
        match.is_covering = carries(candidate, reference->outputs.items[i].name);
    return match;
}

/* Rows of a table fetched by an index: each a page of its own, until most pages have been read;
 * together where the rows lie in the order of the index. */
static double
fetch_cost(const struct advise_node *node, const struct advise_candidate *candidate, double rows,
           bool is_covering)
{
    const struct advise_column *column =
        advise_find_column(node->reference->table, candidate->keys[0]);
    double correlation = column == NULL ? 0 : column->correlation * column->correlation;
    double scattered = fmin(rows, node->table_pages) * random_page_cost;
    double together = rows / fmax(1, node->table_rows) * node->table_pages;
    double pages = correlation * together + (1 - correlation) * scattered;

    if (is_covering)
        pages = rows * 40 / 8192;
    return start_cost + pages + rows * (row_cost + entry_cost);
}

static double
btree_cost(const struct advise_plan *plan, const struct advise_node *node,
           const struct advise_candidate *candidate)
{
    struct match match = match_keys(candidate, node->reference);
    double all = node->rows / fmax(1, node->table_rows);

    if (!match.fits || (match.used == 0 && !match.is_ordered && candidate->predicate == NULL))
        return node->cost;
    if (match.is_joined && node->outer_rows > 0)
        return fmin(node->cost,
                    node->outer_rows * fetch_cost(node, candidate, match.share * node->table_rows,
                                                  match.is_covering));
    if (match.is_joined)
        return node->cost;
    double share = fmax(match.share, fmin(1, all));
    if (candidate->predicate != NULL)
        share = fmin(share, fmax(all, 0.001));
    double rows = share * node->table_rows;
    if (match.is_ordered && plan->limit > 0 && node->reference->has_limit)
        rows = fmin(rows, plan->limit * share / fmax(all, 1 / fmax(1, node->table_rows)));
    return fmin(node->cost, fetch_cost(node, candidate, rows, match.is_covering));
}

/* Ranges of pages are ruled out where the rows lie in the order of the column; there is no order in
 * it, no row by itself, and nothing to read instead of the table. */
static double
brin_cost(const struct advise_node *node, const struct advise_candidate *candidate)
{
    const double range_pages = 128;
    struct match match = match_keys(candidate, node->reference);

    if (match.used == 0 || match.is_joined)
        return node->cost;
    double share = fmax(match.share, fmin(1, node->rows / fmax(1, node->table_rows)));
    double pages = fmin(node->table_pages, share * node->table_pages + range_pages);
    double rows = pages / fmax(1, node->table_pages) * node->table_rows;
    return fmin(node->cost, start_cost + pages + rows * (row_cost + entry_cost));
}

static double
gin_cost(const struct advise_node *node, const struct advise_candidate *candidate)
{
    for (size_t i = 0; i < node->reference->clauses.count; i++) {
        const struct advise_clause *clause = &node->reference->clauses.items[i];
        if (clause->is_in_or || clause->use != candidate->clause->use ||
            strcmp(clause->key, candidate->clause->key) != 0)
            continue;
        return fmin(node->cost, gin_start_cost + fetch_cost(node, candidate, node->rows, false));
    }
    return node->cost;
}

static double
rule_cost(const struct advise_plan *plan, const struct advise_node *node,
          const struct advise_candidate *candidate)
{
    if (strcmp(candidate->method, "gin") == 0)
        return gin_cost(node, candidate);
    if (strcmp(candidate->method, "brin") == 0)
        return brin_cost(node, candidate);
    return btree_cost(plan, node, candidate);
}

double
advise_rule_cost(const struct advise *run, const struct advise_plan *plan, double cost,
                 const size_t *set, size_t count)
{
    for (size_t i = 0; i < plan->nodes.count; i++) {
        const struct advise_node *node = &plan->nodes.items[i];
        double best = node->cost;
        for (size_t j = 0; j < count; j++) {
            const struct advise_candidate *candidate = &run->candidates.items[set[j]];
            if (candidate->table != node->reference->table || advise_is_shown(run, candidate))
                continue;
            best = fmin(best, rule_cost(plan, node, candidate));
        }
        /* Only what is still paid can be saved. */
        if (cost >= node->cost)
            cost -= node->cost - best;
        else
            cost = fmin(cost, best);
    }
    return cost;
}

double
advise_rule_size(const struct advise_candidate *candidate)
{
    const struct advise_table *table = candidate->table;
    const double entry_bytes = 16;
    const double fill = 0.9;
    double width = 0;

    for (size_t i = 0; i < table->columns.count; i++) {
        if (carries(candidate, table->columns.items[i].name))
            width += table->columns.items[i].width_bytes;
    }
    double part = candidate->predicate == NULL ? 1 : 0.1;
    if (strcmp(candidate->method, "brin") == 0)
        return 8192 * 3 + table->pages / 128 * 40;
    return 8192 * 2 + part * table->rows * (entry_bytes + fmax(8, width)) / fill;
}
