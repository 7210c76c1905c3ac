/* When something is used up, from how it went so far: a straight line by least squares. Says
 * nothing where the history is too short or no line. A history of a day looks 30 days ahead. */
#pragma once
#include "watch/series.h"

enum { WATCH_FORECASTS = 20 };

struct watch_trend {
    double samples, since, until; /* Unix seconds */
    double a_day;                 /* used in a day; below zero: it becomes more */
    double fit;                   /* the share of the ups and downs that the line explains (r2) */
};

enum watch_outlook {
    WATCH_RUNS_OUT,
    WATCH_IS_FAR,      /* not within watch_trend_sight_s() */
    WATCH_STAYS,       /* nothing is used */
    WATCH_IS_UNSTEADY, /* goes up and down: no line */
    WATCH_IS_YOUNG,    /* too little history */
    WATCH_IS_KEPT      /* transaction ids: autovacuum keeps up */
};

struct watch_forecast { /* of a database, as it was read */
    char kind[24];      /* "sequence", "transaction ids", "disk" */
    char name[256];
    char fix_sql[512];
    double room; /* NAN: another knows */
    bool is_kept_young;
    struct watch_trend trend;
};

/* ret_at: when room has gone, if it runs out. */
enum watch_outlook
watch_trend_outlook(const struct watch_trend *trend, double room, double now, double *ret_at);
double watch_trend_sight_s(const struct watch_trend *trend); /* how far it can be seen */
/* Of a day of sums and counts of what is left, minute by minute. */
struct watch_trend watch_trend_of(const struct watch_series *left, double now);
