// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "cli/command.h"
#include "local/server.h"

#include <stdio.h>

struct down {
    struct cli *cli;
    bool is_all, is_destroy, is_yes;
};

static bool
no_such_server(const struct down *down, const char *name, struct error *err)
{
    struct arena *arena = down->cli->arena;
    AUTO_TEXT names = {0};
    struct local_servers servers;

    if (!local_server_list(arena, &servers, err))
        return false;
    for (size_t i = 0; i < servers.list.count; i++)
        text_appendf(&names, "%s%s", i == 0 ? "" : ", ", servers.list.items[i].name);
    error_set(err, ERROR_FILE, "there is no private server \"%s\"", name);
    if (servers.list.count == 0)
        return error_hint(err, "There is none at all; pgdeck up makes one.");
    return error_hint(err, "There are: %s.", text_chars(&names));
}

static bool
choose(const struct down *down, const struct cli_list *operands, struct local_servers *ret_chosen,
       struct error *err)
{
    struct arena *arena = down->cli->arena;
    const char *default_name = LOCAL_DEFAULT_NAME;
    size_t count = operands->values.count == 0 ? 1 : operands->values.count;
    const char *const *names = operands->values.count == 0 ? &default_name : operands->values.items;

    *ret_chosen = (struct local_servers){0};
    if (down->is_all && operands->values.count > 0)
        return error_set(err, ERROR_USAGE, "down: names or --all, not both");
    if (down->is_all)
        return local_server_list(arena, ret_chosen, err);
    for (size_t i = 0; i < count; i++) {
        struct local_server server;
        bool is_there;
        if (!local_server_find(arena, names[i], &server, &is_there, err))
            return false;
        if (!is_there)
            return no_such_server(down, names[i], err);
        *LIST_ADD(arena, &ret_chosen->list) = server;
    }
    return true;
}

static bool
take_down(const struct down *down, const struct local_server *server, struct error *err)
{
    bool was_running = local_server_pid(server) != 0;

    if (!down->is_destroy) {
        if (!local_server_stop(server, false, err))
            return false;
        printf("server \"%s\" %s\n", server->name, was_running ? "stopped" : "was not running");
        return true;
    }
    char *question = arena_printf(down->cli->arena, "Remove server \"%s\" with all its data, %s?",
                                  server->name, server->folder);
    if (!down->is_yes && !cli_confirm(question)) {
        error_set(err, ERROR_REFUSED, "server \"%s\" is not removed", server->name);
        return error_hint(err, "--yes removes it without asking.");
    }
    if (!local_server_destroy(server, err))
        return false;
    printf("server \"%s\" removed\n", server->name);
    return true;
}

/* All of them, also after one has failed; the first fault is reported by main. */
static bool
take_all_down(const struct down *down, const struct local_servers *servers, struct error *err)
{
    struct error fault = {0};

    for (size_t i = 0; i < servers->list.count; i++) {
        if (take_down(down, &servers->list.items[i], &fault))
            continue;
        if (err->code == ERROR_NONE)
            *err = fault;
        else
            cli_print_error(&fault);
    }
    if (servers->list.count == 0)
        puts("there are no private servers");
    return err->code == ERROR_NONE;
}

int
cmd_down(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct down down = {.cli = cli};
    const struct cli_option options[] = {
        {"all", 'a', CLI_FLAG, NULL, "all private servers, the demo's too", &down.is_all},
        {"destroy", 0, CLI_FLAG, NULL, "remove the server's folder with its data",
         &down.is_destroy},
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &down.is_yes},
    };
    struct cli_list operands = {0};
    struct local_servers chosen;
    int lock;

    if (!cli_parse(cli, command, CLI_OPTIONS(options), argc, argv, &operands, err) ||
        !local_lock(cli->arena, &lock, err))
        return cli_failed(err);
    bool is_down = choose(&down, &operands, &chosen, err) && take_all_down(&down, &chosen, err);
    local_unlock(lock);
    return is_down ? 0 : cli_failed(err);
}
