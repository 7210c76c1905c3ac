// SPDX-License-Identifier: MIT
#include "monitoring/search_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
adds_the_schema_once(void **state)
{
    static const struct {
        const char *path;
        const char *expected; /* NULL: it is there already */
    } cases[] = {
        {"\"$user\", public", "\"$user\", public, monitoring"},
        {"public", "public, monitoring"},
        {"  Public ,\tAPP\n", "public, \"app\", monitoring"},
        {"\"Public\"", "\"Public\", monitoring"},
        {"\"a\"\"b\",c_d", "\"a\"\"b\", c_d, monitoring"},
        {"a;drop", "\"a;drop\", monitoring"},
        {"public, monitoring", NULL},
        {"Monitoring, public", NULL},
        {"\"monitoring\"", NULL},
        {"\"Monitoring\"", "\"Monitoring\", monitoring"},
    };
    AUTO_ARENA arena = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = "untouched";
        assert_true(monitoring_search_path_add(arena, cases[i].path, "monitoring", &path));
        if (cases[i].expected == NULL)
            assert_null(path);
        else
            assert_string_equal(path, cases[i].expected);
    }
}

static void
leaves_what_it_cannot_read(void **state)
{
    static const char *const paths[] = {"",     " ",   "\"\"", "a,",    ",a",
                                        "a,,b", "a b", "\"a",  "\"a\"b"};
    AUTO_ARENA arena = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *path;
        assert_false(monitoring_search_path_add(arena, paths[i], "monitoring", &path));
        assert_false(monitoring_search_path_quote(arena, paths[i], &path));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_the_schema_once),
        cmocka_unit_test(leaves_what_it_cannot_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
