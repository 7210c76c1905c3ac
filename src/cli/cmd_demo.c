// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/file.h"
#include "base/state.h"
#include "base/text.h"
#include "cli/bench_table.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { FULL_SIZE = 1000, LARGEST_SIZE = 100000, TERMINAL_PAUSE_S = 1, LOG_PAUSE_S = 10 };

struct step {
    const char *title;
    bool (*run)(struct demo *demo, struct error *err);
};

static const struct step steps[] = {
    {"the deck, and room for two servers", demo_prepare},
    {"two private servers: stock and deck", demo_make_servers},
    {"stock: the plain schema on PostgreSQL's defaults", demo_make_stock},
    {"deck: pgdeck plan", demo_plan},
    {"deck: pgdeck apply, then plan again", demo_apply},
    {"both: the same data", demo_load},
    {"deck: who gets in, and sees what", demo_secure},
    {"both: the same queries, block by block in turn", demo_measure},
};
enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

/* --- progress ----------------------------------------------------------------------------- */

static double
elapsed_s(const struct demo *demo)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - demo->started.tv_sec) +
           (double)(now.tv_nsec - demo->started.tv_nsec) / 1e9;
}

void
demo_progress(struct demo *demo, const char *line)
{
    double now_s = elapsed_s(demo);
    double pause_s = isatty(STDERR_FILENO) ? TERMINAL_PAUSE_S : LOG_PAUSE_S;

    if (now_s - demo->shown_s < pause_s)
        return;
    demo->shown_s = now_s;
    cli_progress(demo->cli, "  %4.0f s  %s", now_s, line);
}

static void
begin_step(struct demo *demo, size_t number)
{
    const struct cli_style *style = cli_style(demo->cli);

    fflush(stdout);
    cli_progress(demo->cli, "%s[%zu/%d]%s %4.0f s  %s", style->bold, number + 1, STEP_COUNT,
                 style->reset, elapsed_s(demo), steps[number].title);
    cli_progress_end(demo->cli);
    demo->shown_s = elapsed_s(demo);
}

/* --- the end ------------------------------------------------------------------------------ */

static const char *
word(struct arena *arena, const char *chars)
{
    AUTO_TEXT text = {0};

    text_append_word(&text, chars);
    return arena_strdup(arena, text_chars(&text));
}

/* How to call this program again from the same shell: it may not be in PATH. */
static const char *
program_of(struct arena *arena)
{
    char program[PATH_MAX];
    const char *state = getenv("PGDECK_STATE_DIR");
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (length < 0)
        return "pgdeck";
    program[length] = '\0';
    return state == NULL ? word(arena, program)
                         : arena_printf(arena, "PGDECK_STATE_DIR=%s %s", word(arena, state),
                                        word(arena, program));
}

static void
print_servers(const struct demo *demo)
{
    struct arena *arena = demo->cli->arena;
    const char *database = demo->measured->name, *program = program_of(arena);

    printf("\nThe servers are running. To look at them:\n  stock  %s\n  deck   %s\n",
           local_server_psql(arena, &demo->servers[DEMO_STOCK], database),
           local_server_psql(arena, &demo->servers[DEMO_DECK], database));
    if (demo->service != NULL)
        printf("As one of its services, with TLS:\n  %s\n", local_psql(arena, demo->service));
    printf("\nDashboard:  %s\n%s\n", demo->dashboard, demo->load);
    printf("Change the deck and go on:  %s plan --deck %s\n"
           "Stop and remove them:       %s down demo-stock demo-deck --destroy --yes\n",
           program, word(arena, demo->deck_path), program);
}

static void
print_end(const struct demo *demo)
{
    if (demo->cli->is_json) {
        char *json = bench_json(demo->results);
        puts(json == NULL ? "{}" : json);
        free(json);
        return;
    }
    putchar('\n');
    cli_print_bench(demo->cli, demo->results);
    printf("\nreport: %s/report.html\ndeck:   %s\n", demo->report_folder, demo->deck_path);
    if (demo->is_kept)
        print_servers(demo);
    else
        printf("\nThe servers and their data are gone; pgdeck demo --keep leaves them running.\n");
}

