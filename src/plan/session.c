// SPDX-License-Identifier: MIT
#include "plan/session.h"

#include "plan/journal.h"
#include "plan/plan.h"

#include <string.h>

static struct plan_session *
find(struct plan_sessions *sessions, const char *database)
{
    for (size_t i = 0; i < sessions->list.count; i++) {
        const char *name = sessions->list.items[i].database;
        if (name == database || (name != NULL && database != NULL && strcmp(name, database) == 0))
            return &sessions->list.items[i];
    }
    struct plan_session *session = LIST_ADD(sessions->arena, &sessions->list);
    session->database = database;
    return session;
}

bool
plan_session_open(struct plan_sessions *sessions, const char *database, PGconn **ret_connection,
                  struct error *err)
{
    struct plan_session *session = find(sessions, database);
    struct pg_target target = plan_target(sessions->server, database);

    if (session->connection == NULL) {
        PGconn *connection = NULL;
        if (!pg_connect(&target, &connection, err))
            return false;
        if (sessions->needs_journal && !journal_ensure(connection, err)) {
            PQfinish(connection);
            return false;
        }
        session->connection = connection;
    }
    *ret_connection = session->connection;
    return true;
}

void
plan_session_close(struct plan_sessions *sessions, const char *database)
{
    struct plan_session *session = find(sessions, database);

    PQfinish(session->connection);
    session->connection = NULL;
}

void
plan_sessions_close(struct plan_sessions *sessions)
{
    for (size_t i = 0; i < sessions->list.count; i++) {
        PQfinish(sessions->list.items[i].connection);
        sessions->list.items[i].connection = NULL;
    }
}
