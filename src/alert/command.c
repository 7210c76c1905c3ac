// SPDX-License-Identifier: MIT
/* A program that is told of alerts: started from the deck's list, never through a shell; what
 * servers said reaches it on stdin only. */
#include "alert/send.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_BYTES = 300, LOOK_MS = 200, MS = 1000, NS_MS = 1000000, SIGNALLED = 128 };

extern char **environ;

struct child {
    pid_t pid;
    int pidfd, input, output;
    const char *left; /* of the input */
    char said[OUTPUT_BYTES + 1];
    size_t said_length;
};

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS + now.tv_nsec / NS_MS;
}

/* Ours without PG* variables: secrets of other targets, settings of psql. */
static char **
environment(struct arena *arena)
{
    size_t count = 0, kept = 0;

    while (environ[count] != NULL)
        count++;
    char **clean = ARENA_ARRAY(arena, char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "PG", 2) != 0)
            clean[kept++] = environ[i];
    }
    return clean;
}

static int
spawn(struct arena *arena, const struct deck_notify *target, const int ends[4], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    char **arguments = ARENA_ARRAY(arena, char *, target->command.count + 1);

    for (size_t i = 0; i < target->command.count; i++)
        arguments[i] = arena_strdup(arena, target->command.items[i]);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[3], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[3], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int cause =
        posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments, environment(arena));
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return cause;
}

static bool
start(struct child *child, const struct deck_notify *target, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    int ends[4]; /* stdin: read, write; output: read, write */

    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(err, "cannot make a pipe");
    if (pipe2(ends + 2, O_CLOEXEC) != 0) {
        error_errno(err, "cannot make a pipe");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    int cause = spawn(arena, target, ends, &child->pid);
    close(ends[0]);
    close(ends[3]);
    child->input = ends[1];
    child->output = ends[2];
    fcntl(child->input, F_SETFL, O_NONBLOCK);
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    if (cause == 0) {
        child->pidfd = pidfd_open(child->pid, 0);
        return true;
    }
    close(child->input);
    close(child->output);
    errno = cause;
    return error_errno(err, "%s: cannot run \"%s\"", target->name, target->command.items[0]);
}

static void
feed(struct child *child)
{
    ssize_t written = write(child->input, child->left, strlen(child->left));

    if (written > 0)
        child->left += written;
    /* Who does not read it has not to: SIGPIPE is blocked in this thread. */
    if (child->left[0] != '\0' && (written >= 0 || errno == EAGAIN || errno == EINTR))
        return;
    close(child->input);
    child->input = -1;
}

static void
listen_to(struct child *child)
{
    char bytes[4096];
    ssize_t got = read(child->output, bytes, sizeof(bytes));
    size_t room = OUTPUT_BYTES - child->said_length;

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) {
            close(child->output);
            child->output = -1;
        }
        return;
    }
    memcpy(child->said + child->said_length, bytes, (size_t)got < room ? (size_t)got : room);
    child->said_length += (size_t)got < room ? (size_t)got : room;
}

/* Until it has ended; false: it took too long, or we are to stop. */
static bool
attend(struct child *child, int64_t until_ms, const atomic_bool *is_stopping)
{
    for (;;) {
        struct pollfd waits[] = {{.fd = child->pidfd, .events = POLLIN},
                                 {.fd = child->input, .events = POLLOUT},
                                 {.fd = child->output, .events = POLLIN}};
        poll(waits, 3, LOOK_MS);
        if (child->output >= 0 && waits[2].revents != 0)
            listen_to(child);
        if (waits[0].revents != 0)
            return true;
        if (child->input >= 0 && waits[1].revents != 0)
            feed(child);
        if (now_ms() >= until_ms || atomic_load(is_stopping))
            return false;
    }
}

bool
alert_run_command(const struct deck_notify *target, const char *input,
                  const atomic_bool *is_stopping, struct error *err)
{
    struct child child = {.left = input};
    AUTO_TEXT said = {0};
    int status = 0;

    if (!start(&child, target, err))
        return false;
    bool is_over = attend(&child, now_ms() + target->timeout_ms, is_stopping);
    if (!is_over)
        kill(-child.pid, SIGKILL);
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    const int open[] = {child.pidfd, child.input, child.output};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (open[i] >= 0)
            close(open[i]);
    }
    if (!is_over)
        return error_set(err, ERROR_UNREACHABLE, "%s: its command was ended after %lld ms",
                         target->name, (long long)target->timeout_ms);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    child.said[text_utf8_length(child.said, child.said_length)] = '\0';
    text_append_visible(&said, child.said);
    return error_set(err, ERROR_UNREACHABLE, "%s: its command exited with %d: %s", target->name,
                     WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status),
                     text_chars(&said));
}
