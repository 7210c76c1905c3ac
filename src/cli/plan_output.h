/* What plan, apply and rollback share on the command line. */
#pragma once
#include "cli/command.h"
#include "plan/plan.h"

struct plan_filter
cli_plan_filter(const struct cli_list *databases, const struct cli_list *advisors);
void cli_print_plan(struct cli *cli, const struct plan *plan, bool with_sql);

/* The locks of all servers of the deck: one apply at a time. */
struct cli_locks {
    PGconn **connections; /* as in deck->servers */
    size_t count;
};
/* On failure those that were taken are left to be released. */
bool cli_take_locks(struct cli *cli, const struct deck *deck, bool is_waiting,
                    struct cli_locks *locks, struct error *err) MUST_CHECK;
void cli_release_locks(struct cli_locks *locks);
