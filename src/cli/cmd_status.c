// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "local/server.h"

#include <stdio.h>
#include <string.h>

static const char *
state_of(const struct local_server *server)
{
    return local_server_pid(server) != 0 ? "running" : "stopped";
}

static const char *
size_text(struct arena *arena, int64_t size_bytes)
{
    if (size_bytes >= INT64_C(10) << 30)
        return arena_printf(arena, "%lld GB", (long long)(size_bytes >> 30));
    return arena_printf(arena, "%lld MB", (long long)(size_bytes >> 20));
}

static void
print_table(const struct cli *cli, const struct local_servers *servers)
{
    const struct cli_style *style = cli_style(cli);
    int width = 4;

    if (servers->list.count == 0) {
        puts("there are no private servers; pgdeck up makes one");
        return;
    }
    for (size_t i = 0; i < servers->list.count; i++) {
        int length = (int)strlen(servers->list.items[i].name);
        width = length > width ? length : width;
    }
    printf("%s%-*s  %-8s %-10s %6s %8s%s\n", style->bold, width, "NAME", "VERSION", "STATE", "PORT",
           "SIZE", style->reset);
    for (size_t i = 0; i < servers->list.count; i++) {
        const struct local_server *server = &servers->list.items[i];
        const char *state = state_of(server);
        const char *size = size_text(cli->arena, local_server_size_bytes(server));
        printf("%-*s  %-8s %-10s %6d %8s\n", width, server->name, server->version, state,
               server->port, size);
        if (strcmp(state, "running") == 0)
            printf("%*s  %s%s%s\n", width, "", style->dim,
                   local_server_psql(cli->arena, server, NULL), style->reset);
    }
}

static bool
print_json(const struct cli *cli, const struct local_servers *servers, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < servers->list.count; i++) {
        const struct local_server *server = &servers->list.items[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:s, s:b, s:s, s:s}", "name",
                            server->name, "version", server->version, "state", state_of(server),
                            "pid", (int)local_server_pid(server), "port", server->port,
                            "size_bytes", (json_int_t)local_server_size_bytes(server), "folder",
                            server->folder, "is_demo", server->is_demo, "conninfo",
                            local_server_conninfo(cli->arena, server, NULL), "psql",
                            local_server_psql(cli->arena, server, NULL)));
    }
    return cli_print_json(cli_json_whole(list, servers->list.count), err);
}

int
cmd_status(struct cli *cli, const struct cli_command *command, int argc, char **argv,
           struct error *err)
{
    struct cli_list operands = {0};
    struct local_servers servers;

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err) ||
        !local_server_list(cli->arena, &servers, err))
        return cli_failed(err);
    if (cli->is_json)
        return print_json(cli, &servers, err) ? 0 : cli_failed(err);
    print_table(cli, &servers);
    return 0;
}
