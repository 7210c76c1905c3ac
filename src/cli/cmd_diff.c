// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "cli/diff_output.h"
#include "plan/plan.h"

#include <string.h>

static const struct deck_environment *
find_environment(struct cli *cli, const struct deck *deck, const char *name, struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, deck->environments.count + 1);

    for (size_t i = 0; i < deck->environments.count; i++) {
        names[i] = deck->environments.items[i].name;
        if (strcmp(names[i], name) == 0)
            return &deck->environments.items[i];
    }
    error_set(err, ERROR_USAGE, "there is no environment \"%s\" in the deck", name);
    const char *nearest = text_nearest(name, names);
    if (nearest != NULL)
        error_hint(err, "Did you mean \"%s\"?", nearest);
    return NULL;
}

/* The server with the databases of both environments, as far as they are there. */
static bool
read_side(struct cli *cli, const struct diff *diff, struct diff_side *side,
          struct catalog_server *catalog, struct error *err)
{
    const struct deck *deck = side->advice.deck;
    const struct deck_server *server = side->environment->server;
    const char **names = ARENA_ARRAY(cli->arena, const char *, deck->databases.count + 1);
    struct pg_target target = plan_target(server, NULL);
    size_t count = 0;

    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_environment *of = deck->databases.items[i].environment;
        if (of->server == server && (of == diff->left.environment || of == diff->right.environment))
            names[count++] = deck->databases.items[i].name;
    }
    if (!catalog_read(cli->arena, &target, server->name, names, count, catalog, err))
        return false;
    side->advice =
        (struct advice){.arena = cli->arena, .deck = deck, .server = server, .catalog = catalog};
    return true;
}

static void
show(const struct cli *cli, const struct diff *diff)
{
    if (cli->is_json)
        diff_print_json(diff);
    else
        diff_print(cli, diff);
}

static bool
compare(struct cli *cli, struct diff *diff, struct error *err)
{
    struct catalog_server left = {0}, right = {0};
    bool is_one = diff->left.environment->server == diff->right.environment->server;

    if (!read_side(cli, diff, &diff->left, &left, err))
        return false;
    if (is_one)
        diff->right.advice = diff->left.advice;
    bool is_fine =
        (is_one || read_side(cli, diff, &diff->right, &right, err)) && diff_environments(diff, err);
    if (is_fine) /* while the servers' names and versions are there */
        show(cli, diff);
    catalog_release(&left);
    catalog_release(&right);
    return is_fine;
}

int
cmd_diff(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    enum { DIFFERENT = 2 };
    struct cli_list operands = {0};
    struct diff diff = {.arena = cli->arena};

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count != 2) {
        error_set(err, ERROR_USAGE, "diff takes two environments");
        error_hint(err, "Such as pgdeck diff staging production.");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    diff.left.environment = find_environment(cli, deck, operands.values.items[0], err);
    if (diff.left.environment == NULL)
        return cli_failed(err);
    diff.right.environment = find_environment(cli, deck, operands.values.items[1], err);
    diff.left.advice = (struct advice){.arena = cli->arena, .deck = deck};
    diff.right.advice = diff.left.advice;
    if (diff.right.environment == NULL || !compare(cli, &diff, err))
        return cli_failed(err);
    return diff.items.count > 0 ? DIFFERENT : 0;
}
