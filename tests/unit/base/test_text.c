// SPDX-License-Identifier: MIT
#include "base/json_text.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
nearest_finds_the_slip_of_the_finger(void **state)
{
    static const char *const words[] = {"memory", "max_connections", "targets", NULL};

    (void)state;
    assert_string_equal(text_nearest("memroy", words), "memory");
    assert_string_equal(text_nearest("max_conections", words), "max_connections");
    assert_null(text_nearest("zzz", words));
}

static void
text_grows(void **state)
{
    AUTO_TEXT text = {0};

    (void)state;
    assert_string_equal(text_chars(&text), "");
    for (int i = 0; i < 1000; i++)
        text_appendf(&text, "%d,", i % 10);
    assert_int_equal(strlen(text_chars(&text)), 2000);
}

static void
beginnings_and_ends(void **state)
{
    (void)state;
    assert_string_equal(text_behind("plan:\nSeq Scan", "plan:\n"), "Seq Scan");
    assert_string_equal(text_behind("plan", "plan"), "");
    assert_null(text_behind("pla", "plan"));
    assert_true(text_ends_with("log.csv", ".csv"));
    assert_false(text_ends_with("csv", ".csv"));
}

static void
bytes_that_are_no_utf8_are_marked(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},          {"\xc3\xbc.", "\xc3\xbc."}, {"\xff", "?"},
        {"a\xffz", "a?z"}, {"ab\xc3", "ab?"},          {"\xff\xfe.", "??."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        json_t *json = json_text(pairs[i][0]);
        assert_string_equal(json_string_value(json), pairs[i][1]);
        json_decref(json);
    }
    assert_true(json_is_null(json_text(NULL)));
}

static void
words_for_the_shell_are_quoted_where_they_need_it(void **state)
{
    static const char *const pairs[][2] = {
        {"/srv/pg-deck_1/deck.yaml", "/srv/pg-deck_1/deck.yaml"},
        {"", "''"},
        {"/my home/$HOME", "'/my home/$HOME'"},
        {"it's", "'it'\\''s'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        AUTO_TEXT text = {0};
        text_append_word(&text, pairs[i][0]);
        assert_string_equal(text_chars(&text), pairs[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_the_slip_of_the_finger),
        cmocka_unit_test(text_grows),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(bytes_that_are_no_utf8_are_marked),
        cmocka_unit_test(words_for_the_shell_are_quoted_where_they_need_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
