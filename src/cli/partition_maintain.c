// SPDX-License-Identifier: MIT
/* pgdeck partition maintain, pgdeck partition gc: a plan of the partition advisor with another
 * scope, each change for itself, so that one that fails does not stop the others. */
#include "cli/partition.h"

#include "cli/plan_output.h"
#include "plan/apply.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

struct maintain {
    struct cli *cli;
    enum advice_scope scope;
    struct cli_list databases;
    bool has_drop, is_dry_run, is_yes, is_waiting, is_all;
    json_t *failures;
};

static void
print_change(void *sink, size_t index, size_t count, const struct change *change)
{
    const struct maintain *maintain = sink;

    cli_progress(maintain->cli, "[%zu/%zu] %s: %s", index, count, change->database, change->what);
}

static void
print_progress(void *sink, const char *line)
{
    const struct maintain *maintain = sink;

    cli_progress(maintain->cli, "    %s", line);
}

static void
print_failure(void *sink, const struct change *change, const struct error *err)
{
    struct maintain *maintain = sink;

    cli_print_error(err);
    json_array_append_new(maintain->failures,
                          json_pack("{s:s, s:s, s:s}", "database", change->database, "what",
                                    change->what, "error", err->message));
}

static void
print_outcome(const struct maintain *maintain, const struct apply_outcome *outcome)
{
    if (maintain->cli->is_json) {
        json_t *document =
            json_pack("{s:I, s:I, s:O}", "done", (json_int_t)outcome->done, "left_out",
                      (json_int_t)outcome->skipped, "failed", maintain->failures);
        json_dumpf(document, stdout, JSON_INDENT(2));
        puts("");
        json_decref(document);
        return;
    }
    printf("Done: %zu.", outcome->done);
    if (outcome->failed > 0)
        printf(" Failed: %zu, see above.", outcome->failed);
    if (outcome->skipped > 0)
        printf(" Left out: %zu, which remove rows and need --drop.", outcome->skipped);
    puts("");
}

static bool
confirm(const struct maintain *maintain, struct error *err)
{
    if (maintain->scope == ADVICE_UPKEEP || maintain->is_yes ||
        (!maintain->cli->is_json && isatty(STDIN_FILENO) && cli_confirm("Remove this?")))
        return true;
    error_set(err, ERROR_REFUSED, "nothing was removed");
    return error_hint(err, "Give --yes, or --dry-run to see it only.");
}

static bool
run_plan(struct maintain *maintain, struct plan *plan, const struct cli_locks *locks,
         struct error *err)
{
    struct apply_outcome outcome = {0};
    const struct apply_options apply = {
        .has_drop = maintain->has_drop,
        .goes_on = true,
        .on_change = print_change,
        .on_progress = print_progress,
        .on_failure = print_failure,
        .sink = maintain,
        .locks = locks->connections,
    };

    if (!maintain->cli->is_json || maintain->is_dry_run)
        cli_print_plan(maintain->cli, plan, false);
    if (maintain->is_dry_run)
        return true;
    if (plan->changes.changes.count > 0 && !confirm(maintain, err))
        return false;
    plan_release(plan);
    if (!plan_apply(plan, &apply, &outcome, err))
        return false;
    if (outcome.done > 0)
        cli_progress_end(maintain->cli);
    print_outcome(maintain, &outcome);
    if (outcome.failed == 0)
        return true;
    return error_set(err, ERROR_SQL, "%zu of %zu could not be done", outcome.failed,
                     outcome.failed + outcome.done);
}

static bool
maintain_deck(struct maintain *maintain, struct error *err)
{
    const struct cli_list advisors = {0};
    struct plan_filter filter = cli_plan_filter(&maintain->databases, &advisors);
    const char *const names[] = {"partition"};
    const struct deck *deck = cli_load_deck(maintain->cli, err);
    struct cli_locks locks = {0};
    struct plan plan;

    filter.advisors = names;
    filter.advisor_count = 1;
    filter.scope = maintain->scope;
    if (deck == NULL)
        return false;
    bool is_fine = cli_take_locks(maintain->cli, deck, maintain->is_waiting, &locks, err) &&
                   plan_make(maintain->cli->arena, deck, &filter, &plan, err);
    if (is_fine) {
        maintain->failures = json_array();
        is_fine = run_plan(maintain, &plan, &locks, err);
        json_decref(maintain->failures);
        plan_release(&plan);
    }
    cli_release_locks(&locks);
    return is_fine;
}

int
partition_maintain(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                   struct error *err)
{
    struct maintain maintain = {.cli = cli, .scope = ADVICE_UPKEEP};
    struct cli_list operands = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &maintain.databases},
        {"drop", 0, CLI_FLAG, NULL, "drop partitions that retain lets go", &maintain.has_drop},
        {"dry-run", 'n', CLI_FLAG, NULL, "only tell what is due", &maintain.is_dry_run},
        {"wait", 0, CLI_FLAG, NULL, "wait for an apply to end", &maintain.is_waiting},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    return maintain_deck(&maintain, err) ? 0 : cli_failed(err);
}

int
partition_gc(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    struct maintain maintain = {.cli = cli, .has_drop = true};
    struct cli_list operands = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &maintain.databases},
        {"all", 0, CLI_FLAG, NULL, "old tables before their time (keep), too", &maintain.is_all},
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &maintain.is_yes},
        {"dry-run", 'n', CLI_FLAG, NULL, "only tell what would go", &maintain.is_dry_run},
        {"wait", 0, CLI_FLAG, NULL, "wait for an apply to end", &maintain.is_waiting},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    maintain.scope = maintain.is_all ? ADVICE_REMAINS_ALL : ADVICE_REMAINS;
    return maintain_deck(&maintain, err) ? 0 : cli_failed(err);
}
