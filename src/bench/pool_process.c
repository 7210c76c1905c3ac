// SPDX-License-Identifier: MIT
#include "bench/pool_suite.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/tree.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_TRIES = 100, READY_PAUSE_MS = 100, MAX_CLIENTS = 20000 };

const int pool_sizes[POOL_SIZES] = {1, 2, 4, 8, 16};

const char *
pool_process_database(struct arena *arena, int size)
{
    return size == 0 ? "bench_full" : arena_printf(arena, "bench_%d", size);
}

/* A port that nobody listens on now; 0: none. */
static int
free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = 0;

    if (descriptor < 0)
        return 0;
    if (bind(descriptor, (struct sockaddr *)&address, length) == 0 &&
        getsockname(descriptor, (struct sockaddr *)&address, &length) == 0)
        port = ntohs(address.sin_port);
    close(descriptor);
    return port;
}

/* The one of the server's login; where that needs none, the pool's clients still do. */
static const char *
password_of(struct arena *arena, PGconn *server)
{
    const char *known = PQpass(server);
    unsigned char bytes[16];
    char *made = arena_alloc(arena, sizeof(bytes) * 2 + 1);

    if (known != NULL && known[0] != '\0')
        return arena_strdup(arena, known);
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return NULL;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(made + i * 2, 3, "%02x", bytes[i]);
    return made;
}

/* JSON is YAML. */
static json_t *
database_of(PGconn *server, int size)
{
    json_t *database = json_pack("{s:s, s:i, s:s, s:[s], s:i}", "host", PQhost(server), "port",
                                 atoi(PQport(server)), "database", PQdb(server), "users",
                                 PQuser(server), "max", size == 0 ? POOL_FULL_SIZE : size);
    static const char *const kept[] = {"sslmode", "sslrootcert", "sslcert", "sslkey"};
    PQconninfoOption *options = PQconninfo(server);

    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            if (PQsslInUse(server) != 0 && strcmp(option->keyword, kept[i]) == 0 &&
                option->val != NULL && option->val[0] != '\0')
                json_object_set_new(database, kept[i], json_string(option->val));
        }
    }
    PQconninfoFree(options);
    return database;
}

static bool
write_file(struct arena *arena, PGconn *server, const struct pool_process *process, int port,
           const char *password, struct error *err)
{
    const char *secret = arena_printf(arena, "%s/password", process->folder);
    json_t *databases = json_object();

    for (size_t i = 0; i < POOL_SIZES; i++)
        json_object_set_new(databases, pool_process_database(arena, pool_sizes[i]),
                            database_of(server, pool_sizes[i]));
    json_object_set_new(databases, pool_process_database(arena, 0), database_of(server, 0));
    json_t *file =
        json_pack("{s:{s:i, s:s, s:i}, s:o, s:{s:{s:s}}}", "pooler", "port", port, "socket_folder",
                  process->folder, "max_clients", MAX_CLIENTS, "databases", databases, "users",
                  PQuser(server), "password_file", secret);
    char *text = file == NULL ? NULL : json_dumps(file, JSON_INDENT(1));
    json_decref(file);
    bool is_fine = text == NULL
                       ? error_set(err, ERROR_INTERNAL, "a name for the pool is not UTF-8")
                       : file_write(secret, password, strlen(password), 0600, err) &&
                             file_write(arena_printf(arena, "%s/pool.yaml", process->folder), text,
                                        strlen(text), 0600, err);
    free(text);
    return is_fine;
}

static bool
start(struct arena *arena, struct pool_process *process, struct error *err)
{
    char program[PATH_MAX] = "";
    const char *config = arena_printf(arena, "%s/pool.yaml", process->folder);
    const char *log = arena_printf(arena, "%s/log", process->folder);
    const char *const arguments[] = {program, "pool", "--config", config, "--allow-root", NULL};

    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        return error_errno(err, "cannot find the program itself");
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (output < 0)
        return error_errno(err, "cannot write \"%s\"", log);
    const struct process_spec spec = {.arguments = arguments, .output = output};
    bool is_fine = process_start(&spec, &process->pid, err);
    close(output);
    return is_fine;
}

static bool
has_ended(struct pool_process *process)
{
    if (waitpid(process->pid, NULL, WNOHANG) != process->pid)
        return false;
    process->pid = 0;
    return true;
}

/* What the pool says when the server does not let it in, from its log; NULL: it did not. */
static const char *
refusal(struct arena *arena, const struct pool_process *process)
{
    char *text;
    size_t length;
    struct error ignored;

    if (!file_read(arena, arena_printf(arena, "%s/log", process->folder), &text, &length, &ignored))
        return NULL;
    const char *said = strstr(text, "cannot log in ");
    return said == NULL ? NULL : arena_printf(arena, "%.*s", (int)strcspn(said, "\n"), said);
}

static bool
not_serving(const char *said, const struct error *fault, struct error *err)
{
    error_set(err, ERROR_UNREACHABLE, "pgdeck pool does not serve: %s",
              said == NULL ? fault->message : said);
    return error_hint(err, "Can the pool log in to the server with a password, or by its Unix "
                           "socket? The suite uses the login of the deck's conninfo.");
}

static bool
wait_until_ready(struct arena *arena, struct pool_process *process, struct error *err)
{
    const struct pg_target target = {.conninfo = process->conninfo,
                                     .database = pool_process_database(arena, pool_sizes[0]),
                                     .is_application = true};
    struct error fault = {0};
    const char *said = NULL;

    for (int try = 0; try < READY_TRIES && said == NULL; try++) {
        AUTO_PGCONN connection = NULL;
        error_clear(&fault);
        if (pg_connect(&target, &connection, &fault))
            return true;
        if (fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        said = refusal(arena, process);
        if (has_ended(process) || fault.code != ERROR_UNREACHABLE)
            break;
        if (!interrupt_sleep_ms(READY_PAUSE_MS, err))
            return false;
    }
    return not_serving(said, &fault, err);
}

bool
pool_process_start(struct arena *arena, PGconn *server, struct pool_process *process,
                   struct error *err)
{
    char folder[] = "/tmp/pgdeck-bench-XXXXXX";
    const char *password = password_of(arena, server);
    int port = free_port();
    bool is_local = PQhost(server)[0] == '/';

    if (password == NULL || port == 0)
        return error_set(err, ERROR_INTERNAL, "no password or no port for a pool");
    if (mkdtemp(folder) == NULL)
        return error_errno(err, "cannot make a folder in /tmp");
    process->folder = arena_strdup(arena, folder);
    AUTO_TEXT quoted = {0};
    for (const char *at = password; *at != '\0'; at++)
        text_appendf(&quoted, "%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
    AUTO_TEXT user = {0};
    for (const char *at = PQuser(server); *at != '\0'; at++)
        text_appendf(&user, "%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
    process->conninfo = arena_printf(
        arena, "host=%s port=%d user='%s' password='%s' sslmode=disable",
        is_local ? process->folder : "127.0.0.1", port, text_chars(&user), text_chars(&quoted));
    if (!write_file(arena, server, process, port, password, err) || !start(arena, process, err))
        return false;
    return wait_until_ready(arena, process, err);
}

void
pool_process_stop(struct pool_process *process)
{
    struct error ignored;

    if (process->pid > 0) {
        kill(process->pid, SIGINT);
        waitpid(process->pid, NULL, 0);
    }
    process->pid = 0;
    if (process->folder != NULL && tree_remove(process->folder, &ignored))
        process->folder = NULL;
}
