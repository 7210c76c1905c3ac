// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/state.h"
#include "base/text.h"
#include "local/companion.h"
#include "local/programs.h"
#include "security/password.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `demo --keep` leaves running beside its servers. All of it is a companion of the deck's
 * server, so that `pgdeck down` ends it. */

enum { START_MS = 15000, POLL_MS = 50, CLIENTS = 16, SMALL_CLIENTS = 2 };

#define LOAD_S "3600"
static const double rate = 60, small_rate = 4; /* transactions a second in the measured database,
                                                * in each other one */

static bool
start(struct demo *demo, const char *const *arguments, const char *log, struct error *err)
{
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    pid_t pid;

    if (output < 0)
        return error_errno(err, "cannot write \"%s\"", log);
    const struct process_spec spec = {
        .arguments = arguments, .output = output, .outlives_us = true, .folder = demo->folder};
    bool is_started =
        process_start(&spec, &pid, err) && local_companion_add(&demo->servers[DEMO_DECK], pid, err);
    close(output);
    return is_started;
}

/* --- pgdeck pool and watch ---------------------------------------------------------------- */

/* What stands behind mark in the log; NULL: not yet. */
static const char *
find_line(struct arena *arena, const char *log, const char *mark)
{
    struct error ignored;
    size_t length;
    char *text;

    if (!file_read(arena, log, &text, &length, &ignored))
        return NULL;
    const char *line = strstr(text, mark);
    size_t size = line == NULL ? 0 : strcspn(line, "\n");
    return line == NULL || line[size] == '\0'
               ? NULL
               : arena_strndup(arena, line + strlen(mark), size - strlen(mark));
}

/* Starts this program with that command, and waits for a line of its log that begins so. */
static bool
start_daemon(struct demo *demo, const char *const words[4], const char *mark, const char **ret_line,
             struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const char *log = arena_printf(arena, "%s/%s.log", demo->folder, words[0]);
    const struct cli_list *sets = &demo->cli->sets;
    char program[PATH_MAX] = "";
    LIST_OF(const char *) arguments = {0};

    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        return error_errno(err, "cannot find the program itself");
    *LIST_ADD(arena, &arguments) = program;
    for (size_t i = 0; i < 4 && words[i] != NULL; i++)
        *LIST_ADD(arena, &arguments) = words[i];
    *LIST_ADD(arena, &arguments) = "--allow-root"; /* as whoever runs the demo */
    *LIST_ADD(arena, &arguments) = "--deck";
    *LIST_ADD(arena, &arguments) = demo->deck_path;
    for (size_t i = 0; i < sets->values.count; i++) {
        *LIST_ADD(arena, &arguments) = "--set";
        *LIST_ADD(arena, &arguments) = sets->values.items[i];
    }
    *LIST_ADD(arena, &arguments) = NULL;
    if (!start(demo, arguments.items, log, err))
        return false;
    for (int waited_ms = 0; waited_ms < START_MS; waited_ms += POLL_MS) {
        *ret_line = find_line(arena, log, mark);
        if (*ret_line != NULL)
            return true;
        if (!interrupt_sleep_ms(POLL_MS, err))
            return false;
    }
    error_set(err, ERROR_INTERNAL, "pgdeck %s does not start", words[0]);
    return error_hint(err, "Its log is %s.", log);
}

static bool
start_daemons(struct demo *demo, struct error *err)
{
    static const char *const pool[4] = {"pool"};
    static const char *const watch[4] = {"watch", "--listen", "127.0.0.1:0"};
    const char *ignored;

    return (!demo->has_pool || start_daemon(demo, pool, "listening on ", &ignored, err)) &&
           start_daemon(demo, watch, "dashboard: ", &demo->dashboard, err);
}

/* --- load --------------------------------------------------------------------------------- */

