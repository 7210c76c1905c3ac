// SPDX-License-Identifier: MIT
#include "watch/statements.h"

#include "base/embed.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 1700000000, READING_S = 30 };

static struct watch_statements *statements;
static double now;

static int
set_up(void **state)
{
    (void)state;
    statements = watch_statements_new();
    now = NOW;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    watch_statements_free(statements);
    return 0;
}

struct row {
    int64_t id;
    double since, calls, ms;
};

/* One reading; returns the calls that it made known. */
static double
read_rows(const struct row *rows, size_t count)
{
    double calls = 0;

    now += READING_S;
    watch_statements_begin(statements);
    for (size_t i = 0; i < count; i++) {
        const struct watch_statement_key key = {1, 2, rows[i].id};
        const struct watch_work counters = {.calls = rows[i].calls, .ms = rows[i].ms};
        struct watch_delta delta;
        if (!watch_statements_add(statements, &key, rows[i].since, &counters, now, &delta))
            continue;
        assert_true(delta.work.calls > 0 && delta.work.ms >= 0);
        calls += delta.work.calls;
    }
    watch_statements_end(statements, now);
    return calls;
}

static double
read_one(int64_t id, double since, double calls, double ms)
{
    return read_rows(&(struct row){id, since, calls, ms}, 1);
}

static void
the_first_reading_is_what_others_are_compared_with(void **state)
{
    (void)state;
    assert_float_equal(read_one(7, 0, 1000, 5000), 0, 0);
    assert_float_equal(read_one(7, 0, 1010, 5050), 10, 0);
    assert_float_equal(read_one(7, 0, 1010, 5050), 0, 0);
}

static void
after_a_reset_all_that_is_counted_is_new(void **state)
{
    (void)state;
    read_one(7, 100, 1000, 5000);
    assert_float_equal(read_one(7, 0, 3, 9), 3, 0);         /* fewer calls */
    assert_float_equal(read_one(7, 200, 500, 600), 500, 0); /* more calls, but since another time */
}

static void
evicted_and_back_counts_from_zero(void **state)
{
    (void)state;
    read_one(7, 0, 1000, 5000);
    assert_float_equal(read_one(8, 0, 4, 4), 4, 0);
    assert_float_equal(read_one(7, 0, 2000, 8000), 2000, 0);
}

static void
time_that_shrinks_is_none(void **state)
{
    struct watch_hour hour;
    struct watch_statement *top[WATCH_TOP];

    (void)state;
    read_one(7, 0, 1000, 5000);
    assert_float_equal(read_one(7, 0, 1001, 4000), 1, 0);
    assert_int_equal(watch_statements_top(statements, now, top, &hour), 1);
    assert_float_equal(hour.all.ms, 0, 0);
}

static void
the_rest_is_other(void **state)
{
    enum { MANY = 5000 };
    static struct row rows[MANY];
    struct watch_hour hour;
    struct watch_statement *top[WATCH_TOP];

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        rows[i] = (struct row){(int64_t)i, 0, 1, 1};
    read_rows(rows, MANY);
    for (size_t i = 0; i < MANY; i++)
        rows[i] = (struct row){(int64_t)i, 0, 2, 1 + (double)i};
    assert_float_equal(read_rows(rows, MANY), MANY, 0);
    assert_int_equal(watch_statements_top(statements, now, top, &hour), WATCH_TOP);
    assert_int_equal(top[0]->key.query_id, MANY - 1);
    assert_int_equal(top[WATCH_TOP - 1]->key.query_id, MANY - WATCH_TOP);
    assert_float_equal(hour.all.calls, MANY, 0);
    now += 2 * 3600; /* nothing of them is left after an hour without */
    read_one(1, 0, 2, 2);
    assert_int_equal(statements->count, 1);
}

