/* What pgdeck watch does besides watching: it keeps the calendar of maintenance of its decks, and a
 * way in for rescue to each of their servers. Threads of its own. */
#pragma once
#include "cli/command.h"

struct watch_upkeep;

struct watch_upkeep_options {
    const struct cli *cli; /* its --set */
    const char *const *deck_paths;
    size_t deck_count;
    void (*log)(void *sink, const char *line); /* from any thread */
    void *sink;
};

/* Begins to keep the calendar. */
bool watch_upkeep_start(const struct watch_upkeep_options *options,
                        struct watch_upkeep **ret_upkeep, struct error *err) MUST_CHECK;
/* Has a way in to the servers of these decks, and to no others. A server that was among those of
 * before keeps its connection. */
bool watch_upkeep_open_doors(struct watch_upkeep *upkeep, const struct deck *const *decks,
                             size_t count, struct error *err) MUST_CHECK;
/* What is under work is cancelled and cleaned up first. NULL: nothing. */
void watch_upkeep_end(struct watch_upkeep *upkeep);
