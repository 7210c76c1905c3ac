// SPDX-License-Identifier: MIT
/* pgdeck index VERB: hands over to the verb's own function. A verb is a row. */
#include "cli/command.h"
#include "cli/index.h"
#include "cli/verbs.h"

static const struct cli_command verbs[] = {
    {"index status", "[INDEX ...]", "list the indexes, what each costs, and what is wrong with it",
     "", index_status},
    {"index advise", "[FILE ...]", "propose indexes for the statements that run", "",
     index_propose},
    {"index verify", "[FILE ...]",
     "run the statements on a copy, without and with the indexes advised", "", index_verify},
    {"index review", "", "what became of the indexes that were built since a snapshot", "",
     index_review},
};

int
cmd_index(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    return cli_run_verb(cli, command, &CLI_VERBS(verbs), argc, argv, err);
}
