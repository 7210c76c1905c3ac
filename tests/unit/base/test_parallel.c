// SPDX-License-Identifier: MIT
#include "base/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { TASKS = 12, WIDTH = 3 };

struct log {
    struct parallel_task tasks[TASKS];
    atomic_int running, most, runs;
    atomic_int running_in_queue[2];
    atomic_bool has_clash;
    size_t failing; /* TASKS: none */
};

static bool
run(void *context, size_t task, struct error *err)
{
    struct log *log = context;
    const struct timespec pause = {.tv_nsec = 10000000};
    int queue = log->tasks[task].queue[0] - 'a';

    int now = atomic_fetch_add(&log->running, 1) + 1;
    if (now > atomic_load(&log->most))
        atomic_store(&log->most, now);
    if (queue < 2 && atomic_fetch_add(&log->running_in_queue[queue], 1) > 0)
        atomic_store(&log->has_clash, true);
    nanosleep(&pause, NULL);
    if (queue < 2)
        atomic_fetch_sub(&log->running_in_queue[queue], 1);
    atomic_fetch_sub(&log->running, 1);
    atomic_fetch_add(&log->runs, 1);
    return task != log->failing || error_set(err, ERROR_SQL, "task %zu", task);
}

static bool
run_all(struct log *log, size_t width, struct error *err)
{
    static const char *const queues[TASKS] = {"a", "b", "c", "a", "d", "a",
                                              "b", "e", "b", "a", "f", "a"};
    const struct parallel parallel = {width, run, log};

    for (size_t i = 0; i < TASKS; i++)
        log->tasks[i].queue = queues[i];
    return parallel_run(&parallel, log->tasks, TASKS, err);
}

static void
all_run_but_no_two_of_a_queue_at_once(void **state)
{
    struct log log = {.failing = TASKS};
    struct error err = {0};

    (void)state;
    assert_true(run_all(&log, WIDTH, &err));
    assert_int_equal(log.runs, TASKS);
    assert_in_range(log.most, 2, WIDTH);
    assert_false(log.has_clash);
    for (size_t i = 0; i < TASKS; i++)
        assert_true(log.tasks[i].is_done);
}

static void
nothing_begins_after_a_failure(void **state)
{
    struct log log = {.failing = 1};
    struct error err = {0};

    (void)state;
    assert_false(run_all(&log, WIDTH, &err));
    assert_string_equal(err.message, "task 1");
    assert_in_range(log.runs, 2, 2 * WIDTH);
    for (size_t i = 0; i < TASKS; i++)
        assert_int_equal(log.tasks[i].is_done, log.tasks[i].is_begun && i != 1);
}

static void
one_at_a_time_is_in_order(void **state)
{
    struct log log = {.failing = 4};
    struct error err = {0};

    (void)state;
    assert_false(run_all(&log, 1, &err));
    assert_int_equal(log.runs, 5);
    assert_int_equal(log.most, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_run_but_no_two_of_a_queue_at_once),
        cmocka_unit_test(nothing_begins_after_a_failure),
        cmocka_unit_test(one_at_a_time_is_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
