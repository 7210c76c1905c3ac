/* Whether there is a backup that is new enough. pgdeck makes none: it asks what does, on the host
 * where it runs. In the caller's arena. */
#pragma once
#include "deck/deck.h"
#include "pg/connection.h"

struct backup_report {
    const char *text;  /* the age, or what is wrong; NULL: the deck says nothing, and need not */
    const char *fault; /* of the newest one of all: "the newest has failed"; NULL: none */
    bool is_good;      /* the newest good one is new enough */
    bool is_late;      /* what makes them gave no answer in time */
};

/* Production cannot do without: its name begins with "prod". Elsewhere somebody may have decided
 * so. */
bool backup_is_vital(const struct deck_environment *environment);
/* What to do where there is none, as a comment of SQL: no statement makes a backup. */
const char *backup_fix(struct arena *arena, const struct deck_environment *environment);
/* Asks what makes the backups of an environment, for so long; the server says how long ago a time
 * is. Fails when interrupted, and when the server cannot read the time. */
bool backup_look(struct arena *arena, const struct deck_environment *environment,
                 PGconn *connection, int timeout_ms, struct backup_report *ret_report,
                 struct error *err) MUST_CHECK;
