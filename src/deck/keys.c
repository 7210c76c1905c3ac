// SPDX-License-Identifier: MIT
#include "deck/keys.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* A few places rely on fields that stand side by side. */
_Static_assert(offsetof(struct deck_targets, connections_max) ==
                   offsetof(struct deck_targets, connections_min) + sizeof(int),
               "a range is two ints");
_Static_assert(offsetof(struct deck_partition, unit) ==
                       offsetof(struct deck_partition, every) + sizeof(int) &&
                   offsetof(struct deck_partition, retain_unit) ==
                       offsetof(struct deck_partition, retain) + sizeof(int),
               "a period is an int and its unit");

static const char *const storage_words[] = {"nvme", "ssd", "san", "hdd", NULL};
static const char *const configuration_words[] = {"file", "alter-system", NULL};
static const char *const workload_words[] = {"web", "oltp", "analytics", "mixed", "desktop", NULL};
static const char *const logging_words[] = {"verbose", "balanced", "minimal", NULL};
static const char *const depth_words[] = {"detailed", "standard", "essential", NULL};
static const char *const tls_words[] = {"optional", "required", NULL};
static const char *const password_words[] = {"scram-sha-256", NULL};
static const char *const advisor_words[] = {"settings",   "schema",   "index", "partition",
                                            "monitoring", "security", NULL};

#define AT(type, field) offsetof(struct type, field)

static const struct deck_key server_keys[] = {
    {.name = "conninfo",
     .type = KEY_CONNINFO,
     .offset = 0,
     .help = "how to reach it, as libpq reads it; never a password",
     .is_required = true},
    {.name = "password_file",
     .type = KEY_FILE,
     .offset = AT(deck_server, password_file),
     .help = "file whose first line is the password; default: pgpass and the environment"},
    {.name = "memory",
     .type = KEY_SIZE,
     .offset = AT(deck_server, memory_bytes),
     .help = "what PostgreSQL may use; default: the host's, where that can be known",
     .min = 1 << 26},
    {.name = "cpus",
     .type = KEY_COUNT,
     .offset = AT(deck_server, cpus),
     .help = "default: the host's, where that can be known",
     .min = 1,
     .max = 4096},
    {.name = "storage",
     .type = KEY_CHOICE,
     .offset = AT(deck_server, storage),
     .help = "default ssd",
     .words = storage_words},
    {.name = "configuration",
     .type = KEY_CHOICE,
     .offset = AT(deck_server, configuration),
     .help = "where its settings go on its own host: pgdeck.conf (default) or ALTER SYSTEM",
     .words = configuration_words},
    {.name = "restart_command",
     .type = KEY_TEXT,
     .offset = AT(deck_server, restart_command),
     .help = "default: pg_ctl, where the data directory can be reached"},
};
static const struct deck_server server_defaults = {.storage = STORAGE_SSD};
static const struct deck_table server_table = {
    .what = "server",
    .keys = server_keys,
    .count = COUNT_OF(server_keys),
    .item_bytes = sizeof(struct deck_server),
    .name_offset = AT(deck_server, name),
    .place_offset = AT(deck_server, place),
    .defaults = &server_defaults,
};

static const struct deck_key target_keys[] = {
    {.name = "connections",
     .type = KEY_RANGE,
     .offset = AT(deck_targets, connections_min),
     .help = "server connections in use, such as 50-100"},
    {.name = "query_p95",
     .type = KEY_DURATION,
     .offset = AT(deck_targets, query_p95_ms),
     .help = "95 of 100 queries are faster",
     .min = 1},
    {.name = "ai_task",
     .type = KEY_DURATION,
     .offset = AT(deck_targets, ai_task_ms),
     .help = "an AI task takes less",
     .min = 1},
    {.name = "cache_hit",
     .type = KEY_SHARE,
     .offset = AT(deck_targets, cache_hit),
     .help = "blocks found in memory"},
};
static const struct deck_table target_table = {
    .what = "targets", .keys = target_keys, .count = COUNT_OF(target_keys)};

static const struct deck_key pool_keys[] = {
    {.name = "min",
     .type = KEY_COUNT,
     .offset = AT(deck_pool, min),
     .help = "connections kept open; default 0",
     .max = 100000},
    {.name = "max",
     .type = KEY_COUNT,
     .offset = AT(deck_pool, max),
     .help = "connections at most",
     .is_required = true,
     .min = 1,
     .max = 100000},
    {.name = "query_timeout",
     .type = KEY_DURATION,
     .offset = AT(deck_pool, query_timeout_ms),
     .help = "longest query; default: none"},
};
static const struct deck_table pool_table = {
    .what = "pool",
    .keys = pool_keys,
    .count = COUNT_OF(pool_keys),
    .item_bytes = sizeof(struct deck_pool),
    .name_offset = AT(deck_pool, service),
    .place_offset = AT(deck_pool, place),
};

