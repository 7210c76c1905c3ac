/* What every command does that changes servers by a plan: asks, applies, and tells. */
#pragma once
#include "cli/watch_plan.h"

/* Flags that the user gave. */
struct cli_consent {
    bool is_yes, has_restart, has_drop, has_revoke;
    const struct cli_watch *watch; /* NULL: the servers are not watched afterwards */
};

/* Asks, closes the plan's connections, applies the plan, and watches what came of it. */
bool cli_run_plan(struct cli *cli, struct plan *plan, const struct cli_consent *consent,
                  const struct cli_locks *locks, struct error *err) MUST_CHECK;
