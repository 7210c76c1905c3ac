// SPDX-License-Identifier: MIT
/* What holds for any deck, on a thousand made-up ones. The seed is fixed; SEED=n tries another. */
#include "settings/fixture.h"

#include "base/random.h"
#include "settings/budget.h"
#include "settings/derive.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEGABYTE (INT64_C(1) << 20)

enum { ROUNDS = 1000, MOST_ENVIRONMENTS = 4 };

/* One made-up deck, small enough to be made again with more memory. */
struct sample {
    int major, cpus, environments;
    enum deck_storage storage;
    int64_t memory_bytes;
    bool has_shares;
    struct {
        int connections, pool, target;
        enum deck_workload workload;
        enum deck_logging logging;
        int64_t part; /* of all parts */
    } each[MOST_ENVIRONMENTS];
};

static int
between(struct random *random, int least, int most)
{
    return least + (int)random_below(random, (size_t)(most - least) + 1);
}

/* Small ones as often as large ones. */
static struct sample
make_sample(struct random *random)
{
    struct sample sample = {
        .major = between(random, 14, 18),
        .cpus = between(random, 0, 3) == 0 ? 0 : 1 << between(random, 0, 8),
        .environments = between(random, 1, MOST_ENVIRONMENTS),
        .storage = (enum deck_storage)between(random, STORAGE_NVME, STORAGE_HDD),
        .memory_bytes = (256 * MEGABYTE << between(random, 0, 14)) + between(random, 0, 99999),
        .has_shares = between(random, 0, 1) == 0,
    };

    for (int i = 0; i < sample.environments; i++) {
        sample.each[i].connections = between(random, 1, 10) << between(random, 0, 9);
        sample.each[i].pool =
            between(random, 0, 1) == 0 ? 0 : between(random, 1, sample.each[i].connections);
        sample.each[i].target =
            between(random, 0, 1) == 0 ? 0 : between(random, 1, sample.each[i].connections);
        sample.each[i].workload = (enum deck_workload)between(random, 0, WORKLOAD_DESKTOP);
        sample.each[i].logging = (enum deck_logging)between(random, 0, LOGGING_MINIMAL);
        sample.each[i].part = between(random, 1, 8);
    }
    return sample;
}

static struct fixture *
make_fixture(const struct sample *sample, int64_t memory_bytes)
{
    struct fixture *fixture = fixture_new(sample->major);
    struct deck_server *server = &fixture->deck.servers.items[0];
    int64_t parts = 0;

    server->cpus = sample->cpus;
    server->storage = sample->storage;
    server->memory_bytes = memory_bytes;
    for (int i = 0; i < sample->environments; i++)
        parts += sample->each[i].part;
    for (int i = 0; i < sample->environments; i++) {
        int64_t share = sample->has_shares ? memory_bytes / parts * sample->each[i].part : 0;
        struct deck_environment *environment =
            fixture_environment(fixture, arena_printf(fixture->arena, "e%d", i), share,
                                sample->each[i].connections, sample->each[i].logging);
        environment->workload = sample->each[i].workload;
        environment->targets.connections_max = sample->each[i].target;
        if (sample->each[i].pool > 0)
            LIST_ADD(fixture->arena, &environment->pools)->max = sample->each[i].pool;
    }
    return fixture;
}

static void
show(const struct sample *sample, int round)
{
    print_error("round %d: PostgreSQL %d, %lld MB, %d CPUs, %d environments, %d connections\n",
                round, sample->major, (long long)(sample->memory_bytes / MEGABYTE), sample->cpus,
                sample->environments, sample->each[0].connections);
}

/* Bytes that a rule gives, or 0; asserts that the server would take it. */
static int64_t
check_rule(const struct settings_rule *rule, struct settings_input *input,
           const struct settings_environment *environment)
{
    struct settings_case of = {input, environment,
                               catalog_find_setting(input->catalog, rule->name)};
    struct settings_proposal proposal;
    bool is_limited;
    int64_t bytes = 0;

    assert_non_null(of.current);
    if (!settings_propose(rule, &of, &proposal))
        return 0;
    assert_non_null(setting_clamp(input->arena, of.current, proposal.value, &is_limited));
    assert_false(is_limited);
    assert_true(proposal.why != NULL && proposal.why[0] != '\0');
    return setting_bytes(of.current, proposal.value, &bytes) ? bytes : 0;
}

