/* Commands that are made of verbs, such as `pgdeck index status`: a table of them. */
#pragma once
#include "cli/command.h"

struct cli_verbs {
    const struct cli_command *items; /* named "COMMAND VERB" */
    size_t count;
};
#define CLI_VERBS(array) ((struct cli_verbs){(array), sizeof(array) / sizeof((array)[0])})

/* Hands over to the verb that argv[1] names; lists them for --help. */
int cli_run_verb(struct cli *cli, const struct cli_command *command, const struct cli_verbs *verbs,
                 int argc, char **argv, struct error *err);
/* The same for a command whose first verb is also what it does without one. */
int cli_run_verb_or(struct cli *cli, const struct cli_command *command,
                    const struct cli_verbs *verbs, int argc, char **argv, struct error *err);
