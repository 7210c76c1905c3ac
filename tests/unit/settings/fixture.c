// SPDX-License-Identifier: MIT
#include "settings/fixture.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BOOLEAN(name, context, value)                                                              \
    {                                                                                              \
        name, value, "", context, "bool", "", "", ""                                               \
    }

static const struct {
    const char *name, *setting, *unit, *context, *vartype, *min, *max, *words;
} stock[] = {
    {"autovacuum_analyze_scale_factor", "0.1", "", "sighup", "real", "0", "100", ""},
    {"autovacuum_max_workers", "3", "", "postmaster", "integer", "1", "262143", ""},
    {"autovacuum_vacuum_cost_limit", "-1", "", "sighup", "integer", "-1", "10000", ""},
    {"autovacuum_vacuum_scale_factor", "0.2", "", "sighup", "real", "0", "100", ""},
    {"autovacuum_work_mem", "-1", "kB", "sighup", "integer", "-1", "2147483647", ""},
    {"checkpoint_completion_target", "0.9", "", "sighup", "real", "0", "1", ""},
    {"checkpoint_timeout", "300", "s", "sighup", "integer", "30", "86400", ""},
    {"effective_cache_size", "524288", "8kB", "user", "integer", "1", "2147483647", ""},
    {"effective_io_concurrency", "1", "", "user", "integer", "0", "1000", ""},
    {"gin_pending_list_limit", "4096", "kB", "user", "integer", "64", "2147483647", ""},
    {"hash_mem_multiplier", "2", "", "user", "real", "1", "1000", ""},
    {"idle_in_transaction_session_timeout", "0", "ms", "user", "integer", "0", "2147483647", ""},
    BOOLEAN("jit", "user", "on"),
    {"log_autovacuum_min_duration", "600000", "ms", "sighup", "integer", "-1", "2147483647", ""},
    BOOLEAN("log_checkpoints", "sighup", "on"),
    BOOLEAN("log_connections", "superuser-backend", "off"),
    BOOLEAN("log_disconnections", "superuser-backend", "off"),
    {"log_line_prefix", "%m [%p] ", "", "sighup", "string", "", "", ""},
    BOOLEAN("log_lock_waits", "superuser", "off"),
    {"log_min_duration_statement", "-1", "ms", "superuser", "integer", "-1", "2147483647", ""},
    {"log_statement", "none", "", "superuser", "enum", "", "", "{none,ddl,mod,all}"},
    {"log_temp_files", "-1", "kB", "superuser", "integer", "-1", "2147483647", ""},
    {"maintenance_io_concurrency", "10", "", "user", "integer", "0", "1000", ""},
    {"maintenance_work_mem", "65536", "kB", "user", "integer", "1024", "2147483647", ""},
    {"max_connections", "100", "", "postmaster", "integer", "1", "262143", ""},
    {"max_parallel_maintenance_workers", "2", "", "user", "integer", "0", "1024", ""},
    {"max_parallel_workers", "8", "", "user", "integer", "0", "1024", ""},
    {"max_parallel_workers_per_gather", "2", "", "user", "integer", "0", "1024", ""},
    {"max_wal_size", "1024", "MB", "sighup", "integer", "2", "2147483647", ""},
    {"max_worker_processes", "8", "", "postmaster", "integer", "0", "262143", ""},
    {"min_wal_size", "80", "MB", "sighup", "integer", "2", "2147483647", ""},
    {"password_encryption", "scram-sha-256", "", "user", "enum", "", "", "{md5,scram-sha-256}"},
    {"random_page_cost", "4", "", "user", "real", "0", "1.79769e+308", ""},
    {"shared_buffers", "16384", "8kB", "postmaster", "integer", "16", "1073741823", ""},
    {"shared_preload_libraries", "", "", "postmaster", "string", "", "", ""},
    {"superuser_reserved_connections", "3", "", "postmaster", "integer", "0", "262143", ""},
    {"track_functions", "none", "", "superuser", "enum", "", "", "{none,pl,all}"},
    BOOLEAN("track_io_timing", "superuser", "off"),
    {"wal_buffers", "512", "8kB", "postmaster", "integer", "-1", "262143", ""},
    {"wal_compression", "off", "", "superuser", "enum", "", "", "{pglz,lz4,zstd,on,off}"},
    {"work_mem", "4096", "kB", "user", "integer", "64", "2147483647", ""},
};

