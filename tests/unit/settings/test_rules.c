// SPDX-License-Identifier: MIT
#include "settings/fixture.h"

#include "settings/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GIGABYTE (INT64_C(1) << 30)

#define ASSERT_SERVER(fixture, name, value)                                                        \
    assert_string_equal(fixture_proposal((fixture), (name), NULL), (value))
#define ASSERT_SHARE(fixture, environment, name, value)                                            \
    assert_string_equal(fixture_proposal((fixture), (name), (environment)), (value))

static void
production_alone_gets_the_classic_figures(void **state)
{
    struct fixture *fixture = fixture_new(15);

    (void)state;
    fixture_environment(fixture, "production", 4 * GIGABYTE, 150, LOGGING_MINIMAL);
    ASSERT_SERVER(fixture, "shared_buffers", "1200MB");
    ASSERT_SERVER(fixture, "effective_cache_size", "3200MB");
    ASSERT_SERVER(fixture, "maintenance_work_mem", "512MB");
    ASSERT_SERVER(fixture, "wal_buffers", "32MB");
    ASSERT_SERVER(fixture, "max_parallel_workers", "6");
    ASSERT_SERVER(fixture, "max_worker_processes", "10");
    ASSERT_SERVER(fixture, "random_page_cost", "1.1");
    ASSERT_SHARE(fixture, "production", "work_mem", "32MB");
    ASSERT_SHARE(fixture, "production", "gin_pending_list_limit", "8MB");
    ASSERT_SHARE(fixture, "production", "hash_mem_multiplier", "2.0");
    ASSERT_SHARE(fixture, "production", "max_parallel_workers_per_gather", "2");
    ASSERT_SHARE(fixture, "production", "jit", "off");
    fixture_free(fixture);
}

static void
staging_alone_gets_the_classic_figures(void **state)
{
    struct fixture *fixture = fixture_new(15);

    (void)state;
    fixture_environment(fixture, "staging", 2 * GIGABYTE, 75, LOGGING_BALANCED);
    ASSERT_SERVER(fixture, "shared_buffers", "512MB");
    ASSERT_SERVER(fixture, "effective_cache_size", "1536MB");
    ASSERT_SERVER(fixture, "maintenance_work_mem", "256MB");
    ASSERT_SHARE(fixture, "staging", "work_mem", "24MB");
    fixture_free(fixture);
}

static void
development_alone_gets_the_classic_figures(void **state)
{
    struct fixture *fixture = fixture_new(15);

    (void)state;
    fixture_environment(fixture, "development", GIGABYTE, 50, LOGGING_VERBOSE);
    ASSERT_SERVER(fixture, "shared_buffers", "256MB");
    ASSERT_SERVER(fixture, "effective_cache_size", "768MB");
    ASSERT_SERVER(fixture, "maintenance_work_mem", "128MB");
    ASSERT_SHARE(fixture, "development", "work_mem", "16MB");
    fixture_free(fixture);
}

/* As the shipped deck has them: one server for all three. */
static struct fixture *
three_environments(int major)
{
    struct fixture *fixture = fixture_new(major);

    fixture_environment(fixture, "development", GIGABYTE, 50, LOGGING_VERBOSE);
    fixture_environment(fixture, "staging", 2 * GIGABYTE, 75, LOGGING_BALANCED);
    fixture_environment(fixture, "production", 4 * GIGABYTE, 150, LOGGING_MINIMAL);
    for (size_t i = 0; i < 6; i++)
        fixture_database(fixture, arena_printf(fixture->arena, "db%zu", i), i / 2);
    fixture->deck.servers.items[0].memory_bytes = 8 * GIGABYTE;
    fixture->deck.servers.items[0].cpus = 4;
    return fixture;
}

