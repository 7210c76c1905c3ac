// SPDX-License-Identifier: MIT
#include "local/postmaster.h"

#include "base/file.h"
#include "base/interrupt.h"
#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/pidfd.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_TIMEOUT_MS = 60000,
    QUIT_TIMEOUT_MS = 10000,
    RESTART_TIMEOUT_S = 60,
    POLL_MS = 20,
    LOG_TAIL_BYTES = 900
};

static long long
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* --- who runs on a data directory --------------------------------------------------------- */

/* Lines of postmaster.pid that matter; PostgreSQL 10 and newer write them so. */
struct pid_file {
    pid_t pid;
    long memory_key; /* of its System V segment */
    int memory_id;   /* -1: none */
    bool is_ready;   /* takes connections, or is a standby that does not take them */
};

static bool
read_pid_file(const char *data_directory, struct pid_file *ret_file)
{
    char path[PATH_MAX];
    char line[PATH_MAX];

    snprintf(path, sizeof(path), "%s/postmaster.pid", data_directory);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    *ret_file = (struct pid_file){.memory_id = -1};
    for (int number = 1; number <= 8 && fgets(line, sizeof(line), file) != NULL; number++) {
        if (number == 1)
            ret_file->pid = (pid_t)atol(line);
        if (number == 7 && sscanf(line, "%ld %d", &ret_file->memory_key, &ret_file->memory_id) != 2)
            ret_file->memory_id = -1;
        if (number == 8)
            ret_file->is_ready = strncmp(line, "ready", 5) == 0 || strncmp(line, "standby", 7) == 0;
    }
    fclose(file);
    return ret_file->pid > 1;
}

/* Reads a link of /proc/PID. The kernel shows them to the process's own user, so root asks as
 * that user: in a container root may lack the right to look into other users' processes. */
static bool
read_process_link(pid_t pid, const char *name, char *target, size_t size)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    if (stat(path, &status) != 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    bool is_root = geteuid() == 0;
    gid_t group = getegid();
    if (is_root) {
        setfsgid(status.st_gid);
        setfsuid(status.st_uid);
    }
    ssize_t length = readlink(path, target, size - 1);
    if (is_root) {
        setfsuid(0);
        setfsgid(group);
    }
    if (length < 0)
        return false;
    target[length] = '\0';
    return true;
}

/* A postmaster's working directory is its data directory; its program is called postgres (also
 * after an upgrade has replaced the file: "postgres (deleted)"). */
static bool
is_postmaster_of(pid_t pid, const char *real_data_directory)
{
    char target[PATH_MAX];

    if (!read_process_link(pid, "cwd", target, sizeof(target)) ||
        strcmp(target, real_data_directory) != 0)
        return false;
    if (!read_process_link(pid, "exe", target, sizeof(target)))
        return false;
    const char *slash = strrchr(target, '/');
    return slash != NULL && strncmp(slash, "/postgres", 9) == 0;
}

pid_t
local_postmaster_pid(const char *data_directory)
{
    char real[PATH_MAX];
    struct pid_file file;

    if (realpath(data_directory, real) == NULL || !read_pid_file(real, &file))
        return 0;
    return is_postmaster_of(file.pid, real) ? file.pid : 0;
}

bool
local_is_child(pid_t pid, pid_t parent)
{
    char path[64];
    char text[512];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    /* "pid (name) state parent ...": the name may hold anything. */
    const char *end = strrchr(text, ')');
    return end != NULL && strlen(end) > 4 && strtol(end + 4, NULL, 10) == (long)parent;
}

const char *
local_program_of(struct arena *arena, pid_t pid)
{
    char target[PATH_MAX];

    if (!read_process_link(pid, "exe", target, sizeof(target)) || access(target, X_OK) != 0)
        return NULL;
    return arena_strdup(arena, target);
}

/* --- its log ------------------------------------------------------------------------------ */

static off_t
log_size(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_size : 0;
}

