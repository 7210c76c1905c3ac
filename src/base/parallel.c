// SPDX-License-Identifier: MIT
#include "base/parallel.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

struct work {
    const struct parallel *parallel;
    struct parallel_task *tasks;
    size_t count;
    pthread_mutex_t mutex;
    pthread_cond_t has_ended; /* a task: others of its queue may begin */
    bool has_failed;
};

static bool
is_queue_free(const struct work *work, const char *queue)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct parallel_task *task = &work->tasks[i];
        if (task->is_begun && !task->is_done && task->error.code == ERROR_NONE &&
            strcmp(task->queue, queue) == 0)
            return false;
    }
    return true;
}

/* The next task that may begin; count: none ever. Waits for queues. The mutex is held. */
static size_t
next_task(struct work *work)
{
    for (;;) {
        bool is_waiting = false;
        for (size_t i = 0; i < work->count && !work->has_failed; i++) {
            if (work->tasks[i].is_begun)
                continue;
            if (is_queue_free(work, work->tasks[i].queue))
                return i;
            is_waiting = true;
        }
        if (!is_waiting)
            return work->count;
        pthread_cond_wait(&work->has_ended, &work->mutex);
    }
}

static void *
take_tasks(void *argument)
{
    struct work *work = argument;

    pthread_mutex_lock(&work->mutex);
    for (;;) {
        struct error err = {0};
        size_t at = next_task(work);
        if (at == work->count)
            break;
        work->tasks[at].is_begun = true;
        pthread_mutex_unlock(&work->mutex);
        bool is_done = work->parallel->run(work->parallel->context, at, &err);
        pthread_mutex_lock(&work->mutex);
        work->tasks[at].is_done = is_done;
        if (!is_done) {
            assert(err.code != ERROR_NONE);
            work->tasks[at].error = err;
            work->has_failed = true;
        }
        pthread_cond_broadcast(&work->has_ended);
    }
    pthread_mutex_unlock(&work->mutex);
    return NULL;
}

bool
parallel_run(const struct parallel *parallel, struct parallel_task *tasks, size_t count,
             struct error *err)
{
    enum { MOST_THREADS = 64 };
    struct work work = {.parallel = parallel,
                        .tasks = tasks,
                        .count = count,
                        .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .has_ended = PTHREAD_COND_INITIALIZER};
    pthread_t threads[MOST_THREADS];
    size_t started = 0;

    /* Fewer threads than wanted are fine: the caller's own takes all that they leave. */
    while (started < MOST_THREADS && started + 1 < parallel->width && started + 1 < count &&
           pthread_create(&threads[started], NULL, take_tasks, &work) == 0)
        started++;
    take_tasks(&work);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].error.code != ERROR_NONE) {
            *err = tasks[i].error;
            return false;
        }
    }
    return true;
}
