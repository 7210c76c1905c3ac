// SPDX-License-Identifier: MIT
#include "local/server.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/state.h"
#include "base/text.h"
#include "base/tree.h"
#include "local/companion.h"
#include "local/create.h"
#include "local/postmaster.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_TIMEOUT_S = 120, PORT_TRIES = 5, LOCK_POLL_MS = 100, NAME_LIMIT = 63 };

/* --- where they are ----------------------------------------------------------------------- */

static bool
servers_folder(struct arena *arena, const char **ret_folder, struct error *err)
{
    char real[PATH_MAX];
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    if (realpath(state, real) == NULL)
        return error_errno(err, "cannot find the state folder \"%s\"", state);
    char *folder = arena_printf(arena, "%s/servers", real);
    if (!file_make_folder(folder, geteuid() == 0 ? 0755 : 0700, err))
        return false;
    *ret_folder = folder;
    return true;
}

bool
local_lock(struct arena *arena, int *ret_lock, struct error *err)
{
    const char *folder;

    if (!servers_folder(arena, &folder, err))
        return false;
    char *path = arena_printf(arena, "%s/.lock", folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return error_errno(err, "cannot open \"%s\"", path);
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (!interrupt_sleep_ms(LOCK_POLL_MS, err)) {
            close(lock);
            return error_wrap(err, "waiting for another pgdeck");
        }
    }
    *ret_lock = lock;
    return true;
}

void
local_unlock(int lock)
{
    close(lock);
}

static bool
check_name(const char *name, struct error *err)
{
    size_t length = strlen(name);
    bool is_fine = length > 0 && length <= NAME_LIMIT && isalnum((unsigned char)name[0]);

    for (size_t i = 0; i < length && is_fine; i++)
        is_fine = isalnum((unsigned char)name[i]) || strchr("-_.", name[i]) != NULL;
    if (is_fine)
        return true;
    error_set(err, ERROR_USAGE, "\"%s\" cannot be the name of a private server", name);
    return error_hint(err, "Letters, digits, dots, dashes and underscores, at most %d.",
                      NAME_LIMIT);
}

bool
local_server_find(struct arena *arena, const char *name, struct local_server *ret_server,
                  bool *ret_is_there, struct error *err)
{
    const char *folder;

    if (!check_name(name, err) || !servers_folder(arena, &folder, err))
        return false;
    *ret_server = (struct local_server){0};
    local_server_place(arena, folder, name, ret_server);
    *ret_is_there = file_exists(ret_server->folder);
    return !*ret_is_there || local_record_read(arena, ret_server, err);
}

static int
by_name(const void *left, const void *right)
{
    const struct local_server *left_server = left;
    const struct local_server *right_server = right;

    return strcmp(left_server->name, right_server->name);
}

bool
local_server_list(struct arena *arena, struct local_servers *ret_servers, struct error *err)
{
    struct error ignored;
    const struct dirent *entry;
    const char *path;
    DIR *folder;

    *ret_servers = (struct local_servers){0};
    if (!servers_folder(arena, &path, err))
        return false;
    folder = opendir(path);
    if (folder == NULL)
        return error_errno(err, "cannot read \"%s\"", path);
    while ((entry = readdir(folder)) != NULL) {
        struct local_server server = {0};
        if (entry->d_name[0] == '.')
            continue;
        local_server_place(arena, path, arena_strdup(arena, entry->d_name), &server);
        if (local_record_read(arena, &server, &ignored))
            *LIST_ADD(arena, &ret_servers->list) = server;
    }
    closedir(folder);
    if (ret_servers->list.count > 0)
        qsort(ret_servers->list.items, ret_servers->list.count, sizeof(struct local_server),
              by_name);
    return true;
}

/* --- start and stop ----------------------------------------------------------------------- */

/* port 0: the kernel picks one. Returns the port, 0 when it is taken. */
static int
try_port(int port)
{
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe < 0)
        return 0;
    /* As PostgreSQL does; one that still listens is noticed all the same. */
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bool is_free = bind(probe, (struct sockaddr *)&address, length) == 0 && listen(probe, 1) == 0 &&
                   getsockname(probe, (struct sockaddr *)&address, &length) == 0;
    close(probe);
    return is_free ? ntohs(address.sin_port) : 0;
}

bool
local_pick_port(int wanted, int *ret_port, struct error *err)
{
    int port = wanted == 0 ? 0 : try_port(wanted);

    if (port == 0)
        port = try_port(0);
    if (port == 0)
        return error_set(err, ERROR_INTERNAL, "no free port on 127.0.0.1");
    *ret_port = port;
    return true;
}

/* The programs may have moved, or a newer minor version may have been installed. */
static bool
find_programs(struct arena *arena, struct local_server *server, struct error *err)
{
    struct local_programs programs;
    struct error ignored;

    if ((!local_programs_in(arena, server->bin_folder, &programs, &ignored) ||
         programs.major != server->major) &&
        !local_programs_find(arena, server->major, &programs, err))
        return error_wrap(err, "server \"%s\"", server->name);
    server->bin_folder = programs.folder;
    server->version = programs.version;
    return true;
}

/* Port, socket and name are given on the command line: nothing in the data directory can change
 * them, whatever settings pgdeck or the user put there. */
