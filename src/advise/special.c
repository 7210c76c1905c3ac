// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include <math.h>
#include <string.h>

/* BRIN is for tables of many pages whose rows lie in the order of the column. */
enum { BRIN_PAGES = 1000 };
static const double brin_correlation = 0.95;

struct special {
    enum advise_use use;
    const char *type;   /* of the column as format_type writes it; NULL: any array, or see below */
    const char *suffix; /* operator class */
    const char *extension;
};

static const struct special specials[] = {
    {ADVISE_CONTAINS, "jsonb", " jsonb_path_ops", NULL},
    {ADVISE_CONTAINS, "jsonb", "", NULL},
    {ADVISE_HAS_KEY, "jsonb", "", NULL},
    {ADVISE_CONTAINS, NULL, "", NULL},
    {ADVISE_OVERLAPS, NULL, "", NULL},
    {ADVISE_CONTAINED, NULL, "", NULL},
    {ADVISE_MATCHES, "tsvector", "", NULL},
    {ADVISE_INFIX, "text", " gin_trgm_ops", "pg_trgm"},
};

static bool
is_for(const struct special *special, const struct advise_clause *clause,
       const struct advise_column *column)
{
    if (special->use != clause->use || column == NULL)
        return false;
    if (special->use == ADVISE_MATCHES) /* to_tsvector('english', title), or a column of words */
        return clause->is_expression || strcmp(column->type, "tsvector") == 0;
    if (special->use == ADVISE_INFIX)
        return clause->is_expression || column->category == 'S';
    if (clause->is_expression)
        return false;
    return special->type == NULL ? column->category == 'A'
                                 : strcmp(column->type, special->type) == 0;
}

static void
propose_gin(struct advise *run, size_t statement, const struct advise_reference *reference,
            const struct advise_clause *clause)
{
    const struct advise_column *column = advise_find_column(reference->table, clause->column);

    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (!is_for(&specials[i], clause, column))
            continue;
        const char *key = arena_printf(run->arena, "%s%s", clause->key, specials[i].suffix);
        struct advise_clause *copy = ARENA_NEW(run->arena, struct advise_clause);
        *copy = *clause;
        advise_add_candidate(run, statement,
                             (struct advise_candidate){.table = reference->table,
                                                       .method = "gin",
                                                       .keys = {key},
                                                       .key_count = 1,
                                                       .clause = copy,
                                                       .extension = specials[i].extension});
    }
}

static void
propose_brin(struct advise *run, size_t statement, const struct advise_reference *reference,
             const struct advise_clause *clause)
{
    const struct advise_table *table = reference->table;
    const struct advise_column *column = advise_find_column(table, clause->column);
    bool is_appended = table->updates + table->deletes <= 0.01 * (table->inserts + table->rows);

    if (column == NULL || clause->is_expression || clause->use != ADVISE_RANGE || !is_appended ||
        fabs(column->correlation) < brin_correlation || table->pages < BRIN_PAGES)
        return;
    advise_add_candidate(
        run, statement,
        (struct advise_candidate){
            .table = table, .method = "brin", .keys = {clause->key}, .key_count = 1});
}

void
advise_propose_special(struct advise *run, size_t statement,
                       const struct advise_reference *reference)
{
    for (size_t i = 0; i < reference->clauses.count; i++) {
        const struct advise_clause *clause = &reference->clauses.items[i];
        if (reference->table->kind == 'v' || reference->table->kind == 'f' || clause->is_in_or)
            continue;
        propose_gin(run, statement, reference, clause);
        propose_brin(run, statement, reference, clause);
    }
}
