// SPDX-License-Identifier: MIT
#include "bench/driver.h"
#include "bench/pool_suite.h"
#include "bench/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const classes[] = {"one"};

static struct bench_load *
load_of(struct arena *arena, double cpu, double stolen, uint64_t late_ns)
{
    struct bench_load *load = bench_load_new(arena, classes, 1);

    load->wall_ns = 1000000000;
    load->user_ns = (uint64_t)(cpu * 1e9);
    load->ticks = 200;
    load->stolen_ticks = stolen * 200;
    histogram_record(load->late, late_ns);
    return load;
}

static void
what_was_the_limit_is_said(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_null(bench_load_limit(load_of(arena, 0.5, 0.005, 100000), arena));
    assert_string_equal(bench_load_limit(load_of(arena, 0.83, 0, 0), arena),
                        "the driver used 83 % of a CPU");
    assert_string_equal(bench_load_limit(load_of(arena, 0.5, 0.04, 0), arena),
                        "the hypervisor took 4 % of the CPU time");
    assert_non_null(strstr(bench_load_limit(load_of(arena, 0, 0, 3000000), arena), "late or more"));
}

static void
stolen_time_is_summed_and_cleared(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct bench_load *sum = load_of(arena, 0, 0, 0);

    (void)state;
    bench_load_merge(sum, load_of(arena, 0, 0.05, 0));
    assert_true(sum->ticks == 400 && sum->stolen_ticks == 10);
    bench_load_clear(sum);
    assert_true(sum->ticks == 0 && sum->stolen_ticks == 0);
}

/* What had no answer is not left out of the percentiles: it waited at least so long. */
static void
the_unanswered_waited_at_least_so_long(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct bench_load *load = bench_load_new(arena, classes, 1);
    struct bench_load *sum = bench_load_new(arena, classes, 1);
    const struct bench_request request = {.due_ns = 1000000000};
    const struct bench_class_load *class = &sum->classes.items[0];
    char text[40];

    (void)state;
    for (int i = 0; i < 80; i++)
        histogram_record(load->classes.items[0].response, 1000000);
    for (int i = 0; i < 20; i++)
        bench_load_unanswered(load, &request, i == 0 ? 3000000000 : 0, 6000000000);
    bench_load_merge(sum, load);
    assert_int_equal(sum->unfinished, 20);
    assert_int_equal(class->service->total, 1);
    assert_int_equal(class->least_unanswered_ns, 5000000000);
    struct bench_work_side side = {.response = class->response,
                                   .service = class->service,
                                   .least_unanswered_ns = class->least_unanswered_ns};
    assert_string_equal(bench_side_percentile(text, &side, 0.5), "1.00 ms");
    assert_string_equal(bench_side_percentile(text, &side, 0.95), "≥ 5.00 s");
    bench_load_clear(sum);
    assert_true(class->least_unanswered_ns == 0 && class->response->total == 0);
}

static void
the_rate_is_that_of_the_schedule(void **state)
{
    const struct bench_work_side side = {.done = 120, .done_after = 20, .seconds = 2};

    (void)state;
    assert_true(bench_rate_of(&side) == 50);
    assert_true(bench_rate_of(&(struct bench_work_side){.done = 1}) < 0);
}

/* One round in which the pool was held up, and one in which direct was, do not decide. */
static void
equal_p95_is_the_median_of_the_rounds(void **state)
{
    AUTO_ARENA arena = arena_new();
    static const uint64_t direct_ns[] = {16, 17, 43, 18, 16};
    static const uint64_t pooled_ns[] = {17, 156, 15, 18, 17};
    struct pool_way direct = {0};
    struct pool_way pooled = {0};

    (void)state;
    assert_true(pool_p95_ratio(arena, &pooled, &direct) == 0);
    for (size_t i = 0; i < 5; i++) {
        LIST_ADD(arena, &direct.blocks)->p95_ns = direct_ns[i];
        LIST_ADD(arena, &pooled.blocks)->p95_ns = pooled_ns[i];
    }
    assert_true(pool_p95_ratio(arena, &pooled, &direct) == 17.0 / 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_the_limit_is_said),
        cmocka_unit_test(the_unanswered_waited_at_least_so_long),
        cmocka_unit_test(the_rate_is_that_of_the_schedule),
        cmocka_unit_test(equal_p95_is_the_median_of_the_rounds),
        cmocka_unit_test(stolen_time_is_summed_and_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
