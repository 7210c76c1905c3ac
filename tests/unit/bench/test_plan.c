// SPDX-License-Identifier: MIT
#include "bench/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
a_measured_plan(void **state)
{
    static const char json[] =
        "[{\"Plan\": {\"Node Type\": \"Aggregate\", \"Strategy\": \"Hashed\", \"Plan Rows\": 10,"
        " \"Actual Rows\": 8, \"Actual Loops\": 1, \"Actual Total Time\": 2.5,"
        " \"Group Key\": [\"a\", \"b\"], \"Shared Hit Blocks\": 90, \"Shared Read Blocks\": 2,"
        " \"Temp Written Blocks\": 3, \"WAL Bytes\": 70,"
        " \"Plans\": [{\"Node Type\": \"Index Scan\", \"Index Name\": \"i\","
        " \"Relation Name\": \"t\", \"Alias\": \"x\", \"Plan Rows\": 5, \"Actual Rows\": 4,"
        " \"Actual Loops\": 3, \"Actual Total Time\": 0.5, \"Index Cond\": \"(a < 1)\","
        " \"Rows Removed by Filter\": 0},"
        " {\"Node Type\": \"Index Only Scan\", \"Index Name\": \"i\"}]},"
        " \"Planning Time\": 0.1, \"Execution Time\": 2.6}]";
    AUTO_ARENA arena = arena_new();
    struct bench_plan plan;
    struct error err = {0};

    (void)state;
    assert_true(bench_plan_read(arena, json, &plan, &err));
    assert_int_equal(plan.nodes.count, 3);
    assert_string_equal(plan.nodes.items[0].title, "Hash Aggregate");
    assert_string_equal(plan.nodes.items[0].details.items[0], "Group Key: a, b");
    assert_string_equal(plan.nodes.items[1].title, "Index Scan using i on t x");
    assert_int_equal(plan.nodes.items[1].depth, 1);
    assert_int_equal(plan.nodes.items[1].rows, 12);
    assert_int_equal(plan.nodes.items[1].details.count, 1);
    assert_true(plan.nodes.items[2].time_ms < 0);
    assert_int_equal(plan.indexes.count, 1);
    assert_true(plan.is_measured);
    assert_int_equal(plan.buffers, 95);
    assert_int_equal(plan.wal_bytes, 70);
    assert_int_equal(plan.temp_bytes, 3 * 8192);
}

static void
what_is_no_plan_is_an_error(void **state)
{
    static const char *const bad[] = {"", "{}", "[]", "[{\"Plan\": 1}]", "[{\"Plan\": {}"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        AUTO_ARENA arena = arena_new();
        struct bench_plan plan;
        struct error err = {0};
        assert_false(bench_plan_read(arena, bad[i], &plan, &err));
        assert_int_equal(err.code, ERROR_INTERNAL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measured_plan),
        cmocka_unit_test(what_is_no_plan_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
