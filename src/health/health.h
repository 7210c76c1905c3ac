/* pgdeck health: all checks on all databases of the deck at once, one connection each, which
 * changes nothing and waits for nothing. In the arena of the command. */
#pragma once
#include "deck/deck.h"
#include "monitoring/object.h"
#include "pg/connection.h"

enum health_severity {
    HEALTH_CRITICAL,
    HEALTH_WARNING,
    HEALTH_UNKNOWN, /* could not be measured */
    HEALTH_INFO,
    HEALTH_OK,
    HEALTH_SEVERITIES
};

struct health_finding {
    enum health_severity severity;
    int rank;             /* of two of one severity, the lower one hurts more */
    const char *server;   /* in the deck */
    const char *database; /* NULL: of the server */
    const char *check;
    const char *finding, *evidence, *confidence;
    const char *fix_sql; /* NULL: none. To be run in fix_database */
    const char *fix_database;
};

struct health_options {
    const struct deck *deck;
    const char *const *databases; /* of the deck; none: all */
    size_t database_count;
    const char *const *checks; /* none: all */
    size_t check_count;
    int timeout_ms; /* of each statement, and for all of them once connected */
};

struct health_report {
    LIST_OF(struct health_finding) findings; /* what hurts most first */
    size_t counts[HEALTH_SEVERITIES];
    size_t role_limit_count; /* of the unknown ones: what this role will never see */
    size_t server_count, database_count, check_count;
    double took_s;
};

/* Fails for bad options and when interrupted only: what cannot be reached is a finding. */
bool health_look(struct arena *arena, const struct health_options *options,
                 struct health_report *ret_report, struct error *err) MUST_CHECK;
const char *health_severity_name(enum health_severity severity);
