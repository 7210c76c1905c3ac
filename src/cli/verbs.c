// SPDX-License-Identifier: MIT
#include "cli/verbs.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *
name_of(const struct cli_command *command, const struct cli_command *verb)
{
    return verb->name + strlen(command->name) + 1;
}

static void
print_verbs(const struct cli_command *command, const struct cli_verbs *verbs)
{
    for (size_t i = 0; i < verbs->count; i++)
        printf("  %-10s %s\n", name_of(command, &verbs->items[i]), verbs->items[i].summary);
    printf("\npgdeck %s VERB --help tells more.\n", command->name);
}

static int
unknown_verb(struct cli *cli, const struct cli_command *command, const struct cli_verbs *verbs,
             const char *word, struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, verbs->count + 1);

    for (size_t i = 0; i < verbs->count; i++)
        names[i] = name_of(command, &verbs->items[i]);
    error_set(err, ERROR_USAGE, "%s: unknown verb \"%s\"", command->name, word);
    const char *nearest = text_nearest(word, names);
    if (nearest != NULL)
        error_hint(err, "Did you mean pgdeck %s %s?", command->name, nearest);
    else
        error_hint(err, "See pgdeck %s --help.", command->name);
    return cli_failed(err);
}

int
cli_run_verb(struct cli *cli, const struct cli_command *command, const struct cli_verbs *verbs,
             int argc, char **argv, struct error *err)
{
    if (argc < 2) {
        error_set(err, ERROR_USAGE, "%s needs a verb", command->name);
        error_hint(err, "See pgdeck %s --help.", command->name);
        return cli_failed(err);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        printf("usage: pgdeck %s VERB [options]\n\n", command->name);
        print_verbs(command, verbs);
        return 0;
    }
    for (size_t i = 0; i < verbs->count; i++) {
        if (strcmp(argv[1], name_of(command, &verbs->items[i])) == 0)
            return verbs->items[i].run(cli, &verbs->items[i], argc - 1, argv + 1, err);
    }
    return unknown_verb(cli, command, verbs, argv[1], err);
}

int
cli_run_verb_or(struct cli *cli, const struct cli_command *command, const struct cli_verbs *verbs,
                int argc, char **argv, struct error *err)
{
    if (argc > 1 && argv[1][0] != '-')
        return cli_run_verb(cli, command, verbs, argc, argv, err);
    int status = verbs->items[0].run(cli, command, argc, argv, err);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0)
            continue;
        printf("\nverbs:\n");
        print_verbs(command, verbs);
        break;
    }
    return status;
}