static void
check_rules(struct settings_input *input, struct settings_input *more)
{
    for (size_t i = 0; i < settings_rule_count; i++) {
        const struct settings_rule *rule = &settings_rules[i];
        if (!settings_rule_is_for(rule, input->catalog->major) ||
            rule->scope == SETTINGS_OF_POSTGRESQL)
            continue;
        bool is_server = rule->scope == SETTINGS_OF_SERVER;
        for (size_t j = 0; j < (is_server ? 1 : input->environments.count); j++) {
            int64_t bytes =
                check_rule(rule, input, is_server ? NULL : &input->environments.items[j]);
            int64_t bytes_of_more =
                check_rule(rule, more, is_server ? NULL : &more->environments.items[j]);
            if (bytes > bytes_of_more)
                print_error("%s: %lld, with more memory %lld\n", rule->name, (long long)bytes,
                            (long long)bytes_of_more);
            assert_true(bytes <= bytes_of_more);
        }
    }
}

/* What the rule of the server gives, or what PostgreSQL has by default, as a number. */
static double
figure(struct settings_input *input, const char *name)
{
    const struct settings_rule *rule = settings_find_rule(input, name, SETTINGS_OF_SERVER);
    struct settings_case of = {input, NULL, catalog_find_setting(input->catalog, name)};
    struct settings_proposal proposal;
    double number;

    assert_non_null(of.current);
    const char *value = rule != NULL && settings_propose(rule, &of, &proposal)
                            ? proposal.value
                            : of.current->setting;
    assert_true(setting_number(value, of.current->unit, &number));
    return number;
}

/* Rules between parameters: what the server would not start with, or what makes no sense. */
static void
check_together(struct settings_input *input)
{
    double connections = figure(input, "max_connections");
    double wanted = 0;

    for (size_t i = 0; i < input->environments.count; i++)
        wanted += input->environments.items[i].connections;
    assert_true(connections >= wanted + figure(input, "superuser_reserved_connections"));
    assert_true(figure(input, "min_wal_size") <= figure(input, "max_wal_size"));
    assert_true(figure(input, "min_wal_size") >= 32);
    assert_true(figure(input, "max_parallel_workers") <= figure(input, "max_worker_processes"));
    assert_true(figure(input, "max_parallel_maintenance_workers") <=
                figure(input, "max_parallel_workers"));
    assert_true(connections + figure(input, "max_worker_processes") +
                    figure(input, "max_wal_senders") + figure(input, "autovacuum_max_workers") <
                262143);
    assert_true(figure(input, "shared_buffers") <= figure(input, "effective_cache_size"));
}

/* What does not fit even with the least work_mem is an error; nothing else goes over. */
static bool
check_budget(const struct settings_input *input)
{
    struct settings_memory memory;
    struct error err = {0};

    assert_true(settings_memory_read(input, &memory));
    assert_true(memory.worst_bytes >= memory.expected_bytes);
    if (settings_check_memory(input, &err)) {
        assert_true(memory.expected_bytes <= input->memory_bytes);
        return true;
    }
    assert_int_equal(err.code, ERROR_DECK);
    bool has_least = false;
    for (size_t i = 0; i < input->environments.count; i++)
        has_least = has_least || settings_work_mem(input, &input->environments.items[i]) == 65536;
    assert_true(has_least);
    return false;
}

static void
what_holds_for_any_deck(void **state)
{
    const char *seed = getenv("SEED");
    struct random random = {seed == NULL ? 20260727 : strtoull(seed, NULL, 10)};
    int refused = 0;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct sample sample = make_sample(&random);
        struct settings_input input, more;
        int64_t larger = sample.memory_bytes + between(&random, 1, 1 << 30);
        struct fixture *fixture = make_fixture(&sample, sample.memory_bytes);
        struct fixture *fixture_of_more = make_fixture(&sample, larger);
        settings_input_read(&fixture->advice, &input);
        settings_input_read(&fixture_of_more->advice, &more);
        if (seed != NULL)
            show(&sample, round);
        refused += !check_budget(&input);
        check_rules(&input, &more);
        check_together(&input);
        fixture_free(fixture);
        fixture_free(fixture_of_more);
    }
    assert_in_range(refused, 0, ROUNDS / 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_for_any_deck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
