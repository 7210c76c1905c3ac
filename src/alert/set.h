/* The alerts of one deck and how they change from round to round: pure, no clock, file or thread
 * of its own. Owns its texts. One thread at a time. */
#pragma once
#include "alert/finding.h"
#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

enum {
    ALERT_LIMIT = 1000,      /* alerts that are open or about to be */
    ALERT_TARGET_LIMIT = 16, /* of notify: */
    ALERT_NAME_BYTES = 200,  /* longer names, messages and mending SQL are cut or left out */
    ALERT_MESSAGE_BYTES = 500,
    ALERT_FIX_BYTES = 8192,
};

struct alert {
    char *name, *server, *environment, *database; /* "": none */
    enum alert_level level;                       /* ALERT_NONE: it did not fire yet */
    /* Breaches count until `clear` good rounds in a row; so what flaps fires once and stays. */
    int breaches, good_rounds, critical_breaches, less_rounds;
    int64_t since_ms;    /* it fired; 0: never */
    int64_t measured_ms; /* the newest that counted */
    int64_t number;      /* of this firing: no two of a deck have the same */
    double value, warning, critical;
    char *unit, *message, *fix_sql, *fix_database; /* "" : none */
    size_t breaching;                              /* findings of the last round that were bad */
    enum alert_level sent[ALERT_TARGET_LIMIT];     /* what each target was told last */
    int in_flight;                                 /* messages about it that are under way */
    /* Of the round that runs: */
    enum alert_level seen;
    bool is_seen;
    bool is_new;      /* counts in any case */
    int64_t round_ms; /* newest measurement */
};

struct alert_set {
    struct alert **items;
    size_t count;
    int64_t last_number;
    size_t left_out; /* findings of the last round that had no room */
};

struct alert_counts {
    int fire, clear; /* rounds */
};
struct alert_round {
    const struct alert_finding *findings;
    size_t count;
    int64_t now_ms;
};

struct alert_rules {
    /* Of that name; the deck's or the default. */
    struct alert_counts (*counts)(const void *context, const char *name);
    const void *context;
};

enum alert_change { ALERT_FIRED, ALERT_WORSE, ALERT_BETTER, ALERT_CLEARED };

struct alert_event {
    enum alert_change change;
    const struct alert *alert; /* until the next change of the set */
    enum alert_level before;
};
struct alert_events {
    LIST_OF(struct alert_event) list;
};

void alert_set_release(struct alert_set *set);
/* One round; what changed is added to ret_events, in the arena. */
void alert_set_round(struct arena *arena, struct alert_set *set, const struct alert_rules *rules,
                     const struct alert_round *round, struct alert_events *ret_events);
/* Clears those for which is_gone says so, with an event each. */
void alert_set_retire(struct arena *arena, struct alert_set *set,
                      bool (*is_gone)(const void *context, const struct alert *alert),
                      const void *context, struct alert_events *ret_events);
/* Frees what neither fires nor counts and of which no target has to be told any more. */
void alert_set_sweep(struct alert_set *set);
/* Adds an alert (read from a file); NULL when there is no room. */
struct alert *alert_set_add(struct alert_set *set, const struct alert_finding *finding);
const char *alert_level_name(enum alert_level level);    /* "warning" */
const char *alert_change_name(enum alert_change change); /* "fired" */
