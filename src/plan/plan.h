/* Plan: reads the servers of a deck, asks every advisor, and orders what they say. Owns the
 * snapshots' connections until plan_release; everything else lives in the arena. */
#pragma once
#include "change/advice.h"
#include "deck/deck.h"
#include "pg/catalog.h"

struct plan_filter {
    const char *const *databases; /* only these; with count 0 all */
    size_t database_count;
    const char *const *advisors; /* only these */
    size_t advisor_count;
    enum advice_scope scope; /* other than all: of the partition advisor */
    const char *retiring;    /* of struct advice */
};

struct plan_server {
    const struct deck_server *deck;
    struct catalog_server catalog;
};

struct plan {
    struct arena *arena;
    const struct deck *deck;
    LIST_OF(struct plan_server) servers;
    struct change_list changes;
};

/* Where a server of the deck is. */
struct pg_target plan_target(const struct deck_server *server, const char *database);

/* Errors: those of pg_connect; ERROR_USAGE for a filter that names nothing; ERROR_REFUSED for a
 * standby; what the advisors find. On failure nothing stays open. */
bool plan_make(struct arena *arena, const struct deck *deck, const struct plan_filter *filter,
               struct plan *ret_plan, struct error *err) MUST_CHECK;
/* Reads the servers and asks nobody: a plan without changes, to which the caller adds his. */
bool plan_read(struct arena *arena, const struct deck *deck, struct plan *ret_plan,
               struct error *err) MUST_CHECK;
void plan_release(struct plan *plan);

struct plan_summary {
    size_t create, alter, drop, run;
    size_t restart, destructive, revocation;
};
struct plan_summary plan_summarize(const struct plan *plan);
