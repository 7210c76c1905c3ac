// SPDX-License-Identifier: MIT
#include "cli/command.h"

/* The command table: one row a command, in the order of the overview. */
const struct cli_command cli_commands[] = {
    {NULL, NULL, NULL, NULL, NULL},
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]) - 1;