static void
its_own_are_one_sum_beside_the_top(void **state)
{
    static const struct row first[] = {{7, 0, 1, 1}, {8, 0, 1, 1}, {9, 0, 1, 1}};
    static const struct row second[] = {{7, 0, 3, 901}, {8, 0, 5, 21}, {9, 0, 2, 81}};
    const struct watch_statement_key own_keys[] = {{1, 2, 7}, {1, 2, 8}};
    struct watch_hour hour;
    struct watch_delta held;
    struct watch_statement *top[WATCH_TOP];

    (void)state;
    read_rows(first, 3);
    read_rows(second, 3);
    assert_int_equal(watch_statements_top(statements, now, top, &hour), 3); /* nobody knows yet */
    assert_int_equal(hour.own_statements, 0);
    for (size_t i = 0; i < 2; i++)
        assert_false(watch_statement_settle(watch_statements_find(statements, &own_keys[i]),
                                            embedded_file("watch/sql/activity.sql")->text, &held));
    assert_int_equal(watch_statements_top(statements, now, top, &hour), 1);
    assert_int_equal(top[0]->key.query_id, 9);
    assert_float_equal(hour.all.ms, 900 + 20 + 80, 1e-3); /* shares are of all there was */
    assert_float_equal(hour.own.ms, 920, 1e-3);
    assert_float_equal(hour.own.calls, 6, 0);
    assert_int_equal(hour.own_statements, 2);
}

static void
p95_is_of_the_spread(void **state)
{
    (void)state;
    assert_true(isnan(watch_work_p95(0, 0, 0)));
    assert_true(fabs(watch_work_p95(10, 50, 250) - 5) < 1e-9); /* all alike */
    /* log-normal with 1 and 0.5: mean e^1.125, mean of squares e^2.5 */
    assert_true(fabs(watch_work_p95(100, 100 * exp(1.125), 100 * exp(2.5)) -
                     exp(1 + 1.6448536 * 0.5)) < 1e-6);
}

/* A delta of a statement by watch's own role; whether it counts at once. */
static bool
work_by_own_role(int64_t id, double calls, struct watch_delta *ret_delta)
{
    const struct watch_statement_key key = {1, 2, id};
    const struct watch_work counters = {.calls = calls, .ms = calls};

    now += READING_S;
    watch_statements_begin(statements);
    assert_true(watch_statements_add(statements, &key, 0, &counters, now, ret_delta));
    return watch_statement_counts(ret_delta, true);
}

static void
work_of_its_own_role_waits_for_the_text(void **state)
{
    struct watch_delta delta, held;

    (void)state;
    read_one(1, 0, 1, 1);
    assert_false(work_by_own_role(7, 3, &delta));
    assert_true(watch_statement_counts(&delta, false)); /* another role: an application */
    assert_false(work_by_own_role(7, 5, &delta));
    assert_true(watch_statement_settle(delta.statement, "SELECT a FROM b", &held));
    assert_float_equal(held.work.calls, 5, 0);
    assert_true(work_by_own_role(7, 6, &delta));
    assert_false(watch_statement_settle(delta.statement, "SELECT a FROM b", &held));

    assert_false(work_by_own_role(8, 9, &delta));
    assert_false(watch_statement_settle(delta.statement,
                                        embedded_file("watch/sql/activity.sql")->text, &held));
    assert_false(work_by_own_role(8, 10, &delta));
    assert_float_equal(delta.statement->held.calls, 0, 0);

    assert_false(work_by_own_role(9, 9, &delta)); /* no query */
    assert_false(watch_statement_settle(delta.statement, "BEGIN READ ONLY", &held));
    assert_false(delta.statement->is_own || work_by_own_role(9, 10, &delta));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_reading_is_what_others_are_compared_with, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_a_reset_all_that_is_counted_is_new, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(evicted_and_back_counts_from_zero, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_that_shrinks_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rest_is_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_own_are_one_sum_beside_the_top, set_up, tear_down),
        cmocka_unit_test(p95_is_of_the_spread),
        cmocka_unit_test_setup_teardown(work_of_its_own_role_waits_for_the_text, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
