/* A copy of the tables that the statements name, where statements may be run: on a private server
 * of its own, with all rows or a sample, or a whole database made from the real one as template. */
#pragma once
#include "advise/run.h"
#include "local/server.h"

enum advise_copy_kind { ADVISE_COPY_PRIVATE, ADVISE_COPY_TEMPLATE };

struct advise_copy {
    enum advise_copy_kind kind;
    double max_rows;            /* of a table; larger ones are sampled */
    struct local_server server; /* private */
    bool has_server;
    const char *database; /* on the real server, from the template; NULL: none */
    PGconn *elsewhere;    /* made it, and drops it, after an interrupt too; NULL: private */
    PGconn *connection;
    bool is_sampled; /* some table has not all rows */
};

/* Makes it; kind and max_rows are given. Closes the run's own sessions for a template. On failure
 * what was made is removed. */
bool advise_copy_make(struct advise *run, struct advise_copy *copy, struct error *err) MUST_CHECK;
bool advise_copy_remove(struct advise *run, struct advise_copy *copy, struct error *err) MUST_CHECK;