/* "FILE@WEIGHT" of each script, weight from its line `-- weight: N`. */
static bool
find_scripts(struct demo *demo, struct cli_list *ret_scripts, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    glob_t found;
    bool is_fine = true;

    if (glob(file_path_beside(arena, demo->template_path, "load/*.sql"), 0, NULL, &found) != 0)
        return true;
    for (size_t i = 0; i < found.gl_pathc && is_fine; i++) {
        static const char mark[] = "\n-- weight: ";
        char *text;
        size_t length;
        is_fine = file_read(arena, found.gl_pathv[i], &text, &length, err);
        const char *line = is_fine ? strstr(text, mark) : NULL;
        long weight = line == NULL ? 1 : strtol(line + strlen(mark), NULL, 10);
        *LIST_ADD(arena, &ret_scripts->values) =
            arena_printf(arena, "%s@%ld", found.gl_pathv[i], weight);
    }
    globfree(&found);
    return is_fine;
}

struct load {
    const char *program; /* pgbench */
    struct cli_list scripts;
};

/* As that service, through the pool. */
static bool
pool_conninfo(struct demo *demo, const struct deck_database *database, const char *service,
              const char **ret_conninfo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    AUTO_TEXT passfile = {0};
    for (const char *at = password_file_path(arena, state, demo->deck->name); *at != '\0'; at++)
        text_appendf(&passfile, *at == '\'' || *at == '\\' ? "\\%c" : "%c", *at);
    *ret_conninfo = arena_printf(arena, "host=127.0.0.1 port=%d user=%s dbname=%s passfile='%s'",
                                 demo->deck->pooler.port,
                                 deck_login_role(arena, database->environment, service),
                                 database->name, text_chars(&passfile));
    return true;
}

/* service NULL: as the superuser, straight to the server. */
static bool
start_load(struct demo *demo, const struct deck_database *database, const char *service,
           const struct load *load, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    bool is_measured = database == demo->measured;
    size_t parts = service == NULL ? 1 : database->services.count;
    const char *conninfo = local_server_conninfo(arena, &demo->servers[DEMO_DECK], database->name);
    const char *name = service == NULL ? "" : arena_printf(arena, "-%s", service);

    if (service != NULL && !pool_conninfo(demo, database, service, &conninfo, err))
        return false;
    size_t clients = (is_measured ? CLIENTS : SMALL_CLIENTS) / parts;
    const char *const words[] = {
        load->program,
        "--no-vacuum",
        "--protocol=prepared",
        "--time=" LOAD_S,
        arena_printf(arena, "--rate=%g", (is_measured ? rate : small_rate) / (double)parts),
        arena_printf(arena, "--client=%zu", clients == 0 ? 1 : clients),
    };
    LIST_OF(const char *) arguments = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        *LIST_ADD(arena, &arguments) = words[i];
    for (size_t i = 0; i < load->scripts.values.count; i++)
        *LIST_ADD(arena, &arguments) =
            arena_printf(arena, "--file=%s", load->scripts.values.items[i]);
    *LIST_ADD(arena, &arguments) = arena_printf(arena, "%s application_name=load", conninfo);
    *LIST_ADD(arena, &arguments) = NULL;
    return start(demo, arguments.items,
                 arena_printf(arena, "%s/load-%s%s.log", demo->folder, database->name, name), err);
}

static bool
start_loads(struct demo *demo, const struct deck_database *database, const struct load *load,
            struct error *err)
{
    if (database->services.count == 0)
        return start_load(demo, database, NULL, load, err);
    for (size_t i = 0; i < database->services.count; i++) {
        if (!start_load(demo, database, database->services.items[i], load, err))
            return false;
    }
    return true;
}

bool
demo_go_live(struct demo *demo, struct error *err)
{
    struct load load = {.program = local_program_find(demo->cli->arena, "pgbench")};

    if (!find_scripts(demo, &load.scripts, err) || !start_daemons(demo, err))
        return false;
    demo->load = load.scripts.values.count == 0 ? "There is no load: the deck has no folder load/."
                 : load.program == NULL ? "There is no load: the program pgbench is not here."
                 : demo->has_pool
                     ? "It shows a load that goes on for an hour: the deck's services, through "
                       "pgdeck pool."
                     : "It shows a load that goes on for an hour.";
    if (load.scripts.values.count == 0 || load.program == NULL)
        return true;
    for (size_t i = 0; i < demo->deck->databases.count; i++) {
        const struct deck_database *database = &demo->deck->databases.items[i];
        if (database->schema != NULL && !start_loads(demo, database, &load, err))
            return false;
    }
    return true;
}