struct fixture *
fixture_new(int major)
{
    static char *available[] = {(char *)"pg_stat_statements", (char *)"pg_trgm"};
    struct arena *arena = arena_new();
    struct fixture *fixture = ARENA_NEW(arena, struct fixture);

    fixture->arena = arena;
    fixture->catalog = (struct catalog_server){
        .name = "main", .major = major, .role = "postgres", .is_superuser = true};
    fixture->catalog.available_extensions = available;
    fixture->catalog.available_extension_count = 2;
    for (size_t i = 0; i < sizeof(stock) / sizeof(stock[0]); i++) {
        struct catalog_setting *setting = LIST_ADD(arena, &fixture->catalog.settings);
        setting->name = stock[i].name;
        setting->setting = setting->boot_value = setting->reset_value = stock[i].setting;
        setting->unit = stock[i].unit;
        setting->context = stock[i].context;
        setting->vartype = stock[i].vartype;
        setting->min_value = stock[i].min;
        setting->max_value = stock[i].max;
        setting->enum_values = stock[i].words;
        setting->source = "default";
        setting->source_file = "";
    }
    struct deck_server *server = LIST_ADD(arena, &fixture->deck.servers);
    server->name = "main";
    server->place = (struct place){"deck.yaml", 3, 3};
    server->storage = STORAGE_NVME;
    fixture->changes = (struct change_list){.arena = arena, .advisor = "settings"};
    fixture->advice =
        (struct advice){arena, &fixture->deck, server, &fixture->catalog, &fixture->changes};
    return fixture;
}

void
fixture_free(struct fixture *fixture)
{
    arena_free(fixture->arena);
}

/* All environments before the first database: items move when the list grows. */
struct deck_environment *
fixture_environment(struct fixture *fixture, const char *name, int64_t memory_bytes,
                    int max_connections, enum deck_logging logging)
{
    assert(fixture->deck.databases.count == 0);
    struct deck_environment *environment = LIST_ADD(fixture->arena, &fixture->deck.environments);
    environment->name = name;
    environment->place = (struct place){"deck.yaml", 9, 3};
    environment->server = fixture->advice.server;
    environment->memory_bytes = memory_bytes;
    environment->max_connections = max_connections;
    environment->workload = WORKLOAD_MIXED;
    environment->logging = logging;
    environment->monitoring = DEPTH_ESSENTIAL;
    return environment;
}

void
fixture_database(struct fixture *fixture, const char *name, size_t environment)
{
    struct deck_database *database = LIST_ADD(fixture->arena, &fixture->deck.databases);

    database->name = name;
    database->environment = &fixture->deck.environments.items[environment];
}

struct catalog_setting *
fixture_setting(struct fixture *fixture, const char *name)
{
    struct catalog_setting *setting =
        (struct catalog_setting *)catalog_find_setting(&fixture->catalog, name);

    assert(setting != NULL);
    return setting;
}

const char *
fixture_proposal(struct fixture *fixture, const char *name, const char *environment)
{
    struct settings_input input;
    struct settings_proposal proposal;
    struct settings_case of = {.input = &input, .current = fixture_setting(fixture, name)};

    settings_input_read(&fixture->advice, &input);
    for (size_t i = 0; environment != NULL && i < input.environments.count; i++) {
        if (strcmp(input.environments.items[i].deck->name, environment) == 0)
            of.environment = &input.environments.items[i];
    }
    for (size_t i = 0; i < settings_rule_count; i++) {
        const struct settings_rule *rule = &settings_rules[i];
        if (strcmp(rule->name, name) == 0 && settings_rule_is_for(rule, fixture->catalog.major) &&
            (rule->scope == SETTINGS_OF_ENVIRONMENT) == (environment != NULL))
            return settings_propose(rule, &of, &proposal) ? proposal.value : NULL;
    }
    return NULL;
}

const struct change *
fixture_change(const struct fixture *fixture, const char *key)
{
    for (size_t i = 0; i < fixture->changes.changes.count; i++) {
        if (strcmp(fixture->changes.changes.items[i].key, key) == 0)
            return &fixture->changes.changes.items[i];
    }
    return NULL;
}