static void
environments_share_one_server(void **state)
{
    struct fixture *fixture = three_environments(15);

    (void)state;
    ASSERT_SERVER(fixture, "shared_buffers", "2GB");
    ASSERT_SERVER(fixture, "effective_cache_size", "6GB");
    ASSERT_SERVER(fixture, "maintenance_work_mem", "512MB");
    ASSERT_SERVER(fixture, "max_connections", "288"); /* 275, 3 reserved, 6 databases and 4 */
    ASSERT_SERVER(fixture, "max_parallel_workers", "4");
    ASSERT_SERVER(fixture, "log_autovacuum_min_duration", "1s"); /* development's */
    ASSERT_SHARE(fixture, "production", "work_mem", "32MB");
    ASSERT_SHARE(fixture, "staging", "work_mem", "24MB");
    ASSERT_SHARE(fixture, "development", "work_mem", "16MB");
    ASSERT_SHARE(fixture, "development", "log_min_duration_statement", "100ms");
    ASSERT_SHARE(fixture, "production", "log_min_duration_statement", "1s");
    fixture_free(fixture);
}

static void
memory_is_what_the_environments_have_together(void **state)
{
    struct fixture *fixture = three_environments(15);

    (void)state;
    fixture->deck.servers.items[0].memory_bytes = 0;
    ASSERT_SERVER(fixture, "shared_buffers", "1792MB"); /* a quarter of 7 GB */
    fixture->deck.environments.items[0].memory_bytes = 0;
    assert_null(fixture_proposal(fixture, "shared_buffers", NULL));
    fixture->catalog.host_memory_bytes = 2 * GIGABYTE;
    ASSERT_SERVER(fixture, "shared_buffers", "512MB");
    fixture_free(fixture);
}

static void
nothing_is_guessed(void **state)
{
    static const char *const of_memory[] = {
        "shared_buffers",      "effective_cache_size", "maintenance_work_mem",
        "autovacuum_work_mem", "wal_buffers",          "max_wal_size",
        "min_wal_size",        "max_connections",      "max_parallel_workers"};
    struct fixture *fixture = fixture_new(15);

    (void)state;
    fixture_environment(fixture, "small", 0, 0, LOGGING_BALANCED);
    for (size_t i = 0; i < sizeof(of_memory) / sizeof(of_memory[0]); i++)
        assert_null(fixture_proposal(fixture, of_memory[i], NULL));
    assert_null(fixture_proposal(fixture, "work_mem", "small"));
    fixture_free(fixture);
}

static void
figures_follow_the_version(void **state)
{
    struct fixture *old = three_environments(17), *new = three_environments(18);

    (void)state;
    ASSERT_SERVER(old, "autovacuum_vacuum_insert_scale_factor", "0.1");
    assert_null(fixture_proposal(new, "autovacuum_vacuum_insert_scale_factor", NULL));
    assert_null(fixture_proposal(new, "track_cost_delay_timing", NULL));
    new->deck.environments.items[0].monitoring = DEPTH_DETAILED;
    ASSERT_SERVER(new, "track_cost_delay_timing", "on");
    ASSERT_SERVER(old, "effective_io_concurrency", "256");
    ASSERT_SERVER(new, "effective_io_concurrency", "128");
    fixture_setting(old, "effective_io_concurrency")->max_value = "0"; /* no posix_fadvise */
    ASSERT_SERVER(old, "effective_io_concurrency", "0");
    fixture_setting(new, "wal_compression")->enum_values = "{pglz,on,off}"; /* built without */
    ASSERT_SERVER(new, "wal_compression", "pglz");
    ASSERT_SERVER(old, "wal_compression", "lz4");
    fixture_free(old);
    fixture_free(new);
}

