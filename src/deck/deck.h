/* The deck: what should be true. Read from YAML by deck_load; constant afterwards; everything in
 * it lives in the arena that it was loaded into. Every value knows its place (file:line:column). */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "deck/alert.h"
#include "deck/maintenance.h"
#include "deck/pooler.h"
#include "deck/rollup.h"
#include "deck/server.h"
#include "deck/setting.h"
#include "deck/statement.h"
#include "deck/watch.h"
#include <stdint.h>

enum deck_workload {
    WORKLOAD_WEB,
    WORKLOAD_OLTP,
    WORKLOAD_ANALYTICS,
    WORKLOAD_MIXED,
    WORKLOAD_DESKTOP
};
enum deck_logging { LOGGING_VERBOSE, LOGGING_BALANCED, LOGGING_MINIMAL };
enum deck_depth { DEPTH_DETAILED, DEPTH_STANDARD, DEPTH_ESSENTIAL, DEPTH_OF_LOGGING };
enum deck_partition_kind { PARTITION_RANGE, PARTITION_LIST, PARTITION_HASH };
enum deck_unit { UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR, UNIT_ID };
enum deck_passwords { PASSWORDS_SCRAM };

/* Advisors that the deck may switch off: `advisors: [index, partition]`; default all. */
enum deck_advisor {
    ADVISOR_SETTINGS = 1 << 0,
    ADVISOR_SCHEMA = 1 << 1,
    ADVISOR_INDEX = 1 << 2,
    ADVISOR_PARTITION = 1 << 3,
    ADVISOR_MONITORING = 1 << 4,
    ADVISOR_SECURITY = 1 << 5,
    ADVISOR_MAINTENANCE = 1 << 6,
    ADVISOR_ROLLUP = 1 << 7,
    ADVISOR_ALL = (1 << 8) - 1,
};

struct deck_targets {
    int connections_min, connections_max; /* 0: not given */
    int64_t query_p95_ms;
    int64_t ai_task_ms;
    double cache_hit; /* share, 0.95; 0: not given */
};

struct deck_environment {
    const char *name;
    struct place place;
    const struct deck_server *server;
    int64_t memory_bytes; /* its share; 0: not given */
    int max_connections;  /* 0: not given */
    enum deck_workload workload;
    enum deck_logging logging;
    enum deck_depth monitoring;
    struct deck_targets targets;
    LIST_OF(struct deck_pool) pools;
    const char *role_prefix; /* default: the environment's name */
    bool has_tls_required;
    bool has_audit;
    bool has_read_only, has_monitoring; /* roles of those names for people to be members of */
    enum deck_passwords passwords;
    LIST_OF(const char *) allow; /* client networks, CIDR */
    int64_t history_ms;          /* how long samples of the monitoring are kept; default 30 days */
    struct deck_settings settings;
    struct deck_maintenance maintenance;
};

/* What becomes of the rows that a table has when it is partitioned: HISTORY_AUTO decides. */
enum deck_history { HISTORY_AUTO, HISTORY_WHOLE, HISTORY_SPLIT };

struct deck_partition_part { /* of a LIST */
    const char *name;
    struct place place;
    LIST_OF(const char *) values;
};

struct deck_partition {
    const char *schema; /* default "public" */
    const char *table;
    struct place place;
    enum deck_partition_kind kind;
    const char *column;
    const char *then_range; /* LIST, HASH: range column of the second level; NULL: none */
    int every;              /* RANGE, then_range: with unit, e.g. 1 month */
    enum deck_unit unit;
    int premake; /* RANGE: whole periods to have ahead of the current one; default 3 */
    int past;    /* RANGE: periods before the current one to make with the table; default 0 */
    int retain;  /* RANGE: periods of retain_unit to keep; 0: for ever */
    enum deck_unit retain_unit;
    int modulus;               /* HASH: number of parts */
    enum deck_history history; /* RANGE: of a table with rows */
    bool is_uuidv7;            /* RANGE, then_range: the column has ids whose first bits are time */
    bool has_rewrite;          /* partitions of another shape are made anew by copying */
    bool has_accept_key;       /* a table in use may get a lesser key */
    const char *export;        /* folder for what retain drops; NULL: it is dropped only */
    int64_t keep_ms;           /* how long the old table of a conversion stays; default 7 days */
    int64_t wal_rate_bytes;    /* a conversion writes no more WAL a second; 0: no limit */
    int64_t replica_lag_ms;    /* a conversion waits while a replica is further behind */
    int64_t log_latency_ms;    /* ... or 1 % of what its log takes down takes longer */
    LIST_OF(struct deck_partition_part) parts;
};
struct deck_partitions {
    LIST_OF(struct deck_partition) list;
};