/* The end of what was written to the log since `from`, whole lines, as the detail of err. */
static void
add_log_tail(const char *path, off_t from, struct error *err)
{
    char tail[LOG_TAIL_BYTES + 1];
    off_t size = log_size(path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    if (from > size)
        from = 0; /* it has been truncated meanwhile */
    off_t start = size - from > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : from;
    ssize_t length = pread(fd, tail, LOG_TAIL_BYTES, start);
    close(fd);
    if (length <= 0)
        return;
    tail[length] = '\0';
    for (char *end = tail + length; end > tail && end[-1] == '\n'; end--)
        end[-1] = '\0';
    char *text = tail;
    if (start > from && strchr(tail, '\n') != NULL)
        text = strchr(tail, '\n') + 1;
    error_detail(err, "%s", text);
}

/* --- start -------------------------------------------------------------------------------- */

static bool
owner_of(const char *path, struct process_user *ret_user, struct error *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return error_errno(err, "cannot read \"%s\"", path);
    *ret_user = (struct process_user){.uid = status.st_uid, .gid = status.st_gid};
    return true;
}

/* Created as the server's own file. As root no link is followed that its user may have laid. */
static int
open_log(const char *path, const struct process_user *user, struct error *err)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        error_errno(err, "cannot open the server's log \"%s\"", path);
        return -1;
    }
    bool is_theirs = geteuid() != 0 || (fstat(fd, &status) == 0 && status.st_uid == user->uid);
    if (!is_theirs && fchown(fd, user->uid, user->gid) != 0) {
        error_errno(err, "cannot give the log \"%s\" to the server's user", path);
        close(fd);
        return -1;
    }
    return fd;
}

static void
end_start(pid_t pid, int descriptor)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    long long deadline = now_ms() + QUIT_TIMEOUT_MS;

    kill(pid, SIGQUIT);
    while (now_ms() < deadline && poll(&wait, 1, (int)(deadline - now_ms())) < 0)
        continue;
    kill(-pid, SIGKILL); /* the children, which share its session, too */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static bool
wait_ready(const struct local_start *start, pid_t pid, int descriptor, struct error *err)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    long long deadline = now_ms() + start->timeout_s * 1000LL;
    struct pid_file file;

    for (;;) {
        if (read_pid_file(start->data_directory, &file) && file.pid == pid && file.is_ready)
            return true;
        if (poll(&wait, 1, 0) > 0)
            return error_set(err, ERROR_INTERNAL, "the server ended while it started");
        if (now_ms() > deadline)
            return error_set(err, ERROR_INTERNAL, "the server was not ready within %d s",
                             start->timeout_s);
        if (!start->is_uninterruptible && !interrupt_sleep_ms(POLL_MS, err))
            return false;
        if (start->is_uninterruptible)
            poll(&wait, 1, POLL_MS);
    }
}

bool
local_postmaster_start(const struct local_start *start, struct error *err)
{
    struct process_user user = {0};
    off_t from = log_size(start->log);
    pid_t pid;

    if (!owner_of(start->data_directory, &user, err))
        return false;
    int log = open_log(start->log, &user, err);
    if (log < 0)
        return false;
    struct process_spec spec = {.arguments = start->arguments,
                                .environment = start->environment,
                                .folder = start->folder,
                                .user = &user,
                                .output = log,
                                .outlives_us = !start->dies_with_us};
    bool is_started = process_start(&spec, &pid, err);
    close(log);
    if (!is_started)
        return false;
    int descriptor = pidfd_open(pid, 0);
    bool is_ready = wait_ready(start, pid, descriptor, err);
    if (!is_ready) {
        end_start(pid, descriptor);
        add_log_tail(start->log, from, err);
    }
    close(descriptor);
    return is_ready;
}

/* --- stop --------------------------------------------------------------------------------- */

/* True when the process has ended; a child of ours is reaped. */
static bool
wait_gone(pid_t pid, int descriptor, int timeout_ms)
{
    long long deadline = now_ms() + timeout_ms;
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};

    while (poll(&wait, 1, POLL_MS) <= 0) {
        if (now_ms() > deadline)
            return false;
    }
    waitpid(pid, NULL, WNOHANG);
    return true;
}

