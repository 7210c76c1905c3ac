// SPDX-License-Identifier: MIT
/* The publishing thread: makes documents of what the collectors know. Asks no database. */
#include "watch/state.h"

#include <poll.h>

enum { SECOND_MS = 1000 };

static const struct {
    const char *name;
    json_t *(*make)(struct watch *watch, double now);
    int interval_s;
} documents[] = {
    {"overview", watch_overview, 1},
    {"load", watch_load_document, 2},
    {"blocking", watch_blocking_document, 1},
};

static void
publish(struct watch *watch, long long second)
{
    pthread_mutex_lock(&watch->lock);
    double now = watch_now();
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        if (second % documents[i].interval_s == 0)
            watch_board_put_json(watch->board, documents[i].name, documents[i].make(watch, now));
    }
    pthread_mutex_unlock(&watch->lock);
}

void *
watch_publish(void *argument)
{
    struct watch *watch = argument;
    struct pollfd wait = {.fd = watch->publisher_stop, .events = POLLIN};

    for (long long second = 0; wait.revents == 0; second++) {
        publish(watch, second);
        poll(&wait, 1, SECOND_MS - (int)(watch_now_ms() % SECOND_MS));
    }
    return NULL;
}
