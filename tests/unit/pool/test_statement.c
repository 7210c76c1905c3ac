// SPDX-License-Identifier: MIT
#include "pool/parameters.h"
#include "pool/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct pool_statement_table table;

static struct pool_statement *
make(const char *sql)
{
    static const uint8_t types[] = {0, 0};
    struct wire_parse parse = {"", sql, types, sizeof(types)};

    return pool_statement_make(&table, &parse, false);
}

static void
equal_texts_are_one(void **state)
{
    struct pool_statement *one = make("SELECT 1"), *again = make("SELECT 1");
    struct pool_statement *other = make("SELECT 2");

    (void)state;
    assert_ptr_equal(one, again);
    assert_ptr_not_equal(one, other);
    assert_int_equal(table.count, 2);
    pool_statement_drop(&table, one);
    pool_statement_drop(&table, again);
    pool_statement_drop(&table, other);
    assert_int_equal(table.count, 0);
    assert_int_equal(table.bytes, 0);
}

static void
names_come_and_go(void **state)
{
    struct pool_names names = {0};

    (void)state;
    uint32_t number = pool_names_add(&names, &table, "a", make("SELECT 1"));
    assert_int_not_equal(pool_names_add(&names, &table, "b", make("SELECT 1")), number);
    pool_names_undo(&names, &table, number);
    assert_null(pool_names_find(&names, "a"));
    assert_non_null(pool_names_find(&names, "b"));
    pool_names_remove(&names, &table, "b");
    pool_names_remove(&names, &table, "b");
    assert_int_equal(names.count, 0);
    pool_names_clear(&names, &table);
    assert_int_equal(table.count, 0);
}

static void
the_one_not_used_for_longest_goes(void **state)
{
    struct pool_prepared_set set = {.capacity = 2};
    struct pool_statement *all[] = {make("1"), make("2"), make("3")};
    uint32_t evicted;

    (void)state;
    uint32_t first = pool_prepared_add(&set, &table, all[0], &evicted)->number;
    assert_int_equal(evicted, 0);
    uint32_t second = pool_prepared_add(&set, &table, all[1], &evicted)->number;
    assert_int_equal(pool_prepared_find(&set, all[0])->number, first);
    uint32_t third = pool_prepared_add(&set, &table, all[2], &evicted)->number;
    assert_int_equal(evicted, second);
    assert_null(pool_prepared_find(&set, all[1]));
    assert_true(third > second); /* no name is used twice */
    pool_prepared_clear(&set, &table);
    for (size_t i = 0; i < 3; i++)
        pool_statement_drop(&table, all[i]);
    assert_int_equal(table.count, 0);
}

static void
equal_parameters_are_one_set(void **state)
{
    static struct pool_parameter_table sets;
    static const struct pool_parameter forward[] = {{"a", "1"}, {"B", "2"}};
    static const struct pool_parameter backward[] = {
        {"B", "x"}, {"a", "1"}, {"b", "0"}, {"B", "2"}};

    (void)state;
    const struct pool_parameters *one = pool_parameters_make(&sets, forward, 2);
    const struct pool_parameters *other = pool_parameters_make(&sets, backward, 4);
    assert_ptr_equal(one, other);
    assert_string_equal(pool_parameters_find(one, "b"), "2");
    assert_null(pool_parameters_find(one, "c"));
    const struct pool_parameters *more = pool_parameters_with(&sets, one, "a", "9");
    assert_string_equal(pool_parameters_find(more, "A"), "9");
    assert_string_equal(pool_parameters_find(one, "A"), "1");
    pool_parameters_drop(&sets, one);
    pool_parameters_drop(&sets, other);
    pool_parameters_drop(&sets, more);
    assert_int_equal(sets.count, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_are_one),
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(the_one_not_used_for_longest_goes),
        cmocka_unit_test(equal_parameters_are_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
