// SPDX-License-Identifier: MIT
/* Partitions that are to be made ahead, or have had their time: the partition advisor's changes,
 * each applied and journalled by itself. */
#include "maintenance/run.h"

#include "plan/apply.h"
#include "plan/lock.h"

#include <string.h>

struct upkeep {
    struct plan plan;
    struct change change;
};

static void
tell(void *sink, const char *line)
{
    maintenance_tell(sink, "%s", line);
}

static bool
perform(struct maintenance_run *run, struct maintenance_task *task, struct error *err)
{
    const struct upkeep *upkeep = task->argument;
    struct plan plan = upkeep->plan;
    AUTO_PGCONN lock = NULL;
    struct apply_outcome outcome;
    PGconn *locks[1];

    if (!plan_lock(run->database->environment->server, "maintain", false, &lock, err))
        return false;
    locks[0] = lock;
    const struct apply_options options = {
        .has_drop = true, .on_progress = tell, .sink = run, .locks = locks};
    return plan_apply(&plan, &options, &outcome, err);
}

static bool
is_wanted(const struct change *change, bool is_retention)
{
    return change->is_destructive == is_retention && strncmp(change->key, "analyze ", 8) != 0;
}

static void
add(struct maintenance_run *run, const struct plan *plan, const struct change *change)
{
    struct upkeep *upkeep = ARENA_NEW(run->arena, struct upkeep);
    bool is_left = change->is_destructive && !run->options->has_drop && !run->wanted->has_drop;

    upkeep->plan = *plan;
    upkeep->change = *change;
    upkeep->plan.changes.changes.items = &upkeep->change;
    upkeep->plan.changes.changes.count = 1;
    struct maintenance_task *task = maintenance_add(
        run, change->is_destructive ? "retain" : "partition", change->what, change->why);
    task->sql = change->sql;
    task->perform = perform;
    task->argument = upkeep;
    if (is_left) {
        task->state = MAINTENANCE_LEFT;
        task->error = "it removes rows: needs --drop, or drop: true in the deck";
    }
}

static bool
find(struct maintenance_run *run, bool is_retention, struct error *err)
{
    const char *advisor = "partition";
    const struct plan_filter filter = {
        .databases = &run->database->name,
        .database_count = 1,
        .advisors = &advisor,
        .advisor_count = 1,
        .scope = ADVICE_UPKEEP,
    };
    const struct deck *deck = run->options->deck;
    struct plan plan;

    if (run->database->partitions == NULL || (deck->advisors & ADVISOR_PARTITION) == 0)
        return true;
    if (!plan_make(run->arena, deck, &filter, &plan, err))
        return false;
    for (size_t i = 0; i < plan.changes.changes.count; i++) {
        if (is_wanted(&plan.changes.changes.items[i], is_retention))
            add(run, &plan, &plan.changes.changes.items[i]);
    }
    plan_release(&plan);
    return true;
}

bool
maintenance_find_partitions(struct maintenance_run *run, struct error *err)
{
    return find(run, false, err);
}

bool
maintenance_find_retention(struct maintenance_run *run, struct error *err)
{
    return find(run, true, err);
}
