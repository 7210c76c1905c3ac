/* Child processes: started from an argument array, never through a shell, in a session of their
 * own so that the terminal's Ctrl-C reaches only pgdeck, which then ends them in order.
 * The caller owns the child: whoever starts one waits for it or ends it. Any thread that lives
 * until then. */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <sys/types.h>

/* Who a child runs as; root gives up its rights for good, groups included. */
struct process_user {
    uid_t uid;
    gid_t gid;
};

struct process_spec {
    const char *const *arguments;    /* [0] is the program's path; NULL ends */
    const char *const *environment;  /* NULL: ours without PG* (they change what servers do) */
    const char *folder;              /* working directory; NULL: / */
    const struct process_user *user; /* NULL: as we are */
    int output; /* descriptor for stdout and stderr; with has_terminal for stdout, 0: ours */
    int stop; /* process_run: ends the child once that is readable, instead of at Ctrl-C; 0: none */
    bool outlives_us;        /* a server; others get SIGTERM when pgdeck dies */
    bool is_uninterruptible; /* process_run: Ctrl-C waits for its end */
    bool has_terminal;       /* stays in our session, keeps our stdin, stdout, stderr and folder */
};

/* Starts the program. */
bool process_start(const struct process_spec *spec, pid_t *ret_pid, struct error *err) MUST_CHECK;

/* Runs the program to its end; stdout and stderr are added to output (at most 1 MB). ret_status:
 * exit status, 128 + signal when it died of one. Interrupted or out of time: the child and what
 * it started are ended first, by SIGINT and, after 10 s, SIGKILL. */
bool process_run(const struct process_spec *spec, int timeout_ms, struct text *output,
                 int *ret_status, struct error *err) MUST_CHECK;

/* Waits for a child of process_start; an interruption is passed on to it as SIGTERM, and its end
 * is waited for all the same (10 s, then SIGKILL). ret_status as above. */
bool process_wait(pid_t pid, int *ret_status, struct error *err) MUST_CHECK;
