// SPDX-License-Identifier: MIT
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/command.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print_overview(void)
{
    const char *group = "";

    puts("usage: pgdeck COMMAND [options]\n\n"
         "Makes a set of PostgreSQL databases what one YAML file, the deck, says.");
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(group, cli_commands[i].group) != 0)
            printf("\n%s\n", cli_commands[i].group);
        group = cli_commands[i].group;
        printf("  %-10s %s\n", cli_commands[i].name, cli_commands[i].summary);
    }
    puts("\npgdeck COMMAND --help tells more. pgdeck --version prints the version.");
}

static const struct cli_command *
find_command(const char *name, struct error *err)
{
    const char *names[64] = {NULL};

    for (size_t i = 0; i < cli_command_count; i++) {
        names[i] = cli_commands[i].name;
        if (strcmp(name, cli_commands[i].name) == 0)
            return &cli_commands[i];
    }
    error_set(err, ERROR_USAGE, "unknown command \"%s\"", name);
    const char *nearest = text_nearest(name, names);
    if (nearest != NULL)
        error_hint(err, "Did you mean pgdeck %s?", nearest);
    else
        error_hint(err, "See pgdeck --help.");
    return NULL;
}

static int
run_command(int argc, char **argv)
{
    AUTO_ARENA arena = arena_new();
    struct error err = {0};
    const char *deck = getenv("PGDECK_DECK");
    struct cli cli = {.arena = arena, .color = "auto"};
    const struct cli_command *command = find_command(argv[1], &err);

    cli.deck_path = deck == NULL ? "deck.yaml" : deck;
    int status =
        command == NULL ? cli_failed(&err) : command->run(&cli, command, argc - 1, argv + 1, &err);
    if (err.code != ERROR_NONE)
        cli_print_error(&err);
    return status;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview();
        return error_exit_status(ERROR_USAGE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("pgdeck " PGDECK_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_overview();
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    interrupt_install();
    return run_command(argc, argv);
}
