// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include <math.h>
#include <string.h>

/* The Extend algorithm (Schlosser, Kossmann, Boissier: Efficient scalable multi-attribute index
 * selection using recursive strategies, ICDE 2019): begin with nothing; in each round take the step
 * with the most gain for its size, a new index or a longer one in the place of one chosen before;
 * end when no step is worth it. */
static const double least_gain = 0.003; /* of the cost of all statements */
static const double least_share = 0.4;  /* or of the cost of one that it helps */
static const double least_cost = 20;    /* and then that much, a run */
static const double worse_share = 1.01; /* no statement may cost more than that of before */
/* Hypothetical indexes look a little cheaper than real ones: what is less than this is nothing. */
static const double noise_share = 0.05;
static const double noise_cost = 2;
enum { MAX_PER_TABLE = 6, MAX_CHOSEN = 400 };

struct selection {
    struct advise *run;
    size_t chosen[MAX_CHOSEN];
    size_t count;
    double size_bytes;
    bool *is_useful; /* of each candidate: helps some statement by itself */
    double *gains;   /* as of the last look */
    bool *is_stale;  /* another index of its statements' tables was chosen since */
};

struct step {
    size_t candidate;
    double gain, ratio, size_bytes;
};

/* --- steps -------------------------------------------------------------------------------- */

static bool
is_chosen(const struct selection *selection, size_t candidate)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->chosen[i] == candidate)
            return true;
    }
    return false;
}

static bool
is_same_predicate(const struct advise_candidate *a, const struct advise_candidate *b)
{
    return a->predicate == b->predicate || (a->predicate != NULL && b->predicate != NULL &&
                                            strcmp(a->predicate, b->predicate) == 0);
}

static bool
has_column(const struct advise_candidate *candidate, const char *name)
{
    for (size_t i = 0; i < candidate->key_count; i++) {
        if (strcmp(candidate->keys[i], name) == 0)
            return true;
    }
    for (size_t i = 0; i < candidate->included.count; i++) {
        if (strcmp(candidate->included.items[i], name) == 0)
            return true;
    }
    return false;
}

/* Whether longer does all that shorter does: a btree all that a BRIN of its first column does. */
static bool
is_extension(const struct advise_candidate *longer, const struct advise_candidate *shorter)
{
    if (longer->table == shorter->table && strcmp(shorter->method, "brin") == 0 &&
        strcmp(longer->method, "btree") == 0 && longer->predicate == NULL)
        return strcmp(longer->keys[0], shorter->keys[0]) == 0;
    if (longer->table != shorter->table || strcmp(longer->method, "btree") != 0 ||
        strcmp(shorter->method, "btree") != 0 || !is_same_predicate(longer, shorter) ||
        longer->key_count < shorter->key_count)
        return false;
    for (size_t i = 0; i < shorter->key_count; i++) {
        if (strcmp(longer->keys[i], shorter->keys[i]) != 0)
            return false;
    }
    for (size_t i = 0; i < shorter->included.count; i++) {
        if (!has_column(longer, shorter->included.items[i]))
            return false;
    }
    return true;
}

/* What would be chosen after the step. */
static size_t
with_step(const struct selection *selection, size_t candidate, size_t set[MAX_CHOSEN],
          double *ret_size_bytes, double *ret_charge)
{
    const struct advise_candidate *all = selection->run->candidates.items;
    size_t count = 0;

    *ret_size_bytes = all[candidate].size_bytes;
    *ret_charge = all[candidate].charge;
    for (size_t i = 0; i < selection->count; i++) {
        const struct advise_candidate *old = &all[selection->chosen[i]];
        if (is_extension(&all[candidate], old)) {
            *ret_size_bytes -= old->size_bytes;
            *ret_charge -= old->charge;
        } else {
            set[count++] = selection->chosen[i];
        }
    }
    set[count++] = candidate;
    return count;
}

static bool
look(struct selection *selection, size_t at, struct step *ret_step, bool *ret_is_worth,
     struct error *err)
{
    struct advise *run = selection->run;
    const struct advise_candidate *candidate = &run->candidates.items[at];
    size_t set[MAX_CHOSEN];
    double charge;
    double saved = 0;
    double best_share = 0;
    bool is_noise = true;
    struct step step = {.candidate = at};
    size_t count = with_step(selection, at, set, &step.size_bytes, &charge);

