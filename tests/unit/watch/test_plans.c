// SPDX-License-Identifier: MIT
#include "watch/plans.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *
text_of(const json_t *list, size_t at)
{
    return json_string_value(json_object_get(json_array_get(list, at), "plan"));
}

static double
number_of(const json_t *list, size_t at, const char *key)
{
    return json_number_value(json_object_get(json_array_get(list, at), key));
}

static void
one_of_each_shape_the_newest_first(void **state)
{
    struct watch_plans plans = {0};
    json_t *list = json_array();

    (void)state;
    watch_plans_add(&plans, "Seq Scan on t (cost=1.5 rows=7)", NAN, 100);
    watch_plans_add(&plans, "Index Scan on t (cost=2)", 12, 200);
    watch_plans_add(&plans, "Seq Scan on t (cost=30 rows=8)", NAN, 300);
    watch_plans_append(list, &plans, "EXPLAIN");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(text_of(list, 0), "Seq Scan on t (cost=30 rows=8)");
    assert_true(number_of(list, 0, "since") < 101 && number_of(list, 0, "at") > 299);
    assert_true(number_of(list, 0, "runs") > 1.5);
    assert_true(json_is_null(json_object_get(json_array_get(list, 0), "duration_ms")));
    assert_true(number_of(list, 1, "duration_ms") > 11);
    json_decref(list);
    watch_plans_release(&plans);
}

static void
the_one_unseen_for_longest_goes(void **state)
{
    static const char *const shapes[] = {"a", "b", "c", "d", "e"};
    struct watch_plans plans = {0};
    json_t *list = json_array();

    (void)state;
    for (int i = 0; i < 5; i++)
        watch_plans_add(&plans, shapes[i], 1, i);
    watch_plans_append(list, &plans, "auto_explain");
    assert_int_equal(json_array_size(list), WATCH_PLANS);
    assert_string_equal(text_of(list, 0), "e");
    assert_string_equal(text_of(list, WATCH_PLANS - 1), "b");
    json_decref(list);
    watch_plans_release(&plans);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_each_shape_the_newest_first),
        cmocka_unit_test(the_one_unseen_for_longest_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
