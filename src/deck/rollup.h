/* `rollups:`: figures of a table by period of time, kept by the database itself. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <stdint.h>

struct deck_rollup {
    const char *name; /* of the function that reads it, in the table's schema */
    struct place place;
    const char *schema; /* default "public" */
    const char *table;
    const char *time;              /* column, timestamptz */
    int64_t every_ms;              /* length of a bucket */
    int64_t settle_ms;             /* rows whose time is older than this seldom change */
    LIST_OF(const char *) by;      /* expressions, such as "project_id" */
    LIST_OF(const char *) figures; /* aggregates with their names: "count(*) AS tasks" */
};
