/* What the threads behind alert.h share: the rounds' caller, one thread a target (deliver.c), one
 * that writes files (keeper.c). Everything but is_stopping is under the lock, which nobody holds
 * while waiting for a disk or a network. */
#pragma once
#include "alert/alert.h"
#include "alert/send.h"
#include "alert/store.h"
#include "base/text.h"
#include <pthread.h>
#include <stdatomic.h>

struct alert_target {
    struct alerts *alerts;
    size_t index; /* in store.targets and alert.sent */
    struct deck_notify target;
    pthread_t thread;
    bool is_running;
    int64_t next_ms, repeat_ms; /* CLOCK_MONOTONIC */
};

struct alert_limit {
    const char *name;
    struct alert_counts counts;
};

struct alerts {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_bool is_stopping;
    struct arena *deck_arena; /* of what is of the deck */
    const char *deck;
    LIST_OF(struct alert_limit) limits;
    struct alert_target targets[ALERT_TARGET_LIMIT];
    struct alert_store store;
    char *folder;
    int folder_lock;
    /* of the keeper: */
    pthread_t keeper;
    bool is_keeping, is_dirty;
    struct text history; /* lines not yet written */
    struct arena *silences_arena;
    struct alert_silences silences;
    struct error problem; /* why a file cannot be read or written; ERROR_NONE: it can */
};

int64_t alert_now_ms(void);       /* since 1970 */
int64_t alert_monotonic_ms(void); /* of the clock that only goes on */
/* Under the lock: until something changes, at most that long. */
void alert_wait(struct alerts *alerts, int64_t milliseconds);
/* A thread that gets no signals. */
bool alert_thread(pthread_t *ret_thread, void *(*run)(void *), void *argument,
                  struct error *err) MUST_CHECK;
void *alert_deliver(void *target); /* struct alert_target * */
void *alert_keep(void *alerts);    /* struct alerts * */
void alert_write_files(struct alerts *alerts);
/* Under the lock: what the target has to be told now, as copies; nothing: no messages. */
void alert_owed(struct arena *arena, struct alert_target *target, int64_t now_ms,
                struct alert_batch *ret_batch);