static const struct deck_key maintenance_keys[] = {
    {.name = "daily",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_environment, maintenance_daily),
     .help = "time, such as \"00:30\"",
     .min = SCHEDULE_DAILY},
    {.name = "weekly",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_environment, maintenance_weekly),
     .help = "day and time, such as \"sun 02:00\"",
     .min = SCHEDULE_WEEKLY},
    {.name = "monthly",
     .type = KEY_SCHEDULE,
     .offset = AT(deck_environment, maintenance_monthly),
     .help = "which day and time, such as \"first sun 03:00\"",
     .min = SCHEDULE_MONTHLY},
};
static const struct deck_table maintenance_table = {
    .what = "maintenance", .keys = maintenance_keys, .count = COUNT_OF(maintenance_keys)};

static const struct deck_key security_keys[] = {
    {.name = "tls",
     .type = KEY_SWITCH,
     .offset = AT(deck_environment, has_tls_required),
     .help = "default optional",
     .words = tls_words},
    {.name = "passwords",
     .type = KEY_CHOICE,
     .offset = AT(deck_environment, passwords),
     .help = "how they are stored",
     .words = password_words},
    {.name = "allow",
     .type = KEY_NETWORKS,
     .offset = AT(deck_environment, allow),
     .help = "networks of the clients"},
    {.name = "audit",
     .type = KEY_FLAG,
     .offset = AT(deck_environment, has_audit),
     .help = "log changes of rights and objects"},
};
static const struct deck_table security_table = {
    .what = "security", .keys = security_keys, .count = COUNT_OF(security_keys)};

static const struct deck_key environment_keys[] = {
    {.name = "server",
     .type = KEY_REFERENCE,
     .offset = 0,
     .help = "name of the server",
     .is_required = true},
    {.name = "memory",
     .type = KEY_SIZE,
     .offset = AT(deck_environment, memory_bytes),
     .help = "its share of the server's",
     .min = 1 << 24},
    {.name = "max_connections",
     .type = KEY_COUNT,
     .offset = AT(deck_environment, max_connections),
     .help = "its share of the server's",
     .min = 1,
     .max = 100000},
    {.name = "workload",
     .type = KEY_CHOICE,
     .offset = AT(deck_environment, workload),
     .help = "default mixed",
     .words = workload_words},
    {.name = "logging",
     .type = KEY_CHOICE,
     .offset = AT(deck_environment, logging),
     .help = "default balanced",
     .words = logging_words},
    {.name = "monitoring",
     .type = KEY_CHOICE,
     .offset = AT(deck_environment, monitoring),
     .help = "default standard",
     .words = depth_words},
    {.name = "targets",
     .type = KEY_MAPPING,
     .offset = AT(deck_environment, targets),
     .help = "what it must reach",
     .table = &target_table},
    {.name = "pools",
     .type = KEY_MAP,
     .offset = AT(deck_environment, pools),
     .help = "connections of each service",
     .table = &pool_table},
    {.name = "role_prefix",
     .type = KEY_NAME,
     .offset = AT(deck_environment, role_prefix),
     .help = "of its roles' names; default: its own name"},
    {.name = "maintenance",
     .type = KEY_MAPPING,
     .offset = 0,
     .help = "when work is done; UTC",
     .table = &maintenance_table},
    {.name = "security",
     .type = KEY_MAPPING,
     .offset = 0,
     .help = "who may come in, and how",
     .table = &security_table},
};
static const struct deck_environment environment_defaults = {
    .workload = WORKLOAD_MIXED, .logging = LOGGING_BALANCED, .monitoring = DEPTH_STANDARD};
static const struct deck_table environment_table = {
    .what = "environment",
    .keys = environment_keys,
    .count = COUNT_OF(environment_keys),
    .item_bytes = sizeof(struct deck_environment),
    .name_offset = AT(deck_environment, name),
    .place_offset = AT(deck_environment, place),
    .defaults = &environment_defaults,
};

