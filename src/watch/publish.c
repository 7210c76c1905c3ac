// SPDX-License-Identifier: MIT
/* The publishing thread: makes documents of what the collectors know. Asks no database. */
#include "watch/server_log.h"

#include <poll.h>

enum {
    SECOND_MS = 1000,
    YOUNG_S = 10,
    LOAD_S = 2,
    METRICS_S = 5,
    QUERIES_S = 10 /* or less */,
    ENVIRONMENTS_S = 30
};

static void
put(struct watch *watch, const char *name, json_t *json)
{
    watch_board_put_json(watch->board, name, json);
}

/* At first all of them each second, for whoever has just started it. */
static bool
is_due(long long second, int interval_s)
{
    return second < YOUNG_S || second % interval_s == 0;
}

/* As often as the statements are asked for, where a deck wants them often. */
static int
queries_s(const struct watch_generation *generation)
{
    int seconds = QUERIES_S;

    for (size_t i = 0; i < generation->decks.list.count; i++) {
        int wanted_s = generation->decks.list.items[i]->watch.statements_ms / SECOND_MS;
        if (wanted_s < seconds)
            seconds = wanted_s > 1 ? wanted_s : 1;
    }
    return seconds;
}

static void
publish(struct watch *watch, long long second)
{
    pthread_mutex_lock(&watch->lock);
    double now = watch_now();
    json_t *overview = watch_overview(watch, now);
    if (is_due(second, METRICS_S)) {
        json_t *forecasts = watch_forecasts_document(watch, now);
        watch_publish_metrics(watch, overview, forecasts, now);
        put(watch, "forecasts", forecasts);
    }
    put(watch, "overview", overview);
    put(watch, "blocking", watch_blocking_document(watch, now));
    if (is_due(second, LOAD_S))
        put(watch, "load", watch_load_document(watch, now));
    if (is_due(second, ENVIRONMENTS_S))
        watch_publish_environments(watch, now);
    if (is_due(second, queries_s(watch->generation))) {
        put(watch, "history", watch_history_document(watch, now));
        put(watch, "log", watch_log_document(watch, now));
        put(watch, "pools", watch_pools_document(watch, now));
        watch_publish_queries(watch, now);
    }
    pthread_mutex_unlock(&watch->lock);
}

void *
watch_publish(void *argument)
{
    struct watch *watch = argument;
    struct pollfd wait = {.fd = watch->publisher_stop, .events = POLLIN};

    /* While it samples for one document only, all are put up each second. */
    for (long long second = 0; wait.revents == 0; second += watch->options->is_once ? 0 : 1) {
        publish(watch, second);
        poll(&wait, 1, SECOND_MS - (int)(watch_now_ms() % SECOND_MS));
    }
    return NULL;
}
