// SPDX-License-Identifier: MIT
#include "cli/demo.h"

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* plan and apply run as what they are for everybody else: programs with arguments, on the
 * terminal. So the demo shows what its reader will see, and a fault in one cannot take the
 * demo's own clean-up with it. */

enum { NOTHING_TO_DO = 0, HAS_CHANGES = 2 };

enum error_code
demo_code_of_status(int status)
{
    for (int code = ERROR_INTERNAL; code <= ERROR_INTERRUPTED; code++) {
        if (error_exit_status((enum error_code)code) == status)
            return (enum error_code)code;
    }
    return ERROR_INTERNAL;
}

bool
demo_run(struct demo *demo, const char *const words[4], const char *transcript, int *ret_status,
         struct error *err)
{
    struct arena *arena = demo->cli->arena;
    char program[PATH_MAX] = "";
    const char *color = demo->cli->has_color ? "--color=always" : "--color=never";
    const char *const common[] = {"--deck", demo->deck_path, color};
    const struct cli_list *sets = &demo->cli->sets;
    LIST_OF(const char *) arguments = {0};
    int output = 0;
    pid_t pid;

    if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
        return error_errno(err, "cannot find the program itself");
    *LIST_ADD(arena, &arguments) = program;
    for (size_t i = 0; i < 4 && words[i] != NULL; i++)
        *LIST_ADD(arena, &arguments) = words[i];
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        *LIST_ADD(arena, &arguments) = common[i];
    for (size_t i = 0; i < sets->values.count; i++) {
        *LIST_ADD(arena, &arguments) = "--set";
        *LIST_ADD(arena, &arguments) = sets->values.items[i];
    }
    if (demo->cli->is_quiet)
        *LIST_ADD(arena, &arguments) = "--quiet";
    *LIST_ADD(arena, &arguments) = NULL;
    if (transcript != NULL) {
        output = open(transcript, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (output < 0)
            return error_errno(err, "cannot write \"%s\"", transcript);
    }
    fflush(stdout);
    const struct process_spec spec = {
        .arguments = arguments.items, .has_terminal = true, .output = output};
    bool is_fine = process_start(&spec, &pid, err) && process_wait(pid, ret_status, err);
    if (output > 0)
        close(output);
    return is_fine;
}

void
demo_print_last_line(struct demo *demo, const char *path)
{
    struct error ignored;
    char *text;
    size_t length;

    if (!file_read(demo->cli->arena, path, &text, &length, &ignored))
        return;
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *last = strrchr(text, '\n');
    if (!demo->cli->is_json)
        printf("%s\n", last == NULL ? text : last + 1);
}

bool
demo_plan(struct demo *demo, struct error *err)
{
    const char *const words[4] = {"plan", "--detailed-exitcode"};
    const char *transcript =
        demo->cli->is_json ? arena_printf(demo->cli->arena, "%s/plan.txt", demo->folder) : NULL;
    int status;

    if (!demo_run(demo, words, transcript, &status, err))
        return false;
    if (status != HAS_CHANGES)
        return error_set(err, demo_code_of_status(status), "pgdeck plan ended with status %d",
                         status);
    return true;
}

bool
demo_apply(struct demo *demo, struct error *err)
{
    const char *const apply[4] = {"apply", "--yes", "--restart"};
    const char *const again[4] = {"plan", "--detailed-exitcode"};
    const char *transcript = arena_printf(demo->cli->arena, "%s/apply.txt", demo->folder);
    const char *second = arena_printf(demo->cli->arena, "%s/plan-again.txt", demo->folder);
    int status;

    if (!demo_run(demo, apply, transcript, &status, err))
        return false;
    demo_print_last_line(demo, transcript);
    if (status != 0)
        return error_set(err, demo_code_of_status(status), "pgdeck apply ended with status %d",
                         status);
    if (!demo_run(demo, again, second, &status, err))
        return false;
    demo_print_last_line(demo, second);
    if (status == HAS_CHANGES) {
        error_set(err, ERROR_INTERNAL, "after apply there is still something to do");
        return error_hint(err, "It is in \"%s\".", second);
    }
    if (status != NOTHING_TO_DO)
        return error_set(err, demo_code_of_status(status), "pgdeck plan ended with status %d",
                         status);
    unlink(second);
    return true;
}