bool
local_postmaster_stop(const char *data_directory, enum local_stop how, struct error *err)
{
    pid_t pid = local_postmaster_pid(data_directory);
    bool is_gone = false;

    if (pid == 0)
        return true;
    int descriptor = pidfd_open(pid, 0);
    /* The descriptor cannot come to mean another process, so look again through it. */
    if (descriptor < 0 || local_postmaster_pid(data_directory) != pid) {
        if (descriptor >= 0)
            close(descriptor);
        return true;
    }
    int first = how == LOCAL_STOP_FAST ? SIGINT : SIGQUIT;
    if (pidfd_send_signal(descriptor, first, NULL, 0) != 0 && errno != ESRCH) {
        error_errno(err, "cannot stop the server on \"%s\" (process %d)", data_directory, (int)pid);
        err->code = ERROR_PRIVILEGE;
        close(descriptor);
        return false;
    }
    is_gone = wait_gone(pid, descriptor, first == SIGINT ? STOP_TIMEOUT_MS : QUIT_TIMEOUT_MS);
    if (!is_gone && pidfd_send_signal(descriptor, SIGQUIT, NULL, 0) == 0)
        is_gone = wait_gone(pid, descriptor, QUIT_TIMEOUT_MS);
    close(descriptor);
    if (!is_gone)
        return error_set(err, ERROR_INTERNAL, "the server on \"%s\" (process %d) does not stop",
                         data_directory, (int)pid);
    return true;
}

/* The pid, when the entry of /proc is a process of PostgreSQL in that folder; else 0. */
static pid_t
orphan_pid(const char *entry, const char *real_data_directory)
{
    pid_t pid = (pid_t)atol(entry);

    return pid > 1 && is_postmaster_of(pid, real_data_directory) ? pid : 0;
}

void
local_postmaster_end_orphans(const char *data_directory)
{
    char real[PATH_MAX];
    const struct dirent *entry;
    DIR *processes = opendir("/proc");

    if (processes == NULL)
        return;
    if (realpath(data_directory, real) == NULL || local_postmaster_pid(real) != 0) {
        closedir(processes);
        return;
    }
    while ((entry = readdir(processes)) != NULL) {
        pid_t pid = orphan_pid(entry->d_name, real);
        int descriptor = pid == 0 ? -1 : pidfd_open(pid, 0);
        if (descriptor < 0)
            continue;
        if (orphan_pid(entry->d_name, real) != 0 &&
            pidfd_send_signal(descriptor, SIGQUIT, NULL, 0) == 0 &&
            !wait_gone(pid, descriptor, QUIT_TIMEOUT_MS) &&
            pidfd_send_signal(descriptor, SIGKILL, NULL, 0) == 0)
            wait_gone(pid, descriptor, QUIT_TIMEOUT_MS);
        close(descriptor);
    }
    closedir(processes);
}

/* A killed server leaves its System V segment behind. */
static void
remove_memory(const char *data_directory, const struct pid_file *file)
{
    struct shmid_ds segment;
    struct process_user user = {0};
    struct error ignored;

    if (file->memory_id < 0 || !owner_of(data_directory, &user, &ignored))
        return;
    /* The id may mean another segment by now: key, owner and the lack of users tell. */
    if (shmctl(file->memory_id, IPC_STAT, &segment) == 0 &&
        (long)segment.shm_perm.__key == file->memory_key && segment.shm_perm.uid == user.uid &&
        segment.shm_nattch == 0)
        shmctl(file->memory_id, IPC_RMID, NULL);
}

/* PostgreSQL takes any living process of its user under the old pid for a server, be it another
 * program or a zombie that nobody reaps. We know better. */
void
local_postmaster_forget(const char *data_directory)
{
    char path[PATH_MAX];
    struct pid_file file;

    if (local_postmaster_pid(data_directory) != 0 || !read_pid_file(data_directory, &file))
        return;
    remove_memory(data_directory, &file);
    snprintf(path, sizeof(path), "%s/postmaster.pid", data_directory);
    unlink(path);
}

