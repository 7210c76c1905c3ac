/* The figures of the targets of environments: series of sums by minute, kept by name. With the lock
 * of watch. */
#pragma once
#include "deck/deck.h"
#include "watch/series.h"

struct watch;
enum watch_target_name {
    WATCH_QUERY_P95,
    WATCH_QUERY_P95_ESTIMATE, /* by the means of statements */
    WATCH_AI_TASK,
    WATCH_CACHE_HIT,
    WATCH_CONNECTIONS,
    WATCH_QUERY_MEAN,
    WATCH_AI_TASK_ERRORS,
    WATCH_TARGETS
};
extern const char *const watch_target_keys[WATCH_TARGETS]; /* "query_p95" */
struct watch_series *watch_target_series(struct watch *watch, const struct deck *deck,
                                         const struct deck_environment *environment,
                                         enum watch_target_name name);
/* Adds to the sums of an environment's target; as many values as it has. */
void watch_target_add(struct watch *watch, const struct deck *deck,
                      const struct deck_environment *environment, enum watch_target_name name,
                      double now, const double *values);
