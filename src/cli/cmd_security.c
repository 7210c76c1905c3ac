// SPDX-License-Identifier: MIT
/* pgdeck security [VERB]: without a verb the checklist. */
#include "cli/command.h"
#include "cli/security.h"

int
cmd_security(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    return security_check(cli, command, argc, argv, err);
}
