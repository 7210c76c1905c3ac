// SPDX-License-Identifier: MIT
#include "pg/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
names_and_values_are_quoted(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(
        pg_format(arena, "GRANT %s ON %I TO %I LIMIT %d %%", "SELECT", "a\"b", "select", 7),
        "GRANT SELECT ON \"a\"\"b\" TO \"select\" LIMIT 7 %");
    assert_string_equal(pg_format(arena, "%L", "it's"), "'it''s'");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_and_values_are_quoted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
