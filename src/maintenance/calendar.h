/* The calendar of the deck: which windows of which databases have begun, what became of them, and
 * doing what is due. Its memory is the record in each database, so any number of pgdeck on any
 * number of hosts may keep it: what one does no other does again. */
#pragma once
#include "maintenance/maintenance.h"

enum maintenance_turn {
    MAINTENANCE_NEVER_BEGUN, /* its first window is to come, or the last was before all this */
    MAINTENANCE_DUE,         /* its window is open */
    MAINTENANCE_MISSED,      /* its window is over; to be made up for */
    MAINTENANCE_HAS_RUN,
    MAINTENANCE_UNREACHABLE
};

struct maintenance_appointment {
    const struct deck_database *database;
    enum maintenance_kind kind;
    enum maintenance_turn turn;
    const char *begin;                    /* timestamptz; "" : unknown */
    const char *local_begin, *local_next; /* in the environment's time zone */
    bool is_now;         /* it would be done now: due, or missed and this is the time for that */
    int64_t left_ms;     /* until it has to end */
    const char *outcome; /* as recorded; of MAINTENANCE_UNREACHABLE: why */
    const struct maintenance_report *report; /* what was done just now; NULL: nothing */
};

struct maintenance_calendar {
    LIST_OF(struct maintenance_appointment) list;
};

struct maintenance_clock {
    const char *now;                                   /* timestamptz; NULL: the server's own */
    bool is_running;                                   /* what is due is done */
    void (*on_progress)(void *sink, const char *line); /* may be NULL */
    void *sink;
};

const char *maintenance_turn_name(enum maintenance_turn turn);
/* Reads the calendar of all databases, and does what is due where the clock says so. Fails when
 * interrupted; a database that cannot be reached is one of its appointments. A deck whose advisors
 * leave maintenance out has none. */
bool maintenance_keep(struct arena *arena, const struct deck *deck,
                      const struct maintenance_clock *clock,
                      struct maintenance_calendar *ret_calendar, struct error *err) MUST_CHECK;
