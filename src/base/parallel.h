/* Tasks side by side: the calling thread and others take them in their order, a few at a time.
 * What the function that runs them shares between tasks, it guards itself. */
#pragma once
#include "base/error.h"

struct parallel_task {
    const char *queue; /* tasks of the same one never run at once, but one after the other */
    bool is_done;      /* set by parallel_run, as are the others */
    bool is_begun;
    struct error error; /* why it failed; ERROR_NONE: it did not */
};

struct parallel {
    size_t width; /* tasks at once; at least 1 */
    bool (*run)(void *context, size_t task, struct error *err);
    void *context;
};

/* After a failure no further task is begun; those that run come to their end. Fails with the
 * error of the task that failed first in order. */
bool parallel_run(const struct parallel *parallel, struct parallel_task *tasks, size_t count,
                  struct error *err) MUST_CHECK;
