/* The plans that a statement was seen with, one of each shape (without its numbers), the newest
 * last; bounded. Owned by what holds it; under the lock of watch. */
#pragma once
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_PLANS = 4 };

struct watch_plan {
    uint64_t shape;
    char *text;
    double since, at, ms,
        runs; /* at, ms, text: of the newest of its shape; ms NAN: it was not run */
};

struct watch_plans {
    struct watch_plan list[WATCH_PLANS];
    size_t count;
};

void watch_plans_add(struct watch_plans *plans, const char *text, double ms, double now);
void watch_plans_release(struct watch_plans *plans);
/* Appends them, the newest first. */
void watch_plans_append(json_t *list, const struct watch_plans *plans, const char *source);
