// SPDX-License-Identifier: MIT
/* pgdeck partition VERB: hands over to the verb's own function. A verb is a row. */
#include "cli/command.h"
#include "cli/partition.h"
#include "cli/verbs.h"

static const struct cli_command verbs[] = {
    {"partition status", "[TABLE ...]",
     "list the partitions, their rows and sizes, what is made and dropped next", "",
     partition_status},
    {"partition maintain", "", "make partitions ahead, drop those past their time, keep statistics",
     "", partition_maintain},
    {"partition gc", "", "remove what conversions have left behind", "", partition_gc},
};

int
cmd_partition(struct cli *cli, const struct cli_command *command, int argc, char **argv,
              struct error *err)
{
    return cli_run_verb(cli, command, &CLI_VERBS(verbs), argc, argv, err);
}
