// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "base/file.h"
#include "cli/plan_output.h"
#include "plan/plan.h"
#include "plan/plan_json.h"

#include <stdio.h>
#include <string.h>

struct plan_command {
    struct cli_list databases, advisors;
    const char *out;
    bool has_sql, has_detailed_exitcode;
};

static bool
write_plan_file(const struct plan *plan, const char *path, struct error *err)
{
    AUTO_TEXT text = {0};

    plan_write_json(plan, &text);
    return file_write(path, text_chars(&text), text.length, 0600, err);
}

static int
show(struct cli *cli, const struct plan_command *options, const struct plan *plan,
     struct error *err)
{
    if (cli->is_json) {
        AUTO_TEXT text = {0};
        plan_write_json(plan, &text);
        fputs(text_chars(&text), stdout);
    } else {
        cli_print_plan(cli, plan, options->has_sql);
    }
    if (options->out != NULL) {
        if (!write_plan_file(plan, options->out, err))
            return cli_failed(err);
        if (!cli->is_json)
            printf("Written to %s: pgdeck apply %s does exactly this.\n", options->out,
                   options->out);
    }
    enum { HAS_CHANGES = 2, HAS_MANUAL = 3 };
    if (!options->has_detailed_exitcode)
        return 0;
    if (plan->changes.changes.count > 0)
        return HAS_CHANGES;
    return plan->changes.manual.count > 0 ? HAS_MANUAL : 0;
}

int
cmd_plan(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct plan_command options = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &options.databases},
        {"only", 0, CLI_LIST, "ADVISOR,..",
         "only settings, schema, index, partition, monitoring, security", &options.advisors},
        {"sql", 0, CLI_FLAG, NULL, "show statements, locks and the way back", &options.has_sql},
        {"out", 'o', CLI_TEXT, "FILE", "write the plan for pgdeck apply FILE", &options.out},
        {"detailed-exitcode", 0, CLI_FLAG, NULL,
         "exit with 0 nothing to do, 2 changes, 3 only what is left to you",
         &options.has_detailed_exitcode},
    };
    struct cli_list operands = {0};
    struct plan plan;

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    const struct plan_filter filter = cli_plan_filter(&options.databases, &options.advisors);
    if (deck == NULL || !plan_make(cli->arena, deck, &filter, &plan, err))
        return cli_failed(err);
    int status = show(cli, &options, &plan, err);
    plan_release(&plan);
    return status;
}
