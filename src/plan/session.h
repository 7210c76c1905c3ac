/* The open databases of a server under work: one connection each, opened at first use. */
#pragma once
#include "base/arena.h"
#include "deck/deck.h"
#include "pg/connection.h"

struct plan_session {
    const char *database; /* NULL: of the conninfo */
    PGconn *connection;   /* NULL: closed; opened again at the next use */
};

struct plan_sessions {
    struct arena *arena;
    const struct deck_server *server;
    bool needs_journal; /* the journal is made sure of in each database */
    LIST_OF(struct plan_session) list;
};

bool plan_session_open(struct plan_sessions *sessions, const char *database,
                       PGconn **ret_connection, struct error *err) MUST_CHECK;
/* Closes the session of one database, if there is one: before the database is dropped. */
void plan_session_close(struct plan_sessions *sessions, const char *database);
void plan_sessions_close(struct plan_sessions *sessions);
