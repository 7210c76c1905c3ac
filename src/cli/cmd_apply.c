// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "cli/door.h"
#include "cli/plan_output.h"
#include "cli/run_plan.h"
#include "plan/plan_json.h"

#include <stdio.h>
#include <string.h>

struct apply_command {
    struct cli_list databases, advisors;
    struct cli_list operands;
    bool is_yes, has_restart, has_drop, has_revoke, is_waiting, has_sql;
    const char *watch;
    int64_t watch_ms;
};

static bool
run_plan(struct cli *cli, const struct apply_command *options, struct plan *plan,
         struct cli_locks *locks, struct error *err)
{
    const struct cli_watch watch = {options->watch_ms, locks};
    const struct cli_consent consent = {options->is_yes, options->has_restart, options->has_drop,
                                        options->has_revoke,
                                        options->watch != NULL ? &watch : NULL};

    if (!cli->is_json)
        cli_print_plan(cli, plan, options->has_sql);
    if (options->operands.values.count > 0 &&
        !plan_matches_file(plan, options->operands.values.items[0], err))
        return false;
    return cli_run_plan(cli, plan, &consent, locks, err);
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
    bool has_changes = plan.changes.changes.count > 0;
    plan_release(&plan);
    cli_release_locks(&locks);
    for (size_t i = 0; is_fine && has_changes && i < deck->servers.count; i++)
        cli_say_door(cli, &deck->servers.items[i]);
    return is_fine;
}

static bool
read_watch(struct apply_command *options, struct error *err)
{
    enum { SHORTEST_MS = 10000 };

    if (!cli_read_duration("--watch", options->watch, &options->watch_ms, err))
        return false;
    if (options->watch_ms < SHORTEST_MS)
        return error_set(err, ERROR_USAGE, "--watch must be 10s or longer");
    return true;
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
        {"revoke", 0, CLI_FLAG, NULL, "take away rights that the deck does not give",
         &options.has_revoke},
        {"wait", 0, CLI_FLAG, NULL, "wait for another apply to end", &options.is_waiting},
        {"watch", 0, CLI_TEXT, "10m", "then watch, and take it back if it got worse (deck: watch)",
         &options.watch},
        {"sql", 0, CLI_FLAG, NULL, "show statements, locks and the way back", &options.has_sql},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &options.operands, err))
        return cli_failed(err);
    if (options.operands.values.count > 1) {
        error_set(err, ERROR_USAGE, "apply takes one plan file");
        return cli_failed(err);
    }
    if (options.watch != NULL && !read_watch(&options, err))
        return cli_failed(err);
    if (options.operands.values.count == 1 &&
        !plan_file_deck(cli->arena, options.operands.values.items[0], &cli->deck_path, err))
        return cli_failed(err);
    return apply_deck(cli, &options, err) ? 0 : cli_failed(err);
}
