/* The daemon `pgdeck watch`: one thread with one connection for each database, one that publishes.
 * What it knows is on the board; what it finds goes to whoever listens. docs/design/watch.md */
#pragma once
#include "deck/deck.h"
#include "watch/board.h"
#include <stddef.h>

struct watch_decks { /* as loaded; constant */
    struct arena *arena;
    LIST_OF(const struct deck *) list;
};

/* Those who are above or beside this folder, wired up by the command. Each may be NULL. */
struct watch_hooks {
    void *sink;
    /* Reads the decks, again at SIGHUP; on failure nothing is kept. Main thread. */
    bool (*load)(void *sink, struct watch_decks *ret_decks, struct error *err);
    /* After the decks were loaded, at the start and at SIGHUP: whoever keeps something of them gets
     * the new ones; the old ones live until it returns. Main thread. */
    bool (*configure)(void *sink, const struct watch_decks *decks, struct watch_board *board,
                      struct error *err);
    void (*log)(void *sink, const char *line);
};

struct watch_options {
    struct watch_hooks hooks;
    struct watch_board *board;
    /* Ends when every database was asked or could not be reached, and so much time has gone by. */
    bool is_once;
    int once_ms;
};

/* Runs until SIGTERM or SIGINT. */
bool watch_run(const struct watch_options *options, struct error *err) MUST_CHECK;
