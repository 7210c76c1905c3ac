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
enum { MAX_PER_TABLE = 10, MAX_CHOSEN = 2000, MAX_EXCHANGES = 10 };

struct selection {
    struct advise *run;
    size_t chosen[MAX_CHOSEN];
    size_t count;
    double size_bytes;
    bool *is_useful; /* of each candidate: it was worth it when last looked at */
    double *gains;   /* for its size, then */
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
    return refresh(selection, set, count, err);
}

/* The candidate that promised most when it was last looked at and was not in this round. What it
 * promised is taken for the most that it can: more indexes leave less to gain. */
static bool
most_promising(const struct selection *selection, const bool *is_seen, size_t *ret_candidate)
{
    bool has_any = false;

    for (size_t i = 0; i < selection->run->candidates.count; i++) {
        if (is_seen[i] || !selection->is_useful[i] || is_chosen(selection, i))
            continue;
        if (!has_any || selection->gains[i] > selection->gains[*ret_candidate])
            *ret_candidate = i;
        has_any = true;
    }
    return has_any;
}

static bool
can_take(const struct selection *selection, const struct step *step)
{
    const struct advise *run = selection->run;
    const struct advise_candidate *candidate = &run->candidates.items[step->candidate];
    bool fits =
        run->budget_bytes == 0 || selection->size_bytes + step->size_bytes <= run->budget_bytes;

    return fits && (step->size_bytes < candidate->size_bytes ||
                    chosen_of_table(selection, candidate->table) < MAX_PER_TABLE);
}

