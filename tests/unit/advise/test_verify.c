// SPDX-License-Identifier: MIT
#include "advise/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct effect_case {
    const char *what;
    double before_ms, after_ms, before_pages, after_pages;
    size_t faster, slower; /* of five pairs */
    enum advise_effect effect;
};

static const struct effect_case cases[] = {
    {"time and pages", 10, 8, 100, 50, 5, 0, ADVISE_GAIN},
    {"four of five", 10, 8, 100, 50, 4, 1, ADVISE_GAIN},
    {"three of five", 10, 8, 100, 50, 3, 2, ADVISE_SAME},
    {"little time", 10, 9.5, 100, 50, 5, 0, ADVISE_SAME},
    {"time alone", 10, 8, 100, 100, 5, 0, ADVISE_UNCLEAR},
    {"pages the other way", 10, 8, 50, 100, 5, 0, ADVISE_UNCLEAR},
    {"much time alone", 10, 4, 100, 300, 5, 0, ADVISE_GAIN},
    {"much time, one pair says no", 10, 4, 100, 300, 4, 1, ADVISE_UNCLEAR},
    {"slower with more pages", 8, 10, 50, 60, 1, 4, ADVISE_LOSS},
    {"slower alone", 8, 10, 50, 50, 0, 5, ADVISE_UNCLEAR},
    {"much slower alone", 8, 20, 50, 50, 0, 5, ADVISE_LOSS},
    {"nothing", 0, 0, 1, 1, 0, 0, ADVISE_SAME},
};

static void
test_effects(void **state)
{
    size_t used[] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct effect_case *one = &cases[i];
        struct advise_timing timing = {.before_ms = one->before_ms,
                                       .after_ms = one->after_ms,
                                       .before_pages = one->before_pages,
                                       .after_pages = one->after_pages,
                                       .pairs = 5,
                                       .faster = one->faster,
                                       .slower = one->slower,
                                       .is_reading = true,
                                       .used = {.items = used, .count = 1}};
        print_message("# %s\n", one->what);
        assert_int_equal(advise_effect_of(&timing), one->effect);
        timing.used.count = 0;
        assert_int_equal(advise_effect_of(&timing), ADVISE_SAME);
        timing.is_reading = false; /* a write can pay for an index that its plan does not use */
        assert_int_equal(advise_effect_of(&timing), one->effect);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_effects)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