static void
libraries_are_added_to_what_is_there(void **state)
{
    struct fixture *fixture = three_environments(15);
    struct catalog_setting *setting = fixture_setting(fixture, "shared_preload_libraries");

    (void)state;
    ASSERT_SERVER(fixture, "shared_preload_libraries", "pg_stat_statements");
    setting->setting = "pgaudit, my_pg_stat_statements";
    ASSERT_SERVER(fixture, "shared_preload_libraries",
                  "pgaudit, my_pg_stat_statements, pg_stat_statements");
    setting->auto_value = "timescaledb";
    ASSERT_SERVER(fixture, "shared_preload_libraries", "timescaledb, pg_stat_statements");
    setting->auto_value = "\"pg_stat_statements\",pgaudit";
    ASSERT_SERVER(fixture, "shared_preload_libraries", "\"pg_stat_statements\",pgaudit");
    setting->auto_value = NULL;
    setting->setting = "timescaledb";
    fixture->catalog.available_extension_count = 0;
    assert_null(fixture_proposal(fixture, "shared_preload_libraries", NULL));
    fixture_free(fixture);
}

static void
a_good_log_line_prefix_stays(void **state)
{
    struct fixture *fixture = three_environments(15);
    struct catalog_setting *setting = fixture_setting(fixture, "log_line_prefix");

    (void)state;
    ASSERT_SERVER(fixture, "log_line_prefix", "%m [%p] %q%u@%d %a ");
    setting->setting = "%t %p %u %d %h ";
    ASSERT_SERVER(fixture, "log_line_prefix", "%t %p %u %d %h ");
    setting->setting = "%t %p %%u %d%";
    ASSERT_SERVER(fixture, "log_line_prefix", "%m [%p] %q%u@%d %a ");
    fixture_free(fixture);
}

static void
more_memory_never_gives_less(void **state)
{
    (void)state;
    for (int sole = 0; sole < 3; sole++) {
        int64_t before = 0;
        for (int64_t memory = 256; memory <= 4096 * 1024; memory += memory / 7) {
            struct fixture *fixture = fixture_new(15);
            struct settings_input input;
            double number;
            fixture_environment(fixture, "one", memory << 20, 100, (enum deck_logging)sole);
            settings_input_read(&fixture->advice, &input);
            const char *buffers = fixture_proposal(fixture, "shared_buffers", NULL);
            assert_true(strtod(buffers, NULL) > 0);
            number = (double)(strstr(buffers, "GB") ? GIGABYTE : GIGABYTE / 1024);
            int64_t bytes = (int64_t)(strtod(buffers, NULL) * number);
            assert_true(bytes >= before && bytes < memory << 20);
            before = bytes;
            fixture_free(fixture);
        }
    }
}

/* A rule for each name and version once; each is either derived or the same for all. */
static void
rows_of_the_table_do_not_overlap(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_rule_count; i++) {
        const struct settings_rule *rule = &settings_rules[i];
        assert_true((rule->derive != NULL) + (rule->value != NULL) ==
                    (rule->scope != SETTINGS_OF_POSTGRESQL));
        for (size_t j = 0; j < i; j++) {
            if (strcmp(settings_rules[i].name, settings_rules[j].name) != 0)
                continue;
            for (int major = 14; major <= 18; major++)
                assert_false(settings_rule_is_for(&settings_rules[i], major) &&
                             settings_rule_is_for(&settings_rules[j], major));
        }
    }
}

static struct deck_pool *
add_pool(struct fixture *fixture, struct deck_environment *environment, int max)
{
    struct deck_pool *pool = LIST_ADD(fixture->arena, &environment->pools);

    pool->service = "api";
    pool->max = max;
    pool->place = (struct place){"deck.yaml", 21, 7};
    return pool;
}

static void
pools_must_fit(void **state)
{
    struct fixture *fixture = fixture_new(15);
    struct settings_input input;
    struct error err = {0};

    (void)state;
    struct deck_environment *one =
        fixture_environment(fixture, "one", GIGABYTE, 20, LOGGING_BALANCED);
    add_pool(fixture, one, 15);
    settings_input_read(&fixture->advice, &input);
    assert_true(settings_check_connections(&input, 100, &err));
    assert_true(settings_check_connections(&input, 22, &err)); /* 15 + 3 + 4 */
    assert_false(settings_check_connections(&input, 21, &err));
    assert_int_equal(err.code, ERROR_DECK);
    assert_int_equal(err.line, 21);
    add_pool(fixture, one, 6);
    settings_input_read(&fixture->advice, &input);
    assert_false(settings_check_connections(&input, 100, &err));
    assert_non_null(strstr(err.detail, "21 connections"));
    fixture_free(fixture);
}

