/* Tending the databases of a deck: what needs work is found, done within a window, one task after
 * the other, and recorded with what it gained in pgdeck.maintenance_run and _task of the database
 * itself. One task's failure does not stop the rest. Everything lives in the caller's arena. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

enum maintenance_kind {
    MAINTENANCE_DAILY,
    MAINTENANCE_WEEKLY,
    MAINTENANCE_MONTHLY,
    MAINTENANCE_KINDS
};

enum maintenance_state {
    MAINTENANCE_PLANNED, /* not begun */
    MAINTENANCE_DONE,
    MAINTENANCE_FAILED,
    MAINTENANCE_STOPPED, /* the window ended first */
    MAINTENANCE_LEFT     /* not done on purpose; `error` says why */
};

struct maintenance_run;
struct maintenance_task;
typedef bool
maintenance_perform(struct maintenance_run *run, struct maintenance_task *task, struct error *err);

struct maintenance_task {
    const char *task;     /* "vacuum" */
    const char *relation; /* as SQL, whose size and rows are measured; NULL: none */
    const char *what;     /* "vacuum and analyze public.orders" */
    const char *why;      /* with the figures */
    const char *sql;
    maintenance_perform *perform; /* NULL: sql is run */
    const void *argument;
    enum maintenance_state state;
    double took_s;
    const char *gained; /* "" : nothing that can be said */
    const char *error;  /* "" : none */
};

enum maintenance_severity { MAINTENANCE_INFO, MAINTENANCE_WARNING, MAINTENANCE_CRITICAL };

/* What the user should know and nothing is done about. */
struct maintenance_finding {
    enum maintenance_severity severity;
    const char *text;
    const char *sql; /* what would mend it; NULL: none */
};

struct maintenance_report { /* of one database */
    const char *environment, *database;
    enum maintenance_kind kind;
    LIST_OF(struct maintenance_task) tasks;
    LIST_OF(struct maintenance_finding) findings;
    double took_s;
    bool is_held;   /* somebody else is at it; nothing was looked at */
    bool is_before; /* this window's run has been done before */
    const char *holder;
    const char *page; /* of a monthly run: its file; NULL: none */
};

struct maintenance_options {
    const struct deck *deck;
    enum maintenance_kind kind;
    bool is_dry_run;          /* finds and changes nothing, records nothing */
    bool has_drop;            /* what retain lets go is dropped */
    bool is_gentle;           /* outside of its window: VACUUM pauses as autovacuum does */
    int64_t window_ms;        /* until the window ends */
    const char *window_begin; /* of the calendar, as timestamptz; NULL: by hand */
    const char *page;         /* folder of the monthly page; NULL: in the state folder */
    void (*on_progress)(void *sink, const char *line); /* may be NULL */
    void *sink;
};

const char *maintenance_kind_name(enum maintenance_kind kind);
const char *maintenance_state_name(enum maintenance_state state);
const char *maintenance_severity_name(enum maintenance_severity severity);

/* Tends one database. Fails when it cannot be reached or pgdeck was interrupted; what fails in it
 * is in the report. */
bool maintenance_tend(struct arena *arena, const struct maintenance_options *options,
                      const struct deck_database *database, struct maintenance_report *ret_report,
                      struct error *err) MUST_CHECK;