/* --- restart ------------------------------------------------------------------------------ */

/* Splits postmaster.opts: program "argument" "argument" ... PostgreSQL writes the quotes but
 * escapes nothing, so an argument ends where a quote is followed by a space or the end. */
static bool
read_arguments(struct arena *arena, const char *data_directory, const char *const **ret_arguments,
               struct error *err)
{
    LIST_OF(const char *) arguments = {0};
    char *path = arena_printf(arena, "%s/postmaster.opts", data_directory);
    char *text;
    size_t length;

    if (!file_read(arena, path, &text, &length, err))
        return error_wrap(err, "cannot tell how the server was started");
    text[strcspn(text, "\n")] = '\0';
    char *at = strstr(text, " \"");
    if (at != NULL)
        *at++ = '\0';
    *LIST_ADD(arena, &arguments) = text;
    while (at != NULL && *at == '"') {
        char *end = strstr(at + 1, "\" \"");
        size_t size = end != NULL ? (size_t)(end - at - 1) : strlen(at + 1);
        if (end == NULL && size > 0 && at[size] == '"')
            size--;
        *LIST_ADD(arena, &arguments) = arena_strndup(arena, at + 1, size);
        at = end == NULL ? NULL : end + 2;
    }
    *LIST_ADD(arena, &arguments) = NULL;
    *ret_arguments = arguments.items;
    return true;
}

const char *
local_log_of(struct arena *arena, const char *data_directory, pid_t pid)
{
    char target[PATH_MAX];
    struct stat status;
    struct process_user user = {0};
    struct error ignored;

    if (pid != 0 && read_process_link(pid, "fd/2", target, sizeof(target)) &&
        lstat(target, &status) == 0 && S_ISREG(status.st_mode) &&
        owner_of(data_directory, &user, &ignored) && status.st_uid == user.uid)
        return arena_strdup(arena, target);
    return arena_printf(arena, "%s/pgdeck-restart.log", data_directory);
}

