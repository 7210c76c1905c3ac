/* apply --watch: looks after the servers for a while, and takes the apply back if it must. */
#pragma once
#include "cli/plan_output.h"
#include "plan/apply.h"
#include "plan/watch_apply.h"

/* What the user asked for. */
struct cli_watch {
    int64_t duration_ms;
    struct cli_locks *locks; /* the apply's; released before it is taken back */
};

/* Watches what the apply touched. Worse: it is taken back, ERROR_TAKEN_BACK says why. Interrupted:
 * all stays, and the error says so. */
bool cli_watch_plan(struct cli *cli, struct watch_apply *watch, const struct cli_watch *asked,
                    const struct apply_outcome *outcome, bool has_restart,
                    struct error *err) MUST_CHECK;
