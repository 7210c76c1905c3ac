// SPDX-License-Identifier: MIT
/* Values as PostgreSQL reads them, and what is said of those that it does not take. */
#include "settings/parameters.h"
#include "settings/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sample {
    const char *name, *value;
    const char *message; /* NULL: fine */
};

/* A test gives each of these to a server as well: test_deck_settings.py. */
static const struct sample samples[] = {
    {"work_mem", "64MB", NULL},
    {"work_mem", " 64 MB ", NULL},
    {"work_mem", "65536", NULL},
    {"work_mem", "0x10000", NULL},
    {"work_mem", "1e3", NULL},
    {"work_mem", "0.5GB", NULL},
    {"work_mem", "128", NULL},
    {"work_mem", "64mb", "has no unit that PostgreSQL knows"},
    {"work_mem", "64M", "has no unit that PostgreSQL knows"},
    {"work_mem", "64 MB x", "has no unit that PostgreSQL knows"},
    {"work_mem", "5s", "is a unit of time"},
    {"work_mem", "", "is no number"},
    {"work_mem", "nan", "is no number"},
    {"work_mem", "inf", "is no number"},
    {"work_mem", "1kB", "out of range"},
    {"work_mem", "-1", "out of range"},
    {"work_mem", "3TB", "out of range"},
    {"statement_timeout", "1.5h", NULL},
    {"statement_timeout", "1d", NULL},
    {"statement_timeout", "500us", NULL},
    {"statement_timeout", "10kB", "is a unit of memory"},
    {"max_connections", "100", NULL},
    {"max_connections", "010", NULL},
    {"max_connections", "100.4", NULL},
    {"max_connections", "100MB", "has a unit"},
    {"random_page_cost", "1.1", NULL},
    {"random_page_cost", "1,1", "is no number"},
    {"random_page_cost", "-1", "out of range"},
    {"fsync", "on", NULL},
    {"fsync", "TRUE", NULL},
    {"fsync", "f", NULL},
    {"fsync", "of", NULL},
    {"fsync", "0", NULL},
    {"fsync", "o", "neither on nor off"},
    {"fsync", "2", "neither on nor off"},
    {"fsync", "enabled", "neither on nor off"},
    {"wal_level", "Replica", NULL},
    {"wal_level", "logicl", "it cannot be"},
    {"synchronous_commit", "true", NULL},
    {"default_transaction_isolation", "read committed", NULL},
    {"default_transaction_isolation", "read", "it cannot be"},
    {"wal_compression", "lz4", NULL},
    {"wal_level", "lz4", "it cannot be"},
    {"log_line_prefix", "%m whatever ", NULL},
};

static void
values_are_read_as_postgresql_reads_them(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct sample *sample = &samples[i];
        const struct catalog_setting *setting = settings_parameter(arena, 15, sample->name);
        struct error err = {0};
        assert_non_null(setting);
        bool is_fine = setting_verify(setting, sample->value, true, &err);
        if (is_fine != (sample->message == NULL) ||
            (!is_fine && strstr(err.message, sample->message) == NULL))
            fail_msg("%s = \"%s\": %s", sample->name, sample->value,
                     is_fine ? "is taken" : err.message);
    }
    arena_free(arena);
}

static void
words_of_other_builds_are_known_only_to_a_deck(void **state)
{
    struct arena *arena = arena_new();
    struct error err = {0};

    (void)state;
    assert_true(setting_verify(settings_parameter(arena, 18, "io_method"), "io_uring", true, &err));
    assert_false(
        setting_verify(settings_parameter(arena, 18, "io_method"), "io_uring", false, &err));
    assert_string_equal(err.message, "this server was built without io_uring");
    assert_string_equal(err.hint, "It knows sync and worker.");
    assert_false(setting_verify(settings_parameter(arena, 18, "io_method"), "lz4", true, &err));
    arena_free(arena);
}

static void
hints_lead_to_a_value(void **state)
{
    struct arena *arena = arena_new();
    struct error err = {0};

    (void)state;
    assert_false(setting_verify(settings_parameter(arena, 15, "work_mem"), "64mb", true, &err));
    assert_string_equal(err.hint, "Units are case-sensitive: write 64MB.");
    assert_false(setting_verify(settings_parameter(arena, 15, "work_mem"), "1kB", true, &err));
    assert_string_equal(err.hint, "It must be from 64kB to 2147483647kB.");
    assert_false(setting_verify(settings_parameter(arena, 15, "wal_level"), "replcia", true, &err));
    assert_string_equal(err.hint, "Did you mean \"replica\"?");
    arena_free(arena);
}

static void
a_fraction_is_rounded_as_the_server_does(void **state)
{
    struct arena *arena = arena_new();
    const struct catalog_setting *work_mem = settings_parameter(arena, 15, "work_mem");

    (void)state;
    assert_true(setting_is_equal(work_mem, "0.005GB", "5MB"));
    assert_true(setting_is_equal(work_mem, "1.5MB", "1536"));
    assert_false(setting_is_equal(work_mem, "30.1GB", "31GB"));
    assert_true(setting_is_equal(settings_parameter(arena, 15, "max_connections"), "010", "8"));
    arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_postgresql_reads_them),
        cmocka_unit_test(words_of_other_builds_are_known_only_to_a_deck),
        cmocka_unit_test(hints_lead_to_a_value),
        cmocka_unit_test(a_fraction_is_rounded_as_the_server_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