    for (size_t i = 0; i < candidate->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[candidate->statements.items[i]];
        double cost;
        if (statement->problem != NULL)
            continue;
        if (!advise_cost(run, statement, set, count, &cost, err))
            return false;
        double less = statement->after - cost;
        saved += less * statement->calls;
        is_noise &= less < noise_cost || less < noise_share * statement->after;
        if (less >= least_cost && less / statement->after > best_share)
            best_share = less / statement->after;
    }
    step.gain = saved - charge;
    step.ratio = step.gain / (step.size_bytes < 8192 ? 8192 : step.size_bytes);
    *ret_is_worth = !is_noise && step.gain > 0 &&
                    (step.gain >= least_gain * run->before || best_share >= least_share);
    *ret_step = step;
    return true;
}

static size_t
chosen_of_table(const struct selection *selection, const struct advise_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < selection->count; i++)
        count += selection->run->candidates.items[selection->chosen[i]].table == table;
    return count;
}

/* --- rounds ------------------------------------------------------------------------------- */

static void
mark_stale(struct selection *selection, size_t chosen)
{
    struct advise *run = selection->run;
    const struct advise_candidate *candidate = &run->candidates.items[chosen];

    for (size_t i = 0; i < run->candidates.count; i++) {
        const struct advise_candidate *other = &run->candidates.items[i];
        bool is_touched = other->table == candidate->table;
        for (size_t j = 0; !is_touched && j < other->statements.count; j++) {
            for (size_t k = 0; !is_touched && k < candidate->statements.count; k++)
                is_touched = other->statements.items[j] == candidate->statements.items[k];
        }
        selection->is_stale[i] |= is_touched;
    }
}

static bool
refresh(struct selection *selection, const size_t *set, size_t count, struct error *err)
{
    struct advise *run = selection->run;

    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        if (statement->problem == NULL &&
            !advise_cost(run, statement, set, count, &statement->after, err))
            return false;
    }
    return true;
}

static bool
take(struct selection *selection, const struct step *step, struct error *err)
{
    size_t set[MAX_CHOSEN];
    double ignored_size;
    double ignored_charge;
    size_t count = with_step(selection, step->candidate, set, &ignored_size, &ignored_charge);

    memcpy(selection->chosen, set, count * sizeof(set[0]));
    selection->count = count;
    selection->size_bytes += step->size_bytes;
    mark_stale(selection, step->candidate);
    return refresh(selection, set, count, err);
}

/* One round; *ret_is_done: no step was worth it. */
static bool
round_of_steps(struct selection *selection, bool *ret_is_done, struct error *err)
{
    struct advise *run = selection->run;
    struct step best = {.ratio = 0};
    bool has_best = false;

    for (size_t i = 0; i < run->candidates.count; i++) {
        struct step step;
        bool is_worth;
        if (!selection->is_useful[i] || is_chosen(selection, i) ||
            (!selection->is_stale[i] && has_best && selection->gains[i] <= best.ratio))
            continue;
        if (!look(selection, i, &step, &is_worth, err))
            return false;
        selection->gains[i] = is_worth ? step.ratio : 0;
        selection->is_stale[i] = false;
        bool fits =
            run->budget_bytes == 0 || selection->size_bytes + step.size_bytes <= run->budget_bytes;
        bool has_room = step.size_bytes < run->candidates.items[i].size_bytes ||
                        chosen_of_table(selection, run->candidates.items[i].table) < MAX_PER_TABLE;
        if (is_worth && fits && has_room && (!has_best || step.ratio > best.ratio)) {
            best = step;
            has_best = true;
        }
    }
    *ret_is_done = !has_best || selection->count + 1 >= MAX_CHOSEN;
    return *ret_is_done || take(selection, &best, err);
}

/* --- afterwards --------------------------------------------------------------------------- */

static double
total(const struct advise *run)
{
    double sum = 0;

    for (size_t i = 0; i < run->statements.count; i++) {
        if (run->statements.items[i].problem == NULL)
            sum += run->statements.items[i].after * run->statements.items[i].calls;
    }
    return sum;
}

