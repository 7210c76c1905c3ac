// SPDX-License-Identifier: MIT
#include "pool/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { US = POOL_US_NS };

static void
test_counts_below_bounds(void **state)
{
    const uint64_t bounds[] = {10 * US, 100 * US, 1000 * US, 10000 * US};
    struct pool_measures *measures = pool_measures_new();
    uint64_t counts[4] = {9, 9, 9, 9};

    (void)state;
    pool_measure_below(&measures->query, bounds, 4, counts);
    for (int i = 0; i < 4; i++)
        assert_int_equal(counts[i], 0);
    pool_measure(&measures->query, 5);
    pool_measure(&measures->query, 10);
    pool_measure(&measures->query, 50);
    pool_measure(&measures->query, 999);
    pool_measure(&measures->query, 20000);
    pool_measure_below(&measures->query, bounds, 4, counts);
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 3);
    assert_int_equal(counts[2], 4);
    assert_int_equal(counts[3], 4);
    pool_measures_free(measures);
}

static void
test_errors_are_bounded(void **state)
{
    struct pool_measures *measures = pool_measures_new();
    char sqlstate[6];

    (void)state;
    pool_measure_error(measures, "23505");
    pool_measure_error(measures, "23505");
    pool_measure_error(measures, "");
    pool_measure_error(measures, "2350\"");
    pool_measure_error(measures, "235055");
    assert_int_equal(measures->error_count, 1);
    assert_string_equal(measures->errors[0].sqlstate, "23505");
    assert_int_equal(measures->errors[0].count, 2);
    assert_int_equal(measures->other_errors, 3);
    for (int i = 0; i < 1000; i++) {
        snprintf(sqlstate, sizeof(sqlstate), "Z%04d", i);
        pool_measure_error(measures, sqlstate);
    }
    assert_int_equal(measures->error_count, POOL_ERROR_KINDS_MAX);
    assert_int_equal(measures->other_errors, 3 + 1000 - (POOL_ERROR_KINDS_MAX - 1));
    pool_measures_free(measures);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_below_bounds),
        cmocka_unit_test(test_errors_are_bounded),
    };

    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
