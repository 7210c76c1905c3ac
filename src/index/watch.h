/* A statement that takes long, watched from a second connection: how far it is, who is in its way,
 * and whether others queue up behind it. Owns the second connection until index_watch_release. */
#pragma once
#include "change/change.h"
#include <stdint.h>

struct index_watch {
    struct change_execution *execution;
    int lock_wait_ms;     /* of a lock that others wait behind */
    int64_t max_block_ms; /* after this, who is in the way is named */
    int64_t give_up_ms;   /* a wait is given up after this, or as long as the work has taken */
    const char *label;    /* what is under work, for the lines of progress */
    PGconn *second;       /* NULL: not open */
    char last_line[512];  /* told last */
};

/* Runs the statement on the execution's connection. ERROR_LOCKED: it was cancelled because
 * somebody was in its way for too long; detail says who. Without a second connection it runs
 * unwatched. */
bool index_watch_run(struct index_watch *watch, const char *sql, struct error *err) MUST_CHECK;

/* Waits until a lock on the table could be had beside which nothing else is built, and lets go of
 * it. Asks with patience for lock_wait only, so that what queues behind goes on; again and again,
 * until give_up (ERROR_LOCKED, detail says who holds one). Who does for longer than max_block is
 * told; what a killed pgdeck of this host left building is ended. */
bool index_watch_lock(struct index_watch *watch, const char *schema, const char *table,
                      struct error *err) MUST_CHECK;
/* lock_timeout of the execution's connection; 0: none. */
bool
index_watch_timeout(struct index_watch *watch, int64_t timeout_ms, struct error *err) MUST_CHECK;
/* Sleeps for *pause_ms with jitter (half to whole of it) and doubles it up to longest_ms. */
bool index_watch_pause(int *pause_ms, int longest_ms, struct error *err) MUST_CHECK;
void index_watch_release(struct index_watch *watch);

/* The application_name under which indexes are built: says which process of which host does. */
void index_watch_application(char *name, size_t size);

/* How far a build is, 0..1, from a phase of pg_stat_progress_create_index and how much of the
 * phase is done; negative: the phase is unknown. */
double index_progress(const char *phase, double blocks_done, double blocks_total,
                      double tuples_done, double tuples_total);
