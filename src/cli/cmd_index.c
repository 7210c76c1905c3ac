// SPDX-License-Identifier: MIT
/* pgdeck index VERB: hands over to the verb's own function. A verb is a row. */
#include "cli/command.h"
#include "cli/index.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct cli_command verbs[] = {
    {"index status", "[INDEX ...]", "list the indexes, what each costs, and what is wrong with it",
     "", index_status},
    {"index advise", "[FILE ...]", "propose indexes for the statements that run", "",
     index_propose},
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]), PREFIX = sizeof("index ") - 1 };

static void
print_verbs(void)
{
    puts("usage: pgdeck index VERB [options]\n");
    for (size_t i = 0; i < VERBS; i++)
        printf("  %-10s %s\n", verbs[i].name + PREFIX, verbs[i].summary);
    puts("\npgdeck index VERB --help tells more.");
}

static int
unknown_verb(const char *word, struct error *err)
{
    const char *names[VERBS + 1] = {NULL};

    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name + PREFIX;
    error_set(err, ERROR_USAGE, "index: unknown verb \"%s\"", word);
    const char *nearest = text_nearest(word, names);
    if (nearest != NULL)
        error_hint(err, "Did you mean pgdeck index %s?", nearest);
    else
        error_hint(err, "See pgdeck index --help.");
    return cli_failed(err);
}

int
cmd_index(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    (void)command;
    if (argc < 2) {
        error_set(err, ERROR_USAGE, "index needs a verb");
        error_hint(err, "See pgdeck index --help.");
        return cli_failed(err);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_verbs();
        return 0;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name + PREFIX) == 0)
            return verbs[i].run(cli, &verbs[i], argc - 1, argv + 1, err);
    }
    return unknown_verb(argv[1], err);
}
