/* What a session of the simulation has by name: statements, of the protocol and of SQL, and
 * cursors. Neither is part of a transaction, but for a cursor that it has made. */
#pragma once
#include "sim/session.h"

/* The statement of that name; is_new: else a place for it. NULL: none. */
struct sim_statement *
sim_named_statement(struct sim_session *session, const char *name, bool is_new);
/* Runs a statement about what is named. True: sql was one; ret_sqlstate is not NULL when it has
 * failed. */
bool sim_named_run(struct sim_session *session, const char *sql, const char **ret_sqlstate);
/* What is done in its stead: what EXECUTE runs; NULL: there is no such statement. */
const char *sim_named_resolve(struct sim_session *session, const char *sql);
/* Whether it gives rows, as Describe says it. */
bool sim_named_has_rows(struct sim_session *session, const char *sql);
/* The names of all, for rows: what is another's shows. */
void sim_named_list(struct sim_session *session, char *text, size_t size);
/* A transaction has ended. */
void sim_named_end_transaction(struct sim_session *session, bool is_rolled_back);
void sim_named_discard(struct sim_session *session);
