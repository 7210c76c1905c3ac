/* What pgdeck watch looks at seldom, for its page: health checks, partitions, drift from the deck.
 * Each is pgdeck itself in a process of its own, so that whatever becomes of it, who watches goes
 * on; one at a time, by one thread. */
#pragma once
#include "cli/command.h"
#include "watch/board.h"

struct watch_surveys;

struct watch_surveys_options {
    const struct cli *cli; /* its --set */
    const char *const *deck_paths;
    size_t deck_count;
    struct watch_board *board; /* where health, partitions, drift and advice go */
};

bool watch_surveys_start(const struct watch_surveys_options *options,
                         struct watch_surveys **ret_surveys, struct error *err) MUST_CHECK;
void watch_surveys_end(struct watch_surveys *surveys); /* NULL: nothing */
