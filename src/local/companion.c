// SPDX-License-Identifier: MIT
#include "local/companion.h"

#include "base/arena.h"
#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, POLL_MS = 20, START_FIELD = 22, STATE_FIELD = 3 };

static const char *
list_path(struct arena *arena, const struct local_server *server)
{
    return arena_printf(arena, "%s/companions", server->folder);
}

/* When a process was started, in ticks since the host was: with it a number that now belongs to
 * another is told apart. NULL: there is none, or it has ended and was not waited for. */
static const char *
start_of(struct arena *arena, long pid)
{
    const char *path = arena_printf(arena, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    char line[1024] = "";

    if (file == NULL)
        return NULL;
    size_t length = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[length] = '\0';
    char *rest = strrchr(line, ')'); /* of the name, which may hold anything */
    if (rest == NULL)
        return NULL;
    char *kept = NULL;
    char *word = strtok_r(rest + 1, " ", &kept);
    if (word == NULL || *word == 'Z')
        return NULL;
    for (int field = STATE_FIELD; field < START_FIELD && word != NULL; field++)
        word = strtok_r(NULL, " ", &kept);
    return word == NULL ? NULL : arena_strdup(arena, word);
}

bool
local_companion_add(const struct local_server *server, pid_t pid, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    const char *path = list_path(arena, server);
    const char *start = start_of(arena, pid);
    FILE *file = start == NULL ? NULL : fopen(path, "ae");

    if (start == NULL)
        return error_set(err, ERROR_INTERNAL, "process %d ended at once", (int)pid);
    if (file == NULL)
        return error_errno(err, "cannot write \"%s\"", path);
    fprintf(file, "%d %s\n", (int)pid, start);
    return fclose(file) == 0 || error_errno(err, "cannot write \"%s\"", path);
}

static bool
is_running(long pid, const char *start)
{
    AUTO_ARENA arena = arena_new();
    const char *now = start_of(arena, pid);

    return now != NULL && strcmp(now, start) == 0;
}

/* Sends the signal to those of the list that run; how many that are. */
static size_t
signal_all(const char *list, int number)
{
    AUTO_ARENA arena = arena_new();
    char *lines = arena_strdup(arena, list);
    char *kept = NULL;
    size_t count = 0;

    for (char *line = strtok_r(lines, "\n", &kept); line != NULL;
         line = strtok_r(NULL, "\n", &kept)) {
        char *start;
        long pid = strtol(line, &start, 10);
        if (pid <= 1 || *start != ' ' || !is_running(pid, start + 1))
            continue;
        kill((pid_t)pid, number);
        count++;
    }
    return count;
}

void
local_companions_end(const struct local_server *server)
{
    AUTO_ARENA arena = arena_new();
    const char *path = list_path(arena, server);
    struct error ignored;
    size_t length;
    char *list;

    if (!file_exists(path) || !file_read(arena, path, &list, &length, &ignored))
        return;
    signal_all(list, SIGTERM);
    for (int waited_ms = 0; signal_all(list, 0) > 0; waited_ms += POLL_MS) {
        const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
        if (waited_ms >= PATIENCE_MS)
            signal_all(list, SIGKILL);
        nanosleep(&pause, NULL);
    }
    unlink(path);
}
