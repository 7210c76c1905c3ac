/* Rollback: takes back the newest apply of the deck on each server, last change first. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct rollback_options {
    bool has_drop_data;  /* --drop-data: what lost its emptiness goes too */
    bool has_restart;    /* --restart: restart when what is taken back needs it */
    bool is_dry_run;     /* only tell */
    bool is_waiting;     /* for the lock */
    const bool *servers; /* by deck->servers: only these; NULL: all */
    /* Told of each change; verdict: "undone", "kept: reason", "cannot be undone". */
    void (*on_change)(void *sink, const char *server, const char *database, const char *what,
                      const char *verdict);
    void *sink;
};

struct rollback_outcome {
    size_t undone;
    size_t kept;          /* left standing, with the reason told */
    bool needs_restart;   /* and it was not done */
    bool has_nothing;     /* no apply that could be rolled back */
    bool has_other_login; /* a service logs in as before a rotation: pools have to take that in */
};

/* Errors: as pg_connect; ERROR_LOCKED; a statement's. What was undone stays undone, and the next
 * rollback goes on. */
bool plan_rollback(struct arena *arena, const struct deck *deck,
                   const struct rollback_options *options, struct rollback_outcome *ret_outcome,
                   struct error *err) MUST_CHECK;