/* NAME=value, NULL; of the process's start. NULL: not to be read. */
static const char *const *
environment_of(struct arena *arena, pid_t pid, const struct process_user *user)
{
    enum { MOST_BYTES = 1 << 20 };
    LIST_OF(const char *) variables = {0};
    char *text = arena_alloc(arena, MOST_BYTES + 1);
    size_t length = 0;
    ssize_t got;
    gid_t group = getegid();
    bool is_root = geteuid() == 0;

    if (is_root) {
        setfsgid(user->gid);
        setfsuid(user->uid);
    }
    int fd = open(arena_printf(arena, "/proc/%d/environ", (int)pid), O_RDONLY | O_CLOEXEC);
    if (is_root) {
        setfsuid(0);
        setfsgid(group);
    }
    if (pid == 0 || fd < 0) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    while (length < MOST_BYTES && (got = read(fd, text + length, MOST_BYTES - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    for (char *at = text; at < text + length; at += strlen(at) + 1) {
        if (strchr(at, '=') != NULL)
            *LIST_ADD(arena, &variables) = at;
    }
    *LIST_ADD(arena, &variables) = NULL;
    return variables.items;
}

static const char *
variable_of(const char *const *environment, const char *name)
{
    size_t length = strlen(name);

    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

/* Asks the program itself which data directory it would start on. */
static bool
prove_launch(struct arena *arena, const char *real, const struct local_launch *launch,
             const struct process_user *user, struct error *err)
{
    enum { TIMEOUT_MS = 60000 };
    LIST_OF(const char *) arguments = {0};
    AUTO_TEXT output = {0};
    char found[PATH_MAX];
    int status;

    for (size_t i = 0; launch->arguments[i] != NULL; i++)
        *LIST_ADD(arena, &arguments) = launch->arguments[i];
    *LIST_ADD(arena, &arguments) = "-C";
    *LIST_ADD(arena, &arguments) = "data_directory";
    *LIST_ADD(arena, &arguments) = NULL;
    const struct process_spec spec = {.arguments = arguments.items,
                                      .environment = launch->environment,
                                      .folder = launch->folder,
                                      .user = user};
    if (!process_run(&spec, TIMEOUT_MS, &output, &status, err))
        return false;
    char *text = arena_strdup(arena, text_chars(&output));
    for (size_t end = strlen(text); end > 0 && text[end - 1] == '\n'; end--)
        text[end - 1] = '\0';
    const char *line = strrchr(text, '\n');
    line = line == NULL ? text : line + 1;
    if (status == 0 && realpath(line, found) != NULL && strcmp(found, real) == 0)
        return true;
    error_set(err, ERROR_REFUSED, "the server on \"%s\" would not start again as it was started",
              real);
    error_detail(err, "%s", text);
    return error_hint(err, "It has not been stopped. Restart it yourself, or give the deck's "
                           "server a restart_command.");
}

bool
local_launch_read(struct arena *arena, const char *data_directory, struct local_launch *ret_launch,
                  struct error *err)
{
    char real[PATH_MAX];
    struct process_user user = {0};
    struct local_launch launch = {0};

    if (realpath(data_directory, real) == NULL)
        return error_errno(err, "cannot find the data directory \"%s\"", data_directory);
    if (!owner_of(real, &user, err))
        return false;
    if (geteuid() != 0 && geteuid() != user.uid) {
        error_set(err, ERROR_PRIVILEGE, "only root and its owner can restart the server on \"%s\"",
                  real);
        return error_hint(err, "Give the server's restart_command in the deck, or restart it "
                               "yourself.");
    }
    pid_t pid = local_postmaster_pid(real);
    if (!read_arguments(arena, real, &launch.arguments, err))
        return false;
    launch.environment = environment_of(arena, pid, &user);
    launch.log = local_log_of(arena, real, pid);
    bool is_proved = prove_launch(arena, real, &launch, &user, err);
    const char *folder = variable_of(launch.environment, "PWD");
    if (!is_proved && err->code == ERROR_REFUSED && folder != NULL) { /* a relative path */
        struct error second;
        launch.folder = folder;
        is_proved = prove_launch(arena, real, &launch, &user, &second);
        if (is_proved)
            error_clear(err);
    }
    *ret_launch = launch;
    return is_proved;
}

static bool
restart_here(const char *data_directory, const struct local_launch *launch, struct error *err)
{
    char real[PATH_MAX];

    if (realpath(data_directory, real) == NULL)
        return error_errno(err, "cannot find the data directory \"%s\"", data_directory);
    if (!local_postmaster_stop(real, LOCAL_STOP_FAST, err))
        return error_wrap(err, "cannot restart");
    struct local_start start = {.arguments = launch->arguments,
                                .environment = launch->environment,
                                .folder = launch->folder,
                                .data_directory = real,
                                .log = launch->log,
                                .timeout_s = RESTART_TIMEOUT_S,
                                .is_uninterruptible = true}; /* or it would stay down */
    if (!local_postmaster_start(&start, err))
        return error_wrap(err, "cannot start the server on \"%s\" again", real);
    return true;
}

/* A process of its own does it: one that kills pgdeck between the stop and the start must not leave
 * the server down. It tells how it went through a pipe. */
bool
local_restart(const char *data_directory, const struct local_launch *launch, struct error *err)
{
    struct error found = {0};
    int pipe_ends[2];

    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return error_errno(err, "cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        bool is_fine = restart_here(data_directory, launch, &found);
        ssize_t told = write(pipe_ends[1], &found, sizeof(found)); /* less than a pipe takes */
        _exit(is_fine && told > 0 ? 0 : 1);
    }
    close(pipe_ends[1]);
    if (pid < 0) {
        close(pipe_ends[0]);
        return error_errno(err, "cannot start a process");
    }
    ssize_t got;
    while ((got = read(pipe_ends[0], &found, sizeof(found))) < 0 && errno == EINTR)
        continue;
    close(pipe_ends[0]);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (got == (ssize_t)sizeof(found) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (got != (ssize_t)sizeof(found))
        return error_set(err, ERROR_INTERNAL, "the process that restarts the server was killed");
    *err = found;
    return false;
}
