// SPDX-License-Identifier: MIT
#include "settings/input.h"

#include "pg/host.h"
#include "settings/measured.h"
#include "settings/preload.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <stdlib.h>

static int
setting_integer(const struct catalog_server *catalog, const char *name)
{
    const struct catalog_setting *setting = catalog_find_setting(catalog, name);

    return setting == NULL ? 0 : atoi(setting_server_value(setting));
}

/* What the deck sets; else what it is. */
static int
wanted_integer(const struct settings_input *input, const char *name)
{
    int wanted;

    return settings_wanted_count(input, name, &wanted) ? wanted
                                                       : setting_integer(input->catalog, name);
}

static int
pools_maximum(const struct deck_environment *environment)
{
    int sum = 0;

    for (size_t i = 0; i < environment->pools.count; i++)
        sum += deck_pool_total(&environment->pools.items[i]);
    return sum;
}

static void
read_environment(struct settings_input *input, const struct deck_environment *deck)
{
    struct settings_environment *environment = LIST_ADD(input->arena, &input->environments);
    int pools = pools_maximum(deck);

    environment->deck = deck;
    environment->memory_bytes = deck->memory_bytes;
    environment->memory_from = "its share";
    environment->active_connections = pools > 0 ? pools : deck->targets.connections_max;
    environment->active_from = pools > 0 ? "its pools" : "its target";
    if (deck->max_connections > 0) {
        environment->connections = deck->max_connections;
        environment->connections_from = "its max_connections";
    } else {
        environment->connections = environment->active_connections;
        environment->connections_from = pools > 0 ? "its pools" : "its target";
    }
    if (environment->active_connections == 0) {
        environment->active_connections = (environment->connections * 2 + 4) / 5;
        environment->active_from = "2 of 5 of its connections";
    }
    if (deck->monitoring < input->deepest_monitoring)
        input->deepest_monitoring = deck->monitoring;
}

static void
read_memory(struct settings_input *input)
{
    int64_t sum = 0;
    bool is_known = input->environments.count > 0;

    for (size_t i = 0; i < input->environments.count; i++) {
        sum += input->environments.items[i].memory_bytes;
        is_known = is_known && input->environments.items[i].memory_bytes > 0;
    }
    if (input->deck->memory_bytes > 0) {
        input->memory_bytes = input->deck->memory_bytes;
        input->memory_from = "the server's memory";
    } else if (is_known) {
        input->memory_bytes = sum;
        input->memory_from = "the sum of the environments' memory";
    } else if (input->catalog->host_memory_bytes > 0) {
        input->memory_bytes = input->catalog->host_memory_bytes;
        input->memory_from = "the host's memory";
    }
}

/* An environment without a share of its own gets one in proportion to its connections. */
static void
share_memory(struct settings_input *input)
{
    int64_t connections = 0;

    for (size_t i = 0; i < input->environments.count; i++)
        connections += input->environments.items[i].connections;
    for (size_t i = 0; i < input->environments.count; i++) {
        struct settings_environment *environment = &input->environments.items[i];
        if (environment->memory_bytes > 0 || input->memory_bytes == 0 || connections == 0)
            continue;
        environment->memory_bytes = input->memory_bytes / connections * environment->connections;
        environment->memory_from = "its part of the server's, by connections";
    }
}

static void
add_database(struct settings_input *input, const struct deck_database *database)
{
    for (size_t i = 0; i < input->environments.count; i++) {
        if (input->environments.items[i].deck == database->environment)
            *LIST_ADD(input->arena, &input->environments.items[i].databases) = database->name;
    }
}

void
settings_input_read(const struct advice *advice, struct settings_input *ret_input)
{
    const struct deck *deck = advice->deck;
    struct settings_input input = {
        .arena = advice->arena,
        .deck = advice->server,
        .catalog = advice->catalog,
        .deepest_monitoring = DEPTH_ESSENTIAL,
    };

    for (size_t i = 0; i < deck->environments.count; i++) {
        if (deck->environments.items[i].server == advice->server)
            read_environment(&input, &deck->environments.items[i]);
    }
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (database->environment->server != advice->server)
            continue;
        input.own_connections++;
        add_database(&input, database);
        if (database->partitions != NULL && database->partitions->list.count > 0)
            input.has_partitions = true;
    }
    input.own_connections += SETTINGS_SPARE_CONNECTIONS;
    input.reserved_connections = wanted_integer(&input, "superuser_reserved_connections") +
                                 wanted_integer(&input, "reserved_connections");
    read_memory(&input);
    share_memory(&input);
    input.cpus = advice->server->cpus;
    if (input.cpus == 0 && advice->catalog->is_local)
        input.cpus = host_cpus();
    settings_measured_read(&input);
    settings_preload_read(&input);
    settings_rules_read(&input);
    *ret_input = input;
}

int
settings_connections(const struct settings_input *input)
{
    int sum = 0;

    for (size_t i = 0; i < input->environments.count; i++) {
        if (input->environments.items[i].connections == 0)
            return 0;
        sum += input->environments.items[i].connections;
    }
    return sum == 0 ? 0 : sum + input->reserved_connections + input->own_connections;
}

int
settings_future_connections(const struct settings_input *input)
{
    int wanted = settings_connections(input);

    if (input->catalog->is_superuser)
        (void)settings_wanted_count(input, "max_connections", &wanted);
    if (wanted > 0 && input->catalog->is_superuser)
        return wanted;
    return setting_integer(input->catalog, "max_connections");
}

const struct settings_environment *
settings_sole(const struct settings_input *input)
{
    return input->environments.count == 1 ? &input->environments.items[0] : NULL;
}