static const struct deck_key partition_keys[] = {
    {.name = "table",
     .type = KEY_NAME,
     .offset = AT(deck_partition, table),
     .help = "its name, or schema.name",
     .is_required = true},
    {.name = "schema",
     .type = KEY_NAME,
     .offset = AT(deck_partition, schema),
     .help = "its schema, default public; with it a dot in table means nothing"},
    {.name = "range",
     .type = KEY_PARTITION_COLUMN,
     .offset = 0,
     .help = "column: one partition per period of time",
     .min = PARTITION_RANGE},
    {.name = "list",
     .type = KEY_PARTITION_COLUMN,
     .offset = 0,
     .help = "column: partitions by value",
     .min = PARTITION_LIST},
    {.name = "hash",
     .type = KEY_PARTITION_COLUMN,
     .offset = 0,
     .help = "column: a number of equal parts",
     .min = PARTITION_HASH},
    {.name = "every",
     .type = KEY_PERIOD,
     .offset = AT(deck_partition, every),
     .help = "length of a partition (range)"},
    {.name = "premake",
     .type = KEY_COUNT,
     .offset = AT(deck_partition, premake),
     .help = "periods to have ahead of the current one (range); default 3",
     .max = 1000},
    {.name = "past",
     .type = KEY_COUNT,
     .offset = AT(deck_partition, past),
     .help = "periods before the current one to make with the table (range); default 0",
     .max = 10000},
    {.name = "retain",
     .type = KEY_PERIOD,
     .offset = AT(deck_partition, retain),
     .help = "how long to keep (range); default: for ever"},
    {.name = "parts",
     .type = KEY_PARTITION_PARTS,
     .offset = 0,
     .help = "number (hash), or name: [values] (list)"},
    {.name = "accept_key",
     .type = KEY_FLAG,
     .offset = AT(deck_partition, has_accept_key),
     .help = "a table with rows may get the partition column into its unique keys"},
    {.name = "keep",
     .type = KEY_DURATION,
     .offset = AT(deck_partition, keep_ms),
     .help = "how long the old table of a conversion is kept for the way back; default 7d"},
    {.name = "wal_rate",
     .type = KEY_SIZE,
     .offset = AT(deck_partition, wal_rate_bytes),
     .help = "WAL that a conversion writes a second at most; default: no limit",
     .min = 1 << 20},
    {.name = "replica_lag",
     .type = KEY_DURATION,
     .offset = AT(deck_partition, replica_lag_ms),
     .help = "a conversion waits while a replica is further behind; default 10s",
     .min = 1},
};
enum {
    DEFAULT_PREMAKE = 3,
    DEFAULT_LOCK_WAIT_MS = 50,
    DEFAULT_GIVE_UP_MS = 60000,
    DEFAULT_INDEX_REVIEW_MS = 14 * 24 * 3600 * 1000,
};
static const struct deck_partition partition_defaults = {
    .premake = DEFAULT_PREMAKE, .keep_ms = 7LL * 24 * 3600 * 1000, .replica_lag_ms = 10000};
static const struct deck_table partition_table = {
    .what = "partition",
    .keys = partition_keys,
    .count = COUNT_OF(partition_keys),
    .item_bytes = sizeof(struct deck_partition),
    .place_offset = AT(deck_partition, place),
    .defaults = &partition_defaults,
};

static const struct deck_key database_keys[] = {
    {.name = "environment",
     .type = KEY_REFERENCE,
     .offset = 0,
     .help = "name of its environment",
     .is_required = true},
    {.name = "services",
     .type = KEY_NAMES,
     .offset = AT(deck_database, services),
     .help = "who uses it; each has a pool"},
    {.name = "schema",
     .type = KEY_SQL,
     .offset = AT(deck_database, schema),
     .help = "instead of the deck's",
     .can_be_none = true},
    {.name = "indexes",
     .type = KEY_SQL,
     .offset = AT(deck_database, indexes),
     .help = "instead of the deck's",
     .can_be_none = true,
     .min = true},
    {.name = "partitions",
     .type = KEY_PARTITIONS,
     .offset = AT(deck_database, partitions),
     .help = "instead of the deck's",
     .can_be_none = true,
     .table = &partition_table},
    {.name = "workload",
     .type = KEY_FOLDER,
     .offset = AT(deck_database, workload),
     .help = "instead of the deck's",
     .can_be_none = true},
};
static const struct deck_table database_table = {
    .what = "database",
    .keys = database_keys,
    .count = COUNT_OF(database_keys),
    .item_bytes = sizeof(struct deck_database),
    .name_offset = AT(deck_database, name),
    .place_offset = AT(deck_database, place),
};

static const struct deck_key role_keys[] = {
    {.name = "login",
     .type = KEY_FLAG,
     .offset = AT(deck_role, can_login),
     .help = "default false"},
    {.name = "connection_limit",
     .type = KEY_COUNT,
     .offset = AT(deck_role, connection_limit),
     .help = "-1: none (default)",
     .min = -1,
     .max = 100000},
    {.name = "member_of",
     .type = KEY_NAMES,
     .offset = AT(deck_role, member_of),
     .help = "roles whose rights it has"},
};
static const struct deck_role role_defaults = {.connection_limit = -1};
static const struct deck_table role_table = {
    .what = "role",
    .keys = role_keys,
    .count = COUNT_OF(role_keys),
    .item_bytes = sizeof(struct deck_role),
    .name_offset = AT(deck_role, name),
    .place_offset = AT(deck_role, place),
    .defaults = &role_defaults,
    .has_role_names = true,
};

