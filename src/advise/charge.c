// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include <math.h>
#include <string.h>

/* What an index costs those who write, in the planner's units (a page read in order is 1): a way
 * down the tree (as the planner charges it: 50 operators a level), a share of a page that becomes
 * dirty, and the entry in the write-ahead log. */
static const double level_cost = 50 * 0.0025;
static const double page_share = 0.25;
static const double page_bytes = 8192;
static const double unhot_factor =
    3; /* besides entries: pages, dead rows that only VACUUM clears */
static const double deleted_share = 0.5; /* VACUUM removes entries, a page at a time */

static double
columns_width(const struct advise_table *table, const char *text)
{
    double width = 0;

    for (size_t i = 0; i < table->columns.count; i++) {
        if (strstr(text, table->columns.items[i].name) != NULL)
            width += table->columns.items[i].width_bytes;
    }
    return width == 0 ? 16 : width;
}

static double
entry_cost(const struct advise_candidate *candidate)
{
    const struct advise_table *table = candidate->table;
    double bytes = 16 + columns_width(table, candidate->definition);
    double levels = 1 + log2(table->rows < 2 ? 2 : table->rows) / 8;
    double entries = strcmp(candidate->method, "gin") == 0 ? 8 : 1;

    if (strcmp(candidate->method, "brin") == 0)
        return 0.01;
    return entries * (level_cost * levels + page_share) + 2 * bytes / page_bytes;
}

/* Whether a column is anywhere in the index. */
static bool
is_word_in(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        char before = at == text ? ' ' : at[-1];
        if (strchr(" (,\"", before) != NULL && strchr(" ),\"", at[length]) != NULL)
            return true;
    }
    return false;
}

static bool
assigns(const struct advise_statement *statement, const char *text)
{
    for (size_t i = 0; i < statement->assigned.count; i++) {
        if (is_word_in(text, statement->assigned.items[i]))
            return true;
    }
    return false;
}

static bool
assigns_indexed(struct arena *arena, const struct advise_statement *statement)
{
    for (size_t i = 0; i < statement->target->indexes.count; i++) {
        const struct advise_index *index = &statement->target->indexes.items[i];
        AUTO_TEXT text = {0};
        if (strcmp(index->method, "brin") == 0)
            continue;
        for (size_t k = 0; k < index->key_count; k++)
            text_appendf(&text, " %s,", index->keys[k]);
        for (size_t k = 0; k < index->included_count; k++)
            text_appendf(&text, " %s,", index->included[k]);
        text_appendf(&text, " %s ", index->predicate);
        if (assigns(statement, arena_strdup(arena, text_chars(&text))))
            return true;
    }
    return false;
}

bool
advise_breaks_hot(struct advise *run, const struct advise_candidate *candidate,
                  const struct advise_statement *statement)
{
    return statement->problem == NULL && statement->kind == ADVISE_UPDATE &&
           statement->target == candidate->table && strcmp(candidate->method, "brin") != 0 &&
           assigns(statement, candidate->definition) && !assigns_indexed(run->arena, statement);
}

static double
rows_written(const struct advise_statement *statement)
{
    return statement->rows > 0 ? statement->rows : statement->calls;
}

/* Updates that find their row's place free now, and would not with an index on what they assign,
 * then write an entry into every index. */
static double
update_charge(struct advise *run, const struct advise_candidate *candidate,
              const struct advise_statement *statement)
{
    bool is_touched = assigns(statement, candidate->definition);
    bool is_in_place = !assigns_indexed(run->arena, statement);
    const struct advise_table *table = candidate->table;
    double hot_share = table->updates > 0 ? table->hot_updates / table->updates : 1;
    double entries = 0;

    if (is_in_place && is_touched)
        entries = unhot_factor * hot_share * (double)(table->indexes.count + 1) + (1 - hot_share);
    else if (is_in_place)
        entries = 1 - hot_share;
    else
        entries = 1;
    return rows_written(statement) * entries * candidate->entry_cost;
}

void
advise_charge_one(struct advise *run, struct advise_candidate *candidate)
{
    candidate->entry_cost = entry_cost(candidate);
    candidate->charge = 0;
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        if (statement->target != candidate->table)
            continue;
        if (statement->kind == ADVISE_INSERT)
            candidate->charge += rows_written(statement) * candidate->entry_cost;
        else if (statement->kind == ADVISE_DELETE)
            candidate->charge += rows_written(statement) * candidate->entry_cost * deleted_share;
        else if (statement->kind == ADVISE_UPDATE)
            candidate->charge += update_charge(run, candidate, statement);
    }
}

void
advise_charge(struct advise *run)
{
    for (size_t i = 0; i < run->candidates.count; i++)
        advise_charge_one(run, &run->candidates.items[i]);
}
