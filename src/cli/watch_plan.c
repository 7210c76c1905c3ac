// SPDX-License-Identifier: MIT
#include "cli/watch_plan.h"

#include "plan/restart.h"
#include "plan/rollback.h"
#include "settings/value.h"

#include <stdio.h>

static void
print_note(void *sink, const char *line)
{
    const struct cli *cli = sink;

    if (!cli->is_json && !cli->is_quiet) {
        puts(line);
        fflush(stdout);
    }
}

static void
print_undone(void *sink, const char *server, const char *database, const char *what,
             const char *verdict)
{
    struct cli *cli = sink;

    cli_progress(cli, "%s: %s (%s)", database == NULL ? server : database, what, verdict);
}

/* A server that has crashed may still be on its way back. */
static bool
wait_for_servers(const struct plan *plan, const bool *touched, struct error *err)
{
    for (size_t i = 0; i < plan->servers.count; i++) {
        if (touched[i] && !plan_wait_for_answer(plan->servers.items[i].deck, err))
            return false;
    }
    return true;
}

static bool
take_back(struct cli *cli, struct watch_apply *watch, const struct cli_watch *asked,
          const struct rollback_options *options, struct error *err)
{
    struct rollback_outcome undone;

    cli_release_locks(asked->locks);
    if (!wait_for_servers(watch->plan, options->servers, err) ||
        !plan_rollback(cli->arena, watch->plan->deck, options, &undone, err))
        return false;
    cli_progress_end(cli);
    if (undone.needs_restart)
        print_note(cli, "Some settings take effect at the next restart of the server.");
    if (undone.kept > 0)
        print_note(cli, "What holds data by now, or cannot be undone, was left standing.");
    return true;
}

bool
cli_watch_plan(struct cli *cli, struct watch_apply *watch, const struct cli_watch *asked,
               const struct apply_outcome *outcome, bool has_restart, struct error *err)
{
    const struct watch_options options = {.duration_ms = asked->duration_ms,
                                          .has_restarted = has_restart,
                                          .on_note = print_note,
                                          .sink = cli};
    const struct rollback_options back = {.has_restart = has_restart,
                                          .is_waiting = true,
                                          .servers = outcome->touched,
                                          .on_change = print_undone,
                                          .sink = cli};
    const char *duration = setting_duration(cli->arena, asked->duration_ms);
    const char *reason;

    print_note(cli, arena_printf(cli->arena, "Watching for %s; Ctrl-C ends that, and all stays.",
                                 duration));
    if (!watch_apply_run(watch, &options, outcome->touched, &reason, err)) {
        error_wrap(err, "watching has ended early, and the changes stay");
        return error_hint(err, "pgdeck rollback takes them back.");
    }
    if (reason == NULL) {
        print_note(cli, arena_printf(cli->arena,
                                     "Watched for %s: nothing got worse than the deck allows.",
                                     duration));
        return true;
    }
    print_note(cli, "Worse than the deck allows: the changes are taken back.");
    if (!take_back(cli, watch, asked, &back, err))
        return error_wrap(err, "it got worse (%s), and the changes could not be taken back",
                          reason);
    error_set(err, ERROR_TAKEN_BACK, "the changes made it worse and were taken back");
    return error_detail(err, "%s.", reason);
}
