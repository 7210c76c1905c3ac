/* The server process of a data directory: found, started, stopped, restarted. Not through pg_ctl,
 * which hands paths to a shell and cannot be interrupted in order. Processes are told by what the
 * kernel says of them (program, folder), so that a stale postmaster.pid harms nobody.
 * Main thread. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <sys/types.h>

enum local_stop { LOCAL_STOP_FAST, LOCAL_STOP_IMMEDIATE };

/* Its pid; 0 when no server runs on that data directory, whatever postmaster.pid says. */
pid_t local_postmaster_pid(const char *data_directory);

/* Whether a process of this host is a child of that one: tells a server's backend from a process of
 * the same number on another host. */
bool local_is_child(pid_t pid, pid_t parent);
/* The program that runs as pid; NULL when the kernel does not tell or it has been replaced. */
const char *local_program_of(struct arena *arena, pid_t pid);

/* Where a server writes what it has to say before its own logging is up: the file that its stderr
 * is; else, and when it is down, one in the data directory. */
const char *local_log_of(struct arena *arena, const char *data_directory, pid_t pid);

/* How to start one. The log is created or appended to by the caller's rights. */
struct local_start {
    const char *const *arguments;   /* postgres -D ...; NULL ends */
    const char *const *environment; /* as of process_spec */
    const char *folder;             /* what relative arguments start from; NULL: / */
    const char *data_directory;
    const char *log; /* path; its last lines tell why a start failed */
    int timeout_s;
    bool is_uninterruptible;
    bool dies_with_us; /* ends when pgdeck does, however that ends */
};
/* Starts it as the owner of the data directory and waits until it takes connections. On failure
 * or interruption no process is left. Errors: ERROR_INTERNAL with the end of the log as detail. */
bool local_postmaster_start(const struct local_start *start, struct error *err) MUST_CHECK;

/* Stops it and waits; not running is fine. Not interruptible: it is what a clean-up does. After
 * 60 s a fast stop becomes an immediate one. */
bool local_postmaster_stop(const char *data_directory, enum local_stop how,
                           struct error *err) MUST_CHECK;

/* Ends the processes that a killed postmaster left on that data directory. */
void local_postmaster_end_orphans(const char *data_directory);
/* Removes what a killed server left: postmaster.pid and its shared memory segment. */
void local_postmaster_forget(const char *data_directory);

/* How the server on a data directory was started: postmaster.opts, and of the process that runs
 * the environment (PGDATA) and the folder (-D may be relative). */
struct local_launch {
    const char *const *arguments;
    const char *const *environment;
    const char *folder;
    const char *log;
};
/* Read while it runs, and proved with the program itself (-C). Needs root or being the owner of
 * the data directory. ERROR_REFUSED: it would not start again in this way, or not with what its
 * files say now. */
bool local_launch_read(struct arena *arena, const char *data_directory,
                       struct local_launch *ret_launch, struct error *err) MUST_CHECK;

/* Stops (fast) and starts a server on this host again as it was, as the owner of the data
 * directory. When it is down it is only started. Not interruptible. Errors: ERROR_INTERNAL with
 * the last lines of its log; then it is down, and the call can be made again after its
 * configuration has been mended. */
bool local_restart(const char *data_directory, const struct local_launch *launch,
                   struct error *err) MUST_CHECK;
