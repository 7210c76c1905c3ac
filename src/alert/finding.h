/* What one look at one thing found, as alerts are made of it. Of the caller. */
#pragma once
#include <stdint.h>

enum alert_level { ALERT_NONE, ALERT_WARNING, ALERT_CRITICAL };

struct alert_finding {
    const char *name;        /* of what is looked at: "connections" */
    const char *server;      /* in the deck; NULL: none in particular */
    const char *environment; /* NULL: of a server */
    const char *database;    /* NULL: of an environment or server */
    enum alert_level level;  /* ALERT_NONE: it was measured and is well */
    double value;            /* NAN: none */
    /* Levels that value is held against, in its unit; critical below warning: low is bad. NAN: not
     * known. With them an alert clears only a little beyond warning. */
    double warning, critical;
    const char *unit;         /* "share", "ms", "bytes", "count"; NULL: none */
    const char *message;      /* the cause in one line */
    const char *fix_sql;      /* what mends it; NULL: nothing known */
    const char *fix_database; /* where to run it; NULL: database */
    int64_t measured_ms;      /* since 1970; a measurement counts once. 0: in this round */
};
