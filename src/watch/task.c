// SPDX-License-Identifier: MIT
/* What the collectors ask, and how often. */
#include "watch/state.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

const struct watch_task watch_tasks[] = {
    {.name = "probe", .interval_ms = 5 * MINUTE_MS, .read = watch_read_probe},
    {.name = "server",
     .interval_ms = 30 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_server},
    {.name = "databases",
     .interval_ms = 10 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_databases},
    {.name = "activity",
     .interval_of_deck = offsetof(struct deck_watch, sample_ms),
     .scope = WATCH_OF_SERVER,
     .read = watch_read_activity},
    {.name = "blocking",
     .interval_ms = 2 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_blocking,
     .is_wanted = watch_is_blocked},
    {.name = "statements",
     .interval_of_deck = offsetof(struct deck_watch, statements_ms),
     .scope = WATCH_OF_STATEMENTS,
     .read = watch_read_statements,
     .sql = watch_statements_sql},
    {.name = "texts",
     .interval_ms = MINUTE_MS,
     .scope = WATCH_OF_STATEMENTS,
     .read = watch_read_texts,
     .is_wanted = watch_lacks_texts,
     .sql = watch_texts_sql,
     .parameters = watch_texts_parameters},
    {.name = "yesterday",
     .interval_ms = 10 * MINUTE_MS,
     .read = watch_read_yesterday,
     .is_wanted = watch_has_history},
    {.name = "ai_tasks",
     .interval_ms = MINUTE_MS,
     .read = watch_read_ai_tasks,
     .is_wanted = watch_has_ai_tasks,
     .parameters = watch_ai_parameters},
};
const size_t watch_task_count = sizeof(watch_tasks) / sizeof(watch_tasks[0]);
