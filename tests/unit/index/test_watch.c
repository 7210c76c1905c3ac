// SPDX-License-Identifier: MIT
#include "index/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* The phases of a btree built concurrently, in the order in which the server goes through them. */
static void
progress_only_grows_from_nothing_to_all(void **state)
{
    static const char *const phases[] = {
        "initializing",
        "waiting for writers before build",
        "building index: initializing",
        "building index: scanning table",
        "building index: sorting live tuples",
        "building index: loading tuples in tree",
        "waiting for writers before validation",
        "index validation: scanning index",
        "index validation: sorting tuples",
        "index validation: scanning table",
        "waiting for old snapshots",
    };
    double last = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        for (int done = 0; done <= 10; done++) {
            double now = index_progress(phases[i], done, 10, 0, 0);
            assert_true(now >= last);
            last = now;
        }
    }
    assert_true(last == 1);
}

static void
tuples_count_where_there_are_no_blocks(void **state)
{
    (void)state;
    assert_true(index_progress("building index: loading tuples in tree", 0, 0, 5, 10) >
                index_progress("building index: loading tuples in tree", 0, 0, 4, 10));
    /* the server's totals are estimates */
    assert_true(index_progress("building index", 20, 10, 0, 0) <= 1);
    assert_true(index_progress("a phase of a later version", 1, 2, 0, 0) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_only_grows_from_nothing_to_all),
        cmocka_unit_test(tuples_count_where_there_are_no_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
