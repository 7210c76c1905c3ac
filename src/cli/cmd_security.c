// SPDX-License-Identifier: MIT
/* pgdeck security [VERB]: without a verb the checklist. */
#include "cli/command.h"
#include "cli/security.h"
#include "cli/verbs.h"

static const struct cli_command verbs[] = {
    {"security check", "", "the checklist; also without a verb", "", security_check},
    {"security audit", "", "who changed what, out of the servers' logs", "", security_audit},
    {"security rotate", "ENVIRONMENT SERVICE", "give a service another login and password", "",
     security_rotate},
    {"security render", "hba|rsyslog", "lines of pg_hba.conf, or a rule for the audit, to install",
     "", security_render},
    {"security tenants", "", "what row-level security costs, measured", "", security_tenants},
};

int
cmd_security(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    return cli_run_verb_or(cli, command, &CLI_VERBS(verbs), argc, argv, err);
}
