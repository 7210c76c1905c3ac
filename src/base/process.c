// SPDX-License-Identifier: MIT
#include "base/process.h"

#include "base/arena.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_LIMIT = 1024 * 1024, KILL_AFTER_MS = 10000 };

/* What a child that could not start tells its parent, through a pipe that exec closes. */
struct failure {
    int cause;
    char step[32];
};

static void
report(int pipe_end, const char *step)
{
    struct failure failure = {.cause = errno};

    snprintf(failure.step, sizeof(failure.step), "%s", step);
    if (write(pipe_end, &failure, sizeof(failure)) < 0) {
        /* The parent then sees the exit status only. */
    }
    _exit(127);
}

static void
reset_signals(void)
{
    static const int changed[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    sigset_t none;

    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
        signal(changed[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
become(const struct process_user *user, int pipe_end)
{
    if (user == NULL || geteuid() != 0)
        return;
    if (setgroups(1, &user->gid) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
        report(pipe_end, "cannot change user for");
}

/* Between fork and exec. */
static _Noreturn void
run_child(const struct process_spec *spec, char *const *environment, int pipe_end, pid_t parent)
{
    if (!spec->has_terminal) {
        int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        setsid();
        if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(spec->output, 1) < 0 ||
            dup2(spec->output, 2) < 0)
            report(pipe_end, "cannot redirect");
    }
    if (spec->has_terminal && spec->output > 0 && dup2(spec->output, 1) < 0)
        report(pipe_end, "cannot redirect");
    become(spec->user, pipe_end);
    if (!spec->has_terminal && chdir(spec->folder == NULL ? "/" : spec->folder) != 0)
        report(pipe_end, "cannot enter the folder of");
    if (!spec->outlives_us) { /* after the change of user, which would undo it */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) /* it died before prctl */
            _exit(127);
    }
    reset_signals();
    execve(spec->arguments[0], (char *const *)spec->arguments, environment);
    report(pipe_end, "cannot run");
    _exit(127);
}

/* Our environment without the variables that would change what PostgreSQL's programs do. */
static char *const *
clean_environment(struct arena *arena)
{
    size_t count = 0;
    size_t kept = 0;

    while (environ[count] != NULL)
        count++;
    char **clean = ARENA_ARRAY(arena, char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        bool is_ours = strncmp(environ[i], "PGDECK", 6) == 0;
        if (strncmp(environ[i], "PG", 2) != 0 || is_ours)
            clean[kept++] = environ[i];
    }
    return clean;
}

static bool
hear_failure(int pipe_end, pid_t pid, const char *program, struct error *err)
{
    struct failure failure;
    ssize_t got;

    do
        got = read(pipe_end, &failure, sizeof(failure));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(failure))
        return true;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    errno = failure.cause;
    return error_errno(err, "%s \"%s\"", failure.step, program);
}

bool
process_start(const struct process_spec *spec, pid_t *ret_pid, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    int pipe_ends[2];
    sigset_t all;
    sigset_t before;
    char *const *environment =
        spec->environment != NULL ? (char *const *)spec->environment : clean_environment(arena);

    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_errno(err, "cannot make a pipe");
    /* No handler of ours may run in the child. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        run_child(spec, environment, pipe_ends[1], parent);
    int cause = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pipe_ends[1]);
    errno = cause;
    bool is_started = pid > 0 ? hear_failure(pipe_ends[0], pid, spec->arguments[0], err)
                              : error_errno(err, "cannot start \"%s\"", spec->arguments[0]);
    close(pipe_ends[0]);
    if (is_started)
        *ret_pid = pid;
    return is_started;
}

/* --- waiting ----------------------------------------------------------------------------- */

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int
exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int
reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return exit_status(status);
}

/* Ends a child (or its group, given negative) in order, without heeding interruptions. */
static int
end_child(pid_t pid, int descriptor, int signal_number, bool has_group)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    long long deadline = now_ms() + KILL_AFTER_MS;

    kill(has_group ? -pid : pid, signal_number);
    while (now_ms() < deadline && poll(&wait, 1, (int)(deadline - now_ms())) < 0)
        continue; /* a signal to us */
    kill(has_group ? -pid : pid, SIGKILL);
    return reap(pid);
}

/* Adds what there is to read; false at the end. */
static bool
gather(int pipe_end, struct text *output)
{
    char buffer[4096];
    ssize_t got = read(pipe_end, buffer, sizeof(buffer));

    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    if (output->length < OUTPUT_LIMIT)
        text_append_bytes(output, buffer, (size_t)got);
    return got > 0;
}

/* Until the child has ended (interrupt: -1, whatever comes); what is left in the pipe then is read,
 * whoever else holds it. */
static bool
follow(int descriptor, int pipe_end, int interrupt, int timeout_ms, struct text *output,
       struct error *err)
{
    long long deadline = now_ms() + timeout_ms;
    struct pollfd waits[3] = {{.fd = descriptor, .events = POLLIN},
                              {.fd = pipe_end, .events = POLLIN},
                              {.fd = interrupt, .events = POLLIN}};

    for (;;) {
        long long left = deadline - now_ms();
        if (waits[2].revents != 0)
            return interrupt_error(err);
        if (left <= 0)
            return error_set(err, ERROR_INTERNAL, "no end within %d s", timeout_ms / 1000);
        poll(waits, 3, (int)left);
        if (waits[1].revents != 0 && !gather(pipe_end, output))
            waits[1].fd = -1;
        if ((waits[0].revents & POLLIN) != 0)
            break;
    }
    fcntl(pipe_end, F_SETFL, O_NONBLOCK);
    struct pollfd rest = {.fd = pipe_end, .events = POLLIN};
    while (waits[1].fd >= 0 && poll(&rest, 1, 0) > 0 && gather(pipe_end, output))
        continue;
    return true;
}

bool
process_run(const struct process_spec *spec, int timeout_ms, struct text *output, int *ret_status,
            struct error *err)
{
    struct process_spec piped = *spec;
    int pipe_ends[2];
    int interrupt = spec->is_uninterruptible ? -1
                    : spec->stop > 0         ? spec->stop
                                             : interrupt_descriptor();
    pid_t pid;

    if (interrupt >= 0 && is_interrupted())
        return interrupt_error(err);
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_errno(err, "cannot make a pipe");
    piped.output = pipe_ends[1];
    bool is_fine = process_start(&piped, &pid, err);
    close(pipe_ends[1]);
    if (is_fine) {
        int descriptor = pidfd_open(pid, 0);
        is_fine = follow(descriptor, pipe_ends[0], interrupt, timeout_ms, output, err);
        if (!is_fine) {
            end_child(pid, descriptor, SIGINT, true);
            error_wrap(err, "\"%s\"", spec->arguments[0]);
        } else {
            *ret_status = reap(pid);
        }
        close(descriptor);
    }
    close(pipe_ends[0]);
    return is_fine;
}

bool
process_wait(pid_t pid, int *ret_status, struct error *err)
{
    int descriptor = pidfd_open(pid, 0);
    struct pollfd waits[2] = {{.fd = descriptor, .events = POLLIN},
                              {.fd = interrupt_descriptor(), .events = POLLIN}};
    bool is_fine = true;

    while (waits[0].revents == 0) {
        if (is_interrupted()) {
            is_fine = interrupt_error(err);
            break;
        }
        poll(waits, 2, -1);
    }
    int status = is_fine ? reap(pid) : end_child(pid, descriptor, SIGTERM, false);
    close(descriptor);
    if (is_fine)
        *ret_status = status;
    return is_fine;
}
