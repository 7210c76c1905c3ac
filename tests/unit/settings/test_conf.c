// SPDX-License-Identifier: MIT
#include "settings/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
entries_are_read_as_the_server_does(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct conf_entries entries;

    (void)state;
    conf_read(arena,
              "# comment\nwork_mem = '8MB'\n  Shared_Buffers 128MB # text\n\njit=off\n"
              "log_line_prefix = 'it''s \\'a\\\\b\\n'\nwork_mem = 9MB\r\nmy.own = ''\nopen = 'x",
              &entries);
    assert_int_equal(entries.list.count, 6);
    assert_string_equal(conf_value(&entries, "work_mem"), "9MB");
    assert_string_equal(conf_value(&entries, "shared_buffers"), "128MB");
    assert_string_equal(conf_value(&entries, "jit"), "off");
    assert_string_equal(conf_value(&entries, "log_line_prefix"), "it's 'a\\b\n");
    assert_string_equal(conf_value(&entries, "my.own"), "");
    assert_string_equal(conf_value(&entries, "open"), "x");
    assert_null(conf_value(&entries, "open_"));
}

static void
what_is_written_is_read_again(void **state)
{
    static const char *const values[] = {"", "1.1", "it's", "a\\b\nc", "'", "\\", "x = 'y' # z"};
    AUTO_ARENA arena = arena_new();
    struct conf_entries entries = {0}, again;

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        conf_set(arena, &entries, arena_printf(arena, "p%zu", i), values[i]);
    conf_read(arena, conf_write(arena, "main", &entries), &again);
    assert_int_equal(again.list.count, entries.list.count);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_string_equal(conf_value(&again, arena_printf(arena, "p%zu", i)), values[i]);
}

static void
the_way_back_of_a_change(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct conf_entries entries;

    (void)state;
    conf_read(arena, "a = '1'\nb = '2'\nc = '3'\n", &entries);
    conf_undo(arena, conf_undo_line(arena, "b", NULL), &entries);
    conf_undo(arena, conf_undo_line(arena, "c", "is not set"), &entries);
    conf_undo(arena, conf_undo_line(arena, "d", "4"), &entries);
    conf_undo(arena, conf_undo_line(arena, "e", NULL), &entries);
    assert_int_equal(entries.list.count, 3);
    assert_null(conf_value(&entries, "b"));
    assert_string_equal(conf_value(&entries, "c"), "is not set");
    assert_string_equal(conf_value(&entries, "d"), "4");
}

static void
the_include_line_comes_once_and_goes_to_the_byte(void **state)
{
    static const char *const texts[] = {"", "a = 1\n", "a = 1", "\n", "#\n", "a = 1\n\n#"};
    AUTO_ARENA arena = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *added = conf_add_include(arena, texts[i]);
        assert_true(strncmp(added, texts[i], strlen(texts[i])) == 0);
        assert_true(conf_has_include(arena, added));
        assert_ptr_equal(conf_add_include(arena, added), added);
        assert_string_equal(conf_remove_include(arena, added), texts[i]);
        assert_ptr_equal(conf_remove_include(arena, texts[i]), texts[i]);
        const char *longer = arena_printf(arena, "%sb = 2\n", added);
        const char *closed = texts[i][0] == '\0' || texts[i][strlen(texts[i]) - 1] == '\n'
                                 ? texts[i]
                                 : arena_printf(arena, "%s\n", texts[i]);
        assert_string_equal(conf_remove_include(arena, longer),
                            arena_printf(arena, "%sb = 2\n", closed));
    }
    assert_false(conf_has_include(arena, "# include 'pgdeck.conf'\ninclude 'other.conf'\n"));
    assert_true(conf_has_include(arena, "include 'pgdeck.conf'"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read_as_the_server_does),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(the_way_back_of_a_change),
        cmocka_unit_test(the_include_line_comes_once_and_goes_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
