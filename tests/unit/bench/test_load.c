// SPDX-License-Identifier: MIT
#include "bench/driver.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_the_limit_is_said),
        cmocka_unit_test(stolen_time_is_summed_and_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
