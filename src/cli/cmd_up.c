// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "local/server.h"

#include <stdio.h>
#include <string.h>

struct up {
    struct cli *cli;
    const char *name;
    const char *bin_folder; /* --bindir */
    long major;             /* --version; 0: any */
    bool was_running;
    bool was_made;
};

static bool
print_server(const struct up *up, const struct local_server *server, struct error *err)
{
    struct arena *arena = up->cli->arena;
    const char *conninfo = local_server_conninfo(arena, server, NULL);
    const char *psql = local_server_psql(arena, server, NULL);

    if (!up->cli->is_json) {
        printf("server \"%s\" %s: PostgreSQL %s on port %d\n  conninfo: %s\n  psql:     %s\n",
               server->name, up->was_running ? "is running already" : "is running", server->version,
               server->port, conninfo, psql);
        return true;
    }
    json_t *object =
        json_pack("{s:s, s:s, s:i, s:s, s:b, s:s, s:s}", "name", server->name, "version",
                  server->version, "port", server->port, "folder", server->folder, "was_running",
                  up->was_running, "conninfo", conninfo, "psql", psql);
    return cli_print_json(object, err);
}

static bool
make_server(struct up *up, struct local_server *server, struct error *err)
{
    struct arena *arena = up->cli->arena;
    struct local_recipe recipe = {.name = up->name};
    bool is_found = up->bin_folder != NULL
                        ? local_programs_in(arena, up->bin_folder, &recipe.programs, err)
                        : local_programs_find(arena, (int)up->major, &recipe.programs, err);

    if (!is_found)
        return false;
    cli_progress(up->cli, "creating server \"%s\" (PostgreSQL %s)", up->name,
                 recipe.programs.version);
    up->was_made = true;
    bool is_made = local_server_create(arena, &recipe, server, err);
    cli_progress_end(up->cli);
    return is_made;
}

/* An option that asks for something other than what is there is not passed over. */
static bool
check_version(const struct up *up, const struct local_server *server, struct error *err)
{
    struct local_programs programs;
    int major = (int)up->major;

    if (up->bin_folder != NULL) {
        if (!local_programs_in(up->cli->arena, up->bin_folder, &programs, err))
            return false;
        major = programs.major;
    }
    if (major == 0 || major == server->major)
        return true;
    error_set(err, ERROR_REFUSED, "server \"%s\" is there already, with PostgreSQL %d, not %d",
              server->name, server->major, major);
    return error_hint(err, "Give another name, or remove it first: pgdeck down %s --destroy.",
                      server->name);
}

static bool
bring_up(struct up *up, struct error *err)
{
    struct arena *arena = up->cli->arena;
    struct local_server server;
    struct error ignored;
    bool is_there;

    if (!local_server_find(arena, up->name, &server, &is_there, err))
        return false;
    if (is_there) {
        if (!check_version(up, &server, err))
            return false;
    } else if (!make_server(up, &server, err)) {
        return false;
    }
    up->was_running = local_server_pid(&server) != 0;
    if (!up->was_running) {
        if (up->bin_folder != NULL)
            server.bin_folder = up->bin_folder;
        cli_progress(up->cli, "starting server \"%s\"", up->name);
        bool is_started = local_server_start(arena, &server, err);
        cli_progress_end(up->cli);
        /* Ctrl-C takes back what this command made; a fault leaves the log to look at. */
        if (!is_started && up->was_made && err->code == ERROR_INTERRUPTED &&
            !local_server_destroy(&server, &ignored))
            error_detail(err, "%s", ignored.message);
        if (!is_started)
            return false;
    }
    return print_server(up, &server, err);
}

int
cmd_up(struct cli *cli, const struct cli_command *command, int argc, char **argv, struct error *err)
{
    struct up up = {.cli = cli, .name = LOCAL_DEFAULT_NAME};
    const struct cli_option options[] = {
        {"version", 0, CLI_NUMBER, "MAJOR", "a new server's PostgreSQL; default the one found",
         &up.major},
        {"bindir", 0, CLI_TEXT, "FOLDER", "where postgres and initdb are", &up.bin_folder},
    };
    struct cli_list operands = {0};
    int lock;

    if (!cli_parse(cli, command, CLI_OPTIONS(options), argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count > 1) {
        error_set(err, ERROR_USAGE, "up takes one name");
        return cli_failed(err);
    }
    if (operands.values.count == 1)
        up.name = operands.values.items[0];
    if (!local_lock(cli->arena, &lock, err))
        return cli_failed(err);
    bool is_up = bring_up(&up, err);
    local_unlock(lock);
    return is_up ? 0 : cli_failed(err);
}
