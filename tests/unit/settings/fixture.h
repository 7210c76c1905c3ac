/* A deck with one server, and a snapshot of a stock PostgreSQL, for the tests of settings. */
#pragma once
#include "change/advice.h"
#include "settings/rules.h"

struct fixture {
    struct arena *arena;
    struct deck deck;
    struct catalog_server catalog;
    struct change_list changes;
    struct advice advice;
};

/* PostgreSQL of that major, superuser, pg_stat_statements installed. */
struct fixture *fixture_new(int major);
void fixture_free(struct fixture *fixture);
struct deck_environment *fixture_environment(struct fixture *fixture, const char *name,
                                             int64_t memory_bytes, int max_connections,
                                             enum deck_logging logging);
void fixture_database(struct fixture *fixture, const char *name, size_t environment);
struct catalog_setting *fixture_setting(struct fixture *fixture, const char *name);
/* What the rules propose for the server (environment NULL) or one environment; NULL: nothing. */
const char *fixture_proposal(struct fixture *fixture, const char *name, const char *environment);
const struct change *fixture_change(const struct fixture *fixture, const char *key);
