/* The journal: a record of every change in the database that is changed, before and after it
 * runs, with the way back. What applies there were, is in the database of the conninfo. */
#pragma once
#include "change/change.h"
#include "deck/deck.h"
#include "pg/connection.h"

enum { APPLY_ID_LENGTH = 36 };

/* Creates the journal where it is missing. */
bool journal_ensure(PGconn *connection, struct error *err) MUST_CHECK;
/* Whether the journal's tables are there. ERROR_REFUSED when somebody else made them. */
bool journal_exists(PGconn *connection, bool *ret_exists, struct error *err) MUST_CHECK;

/* Begins an apply on a server, or takes over one that did not reach its end (or, when this one only
 * restarts, the one whose settings wait for that), so that one rollback takes back both.
 * ret_is_resumed tells which. */
bool journal_begin(PGconn *connection, const struct deck *deck, const char *server,
                   bool is_only_restart, char ret_id[APPLY_ID_LENGTH + 1], bool *ret_is_resumed,
                   struct error *err) MUST_CHECK;
bool
journal_end(PGconn *connection, const char *id, const char *state, struct error *err) MUST_CHECK;
/* The highest number that the apply used in this database; 0: none. */
bool
journal_last_seq(PGconn *connection, const char *id, int *ret_seq, struct error *err) MUST_CHECK;

bool journal_start_change(PGconn *connection, const char *id, int seq, const struct change *change,
                          struct error *err) MUST_CHECK;
/* state: done, failed, undone, kept. observed and message may be NULL. */
bool journal_end_change(PGconn *connection, const char *id, int seq, const char *state,
                        const char *observed, const char *message, struct error *err) MUST_CHECK;
