/* What the rules derive values from: one server, its environments, and what the deck or the host
 * tells of its memory and CPUs. */
#pragma once
#include "change/advice.h"
#include "settings/libraries.h"

struct settings_environment {
    const struct deck_environment *deck;
    int64_t memory_bytes; /* its share; 0: unknown */
    int connections;      /* its limit; 0: unknown */
    /* Expected to work at once: its pools, else its target, else 2 of 5; 0: unknown. */
    int active_connections;
    const char *memory_from, *connections_from, *active_from; /* for the reader */
    LIST_OF(const char *) databases;
    /* Since its databases' statistics were reset; 0 seconds: nothing is known. */
    double temp_files, temp_bytes, temp_seconds;
    const char *temp_since; /* a date */
};

/* Of the whole server, since its statistics were reset; 0 seconds: nothing is known. */
struct settings_measured {
    double seconds, wal_bytes;
    double timed, requested; /* checkpoints */
    const char *since;       /* a date */
    int standbys;            /* that stream from it now */
};

struct settings_rule;

enum { SETTINGS_LIBRARIES = 4 };

struct settings_input {
    struct arena *arena;
    const struct deck_server *deck;
    const struct catalog_server *catalog;
    int64_t memory_bytes; /* 0: unknown */
    const char *memory_from;
    int cpus; /* 0: unknown */
    LIST_OF(struct settings_environment) environments;
    struct settings_measured measured;
    int64_t databases_bytes; /* of all databases together; 0: unknown */
    const char *databases_from;
    int own_connections; /* pgdeck's own: one a database and a few for apply and watch */
    int reserved_connections;
    bool has_partitions;                                 /* one of its databases has */
    enum deck_depth deepest_monitoring;                  /* of its environments */
    enum settings_library libraries[SETTINGS_LIBRARIES]; /* by enum settings_preloaded */
    /* Those of the table that are for this server, and one more for each parameter that only the
     * deck sets. */
    LIST_OF(const struct settings_rule *) rules;
};

enum { SETTINGS_SPARE_CONNECTIONS = 4 };

void settings_input_read(const struct advice *advice, struct settings_input *ret_input);
/* Sum of all environments, reserved and pgdeck's own; 0 when one environment's is unknown. */
int settings_connections(const struct settings_input *input);
/* What max_connections will be: the deck's, where it can be set; else what it is. 0: unknown. */
int settings_future_connections(const struct settings_input *input);
/* The only environment of its server, if it is: gets the classic figures; else NULL. */
const struct settings_environment *settings_sole(const struct settings_input *input);
