// SPDX-License-Identifier: MIT
#include "pool/owed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pool_owed_queue queue;
static enum pool_copy copy;
static int dropped_count;

static int
release(void **state)
{
    (void)state;
    pool_owed_release(&queue);
    copy = POOL_COPY_NONE;
    dropped_count = 0;
    return 0;
}

static void
owe(enum pool_owed_kind kind)
{
    assert_true(pool_owed_add(&queue, (struct pool_owed){.kind = (uint8_t)kind}));
}

static void
dropped(void *context, const struct pool_owed *owed)
{
    (void)context;
    (void)owed;
    dropped_count++;
}

/* The answer; a whole one removes its entry, as the server does. */
static enum pool_answer
hear(char type)
{
    enum pool_answer answer = pool_owed_answer(&queue, (uint8_t)type, &copy);

    if (answer == POOL_ANSWER_WHOLE)
        pool_owed_remove(&queue);
    return answer;
}

static void
answers_come_in_order(void **state)
{
    (void)state;
    owe(POOL_OWED_PARSE);
    owe(POOL_OWED_BIND);
    owe(POOL_OWED_EXECUTE);
    owe(POOL_OWED_SYNC);
    assert_int_equal(hear('2'), POOL_ANSWER_BAD);
    assert_int_equal(hear('1'), POOL_ANSWER_WHOLE);
    assert_int_equal(hear('N'), POOL_ANSWER_ASYNC);
    assert_int_equal(hear('2'), POOL_ANSWER_WHOLE);
    assert_int_equal(hear('D'), POOL_ANSWER_PART);
    assert_int_equal(hear('C'), POOL_ANSWER_WHOLE);
    assert_int_equal(hear('D'), POOL_ANSWER_BAD);
    assert_int_equal(hear('Z'), POOL_ANSWER_WHOLE);
    assert_int_equal(queue.count, 0);
    assert_int_equal(hear('Z'), POOL_ANSWER_BAD); /* a second ReadyForQuery is owed by nobody */
}

static void
an_error_skips_to_the_sync(void **state)
{
    (void)state;
    owe(POOL_OWED_BIND);
    owe(POOL_OWED_EXECUTE);
    owe(POOL_OWED_QUERY);
    owe(POOL_OWED_SYNC);
    owe(POOL_OWED_PARSE);
    pool_owed_fail(&queue, dropped, NULL);
    assert_int_equal(dropped_count, 3);
    assert_int_equal(pool_owed_first(&queue).kind, POOL_OWED_SYNC);
    assert_false(queue.is_skipping);
}

static void
what_is_sent_before_the_sync_is_owed_nothing(void **state)
{
    (void)state;
    owe(POOL_OWED_EXECUTE);
    pool_owed_fail(&queue, dropped, NULL);
    assert_true(queue.is_skipping);
    owe(POOL_OWED_QUERY); /* the server passes it over */
    assert_int_equal(queue.count, 0);
    owe(POOL_OWED_SYNC);
    assert_int_equal(queue.count, 1);
    assert_false(queue.is_skipping);
}

static void
an_error_of_a_query_is_followed_by_its_ready(void **state)
{
    (void)state;
    owe(POOL_OWED_QUERY);
    owe(POOL_OWED_QUERY);
    pool_owed_fail(&queue, dropped, NULL);
    assert_int_equal(queue.count, 2);
    assert_int_equal(hear('Z'), POOL_ANSWER_WHOLE);
    assert_int_equal(queue.count, 1);
}

static void
copy_eats_the_syncs_before_its_end(void **state)
{
    (void)state;
    owe(POOL_OWED_EXECUTE);
    owe(POOL_OWED_SYNC);
    assert_int_equal(hear('G'), POOL_ANSWER_PART);
    assert_true(pool_owed_start_copy(&queue));
    assert_int_equal(queue.count, 1);
    owe(POOL_OWED_COPY_END);
    owe(POOL_OWED_SYNC);
    assert_int_equal(hear('Z'), POOL_ANSWER_BAD);
    assert_int_equal(hear('C'), POOL_ANSWER_WHOLE);
    assert_int_equal(copy, POOL_COPY_NONE);
    assert_int_equal(pool_owed_first(&queue).kind, POOL_OWED_COPY_END);
}

static void
a_query_within_a_copy_is_the_end(void **state)
{
    (void)state;
    owe(POOL_OWED_QUERY);
    owe(POOL_OWED_QUERY);
    assert_int_equal(hear('G'), POOL_ANSWER_PART);
    assert_false(pool_owed_start_copy(&queue));
}

static void
the_queue_has_a_limit(void **state)
{
    (void)state;
    while (!pool_owed_is_full(&queue))
        owe(POOL_OWED_SYNC);
    assert_in_range(queue.count, POOL_OWED_MAX - 4, POOL_OWED_MAX);
    for (int i = 0; i < 10; i++)
        pool_owed_add(&queue, (struct pool_owed){.kind = POOL_OWED_SYNC});
    assert_int_equal(queue.count, POOL_OWED_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(answers_come_in_order, release),
        cmocka_unit_test_teardown(an_error_skips_to_the_sync, release),
        cmocka_unit_test_teardown(what_is_sent_before_the_sync_is_owed_nothing, release),
        cmocka_unit_test_teardown(an_error_of_a_query_is_followed_by_its_ready, release),
        cmocka_unit_test_teardown(copy_eats_the_syncs_before_its_end, release),
        cmocka_unit_test_teardown(a_query_within_a_copy_is_the_end, release),
        cmocka_unit_test_teardown(the_queue_has_a_limit, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
