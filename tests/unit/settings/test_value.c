// SPDX-License-Identifier: MIT
#include "settings/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct catalog_setting buffers = {.name = "shared_buffers",
                                               .unit = "8kB",
                                               .vartype = "integer",
                                               .min_value = "16",
                                               .max_value = "1073741823",
                                               .source = "default",
                                               .setting = "16384",
                                               .enum_values = ""};
static const struct catalog_setting compression = {.name = "wal_compression",
                                                   .unit = "",
                                                   .vartype = "enum",
                                                   .min_value = "",
                                                   .max_value = "",
                                                   .enum_values = "{pglz,lz4,on,off}",
                                                   .source = "default",
                                                   .setting = "off"};

static void
numbers_come_in_the_parameters_own_unit(void **state)
{
    double number;

    (void)state;
    assert_true(setting_number("64MB", "8kB", &number) && number == 8192);
    assert_true(setting_number("8192", "8kB", &number) && number == 8192);
    assert_true(setting_number("15min", "s", &number) && number == 900);
    assert_true(setting_number("1.5GB", "kB", &number) && number == 1572864);
    assert_true(setting_number("0.9", "", &number) && number == 0.9);
    assert_false(setting_number("64mb", "8kB", &number)); /* as in PostgreSQL: case counts */
    assert_false(setting_number("5min", "kB", &number));
    assert_false(setting_number("5kB", "", &number));
    assert_false(setting_number("", "kB", &number));
    assert_false(setting_number("off", "", &number));
}

static void
equal_in_another_unit_is_equal(void **state)
{
    struct catalog_setting wal = {.unit = "MB", .vartype = "integer"};
    struct catalog_setting cost = {.unit = "", .vartype = "real"};
    struct catalog_setting truth = {.unit = "", .vartype = "bool"};
    struct catalog_setting words = {.unit = "", .vartype = "string"};

    (void)state;
    assert_true(setting_is_equal(&buffers, "128MB", "16384"));
    assert_true(setting_is_equal(&buffers, "131072kB", "128MB"));
    assert_false(setting_is_equal(&buffers, "128MB", "129MB"));
    assert_true(setting_is_equal(&wal, "1GB", "1024"));
    assert_true(setting_is_equal(&cost, "4", "4.0"));
    assert_false(setting_is_equal(&cost, "1.1", "1.2"));
    assert_true(setting_is_equal(&truth, "on", "true"));
    assert_false(setting_is_equal(&truth, "on", "off"));
    assert_true(setting_is_equal(&compression, "LZ4", "lz4"));
    assert_false(setting_is_equal(&compression, "lz4", "pglz"));
    assert_false(setting_is_equal(&words, "A", "a"));
}

static void
limits_of_this_server_hold(void **state)
{
    AUTO_ARENA arena = arena_new();
    bool is_limited;

    (void)state;
    assert_string_equal(setting_clamp(arena, &buffers, "1GB", &is_limited), "1GB");
    assert_false(is_limited);
    assert_string_equal(setting_clamp(arena, &buffers, "8kB", &is_limited), "16");
    assert_true(is_limited);
    assert_null(setting_clamp(arena, &buffers, "much", &is_limited));
    assert_string_equal(setting_clamp(arena, &compression, "lz4", &is_limited), "lz4");
    assert_null(setting_clamp(arena, &compression, "zstd", &is_limited));
}

static void
what_only_a_session_has_is_not_the_servers(void **state)
{
    struct catalog_setting setting = buffers;

    (void)state;
    setting.boot_value = "1024";
    assert_string_equal(setting_server_value(&setting), "16384");
    setting.source = "database";
    assert_string_equal(setting_server_value(&setting), "1024");
    setting.auto_value = "64MB";
    assert_string_equal(setting_server_value(&setting), "64MB");
}

static void
words_are_read_as_the_server_writes_them(void **state)
{
    AUTO_ARENA arena = arena_new();
    char **words;

    (void)state;
    assert_int_equal(setting_words(arena, "", &words), 0);
    assert_int_equal(setting_words(arena, "a, \"$libdir/b, c\",d ", &words), 3);
    assert_string_equal(words[0], "a");
    assert_string_equal(words[1], "$libdir/b, c");
    assert_string_equal(words[2], "d");
    assert_int_equal(setting_words(arena, "\"a\"\"b\"", &words), 1);
    assert_string_equal(words[0], "a\"b");
    assert_int_equal(setting_words(arena, "\"open", &words), 1);
}

static void
written_in_the_largest_unit(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(setting_size(arena, INT64_C(1200) << 20), "1200MB");
    assert_string_equal(setting_size(arena, INT64_C(4) << 30), "4GB");
    assert_string_equal(setting_size(arena, 1000), "1000B");
    assert_string_equal(setting_duration(arena, 180000), "3min");
    assert_string_equal(setting_duration(arena, 1500), "1500ms");
    assert_string_equal(setting_duration(arena, 0), "0");
    assert_string_equal(setting_readable(arena, &buffers, "16384"), "128MB");
    assert_string_equal(setting_readable(arena, &buffers, "-1"), "-1");
    assert_string_equal(setting_readable(arena, &compression, ""), "empty");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_in_the_parameters_own_unit),
        cmocka_unit_test(equal_in_another_unit_is_equal),
        cmocka_unit_test(limits_of_this_server_hold),
        cmocka_unit_test(what_only_a_session_has_is_not_the_servers),
        cmocka_unit_test(words_are_read_as_the_server_writes_them),
        cmocka_unit_test(written_in_the_largest_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
