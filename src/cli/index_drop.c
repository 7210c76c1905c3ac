// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "cli/plan_output.h"
#include "index/drop.h"

#include <string.h>

static const struct deck_database *
find_database(const struct deck *deck, const char *name)
{
    size_t i = 0;

    while (strcmp(deck->databases.items[i].name, name) != 0)
        i++;
    return &deck->databases.items[i];
}

/* The first finding that ends in dropping the index; NULL: none, or the deck wants it. */
static const struct index_finding *
find_drop(const struct index_report *report, const struct index_status *index)
{
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct index_finding *finding = &report->findings.items[i];
        if (finding->index == index && finding->is_drop && index->declared.line == 0)
            return finding;
    }
    return NULL;
}

static void
add_drop(struct plan *plan, const struct deck_database *database,
         const struct index_finding *finding)
{
    const struct index_status *index = finding->index;
    const struct index_drop drop = {
        .deck = plan->deck,
        .server = database->environment->server->name,
        .database = database->name,
        .place = database->place,
        .schema = index->schema,
        .table = index->table,
        .name = index->name,
        .canonical = index->canonical,
        .is_partitioned = index->is_partitioned,
        .extra_off = index->extra_off,
        .extra_on = index->extra_on,
        .what = arena_printf(plan->arena, "drop index %s of %s", index->name, index->table),
        .why = arena_printf(plan->arena, "%s: %s", index_verdict_name(finding->verdict),
                            finding->evidence),
    };

    plan->changes.advisor = "index";
    index_add_drop(&plan->changes, &drop, true);
}

static bool
refuse(const struct index_status *index, struct error *err)
{
    error_set(err, ERROR_REFUSED, "index \"%s\" is not dropped: nothing speaks for it",
              index->name);
    if (index->declared.line == 0)
        return error_hint(err, "pgdeck index status %s shows what there is to say.", index->name);
    error_set(err, ERROR_REFUSED, "index \"%s\" is not dropped: the deck declares it", index->name);
    error_hint(err, "Take it out there; then drop it.");
    return error_place(err, index->declared);
}

static bool
collect(struct plan *plan, const struct index_reports *reports, bool is_named, struct error *err)
{
    for (size_t i = 0; i < reports->list.count; i++) {
        const struct index_report *report = &reports->list.items[i];
        const struct deck_database *database = find_database(plan->deck, report->database);
        for (size_t j = 0; j < report->indexes.count; j++) {
            const struct index_status *index = &report->indexes.items[j];
            const struct index_finding *finding = find_drop(report, index);
            if (index->is_hidden)
                continue;
            if (finding != NULL)
                add_drop(plan, database, finding);
            else if (is_named)
                return refuse(index, err);
        }
    }
    return true;
}

bool
index_drop(struct cli *cli, const struct deck *deck, const struct index_reports *reports,
           const struct index_consent *consent, struct error *err)
{
    const struct cli_consent plan_consent = {.is_yes = consent->is_yes, .has_drop = true};
    struct plan plan;

    if (!plan_read(cli->arena, deck, &plan, err))
        return false;
    bool is_fine = collect(&plan, reports, consent->is_named, err);
    if (is_fine && !cli->is_json)
        cli_print_plan(cli, &plan, true);
    is_fine = is_fine && cli_run_plan(cli, &plan, &plan_consent, consent->locks, err);
    plan_release(&plan);
    return is_fine;
}
