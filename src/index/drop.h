/* Dropping an index without stopping readers and writers. */
#pragma once
#include "change/change.h"
#include "deck/deck.h"

struct index_drop {
    const struct deck *deck;
    const char *server, *database;
    struct place place;
    const char *schema, *table, *name;
    const char *canonical; /* as in struct index_wanted: what it was, for the way back */
    bool is_partitioned;
    bool is_invalid;                  /* dropped only if it still is */
    const char *extra_off, *extra_on; /* as in struct index_status; NULL or "": nothing */
    const char *what, *why;
};

/* Adds the change that drops it, with the CREATE INDEX that brings it back as its undo. */
void
index_add_drop(struct change_list *changes, const struct index_drop *drop, bool is_destructive);
