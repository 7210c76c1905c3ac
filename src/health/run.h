/* Statements on many connections at once, each connection its own queue, with one deadline for all:
 * a server that no longer answers costs that time and no more. */
#pragma once
#include "base/error.h"
#include <libpq-fe.h>

struct health_job {
    const char *sql;
    const char *const *parameters; /* NULL: none, and sql may be several statements */
    int parameter_count;
    PGresult *result;   /* the last one; owned by the caller; NULL on a fault */
    struct error error; /* code ERROR_NONE: it was answered */
};

struct health_queue {
    PGconn *connection; /* NULL: jobs are left alone */
    struct health_job *jobs;
    size_t count;
    size_t next; /* the job that runs, or is to run */
    bool is_sent;
};

/* Runs all jobs; the faults of one are its own. Fails when interrupted. */
bool
health_run(struct health_queue *queues, size_t count, int timeout_ms, struct error *err) MUST_CHECK;