/* After a fault the data stays for a look, stopped; after success and Ctrl-C it goes. */
static bool
clean_up(struct demo *demo, bool is_removed, struct error *err)
{
    bool is_fine = true;

    for (size_t i = 0; i < DEMO_SERVERS; i++) {
        struct error fault = {0};
        if (!demo->is_made[i])
            continue;
        bool is_gone = is_removed ? local_server_destroy(&demo->servers[i], &fault)
                                  : local_server_stop(&demo->servers[i], false, &fault);
        if (is_gone)
            continue;
        if (is_fine)
            *err = fault;
        is_fine = false;
    }
    return is_fine;
}

static void
end_in_fault(struct demo *demo, const struct error *err)
{
    struct error fault = {0};
    bool is_interrupted = err->code == ERROR_INTERRUPTED;

    if (!clean_up(demo, is_interrupted, &fault))
        cli_print_error(&fault);
    else if (!is_interrupted && demo->is_made[DEMO_STOCK])
        fprintf(stderr, "The demo's servers are stopped; data and logs are left to look at "
                        "(pgdeck status). The next demo removes them.\n");
}

/* --- the command -------------------------------------------------------------------------- */

static bool
run_steps(struct demo *demo, struct error *err)
{
    for (size_t i = 0; i < STEP_COUNT; i++) {
        begin_step(demo, i);
        if (!steps[i].run(demo, err))
            return false;
    }
    if (demo->is_kept ? !demo_go_live(demo, err) : !clean_up(demo, true, err))
        return false;
    print_end(demo);
    return true;
}

/* One demo at a time: the next would remove this one's servers. */
static bool
lock_demo(struct demo *demo, int *ret_lock, struct error *err)
{
    struct arena *arena = demo->cli->arena;
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    demo->folder = arena_printf(arena, "%s/demo", state);
    demo->report_folder = arena_printf(arena, "%s/report", demo->folder);
    char *path = arena_printf(arena, "%s/.lock", demo->folder);
    if (!file_make_folder(demo->folder, geteuid() == 0 ? 0755 : 0700, err))
        return false;
    *ret_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*ret_lock < 0)
        return error_errno(err, "cannot open \"%s\"", path);
    if (flock(*ret_lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(*ret_lock);
    return error_set(err, ERROR_LOCKED, "another pgdeck demo is running");
}

int
cmd_demo(struct cli *cli, const struct cli_command *command, int argc, char **argv,
         struct error *err)
{
    struct demo demo = {.cli = cli, .size = FULL_SIZE};
    const struct cli_option options[] = {
        {"keep", 0, CLI_FLAG, NULL, "leave the servers running", &demo.is_kept},
        {"size", 0, CLI_NUMBER, "N", "of the data; default 1000: 300 000 tasks", &demo.size},
        {"quick", 0, CLI_FLAG, NULL, "measure only briefly", &demo.is_quick},
    };
    const char *default_deck = cli->deck_path;
    struct cli_list operands = {0};
    int lock;

    if (!cli_parse(cli, command, CLI_OPTIONS(options), argc, argv, &operands, err))
        return cli_failed(err);
    if (demo.size < 1 || demo.size > LARGEST_SIZE) {
        error_set(err, ERROR_USAGE, "--size: %ld is not between 1 and %d", demo.size, LARGEST_SIZE);
        return cli_failed(err);
    }
    if (cli->deck_path != default_deck)
        demo.template_path = cli->deck_path;
    clock_gettime(CLOCK_MONOTONIC, &demo.started);
    if (!lock_demo(&demo, &lock, err))
        return cli_failed(err);
    bool is_done = run_steps(&demo, err);
    if (!is_done)
        end_in_fault(&demo, err);
    close(lock);
    return is_done ? 0 : cli_failed(err);
}