static bool
start_once(struct arena *arena, const struct local_server *server, struct error *err)
{
    char *port = arena_printf(arena, "port=%d", server->port);
    char *socket = arena_printf(arena, "unix_socket_directories=%s", server->socket_folder);
    char *name = arena_printf(arena, "cluster_name=pgdeck/%s", server->name);
    const char *const arguments[] = {arena_printf(arena, "%s/postgres", server->bin_folder),
                                     "-D",
                                     server->data,
                                     "-c",
                                     "listen_addresses=127.0.0.1",
                                     "-c",
                                     port,
                                     "-c",
                                     socket,
                                     "-c",
                                     name,
                                     NULL};
    const struct local_start start = {.arguments = arguments,
                                      .data_directory = server->data,
                                      .log = server->log,
                                      .timeout_s = START_TIMEOUT_S};
    return local_postmaster_start(&start, err);
}

/* Somebody may take the port between our look and the start of the server. */
static bool
start_on_some_port(struct arena *arena, struct local_server *server, struct error *err)
{
    for (int tries = 1;; tries++) {
        if (!local_pick_port(server->port, &server->port, err))
            return false;
        if (start_once(arena, server, err))
            return true;
        if (err->code == ERROR_INTERRUPTED || tries == PORT_TRIES || try_port(server->port) != 0)
            return false;
        server->port = 0;
    }
}

bool
local_server_start(struct arena *arena, struct local_server *server, struct error *err)
{
    struct error ignored;

    if (local_server_pid(server) != 0)
        return true;
    local_postmaster_end_orphans(server->data);
    local_postmaster_forget(server->data);
    /* Recorded at once, so that it is known whatever becomes of the start. */
    if (!find_programs(arena, server, err) || !local_socket_folder(arena, server, err) ||
        !local_record_write(server, err))
        return false;
    if (!start_on_some_port(arena, server, err))
        return error_wrap(err, "cannot start server \"%s\"", server->name);
    if (!local_record_write(server, err)) {
        if (!local_postmaster_stop(server->data, LOCAL_STOP_FAST, &ignored))
            error_detail(err, "%s", ignored.message);
        return false;
    }
    return true;
}

bool
local_server_stop(const struct local_server *server, bool is_discarded, struct error *err)
{
    enum local_stop how = is_discarded ? LOCAL_STOP_IMMEDIATE : LOCAL_STOP_FAST;

    local_companions_end(server);
    if (!local_postmaster_stop(server->data, how, err))
        return false;
    local_postmaster_end_orphans(server->data);
    return true;
}

bool
local_server_destroy(const struct local_server *server, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    struct local_server marked = *server;

    /* Nothing is removed that does not carry the mark at this very moment. */
    if (!local_record_read(arena, &marked, err) || !local_server_stop(server, true, err))
        return false;
    local_postmaster_forget(server->data);
    return local_server_remove(&marked, err);
}

pid_t
local_server_pid(const struct local_server *server)
{
    return local_postmaster_pid(server->data);
}

int64_t
local_server_size_bytes(const struct local_server *server)
{
    return tree_size_bytes(server->folder);
}

/* --- how to reach it ---------------------------------------------------------------------- */

/* A value of a conninfo: quoted where libpq wants it. */
static void
append_value(struct text *text, const char *name, const char *value)
{
    text_appendf(text, "%s%s=", text->length == 0 ? "" : " ", name);
    if (value[0] != '\0' && strpbrk(value, " \t\n'\\") == NULL) {
        text_append(text, value);
        return;
    }
    text_append(text, "'");
    for (; *value != '\0'; value++)
        text_appendf(text, "%s%c", *value == '\'' || *value == '\\' ? "\\" : "", *value);
    text_append(text, "'");
}

static void
append_conninfo(struct text *text, const struct local_server *server, const char *host,
                const char *user, const char *database, const char *passfile)
{
    char port[16];

    snprintf(port, sizeof(port), "%d", server->port);
    append_value(text, "host", host);
    append_value(text, "port", port);
    append_value(text, "user", user);
    append_value(text, "dbname", database == NULL ? "postgres" : database);
    append_value(text, "passfile", passfile);
}

char *
local_server_conninfo(struct arena *arena, const struct local_server *server, const char *database)
{
    AUTO_TEXT text = {0};

    append_conninfo(&text, server, server->socket_folder, LOCAL_SUPERUSER, database,
                    server->passfile);
    return arena_strdup(arena, text_chars(&text));
}

char *
local_server_tls_conninfo(struct arena *arena, const struct local_server *server,
                          const char *database, const char *user, const char *passfile)
{
    AUTO_TEXT text = {0};

    append_conninfo(&text, server, "127.0.0.1", user == NULL ? LOCAL_SUPERUSER : user, database,
                    passfile == NULL ? server->passfile : passfile);
    append_value(&text, "sslmode", "verify-full");
    append_value(&text, "sslrootcert", arena_printf(arena, "%s/root.crt", server->folder));
    return arena_strdup(arena, text_chars(&text));
}

char *
local_psql(struct arena *arena, const char *conninfo)
{
    AUTO_TEXT line = {0};

    text_append(&line, "psql ");
    text_append_word(&line, conninfo);
    return arena_strdup(arena, text_chars(&line));
}

char *
local_server_psql(struct arena *arena, const struct local_server *server, const char *database)
{
    return local_psql(arena, local_server_conninfo(arena, server, database));
}