static void
memory_shows_its_terms(void **state)
{
    struct fixture *fixture = three_environments(15);
    struct settings_input input;
    struct settings_memory memory;

    (void)state;
    add_pool(fixture, &fixture->deck.environments.items[2], 60);
    settings_input_read(&fixture->advice, &input);
    assert_true(settings_memory_read(&input, &memory));
    assert_string_equal(memory.expected_terms,
                        "shared_buffers 2GB + wal_buffers 32MB + "
                        "20 connections of development x 16MB + 30 connections of staging x 24MB + "
                        "60 connections of production x 32MB + "
                        "3 autovacuum workers x 256MB + 4 parallel workers x 32MB");
    assert_true(memory.expected_bytes ==
                (INT64_C(2048) + 32 + 20 * 16 + 30 * 24 + 60 * 32 + 3 * 256 + 4 * 32) << 20);
    assert_string_equal(memory.worst_terms,
                        "shared_buffers 2GB + wal_buffers 32MB + "
                        "50 connections of development x (4 sorts or hashes x 16MB x 2 + 8MB) + "
                        "75 connections of staging x (4 sorts or hashes x 24MB x 2 + 8MB) + "
                        "150 connections of production x (4 sorts or hashes x 32MB x 2 + 8MB) + "
                        "13 other connections x 40MB + 3 autovacuum workers x 256MB + "
                        "4 parallel workers x 256MB");
    assert_true(memory.worst_bytes ==
                (INT64_C(2048) + 32 + 50 * 136 + 75 * 200 + 150 * 264 + 13 * 40 + 768 + 1024)
                    << 20);
    fixture_free(fixture);
}

/* More connections at work: less for each. A preset is taken as it is. */
static void
work_mem_fits_into_memory(void **state)
{
    struct fixture *fixture = fixture_new(15);
    struct settings_input input;
    struct error err = {0};

    (void)state;
    struct deck_environment *one =
        fixture_environment(fixture, "one", 4 * GIGABYTE, 150, LOGGING_MINIMAL);
    add_pool(fixture, one, 140);
    ASSERT_SHARE(fixture, "one", "work_mem", "32MB");
    settings_input_read(&fixture->advice, &input);
    assert_true(settings_check_memory(&input, &err));
    one->max_connections = 151;
    ASSERT_SHARE(fixture, "one", "work_mem", "16MB");
    settings_input_read(&fixture->advice, &input);
    assert_true(settings_check_memory(&input, &err));
    one->max_connections = 100000;
    one->pools.items[0].max = 100000;
    settings_input_read(&fixture->advice, &input);
    assert_false(settings_check_memory(&input, &err));
    assert_non_null(strstr(err.detail, "100000 connections of one x 64kB"));
    assert_int_equal(err.line, 3);
    fixture_free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(production_alone_gets_the_classic_figures),
        cmocka_unit_test(staging_alone_gets_the_classic_figures),
        cmocka_unit_test(development_alone_gets_the_classic_figures),
        cmocka_unit_test(environments_share_one_server),
        cmocka_unit_test(memory_is_what_the_environments_have_together),
        cmocka_unit_test(nothing_is_guessed),
        cmocka_unit_test(figures_follow_the_version),
        cmocka_unit_test(libraries_are_added_to_what_is_there),
        cmocka_unit_test(a_good_log_line_prefix_stays),
        cmocka_unit_test(more_memory_never_gives_less),
        cmocka_unit_test(rows_of_the_table_do_not_overlap),
        cmocka_unit_test(pools_must_fit),
        cmocka_unit_test(memory_shows_its_terms),
        cmocka_unit_test(work_mem_fits_into_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
