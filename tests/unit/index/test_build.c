// SPDX-License-Identifier: MIT
#include "index/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* 14.0 to 14.3 lose rows from indexes that are built or rebuilt concurrently; no other does. */
static void
only_14_before_4_is_unsafe(void **state)
{
    (void)state;
    assert_false(index_is_build_unsafe(130021));
    for (int version = 140000; version <= 140003; version++)
        assert_true(index_is_build_unsafe(version));
    assert_false(index_is_build_unsafe(140004));
    assert_false(index_is_build_unsafe(150000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_14_before_4_is_unsafe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
