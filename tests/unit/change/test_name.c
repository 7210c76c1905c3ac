// SPDX-License-Identifier: MIT
#include "change/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
short_names_are_just_joined(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(change_name(arena, "events", "_y2026"), "events_y2026");
    const char *longest = "a2345678901234567890123456789012345678901234567890123456789";
    assert_string_equal(change_name(arena, longest, "_old"),
                        "a2345678901234567890123456789012345678901234567890123456789_old");
}

static void
long_names_fit_and_stay_apart(void **state)
{
    AUTO_ARENA arena = arena_new();
    char left[100];
    char right[100];

    (void)state;
    for (size_t length = 40; length < 99; length++) {
        memset(left, 'x', length);
        left[length] = '\0';
        memcpy(right, left, length + 1);
        right[length - 1] = 'y';
        const char *first = change_name(arena, left, "_pgdeck_new");
        const char *second = change_name(arena, right, "_pgdeck_new");
        assert_true(strlen(first) <= CHANGE_NAME_MAX_BYTES);
        assert_string_not_equal(first, second);
        assert_string_equal(first + strlen(first) - 11, "_pgdeck_new");
        assert_true(strlen(change_name(arena, "t_", left)) <= CHANGE_NAME_MAX_BYTES);
    }
}

static void
no_character_is_cut(void **state)
{
    AUTO_ARENA arena = arena_new();
    char name[3 * 30 + 3] = "";

    (void)state;
    for (int shift = 0; shift < 3; shift++) {
        memset(name, 'a', (size_t)shift);
        for (int i = 0; i < 30; i++)
            memcpy(name + shift + 3 * i, "\xE2\x82\xAC", 4);
        const char *cut = change_name(arena, name, "_h0");
        size_t kept = strlen(cut) - strlen("_123456_h0");
        assert_true(strlen(cut) <= CHANGE_NAME_MAX_BYTES);
        assert_int_equal((kept - (size_t)shift) % 3, 0);
        assert_memory_equal(cut, name, kept);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_names_are_just_joined),
        cmocka_unit_test(long_names_fit_and_stay_apart),
        cmocka_unit_test(no_character_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