static size_t
without(const struct selection *selection, size_t at, size_t set[MAX_CHOSEN])
{
    size_t count = 0;

    for (size_t i = 0; i < selection->count; i++) {
        if (i != at)
            set[count++] = selection->chosen[i];
    }
    return count;
}

/* Whether a statement is worse off than it was before, with this set. */
static bool
count_worse(struct advise *run, const size_t *set, size_t count, size_t *ret_worse,
            struct error *err)
{
    *ret_worse = 0;
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        double cost;
        if (statement->problem != NULL)
            continue;
        if (!advise_cost(run, statement, set, count, &cost, err))
            return false;
        *ret_worse += cost > statement->before * worse_share && cost - statement->before > 1;
    }
    return true;
}

/* What later ones made needless goes, and what makes a statement worse. */
static bool
drop_needless(struct selection *selection, struct error *err)
{
    struct advise *run = selection->run;
    size_t worse;

    if (!count_worse(run, selection->chosen, selection->count, &worse, err))
        return false;
    for (size_t i = 0; i < selection->count;) {
        const struct advise_candidate *candidate = &run->candidates.items[selection->chosen[i]];
        size_t set[MAX_CHOSEN];
        size_t count = without(selection, i, set);
        size_t worse_without;
        double lost = -candidate->charge;
        double best_share = 0;
        for (size_t j = 0; j < run->statements.count; j++) {
            struct advise_statement *statement = &run->statements.items[j];
            double cost;
            if (statement->problem != NULL)
                continue;
            if (!advise_cost(run, statement, set, count, &cost, err))
                return false;
            lost += (cost - statement->after) * statement->calls;
            if (cost - statement->after >= least_cost && 1 - statement->after / cost > best_share)
                best_share = 1 - statement->after / cost;
        }
        if (!count_worse(run, set, count, &worse_without, err))
            return false;
        bool is_worth = lost > 0 && (lost >= least_gain * run->before || best_share >= least_share);
        if (is_worth && worse_without >= worse) {
            i++;
            continue;
        }
        memcpy(selection->chosen, set, count * sizeof(set[0]));
        selection->count = count;
        worse = worse_without;
        i = 0;
        if (!refresh(selection, set, count, err))
            return false;
    }
    return true;
}

static bool
note_helped(struct advise *run, struct selection *selection, size_t at, struct error *err)
{
    size_t set[MAX_CHOSEN];
    size_t count = without(selection, at, set);
    struct advise_choice *choice = LIST_ADD(run->arena, &run->choices);

    choice->candidate = selection->chosen[at];
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        double cost;
        if (statement->problem != NULL)
            continue;
        if (!advise_cost(run, statement, set, count, &cost, err))
            return false;
        if (cost > statement->after * worse_share)
            *LIST_ADD(run->arena, &choice->helped) = i;
    }
    return true;
}

bool
advise_select(struct advise *run, struct error *err)
{
    size_t count = run->candidates.count;
    struct selection *selection = ARENA_NEW(run->arena, struct selection);
    bool is_done = count == 0;

    *selection = (struct selection){.run = run,
                                    .is_useful = ARENA_ARRAY(run->arena, bool, count + 1),
                                    .gains = ARENA_ARRAY(run->arena, double, count + 1),
                                    .is_stale = ARENA_ARRAY(run->arena, bool, count + 1)};
    run->before = total(run);
    for (size_t i = 0; i < count; i++) {
        selection->is_useful[i] = !run->candidates.items[i].is_bad;
        selection->is_stale[i] = true;
    }
    while (!is_done) {
        if (!round_of_steps(selection, &is_done, err))
            return false;
        /* What is worth nothing by itself is not looked at again. */
        for (size_t i = 0; selection->count <= 1 && i < count; i++)
            selection->is_useful[i] &= selection->gains[i] > 0 || selection->is_stale[i];
    }
    if (!drop_needless(selection, err))
        return false;
    for (size_t i = 0; i < selection->count; i++) {
        if (!note_helped(run, selection, i, err))
            return false;
    }
    run->after = total(run);
    return true;
}