struct deck_role { /* `roles:` of a deck made from a live server */
    const char *name;
    struct place place;
    bool can_login;
    int connection_limit; /* -1: none */
    LIST_OF(const char *) member_of;
};

struct deck_database {
    const char *name;
    struct place place;
    const struct deck_environment *environment;
    LIST_OF(const char *) services;
    const struct deck_sql_file *schema;       /* NULL: none. Its own or the deck's */
    const struct deck_sql_file *indexes;      /* NULL: none */
    const struct deck_partitions *partitions; /* NULL: none */
    const char *workload;                     /* folder; NULL: none */
};

enum deck_identity { IDENTITY_LOGIN, IDENTITY_SETTING };

struct deck_tenants {    /* `tenants:`: row-level security */
    const char *column;  /* NULL: none */
    const char *setting; /* NULL: app.tenant */
    enum deck_identity identity;
    LIST_OF(const char *) databases; /* empty: all */
};

struct deck {
    const char *name;
    const char *file;  /* path as given */
    unsigned advisors; /* set of enum deck_advisor */
    LIST_OF(struct deck_server) servers;
    LIST_OF(struct deck_environment) environments;
    LIST_OF(struct deck_database) databases;
    LIST_OF(struct deck_role) roles;
    LIST_OF(struct deck_rollup) rollups; /* of each database that has the table */
    LIST_OF(struct deck_alert) alerts;
    LIST_OF(struct deck_notify) notify;
    struct deck_tenants tenants;
    const char *views; /* folder of files for the schema monitoring; NULL: none */
    int lock_wait_ms;  /* lock_timeout of each DDL step; default 50 */
    struct deck_watch watch;
    struct deck_pooler pooler;
    int64_t give_up_ms;      /* stop retrying after this; default 60 000 */
    int64_t max_block_ms;    /* who is in the way for longer is named; default 5 s */
    int64_t index_review_ms; /* figures younger than this call no index unused; default 14 d */
};

/* All faults of a deck, in the order of their places; of very many only the first. */
struct deck_faults {
    LIST_OF(struct error) list;
    size_t hidden_count; /* while loading: faults beyond the limit, told by a last one */
    struct error hidden;
};

/* Reads a deck and the SQL files that it names. sets: overrides "servers.main.memory=2GB"
 * (command line --set), applied last. Returns NULL when there are faults; then ret_faults has
 * all of them, each ERROR_DECK (ERROR_FILE for the deck file itself) with place and hint. */
const struct deck *deck_load(struct arena *arena, const char *path, const char *const *sets,
                             size_t set_count, struct deck_faults *ret_faults);
/* Likewise, with what else is to be looked at: the deck then may have faults already (references
 * that lead nowhere are NULL). */
typedef void deck_checker(struct arena *arena, const struct deck *deck, struct deck_faults *faults);
const struct deck *deck_load_checked(struct arena *arena, const char *path, const char *const *sets,
                                     size_t set_count, deck_checker *checker,
                                     struct deck_faults *ret_faults);

/* Role names; also the pool's logins. In the arena. */
/* The first PostgreSQL that has the predefined role; 0: none of those that pgdeck knows, or one
 * that nobody can be a member of. */
int deck_predefined_role_since(const char *name);
const char **deck_predefined_roles(struct arena *arena); /* their names, NULL-terminated */
const char *deck_owner_role(struct arena *arena, const struct deck_environment *environment);
const char *deck_service_role(struct arena *arena, const struct deck_environment *environment,
                              const char *service); /* NOLOGIN, holds the rights */
const char *deck_login_role(struct arena *arena, const struct deck_environment *environment,
                            const char *service); /* "..._a" */
/* NOLOGIN, for people and tools: to read all tables; a member of pg_monitor. */
const char *deck_read_only_role(struct arena *arena, const struct deck_environment *environment);
const char *deck_monitoring_role(struct arena *arena, const struct deck_environment *environment);
/* The other one of "..._a" and "..._b": a rotation goes from one to the other. */
const char *deck_other_login(struct arena *arena, const char *login);
/* The environment variable, or systemd credential, that may give a login its password:
 * PGDECK_PASSWORD_PRODUCTION_API_GATEWAY_A. The reader sees to it that no two are the same. */
const char *deck_password_variable(struct arena *arena, const char *role);
/* How deep it is looked at: as it says, else as its logging. */
enum deck_depth deck_depth(const struct deck_environment *environment);
/* The pool of that service; NULL: none. */
const struct deck_pool *
deck_find_pool(const struct deck_environment *environment, const char *service);
const struct deck_server *deck_find_server(const struct deck *deck, const char *name);
