// SPDX-License-Identifier: MIT
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_finds_the_slip_of_the_finger),
        cmocka_unit_test(text_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
