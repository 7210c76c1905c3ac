/* What every command does that changes servers by a plan: asks, applies, and tells. */
#pragma once
#include "cli/plan_output.h"

/* Flags that the user gave. */
struct cli_consent {
    bool is_yes, has_restart, has_drop;
};

/* Asks, closes the plan's connections, and applies the plan. */
bool cli_run_plan(struct cli *cli, struct plan *plan, const struct cli_consent *consent,
                  const struct cli_locks *locks, struct error *err) MUST_CHECK;
