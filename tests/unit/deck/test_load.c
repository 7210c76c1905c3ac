// SPDX-License-Identifier: MIT
#include "base/file.h"
#include "deck/deck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *arena;
static char folder[] = "/tmp/pgdeck-test-XXXXXX";

static int
set_up(void **state)
{
    (void)state;
    arena = arena_new();
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    return mkdtemp(folder) == NULL;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {"deck.yaml",  "base/deck.yaml", "base/schema.sql",
                                        "schema.sql", "base",           ""};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        remove(arena_printf(arena, "%s/%s", folder, names[i]));
    arena_free(arena);
    return 0;
}

static const char *
write_file(const char *name, const char *text)
{
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    struct error err;

    assert_true(file_make_folder(arena_printf(arena, "%s/base", folder), 0700, &err));
    assert_true(file_write(path, text, strlen(text), 0600, &err));
    return path;
}

static const struct deck *
load(const char *path, const char *const *sets, size_t set_count)
{
    struct deck_faults faults = {0};
    const struct deck *deck = deck_load(arena, path, sets, set_count, &faults);

    for (size_t i = 0; i < faults.list.count; i++)
        printf("# %s:%d:%d: %s\n", faults.list.items[i].file, faults.list.items[i].line,
               faults.list.items[i].column, faults.list.items[i].message);
    assert_non_null(deck);
    return deck;
}

static const char base_deck[] = "deck: base\n"
                                "servers:\n"
                                "  main: {conninfo: host=/run/base, memory: 8GB}\n"
                                "environments:\n"
                                "  dev:\n"
                                "    server: main\n"
                                "    role_prefix: d\n"
                                "    pools: {api: {min: 1, max: 5, query_timeout: 3min}}\n"
                                "databases:\n"
                                "  \"a\\nb\": {environment: dev, services: [api]}\n"
                                "  2024: {environment: dev, schema: none, partitions: ~}\n"
                                "schema: schema.sql\n"
                                "partitions:\n"
                                "  - {table: logs, range: at, every: 1 week, retain: 6 months}\n"
                                "  - table: audit.trails\n"
                                "    list: kind\n"
                                "    parts: {open: [a, 2], closed: [c]}\n";
static const char base_schema[] = "CREATE TABLE logs (at timestamptz);\n"
                                  "CREATE TABLE audit.trails (kind text);\n";

static void
everything_is_where_it_belongs(void **state)
{
    write_file("base/schema.sql", base_schema);
    const struct deck *deck = load(write_file("base/deck.yaml", base_deck), NULL, 0);

    (void)state;
    const struct deck_environment *environment = &deck->environments.items[0];
    assert_ptr_equal(environment->server, &deck->servers.items[0]);
    assert_int_equal(deck->servers.items[0].memory_bytes, 8LL << 30);
    assert_int_equal(deck->servers.items[0].conninfo_place.line, 3);
    assert_int_equal(deck->servers.items[0].conninfo_place.column, 20);
    assert_int_equal(environment->pools.items[0].query_timeout_ms, 180000);
    assert_string_equal(deck_owner_role(arena, environment), "d_owner");
    assert_string_equal(deck_service_role(arena, environment, "api"), "d_api");
    assert_string_equal(deck_login_role(arena, environment, "api"), "d_api_a");
    assert_non_null(deck_find_pool(environment, "api"));
    assert_null(deck_find_pool(environment, "ap"));
    const struct deck_database *database = &deck->databases.items[0];
    assert_string_equal(database->name, "a\nb");
    assert_int_equal(database->schema->statements.count, 2);
    assert_int_equal(database->partitions->list.items[0].retain_unit, UNIT_MONTH);
    assert_int_equal(database->partitions->list.items[0].premake, 3);
    assert_string_equal(database->partitions->list.items[1].schema, "audit");
    assert_string_equal(database->partitions->list.items[1].parts.items[0].values.items[1], "2");
    assert_string_equal(deck->databases.items[1].name, "2024");
    assert_null(deck->databases.items[1].schema);
    assert_null(deck->databases.items[1].partitions);
    assert_int_equal(deck->advisors, ADVISOR_ALL);
    assert_int_equal(deck->lock_wait_ms, 50);
}

static void
a_variant_lays_its_values_over(void **state)
{
    write_file("base/schema.sql", base_schema);
    write_file("base/deck.yaml", base_deck);
    const char *path = write_file("deck.yaml", "extends: base/deck.yaml\n"
                                               "deck: variant\n"
                                               "servers: {main: {memory: 2GB}}\n"
                                               "advisors: [index, security]\n"
                                               "lock_wait: 1s\n");
    const struct deck *deck = load(path, NULL, 0);

    (void)state;
    assert_string_equal(deck->name, "variant");
    assert_int_equal(deck->servers.items[0].memory_bytes, 2LL << 30);
    assert_string_equal(deck->servers.items[0].conninfo, "host=/run/base");
    assert_non_null(strstr(deck->servers.items[0].conninfo_place.file, "base/deck.yaml"));
    assert_non_null(strstr(deck->databases.items[0].schema->path, "base/schema.sql"));
    assert_int_equal(deck->advisors, ADVISOR_INDEX | ADVISOR_SECURITY);
    assert_int_equal(deck->lock_wait_ms, 1000);
}

static void
set_comes_last(void **state)
{
    static const char *const sets[] = {
        "servers.main.memory=4GB",
        "servers.main.cpus=3",
        "environments.dev.pools.api.max=9",
        "environments.dev.targets.query_p95=10ms",
        "partitions.0.premake=12",
        "databases.2024.services=[api]",
        "servers.main.conninfo=host=/tmp port=1",
    };
    write_file("base/schema.sql", base_schema);
    const struct deck *deck = load(write_file("base/deck.yaml", base_deck), sets, 7);

    (void)state;
    assert_int_equal(deck->servers.items[0].memory_bytes, 4LL << 30);
    assert_int_equal(deck->servers.items[0].cpus, 3);
    assert_string_equal(deck->servers.items[0].conninfo, "host=/tmp port=1");
    assert_string_equal(deck->servers.items[0].conninfo_place.file, "--set");
    assert_int_equal(deck->servers.items[0].conninfo_place.line, 7);
    assert_int_equal(deck->environments.items[0].pools.items[0].max, 9);
    assert_int_equal(deck->environments.items[0].targets.query_p95_ms, 10);
    assert_int_equal(deck->databases.items[0].partitions->list.items[0].premake, 12);
    assert_int_equal(deck->databases.items[1].services.count, 1);
}

static void
a_missing_deck_is_a_file_fault(void **state)
{
    struct deck_faults faults = {0};

    (void)state;
    assert_null(deck_load(arena, arena_printf(arena, "%s/none", folder), NULL, 0, &faults));
    assert_int_equal(faults.list.count, 1);
    assert_int_equal(faults.list.items[0].code, ERROR_FILE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_is_where_it_belongs),
        TEST(a_variant_lays_its_values_over),
        TEST(set_comes_last),
        TEST(a_missing_deck_is_a_file_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
