// SPDX-License-Identifier: MIT
/* What the collectors ask, and how often. */
#include "watch/server_log.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static bool
leads_nothing(const struct watch_collector *collector)
{
    return collector->server->leader != collector;
}

static void
read_nothing(struct watch_collector *collector, const PGresult *result, double now)
{
    (void)collector;
    (void)result;
    (void)now;
}

const struct watch_task watch_tasks[] = {
    {.name = "probe", .interval_ms = 5 * MINUTE_MS, .read = watch_read_probe},
    {.name = "alive", /* where nothing else is asked for minutes */
     .interval_ms = 10 * SECOND_MS,
     .read = read_nothing,
     .is_wanted = leads_nothing},
    {.name = "server",
     .interval_ms = 30 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_server},
    {.name = "folders",
     .interval_ms = MINUTE_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_folders},
    {.name = "databases",
     .interval_ms = 10 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_databases},
    {.name = "activity",
     .interval_of_deck = offsetof(struct deck_watch, sample_ms),
     .scope = WATCH_OF_SERVER,
     .read = watch_read_activity,
     .needs_statistics = true},
    {.name = "blocking",
     .interval_ms = 2 * SECOND_MS,
     .scope = WATCH_OF_SERVER,
     .read = watch_read_blocking,
     .is_wanted = watch_is_blocked},
    {.name = "log",
     .interval_of_deck = offsetof(struct deck_watch, log_ms),
     .scope = WATCH_OF_SERVER,
     .read = watch_read_log,
     .is_wanted = watch_may_read_log,
     .parameters = watch_log_parameters},
    {.name = "statements",
     .interval_of_deck = offsetof(struct deck_watch, statements_ms),
     .scope = WATCH_OF_STATEMENTS,
     .read = watch_read_statements,
     .sql = watch_statements_sql},
    {.name = "texts",
     .interval_of_deck = offsetof(struct deck_watch, statements_ms),
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
    {.name = "recall",
     .interval_ms = MINUTE_MS,
     .read = watch_read_recall,
     .is_wanted = watch_wants_recall},
    {.name = "remember",
     .interval_ms = MINUTE_MS,
     .read = watch_read_remember,
     .is_wanted = watch_wants_remember,
     .parameters = watch_remember_parameters},
    {.name = "forecast",
     .interval_ms = 10 * MINUTE_MS,
     .read = watch_read_forecast,
     .is_wanted = watch_has_growth},
    {.name = "room",
     .interval_ms = 10 * MINUTE_MS,
     .read = read_nothing,
     .is_wanted = watch_wants_room,
     .parameters = watch_room_parameters},
    {.name = "record",
     .interval_of_deck = offsetof(struct deck_watch, history_ms),
     .read = watch_read_record,
     .is_wanted = watch_wants_record,
     .parameters = watch_record_parameters},
};
const size_t watch_task_count = sizeof(watch_tasks) / sizeof(watch_tasks[0]);
