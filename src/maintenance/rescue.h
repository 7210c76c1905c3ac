/* The red button: what hurts a server right now, what would end it, and ending it. Looks again
 * after each round, until there is nothing left to offer. Whoever asks decides on each offer; what
 * was done is recorded in the state folder and, where that can be had, in table pgdeck.rescue of
 * the server. Everything lives in the caller's arena. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct rescue_offer {
    const char *sight; /* "connections" */
    const char *what;  /* "end session 4711 of app" */
    const char *why;
    const char *how; /* terminate, cancel, console */
    const char *pid, *backend_start, *sql;
    bool is_wanted; /* by who was asked */
    bool is_done;
    const char *outcome; /* "" : not tried */
};

struct rescue_line {                           /* what is seen */
    const char *sight, *severity, *text, *sql; /* sql: what a person could do; NULL: nothing */
};

struct rescue_report {
    const char *server;
    LIST_OF(struct rescue_line) lines;
    LIST_OF(struct rescue_offer) offers;
    size_t done, failed, rounds;
    const char *record; /* the file */
    bool is_recorded;   /* in the server, too */
};

struct rescue_options {
    const struct deck *deck;
    long idle_minutes, query_minutes;
    bool is_dry_run, has_pool_kill;
    /* Asked for each sight that has offers, which begin at first: says which of them are wanted.
     * What is not is not offered again. */
    void (*confirm)(void *sink, struct rescue_report *report, size_t first);
    void (*on_line)(void *sink, const struct rescue_line *line); /* as they are seen; may be NULL */
    void *sink;
};

/* Fails when the server cannot be reached even through what is reserved, or when interrupted. */
bool rescue_server(struct arena *arena, const struct rescue_options *options,
                   const struct deck_server *server, struct rescue_report *ret_report,
                   struct error *err) MUST_CHECK;
/* Which way in there will be when all connections are taken, as a line of the report. */
bool rescue_check(struct arena *arena, const struct deck_server *server,
                  struct rescue_report *ret_report, struct error *err) MUST_CHECK;
