// SPDX-License-Identifier: MIT
#include "settings/fixture.h"

#include "settings/parameters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct fixture *
fixture_new(int major)
{
    static char *available[] = {(char *)"pg_stat_statements", (char *)"pg_trgm"};
    struct arena *arena = arena_new();
    struct fixture *fixture = ARENA_NEW(arena, struct fixture);

    fixture->arena = arena;
    fixture->catalog = (struct catalog_server){
        .name = "main", .major = major, .role = "postgres", .is_superuser = true, .patroni = ""};
    fixture->catalog.available_extensions = available;
    fixture->catalog.available_extension_count = 2;
    settings_parameters(arena, major, &fixture->catalog);
    if (major > 14) { /* as Debian builds it */
        fixture_setting(fixture, "default_toast_compression")->enum_values = "{pglz,lz4}";
        fixture_setting(fixture, "wal_compression")->enum_values = "{pglz,lz4,zstd,on,off}";
    }
    struct deck_server *server = LIST_ADD(arena, &fixture->deck.servers);
    server->name = "main";
    server->place = (struct place){"deck.yaml", 3, 3};
    server->storage = STORAGE_NVME;
    fixture->changes = (struct change_list){.arena = arena, .advisor = "settings"};
    fixture->advice = (struct advice){.arena = arena,
                                      .deck = &fixture->deck,
                                      .server = server,
                                      .catalog = &fixture->catalog,
                                      .changes = &fixture->changes};
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
