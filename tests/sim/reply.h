/* What a session of the simulation sends: messages, behind what its out has. */
#pragma once
#include "sim/session.h"

enum { SIM_MESSAGE_BYTES = 4096, SIM_ROWS = 12 };

/* severity NOTICE: a notice. */
void sim_put_error(struct sim_session *session, const char *severity, const char *sqlstate,
                   const char *message);
void sim_put_empty(struct sim_session *session, uint8_t type);
void sim_put_complete(struct sim_session *session, const char *tag);
void sim_put_columns(struct sim_session *session);
/* One row: the token, the parameter, and all that the session holds. */
void sim_put_row(struct sim_session *session, const char *token, const char *parameter);
/* The one of that number, of several. */
void sim_put_numbered(struct sim_session *session, const char *token, unsigned number,
                      const char *parameter);
/* With what has changed and what was notified in front of it. */
void sim_put_ready(struct sim_session *session);
/* CopyInResponse or CopyOutResponse; all of COPY TO STDOUT. */
void sim_put_copy(struct sim_session *session, uint8_t type);
void sim_put_copy_out(struct sim_session *session, const char *token);
