// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "cli/security.h"

#include "plan/rollback.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static void
print_change(void *sink, const char *server, const char *database, const char *what,
             const char *verdict)
{
    struct cli *cli = sink;
    const struct cli_style *style = cli_style(cli);

    if (!cli->is_json)
        printf("  %s: %s %s(%s)%s\n", database == NULL ? server : database, what, style->dim,
               verdict, style->reset);
}

static void
print_outcome(struct cli *cli, const struct rollback_outcome *outcome, bool is_dry_run)
{
    if (cli->is_json) {
        json_t *document = json_pack("{s:I, s:I, s:b, s:b}", "undone", (json_int_t)outcome->undone,
                                     "kept", (json_int_t)outcome->kept, "needs_restart",
                                     outcome->needs_restart, "dry_run", is_dry_run);
        json_dumpf(document, stdout, JSON_INDENT(2));
        puts("");
        json_decref(document);
        return;
    }
    if (outcome->has_nothing) {
        puts("Nothing to roll back: no apply is recorded that still stands.");
        return;
    }
    printf("%s %zu changes", is_dry_run ? "Would undo" : "Undone:", outcome->undone);
    if (outcome->kept > 0)
        printf(", %zu left standing (see above)", outcome->kept);
    puts(". The journal (schema pgdeck) stays.");
    if (outcome->needs_restart)
        puts("Some settings take effect at the next restart of the server.");
}

int
cmd_rollback(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    struct rollback_options options = {.on_change = print_change, .sink = cli};
    struct rollback_outcome outcome;
    bool is_yes = false;
    const struct cli_option table[] = {
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &is_yes},
        {"dry-run", 'n', CLI_FLAG, NULL, "only tell what would be undone", &options.is_dry_run},
        {"drop-data", 0, CLI_FLAG, NULL, "undo even where rows have come since",
         &options.has_drop_data},
        {"restart", 0, CLI_FLAG, NULL, "restart servers where settings need it",
         &options.has_restart},
        {"wait", 0, CLI_FLAG, NULL, "wait for another apply to end", &options.is_waiting},
    };
    struct cli_list operands = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    if (!is_yes && !options.is_dry_run &&
        !(isatty(STDIN_FILENO) && cli_confirm("Take back the newest apply of this deck?"))) {
        error_set(err, ERROR_REFUSED, "nothing was changed");
        error_hint(err, "Give --yes, or --dry-run to see what would be undone.");
        return cli_failed(err);
    }
    if (!plan_rollback(cli->arena, deck, &options, &outcome, err))
        return cli_failed(err);
    print_outcome(cli, &outcome, options.is_dry_run);
    if (outcome.has_other_login && !cli->is_json)
        security_reload_pool(cli);
    return 0;
}
