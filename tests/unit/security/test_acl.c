// SPDX-License-Identifier: MIT
#include "security/acl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
rights_are_of_who_has_them(void **state)
{
    static const char acl[] = "{owner=arwdDxt/owner,api=r*w/owner,=c/owner}";

    (void)state;
    assert_true(acl_has(acl, "owner", "rawd"));
    assert_true(acl_has(acl, "api", "rw"));
    assert_false(acl_has(acl, "api", "a"));
    assert_false(acl_has(acl, "ap", "r"));
    assert_true(acl_has(acl, "", "c"));
    assert_false(acl_has(acl, "", "o")); /* the grantor is no right */
    assert_false(acl_has("", "owner", "r"));
    assert_true(acl_has("", "owner", ""));
}

static void
rights_of_several_grantors_add_up(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_true(acl_has("{api=r/a,api=w/b}", "api", "rw"));
    assert_string_equal(acl_which(arena, "{api=r/a,api=w/b}", "api", "rawd"), "rw");
}

static void
names_may_be_quoted(void **state)
{
    (void)state;
    /* a "b" has a blank and quotes: quoted by aclitem, then again by the array */
    assert_true(acl_has("{\"\\\"a \\\"\\\"b\\\"\\\"\\\"=c/owner\"}", "a \"b\"", "c"));
    assert_true(acl_has("{\"\\\"x=y\\\"=U/owner\"}", "x=y", "U"));
    assert_false(acl_has("{\"\\\"x=U\\\"=C/owner\"}", "x", "U"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_are_of_who_has_them),
        cmocka_unit_test(rights_of_several_grantors_add_up),
        cmocka_unit_test(names_may_be_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
