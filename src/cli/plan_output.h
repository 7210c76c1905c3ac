/* What plan, apply and rollback share on the command line. */
#pragma once
#include "cli/command.h"
#include "plan/plan.h"

struct plan_filter
cli_plan_filter(const struct cli_list *databases, const struct cli_list *advisors);
void cli_print_plan(struct cli *cli, const struct plan *plan, bool with_sql);
