// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "local/companion.h"
#include "local/programs.h"

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
#define RATE "60"      /* transactions a second in the measured database */
#define SMALL_RATE "4" /* in each other one */

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

/* --- the dashboard ------------------------------------------------------------------------ */

/* What stands behind "dashboard: " in the log; NULL: not yet. */
static const char *
find_url(struct arena *arena, const char *log)
{
    static const char mark[] = "dashboard: ";
    struct error ignored;
    size_t length;
    char *text;

    if (!file_read(arena, log, &text, &length, &ignored))
        return NULL;
    const char *url = strstr(text, mark);
    size_t size = url == NULL ? 0 : strcspn(url, "\n");
    return url == NULL || url[size] == '\0'
               ? NULL
               : arena_strndup(arena, url + strlen(mark), size - strlen(mark));
}

static bool
start_watch(struct demo *demo, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const char *log = arena_printf(arena, "%s/watch.log", demo->folder);
    const struct cli_list *sets = &demo->cli->sets;
    char program[PATH_MAX] = "";
    LIST_OF(const char *) arguments = {0};

    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        return error_errno(err, "cannot find the program itself");
    const char *const words[] = {program,         "watch",    "--deck",
                                 demo->deck_path, "--listen", "127.0.0.1:0"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        *LIST_ADD(arena, &arguments) = words[i];
    for (size_t i = 0; i < sets->values.count; i++) {
        *LIST_ADD(arena, &arguments) = "--set";
        *LIST_ADD(arena, &arguments) = sets->values.items[i];
    }
    *LIST_ADD(arena, &arguments) = NULL;
    if (!start(demo, arguments.items, log, err))
        return false;
    for (int waited_ms = 0; waited_ms < START_MS; waited_ms += POLL_MS) {
        demo->dashboard = find_url(arena, log);
        if (demo->dashboard != NULL)
            return true;
        if (!interrupt_sleep_ms(POLL_MS, err))
            return false;
    }
    error_set(err, ERROR_INTERNAL, "pgdeck watch does not start");
    return error_hint(err, "Its log is %s.", log);
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

static bool
start_load(struct demo *demo, const struct deck_database *database, const struct load *load,
           struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const struct local_server *server = &demo->servers[DEMO_DECK];
    bool is_measured = database == demo->measured;
    int clients = is_measured ? CLIENTS : SMALL_CLIENTS;
    const char *const words[] = {
        load->program,
        "--no-vacuum",
        "--protocol=prepared",
        "--time=" LOAD_S,
        is_measured ? "--rate=" RATE : "--rate=" SMALL_RATE,
        arena_printf(arena, "--client=%d", clients),
    };
    LIST_OF(const char *) arguments = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        *LIST_ADD(arena, &arguments) = words[i];
    for (size_t i = 0; i < load->scripts.values.count; i++)
        *LIST_ADD(arena, &arguments) =
            arena_printf(arena, "--file=%s", load->scripts.values.items[i]);
    *LIST_ADD(arena, &arguments) = arena_printf(
        arena, "%s application_name=load", local_server_conninfo(arena, server, database->name));
    *LIST_ADD(arena, &arguments) = NULL;
    return start(demo, arguments.items,
                 arena_printf(arena, "%s/load-%s.log", demo->folder, database->name), err);
}

bool
demo_go_live(struct demo *demo, struct error *err)
{
    struct load load = {.program = local_program_find(demo->cli->arena, "pgbench")};

    if (!find_scripts(demo, &load.scripts, err) || !start_watch(demo, err))
        return false;
    demo->load = load.scripts.values.count == 0 ? "There is no load: the deck has no folder load/."
                 : load.program == NULL ? "There is no load: the program pgbench is not here."
                                        : "It shows a load that goes on for an hour.";
    if (load.scripts.values.count == 0 || load.program == NULL)
        return true;
    for (size_t i = 0; i < demo->deck->databases.count; i++) {
        const struct deck_database *database = &demo->deck->databases.items[i];
        if (database->schema != NULL && !start_load(demo, database, &load, err))
            return false;
    }
    return true;
}
