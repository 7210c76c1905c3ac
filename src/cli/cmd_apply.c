// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "cli/plan_output.h"
#include "plan/apply.h"
#include "plan/plan_json.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

struct apply_command {
    struct cli_list databases, advisors;
    struct cli_list operands;
    bool is_yes, has_restart, has_drop, is_waiting, has_sql;
};

static void
print_progress(void *sink, const char *line)
{
    cli_progress(sink, "    %s", line);
}

static void
print_note(void *sink, const char *line)
{
    struct cli *cli = sink;

    cli_progress_end(cli);
    if (!cli->is_json)
        puts(line);
}

static void
print_change(void *sink, size_t index, size_t count, const struct change *change)
{
    cli_progress(sink, "[%zu/%zu] %s%s%s", index, count, change->database ? change->database : "",
                 change->database ? ": " : "", change->what);
}

static void
print_outcome(struct cli *cli, const struct apply_outcome *outcome, size_t manual,
              const struct error *err)
{
    const struct cli_style *style = cli_style(cli);

    if (cli->is_json) {
        json_t *document =
            json_pack("{s:I, s:I, s:I, s:b, s:s}", "done", (json_int_t)outcome->done, "skipped",
                      (json_int_t)outcome->skipped, "manual", (json_int_t)manual, "resumed",
                      outcome->is_resumed, "error", err->message);
        json_dumpf(document, stdout, JSON_INDENT(2));
        puts("");
        json_decref(document);
        return;
    }
    if (outcome->is_resumed)
        puts("An earlier apply had not reached its end: this one has continued it.");
    if (err->code != ERROR_NONE && !outcome->is_begun) {
        printf("%sStopped%s before the first change: nothing was changed.\n", style->red,
               style->reset);
        return;
    }
    if (err->code != ERROR_NONE) {
        printf("%sStopped%s after %zu changes. Run apply again to go on, or rollback to go back.\n",
               style->red, style->reset, outcome->done);
        return;
    }
    printf("%sDone:%s %zu changes.", style->green, style->reset, outcome->done);
    if (outcome->skipped > 0)
        printf(" %zu left out: they need --restart or --drop.", outcome->skipped);
    puts(outcome->done > 0 ? " pgdeck rollback takes it back." : "");
    if (manual > 0)
        printf("%s%zu left to you%s, as the plan says: until then the server is not as the deck "
               "says.\n",
               style->yellow, manual, style->reset);
}

static bool
confirm(const struct cli *cli, const struct apply_command *options, const struct plan *plan,
        struct error *err)
{
    if (options->is_yes || plan->changes.changes.count == 0)
        return true;
    if (cli->is_json || !isatty(STDIN_FILENO)) {
        error_set(err, ERROR_REFUSED, "apply needs a yes and there is no terminal to ask on");
        return error_hint(err, "Give --yes.");
    }
    if (cli_confirm("Apply these changes?"))
        return true;
    return error_set(err, ERROR_REFUSED, "nothing was changed");
}

static bool
run_plan(struct cli *cli, const struct apply_command *options, struct plan *plan,
         const struct cli_locks *locks, struct error *err)
{
    struct apply_outcome outcome;
    const struct apply_options apply = {
        .has_restart = options->has_restart,
        .has_drop = options->has_drop,
        .on_change = print_change,
        .on_progress = print_progress,
        .on_note = print_note,
        .sink = cli,
        .locks = locks->connections,
    };

    if (!cli->is_json)
        cli_print_plan(cli, plan, options->has_sql);
    if (options->operands.values.count > 0 &&
        !plan_matches_file(plan, options->operands.values.items[0], err))
        return false;
    if (!confirm(cli, options, plan, err))
        return false;
    plan_release(plan); /* nothing of the snapshot may stand in the way of a change */
    bool is_fine = plan_apply(plan, &apply, &outcome, err);
    if (outcome.done > 0)
        cli_progress_end(cli);
    if (plan->changes.changes.count > 0 || cli->is_json)
        print_outcome(cli, &outcome, plan->changes.manual.count, err);
    return is_fine;
}

static bool
apply_deck(struct cli *cli, const struct apply_command *options, struct error *err)
{
    const struct plan_filter filter = cli_plan_filter(&options->databases, &options->advisors);
    const struct deck *deck = cli_load_deck(cli, err);
    struct cli_locks locks = {0};
    struct plan plan;

    if (deck == NULL)
        return false;
    if (!cli_take_locks(cli, deck, options->is_waiting, &locks, err) ||
        !plan_make(cli->arena, deck, &filter, &plan, err)) {
        cli_release_locks(&locks);
        return false;
    }
    bool is_fine = run_plan(cli, options, &plan, &locks, err);
    plan_release(&plan);
    cli_release_locks(&locks);
    return is_fine;
}

int
cmd_apply(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    struct apply_command options = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &options.databases},
        {"only", 0, CLI_LIST, "ADVISOR,..",
         "only settings, schema, index, partition, monitoring, security", &options.advisors},
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &options.is_yes},
        {"restart", 0, CLI_FLAG, NULL, "restart servers where settings need it",
         &options.has_restart},
        {"drop", 0, CLI_FLAG, NULL, "do what removes something, too", &options.has_drop},
        {"wait", 0, CLI_FLAG, NULL, "wait for another apply to end", &options.is_waiting},
        {"sql", 0, CLI_FLAG, NULL, "show statements, locks and the way back", &options.has_sql},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &options.operands, err))
        return cli_failed(err);
    if (options.operands.values.count > 1) {
        error_set(err, ERROR_USAGE, "apply takes one plan file");
        return cli_failed(err);
    }
    if (options.operands.values.count == 1 &&
        !plan_file_deck(cli->arena, options.operands.values.items[0], &cli->deck_path, err))
        return cli_failed(err);
    return apply_deck(cli, &options, err) ? 0 : cli_failed(err);
}
