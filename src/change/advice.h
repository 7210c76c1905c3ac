/* What every advisor gets to read, for one server, and where it puts its changes. */
#pragma once
#include "change/change.h"
#include "deck/deck.h"
#include "pg/catalog.h"

/* What is looked for: all that differs from the deck; upkeep that is due (the partitions'); or what
 * was left behind and can go, with ADVICE_REMAINS_ALL before its time, too. */
enum advice_scope { ADVICE_ALL, ADVICE_UPKEEP, ADVICE_REMAINS, ADVICE_REMAINS_ALL };

/* An advisor may read more through the snapshot's connections: a bounded number of round trips,
 * everything rolled back, nothing locked that a reader or writer would wait for. */
struct advice {
    struct arena *arena;
    const struct deck *deck;
    const struct deck_server *server;
    const struct catalog_server *catalog;
    struct change_list *changes;
    enum advice_scope scope;
    const char *retiring; /* NULL, or a login whose rotation ends: wanted no longer, though its
                           * password is still known here */
    bool creates_tables;  /* the schema advisor is at work too: what it declares will be there */
};

typedef bool advise_function(struct advice *advice, struct error *err);
