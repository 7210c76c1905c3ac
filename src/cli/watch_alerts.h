/* Wires the alerts to `pgdeck watch`: a thread that holds what is on the board against the decks,
 * and puts the document `alerts`. */
#pragma once
#include "cli/command.h"
#include "watch/watch.h"

struct watch_alerts;

struct watch_alerts_options {
    struct watch_board *board;
    struct cli *cli; /* for --set */
    const char *const *deck_paths;
    size_t deck_count;
    void (*log)(void *sink, const char *line);
    void *sink;
};

/* Reads the decks, for the first time (*alerts NULL) or again. Alerts that another pgdeck watch
 * keeps are left to it, and taken over when it ends. Main thread. */
bool watch_alerts_configure(const struct watch_alerts_options *options,
                            struct watch_alerts **alerts, struct error *err) MUST_CHECK;
void watch_alerts_end(struct watch_alerts *alerts); /* NULL is fine */
