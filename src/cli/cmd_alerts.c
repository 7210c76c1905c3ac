// SPDX-License-Identifier: MIT
/* pgdeck alerts [VERB]: without a verb what is open. */
#include "cli/alerts.h"
#include "cli/verbs.h"

static const struct cli_command verbs[] = {
    {"alerts list", "", "what is open, the SQL that mends it; 2 with any; also without a verb", "",
     alerts_list},
    {"alerts silence", "NAME", "tell nobody of new alerts of that name (all: any) for a while", "",
     alerts_silence},
    {"alerts unsilence", "ID", "end a silence", "", alerts_unsilence},
    {"alerts history", "", "what fired, changed and cleared", "", alerts_history},
    {"alerts test", "TARGET", "send a target of notify: a message, and say what came of it", "",
     alerts_test},
    {"alerts rules", "", "print rules for Prometheus, from the deck", "", alerts_rules},
};

int
cmd_alerts(struct cli *cli, const struct cli_command *command, int argc, char **argv,
           struct error *err)
{
    return cli_run_verb_or(cli, command, &CLI_VERBS(verbs), argc, argv, err);
}