static const struct deck_key alert_keys[] = {
    {.name = "warning",
     .type = KEY_LEVEL,
     .offset = AT(deck_alert, warning),
     .help = "first level",
     .is_required = true},
    {.name = "critical",
     .type = KEY_LEVEL,
     .offset = AT(deck_alert, critical),
     .help = "second level",
     .is_required = true},
};
static const struct deck_table alert_table = {
    .what = "alert",
    .keys = alert_keys,
    .count = COUNT_OF(alert_keys),
    .item_bytes = sizeof(struct deck_alert),
    .name_offset = AT(deck_alert, name),
    .place_offset = AT(deck_alert, place),
};

static const struct deck_key root_keys[] = {
    {.name = "deck",
     .type = KEY_TEXT,
     .offset = AT(deck_root, deck.name),
     .help = "its name",
     .is_required = true},
    {.name = "extends",
     .type = KEY_EXTENDS,
     .offset = 0,
     .help = "another deck, of which this one is a variant"},
    {.name = "advisors",
     .type = KEY_SET,
     .offset = AT(deck_root, deck.advisors),
     .help = "who may propose changes; default: all",
     .words = advisor_words},
    {.name = "servers",
     .type = KEY_MAP,
     .offset = AT(deck_root, deck.servers),
     .help = "PostgreSQL servers",
     .is_required = true,
     .table = &server_table},
    {.name = "environments",
     .type = KEY_MAP,
     .offset = AT(deck_root, deck.environments),
     .help = "such as production",
     .is_required = true,
     .table = &environment_table},
    {.name = "databases",
     .type = KEY_MAP,
     .offset = AT(deck_root, deck.databases),
     .help = "all that pgdeck takes care of",
     .is_required = true,
     .table = &database_table},
    {.name = "roles",
     .type = KEY_MAP,
     .offset = AT(deck_root, deck.roles),
     .help = "roles that are there (pgdeck init)",
     .table = &role_table},
    {.name = "schema",
     .type = KEY_SQL,
     .offset = AT(deck_root, schema),
     .help = "file of plain DDL"},
    {.name = "indexes",
     .type = KEY_SQL,
     .offset = AT(deck_root, indexes),
     .help = "file of CREATE INDEX statements",
     .min = true},
    {.name = "partitions",
     .type = KEY_PARTITIONS,
     .offset = AT(deck_root, partitions),
     .help = "tables that are partitioned",
     .table = &partition_table},
    {.name = "workload",
     .type = KEY_FOLDER,
     .offset = AT(deck_root, workload),
     .help = "folder of queries that users run"},
    {.name = "alerts",
     .type = KEY_MAP,
     .offset = AT(deck_root, deck.alerts),
     .help = "when to raise the alarm",
     .table = &alert_table},
    {.name = "lock_wait",
     .type = KEY_WAIT,
     .offset = AT(deck_root, deck.lock_wait_ms),
     .help = "longest wait for a lock, which others wait behind; default 50ms",
     .min = 1,
     .max = 60000},
    {.name = "give_up",
     .type = KEY_DURATION,
     .offset = AT(deck_root, deck.give_up_ms),
     .help = "stop trying to get a lock after this; default 1min",
     .min = 1},
    {.name = "index_review",
     .type = KEY_DURATION,
     .offset = AT(deck_root, deck.index_review_ms),
     .help = "an index is called unused after no scan in this time; default 14d"},
};
static const struct deck_root root_defaults = {
    .deck = {.advisors = ADVISOR_ALL,
             .lock_wait_ms = DEFAULT_LOCK_WAIT_MS,
             .give_up_ms = DEFAULT_GIVE_UP_MS,
             .index_review_ms = DEFAULT_INDEX_REVIEW_MS},
};
const struct deck_table deck_root_table = {
    .what = "deck",
    .keys = root_keys,
    .count = COUNT_OF(root_keys),
    .item_bytes = sizeof(struct deck_root),
    .defaults = &root_defaults,
};

const struct deck_alert_kind deck_alert_kinds[] = {
    {"connections", false, false}, {"query_mean", true, false},      {"query_p95", true, false},
    {"ai_task", true, false},      {"ai_task_errors", false, false}, {"cache_hit", false, true},
};
const size_t deck_alert_kind_count = COUNT_OF(deck_alert_kinds);

const struct deck_key *
deck_key_find(const struct deck_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    }
    return NULL;
}
