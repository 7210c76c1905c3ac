// SPDX-License-Identifier: MIT
/* What follows from figures of a live server; test_measured.py reads real ones. */
#include "settings/measured.h"

#include "settings/fixture.h"
#include "settings/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MEGABYTE (INT64_C(1) << 20)
#define GIGABYTE (INT64_C(1) << 30)

enum { HOUR = 3600 };

static struct fixture *
staging(struct settings_input *input)
{
    struct fixture *fixture = fixture_new(15);

    fixture->deck.servers.items[0].storage = STORAGE_HDD;
    fixture->deck.servers.items[0].memory_bytes = 16 * GIGABYTE;
    fixture_environment(fixture, "staging", 16 * GIGABYTE, 400, LOGGING_BALANCED);
    fixture->deck.environments.items[0].targets.connections_max = 20;
    settings_input_read(&fixture->advice, input);
    input->measured.since = "2026-01-02";
    return fixture;
}

static struct settings_proposal
proposal(struct settings_input *input, const char *name, enum settings_scope scope)
{
    const struct settings_rule *rule = settings_find_rule(input, name, scope);
    struct settings_case of = {
        .input = input,
        .environment = scope == SETTINGS_OF_ENVIRONMENT ? &input->environments.items[0] : NULL,
        .current = settings_find(input, name),
    };
    struct settings_proposal found;

    assert_true(settings_propose(rule, &of, &found));
    return found;
}

#define OF_SERVER(input, name) proposal(input, name, SETTINGS_OF_SERVER)
#define OF_STAGING(input, name) proposal(input, name, SETTINGS_OF_ENVIRONMENT)

static void
the_rate_of_the_log_gives_room_in_steps(void **state)
{
    struct settings_input input;
    struct fixture *fixture = staging(&input);

    (void)state;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "4GB");
    input.measured.seconds = 10 * HOUR;
    input.measured.wal_bytes = 10.0 * HOUR * 2 * MEGABYTE; /* x 900 s x 2 = 3600 MB */
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "4GB");
    input.measured.wal_bytes *= 3;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "16GB");
    assert_string_equal(OF_SERVER(&input, "min_wal_size").value, "4GB");
    assert_non_null(strstr(OF_SERVER(&input, "max_wal_size").why,
                           "measured: 6MB of log a second since 2026-01-02; checkpoints every "
                           "15min need twice"));
    input.measured.wal_bytes *= 100;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "64GB");
    input.measured.seconds = HOUR / 2.0; /* too short */
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "4GB");
    fixture_free(fixture);
}

static void
checkpoints_by_volume_give_twice_the_room_and_keep_it(void **state)
{
    struct settings_input input;
    struct fixture *fixture = staging(&input);

    (void)state;
    input.measured.seconds = 10 * HOUR;
    input.measured.timed = 90;
    input.measured.requested = 10;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "4GB");
    input.measured.requested = 30;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "8GB");
    fixture_setting(fixture, "max_wal_size")->setting = "8192";
    input.measured.requested = 10; /* less, now that there is room: kept */
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "8GB");
    input.measured.requested = 1;
    assert_string_equal(OF_SERVER(&input, "max_wal_size").value, "4GB");
    fixture_free(fixture);
}

static void
temporary_files_give_twice_the_usual(void **state)
{
    struct settings_input input;
    struct fixture *fixture = staging(&input);
    struct settings_environment *environment = &input.environments.items[0];

    (void)state;
    assert_string_equal(OF_STAGING(&input, "work_mem").value, "36MB");
    environment->temp_files = 50;
    environment->temp_bytes = 50.0 * 30 * MEGABYTE;
    environment->temp_seconds = 10 * HOUR;
    environment->temp_since = "2026-01-02";
    assert_string_equal(OF_STAGING(&input, "work_mem").value, "72MB");
    assert_non_null(strstr(OF_STAGING(&input, "work_mem").why,
                           "measured: 50 temporary files of 30MB on average since 2026-01-02"));
    environment->temp_files = 5; /* in ten hours: rare */
    assert_string_equal(OF_STAGING(&input, "work_mem").value, "36MB");
    environment->temp_files = 50;
    input.memory_bytes = 2 * GIGABYTE; /* never more than fits */
    environment->memory_bytes = 2 * GIGABYTE;
    environment->connections = 50;
    assert_string_equal(OF_STAGING(&input, "work_mem").value, "64MB");
    fixture_free(fixture);
}

static void
a_preset_is_only_warned_of(void **state)
{
    struct settings_input input;
    struct fixture *fixture = fixture_new(15);

    (void)state;
    fixture_environment(fixture, "production", 4 * GIGABYTE, 150, LOGGING_MINIMAL);
    settings_input_read(&fixture->advice, &input);
    input.environments.items[0].temp_files = 50;
    input.environments.items[0].temp_bytes = 50.0 * MEGABYTE;
    input.environments.items[0].temp_seconds = HOUR;
    input.environments.items[0].temp_since = "2026-01-02";
    struct settings_proposal found = OF_STAGING(&input, "work_mem");
    assert_string_equal(found.value, "32MB");
    assert_non_null(strstr(found.warning, "50 temporary files of 1MB on average"));
    fixture_free(fixture);
}

static void
databases_that_fit_into_memory_are_read_from_it(void **state)
{
    struct settings_input input;
    struct fixture *fixture = staging(&input);

    (void)state;
    assert_string_equal(OF_SERVER(&input, "random_page_cost").value, "4");
    input.databases_from = "measured";
    input.databases_bytes = 8 * GIGABYTE;
    assert_string_equal(OF_SERVER(&input, "random_page_cost").value, "1.1");
    assert_non_null(strstr(OF_SERVER(&input, "random_page_cost").why,
                           "all databases together, 8GB, fit into 16GB of memory"));
    input.databases_bytes = 13 * GIGABYTE;
    assert_string_equal(OF_SERVER(&input, "random_page_cost").value, "4");
    input.databases_bytes = 100 * MEGABYTE; /* has just begun */
    assert_string_equal(OF_SERVER(&input, "random_page_cost").value, "4");
    fixture_free(fixture);
}

static void
standbys_come_first(void **state)
{
    struct settings_input input;
    struct fixture *fixture = staging(&input);

    (void)state;
    assert_null(OF_SERVER(&input, "max_connections").warning);
    input.measured.standbys = 1;
    assert_string_equal(OF_SERVER(&input, "max_connections").warning,
                        "1 standby follows this server: raise max_connections to 407 there first, "
                        "or replay stops");
    fixture_setting(fixture, "max_connections")->setting = "500"; /* lowered: no matter */
    assert_null(OF_SERVER(&input, "max_connections").warning);
    fixture_free(fixture);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_of_the_log_gives_room_in_steps),
        cmocka_unit_test(checkpoints_by_volume_give_twice_the_room_and_keep_it),
        cmocka_unit_test(temporary_files_give_twice_the_usual),
        cmocka_unit_test(a_preset_is_only_warned_of),
        cmocka_unit_test(standbys_come_first),
        cmocka_unit_test(databases_that_fit_into_memory_are_read_from_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
