// SPDX-License-Identifier: MIT
/* What the collectors ask, and how often. */
#include "watch/state.h"

enum { SECOND_MS = 1000 };

const struct watch_task watch_tasks[] = {
    {"server", 30 * SECOND_MS, true, watch_read_server, NULL},
    {"databases", 10 * SECOND_MS, true, watch_read_databases, NULL},
    {"activity", SECOND_MS, true, watch_read_activity, NULL},
    {"blocking", 2 * SECOND_MS, true, watch_read_blocking, watch_is_blocked},
};
const size_t watch_task_count = sizeof(watch_tasks) / sizeof(watch_tasks[0]);