/* One round; *ret_is_done: no step was worth it. */
static bool
round_of_steps(struct selection *selection, bool *ret_is_done, struct error *err)
{
    struct advise *run = selection->run;
    bool *is_seen = ARENA_ARRAY(run->arena, bool, run->candidates.count + 1);
    struct step best = {.ratio = 0};
    bool has_best = false;
    size_t at = 0;

    while (most_promising(selection, is_seen, &at) &&
           !(has_best && selection->gains[at] <= best.ratio)) {
        struct step step;
        bool is_worth;
        is_seen[at] = true;
        if (!look(selection, at, &step, &is_worth, err))
            return false;
        selection->gains[at] = is_worth ? step.ratio : 0;
        selection->is_useful[at] = is_worth;
        if (is_worth && can_take(selection, &step) && (!has_best || step.ratio > best.ratio)) {
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

/* --- exchanges, where the budget is what ended it ----------------------------------------- */

static double
size_of(const struct advise *run, const size_t *set, size_t count)
{
    double size_bytes = 0;

    for (size_t i = 0; i < count; i++)
        size_bytes += run->candidates.items[set[i]].size_bytes;
    return size_bytes;
}

/* Cost of all statements with a set, and its writes. */
static bool
weigh(struct advise *run, const size_t *set, size_t count, double *ret_cost, struct error *err)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += run->candidates.items[set[i]].charge;
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        double cost;
        if (statement->problem != NULL)
            continue;
        if (!advise_cost(run, statement, set, count, &cost, err))
            return false;
        sum += cost * statement->calls;
    }
    *ret_cost = sum;
    return true;
}

/* Takes out of a set, but for its last one, what does the least for its size, until it fits. */
static bool
make_fit(struct advise *run, size_t *set, size_t *count, double *ret_cost, struct error *err)
{
    if (!weigh(run, set, *count, ret_cost, err))
        return false;
    while (size_of(run, set, *count) > run->budget_bytes && *count > 1) {
        size_t worst = 0;
        double worst_ratio = INFINITY;
        double worst_cost = 0;
        for (size_t i = 0; i + 1 < *count; i++) {
            size_t rest[MAX_CHOSEN];
            double cost;
            memcpy(rest, set, *count * sizeof(set[0]));
            memmove(&rest[i], &rest[i + 1], (*count - i - 1) * sizeof(set[0]));
            if (!weigh(run, rest, *count - 1, &cost, err))
                return false;
            double ratio = (cost - *ret_cost) / run->candidates.items[set[i]].size_bytes;
            if (ratio < worst_ratio) {
                worst_ratio = ratio;
                worst_cost = cost;
                worst = i;
            }
        }
        memmove(&set[worst], &set[worst + 1], (*count - worst - 1) * sizeof(set[0]));
        --*count;
        *ret_cost = worst_cost;
    }
    return true;
}

/* One candidate in the place of what does less; *ret_is_done: none is worth it. */
static bool
exchange(struct selection *selection, bool *ret_is_done, struct error *err)
{
    struct advise *run = selection->run;
    size_t best[MAX_CHOSEN];
    size_t best_count = 0;
    double now;
    double best_cost;

    if (!weigh(run, selection->chosen, selection->count, &now, err))
        return false;
    best_cost = now - least_gain * run->before;
    for (size_t i = 0; i < run->candidates.count; i++) {
        size_t set[MAX_CHOSEN];
        double cost;
        double ignored_size;
        double ignored_charge;
        bool was_worth_it = selection->is_useful[i] && selection->gains[i] > 0;
        if (!was_worth_it || is_chosen(selection, i) ||
            run->candidates.items[i].size_bytes > run->budget_bytes)
            continue;
        size_t count = with_step(selection, i, set, &ignored_size, &ignored_charge);
        if (!make_fit(run, set, &count, &cost, err))
            return false;
        if (cost < best_cost) {
            best_cost = cost;
            best_count = count;
            memcpy(best, set, count * sizeof(set[0]));
        }
    }
    *ret_is_done = best_count == 0;
    if (*ret_is_done)
        return true;
    memcpy(selection->chosen, best, best_count * sizeof(best[0]));
    selection->count = best_count;
    selection->size_bytes = size_of(run, best, best_count);
    return refresh(selection, best, best_count, err);
}

static bool
exchange_all(struct selection *selection, struct error *err)
{
    bool is_done = selection->run->budget_bytes == 0 || selection->run->candidates.count == 0;

    for (int round = 0; !is_done && round < MAX_EXCHANGES; round++) {
        if (!exchange(selection, &is_done, err))
            return false;
    }
    return true;
}

/* --- two in one --------------------------------------------------------------------------- */

/* Whether the keys of one are the first keys of the other. */
static bool
is_prefix(const struct advise_candidate *shorter, const struct advise_candidate *longer)
{
    if (shorter->table != longer->table || shorter->key_count > longer->key_count ||
        strcmp(shorter->method, "btree") != 0 || strcmp(longer->method, "btree") != 0 ||
        !is_same_predicate(shorter, longer))
        return false;
    for (size_t i = 0; i < shorter->key_count; i++) {
        if (strcmp(shorter->keys[i], longer->keys[i]) != 0)
            return false;
    }
    return true;
}

/* The longer one, carrying what both carry. ret_candidate: its number; SIZE_MAX: it is there. */
static bool
unite(struct advise *run, size_t shorter, size_t longer, size_t *ret_candidate, struct error *err)
{
    const struct advise_candidate *less = &run->candidates.items[shorter];
    struct advise_candidate united = run->candidates.items[longer];
    LIST_OF(const char *) included = {0};

    for (size_t i = 0; i < united.included.count; i++)
        *LIST_ADD(run->arena, &included) = united.included.items[i];
    for (size_t i = 0; i < less->included.count; i++) {
        if (!has_column(&united, less->included.items[i]))
            *LIST_ADD(run->arena, &included) = less->included.items[i];
    }
    united.included.items = included.items;
    united.included.count = included.count;
    united.included.capacity = included.capacity;
    united.live.items = NULL;
    united.live.count = united.live.capacity = 0;
    united.definition = NULL;
    united.statements.items = NULL;
    united.statements.count = united.statements.capacity = 0;
    *ret_candidate = advise_add_candidate(run, SIZE_MAX, united);
    if (*ret_candidate == SIZE_MAX)
        return true;
    struct advise_candidate *added = &run->candidates.items[*ret_candidate];
    advise_charge_one(run, added);
    added->size_bytes = advise_rule_size(added);
    return !advise_is_shown(run, added) || advise_try(run, added, err);
}

/* Puts one index in the place of two where that costs the statements next to nothing. */
static bool
merge(struct selection *selection, size_t a, size_t b, bool *ret_is_merged, struct error *err)
{
    struct advise *run = selection->run;
    size_t set[MAX_CHOSEN];
    size_t united;
    double now;
    double then;

    *ret_is_merged = false;
    if (a == b || !is_prefix(&run->candidates.items[selection->chosen[a]],
                             &run->candidates.items[selection->chosen[b]]))
        return true;
    size_t count = without(selection, a, set);
    if (!unite(run, selection->chosen[a], selection->chosen[b], &united, err) ||
        !weigh(run, selection->chosen, selection->count, &now, err))
        return false;
    if (united == SIZE_MAX || run->candidates.items[united].is_bad)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (set[i] == selection->chosen[b])
            set[i] = united;
    }
    if (!weigh(run, set, count, &then, err))
        return false;
    if (then > now + least_gain * run->before)
        return true;
    *ret_is_merged = true;
    memcpy(selection->chosen, set, count * sizeof(set[0]));
    selection->count = count;
    return refresh(selection, set, count, err);
}

static bool
merge_all(struct selection *selection, struct error *err)
{
    bool is_merged = false;

    for (size_t a = 0; a < selection->count; a++) {
        for (size_t b = 0; b < selection->count; b++) {
            if (!merge(selection, a, b, &is_merged, err))
                return false;
            if (is_merged)
                a = b = 0;
        }
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
                                    .gains = ARENA_ARRAY(run->arena, double, count + 1)};
    run->before = total(run);
    for (size_t i = 0; i < count; i++) {
        selection->is_useful[i] = !run->candidates.items[i].is_bad;
        selection->gains[i] = INFINITY;
    }
    while (!is_done) {
        if (!round_of_steps(selection, &is_done, err))
            return false;
    }
    if (!exchange_all(selection, err) || !drop_needless(selection, err) ||
        !merge_all(selection, err))
        return false;
    for (size_t i = 0; i < selection->count; i++) {
        if (!note_helped(run, selection, i, err))
            return false;
    }
    run->after = total(run);
    return true;
}
