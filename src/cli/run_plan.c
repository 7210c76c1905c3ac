// SPDX-License-Identifier: MIT
#include "cli/run_plan.h"

#include "plan/apply.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

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
    if (err->code != ERROR_NONE && outcome->failed > 0 && outcome->is_begun) {
        printf("%sNot all:%s %zu changes are done, %zu failed. Run apply again to go on, or "
               "rollback to go back.\n",
               style->red, style->reset, outcome->done, outcome->failed);
        return;
    }
    if (err->code != ERROR_NONE) {
        printf("%sStopped%s after %zu changes. Run apply again to go on, or rollback to go back.\n",
               style->red, style->reset, outcome->done);
        return;
    }
    printf("%sDone:%s %zu changes.", style->green, style->reset, outcome->done);
    if (outcome->skipped > 0)
        printf(" %zu left out: they need --restart, --drop or --revoke.", outcome->skipped);
    puts(outcome->done > 0 ? " pgdeck rollback takes it back." : "");
    if (manual > 0)
        printf("%s%zu left to you%s, as the plan says: until then the server is not as the deck "
               "says.\n",
               style->yellow, manual, style->reset);
}

static bool
confirm(const struct cli *cli, const struct cli_consent *consent, const struct plan *plan,
        struct error *err)
{
    if (consent->is_yes || plan->changes.changes.count == 0)
        return true;
    if (cli->is_json || !isatty(STDIN_FILENO)) {
        error_set(err, ERROR_REFUSED, "this needs a yes and there is no terminal to ask on");
        return error_hint(err, "Give --yes.");
    }
    if (cli_confirm("Apply these changes?"))
        return true;
    return error_set(err, ERROR_REFUSED, "nothing was changed");
}

bool
cli_run_plan(struct cli *cli, struct plan *plan, const struct cli_consent *consent,
             const struct cli_locks *locks, struct error *err)
{
    struct apply_outcome outcome;
    const struct apply_options apply = {
        .has_restart = consent->has_restart,
        .has_drop = consent->has_drop,
        .has_revoke = consent->has_revoke,
        .on_change = print_change,
        .on_progress = print_progress,
        .on_note = print_note,
        .sink = cli,
        .locks = locks->connections,
    };

    struct watch_apply watch;
    bool has_watch = consent->watch != NULL && plan->changes.changes.count > 0;

    if (!confirm(cli, consent, plan, err) ||
        (has_watch && !watch_apply_begin(cli->arena, plan, &watch, err)))
        return false;
    plan_release(plan); /* nothing of the snapshot may stand in the way of a change */
    bool is_fine = plan_apply(plan, &apply, &outcome, err);
    if (outcome.done > 0)
        cli_progress_end(cli);
    if (plan->changes.changes.count > 0 && !cli->is_json)
        print_outcome(cli, &outcome, plan->changes.manual.count, err);
    if (is_fine && has_watch && outcome.done > 0)
        is_fine = cli_watch_plan(cli, &watch, consent->watch, &outcome, consent->has_restart, err);
    if (cli->is_json)
        print_outcome(cli, &outcome, plan->changes.manual.count, err);
    return is_fine;
}
