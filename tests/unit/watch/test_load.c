// SPDX-License-Identifier: MIT
/* The load by wait event, written into the history and read back. */
#include "watch/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FROM = 1700000400, BATCH_S = 600, STEP = FROM / WATCH_DAY_STEP_S };

/* As array_to_string(sums, ' ', '*') has it. */
static const char *
as_read(struct text *sums)
{
    for (char *at = sums->chars; *at != '\0'; at++) {
        if (strchr("{,}", *at) != NULL)
            *at = ' ';
    }
    return text_chars(sums);
}

static void
test_it_comes_back(void **state)
{
    struct watch_load *before = watch_load_new(), *after = watch_load_new();
    struct watch_load_step *step = &before->day[(STEP + 1) % WATCH_DAY_STEPS];
    AUTO_TEXT events = {0};
    AUTO_TEXT sums = {0};

    (void)state;
    before->events[1] = strdup("IO:WALSync");
    before->events[2] = strdup("Lock:relation");
    *step = (struct watch_load_step){.step = STEP + 1, .samples = 300, .sessions = {30, 0, 450}};
    assert_true(watch_load_append(before, FROM, FROM + BATCH_S, &events, &sums));
    assert_string_equal(text_chars(&events), "CPU, Lock:relation");
    assert_string_equal(text_chars(&sums), "{0,0,0,300,30,450}");
    watch_load_recall(after, text_chars(&events), as_read(&sums), FROM, FROM + BATCH_S);
    step = &after->day[(STEP + 1) % WATCH_DAY_STEPS];
    assert_string_equal(after->events[1], "Lock:relation");
    assert_int_equal(step->step, STEP + 1);
    assert_float_equal(step->samples, 300, 0);
    assert_float_equal(step->sessions[0], 30, 0);
    assert_float_equal(step->sessions[1], 450, 0);
    assert_int_equal(after->day[STEP % WATCH_DAY_STEPS].step, 0);
    watch_load_free(before);
    watch_load_free(after);
}

static void
test_nobody_looked(void **state)
{
    struct watch_load *load = watch_load_new();
    AUTO_TEXT events = {0};
    AUTO_TEXT sums = {0};

    (void)state;
    assert_false(watch_load_append(load, FROM, FROM + BATCH_S, &events, &sums));
    watch_load_free(load);
}

static void
test_what_is_newer_stays(void **state)
{
    struct watch_load *load = watch_load_new();
    struct watch_load_step *step = &load->day[STEP % WATCH_DAY_STEPS];

    (void)state;
    *step = (struct watch_load_step){.step = STEP + WATCH_DAY_STEPS, .samples = 7, .sessions = {7}};
    watch_load_recall(load, "CPU", "300 30 300 60", FROM, FROM + BATCH_S);
    watch_load_recall(load, "CPU", "300 30 300 60", FROM, FROM + BATCH_S);
    watch_load_recall(load, "CPU", "nonsense", FROM, FROM + BATCH_S);
    assert_float_equal(step->samples, 7, 0);
    assert_float_equal(load->day[(STEP + 1) % WATCH_DAY_STEPS].sessions[0], 60, 0);
    watch_load_free(load);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_comes_back),
        cmocka_unit_test(test_nobody_looked),
        cmocka_unit_test(test_what_is_newer_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
