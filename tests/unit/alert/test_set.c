// SPDX-License-Identifier: MIT
/* Rounds of findings, and what fires and clears of them. */
#include "alert/set.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trial {
    struct arena *arena;
    struct alert_set set;
    struct alert_events events;
    int64_t now_ms;
};

static struct alert_counts
three_and_five(const void *context, const char *name)
{
    (void)context;
    (void)name;
    return (struct alert_counts){3, 5};
}
static const struct alert_rules rules = {three_and_five, NULL};

static int
set_up(void **state)
{
    struct trial *trial = calloc(1, sizeof(*trial));

    trial->arena = arena_new();
    *state = trial;
    return 0;
}

static int
tear_down(void **state)
{
    struct trial *trial = *state;

    alert_set_release(&trial->set);
    arena_free(trial->arena);
    free(trial);
    return 0;
}

static struct alert_finding
connections(double percent)
{
    return (struct alert_finding){
        .name = "connections",
        .server = "main",
        .environment = "production",
        .level = percent >= 95   ? ALERT_CRITICAL
                 : percent >= 80 ? ALERT_WARNING
                                 : ALERT_NONE,
        .value = percent,
        .warning = 80,
        .critical = 95,
        .message = percent >= 95   ? "nearly none left"
                   : percent >= 80 ? "many"
                                   : "all is well",
        .fix_sql = percent >= 80 ? "SELECT pg_terminate_backend(1)" : NULL,
    };
}

static void
look(struct trial *trial, const struct alert_finding *findings, size_t count)
{
    struct alert_round round = {findings, count, trial->now_ms += 10000};

    alert_set_round(trial->arena, &trial->set, &rules, &round, &trial->events);
}

static void
rounds(struct trial *trial, int count, double percent)
{
    struct alert_finding finding = connections(percent);

    for (int i = 0; i < count; i++)
        look(trial, &finding, 1);
}

static void
assert_changes(const struct trial *trial, const char *expected)
{
    char seen[200] = "";

    for (size_t i = 0; i < trial->events.list.count; i++) {
        strncat(seen, alert_change_name(trial->events.list.items[i].change), 20);
        strncat(seen, " ", 2);
    }
    assert_string_equal(seen, expected);
}

static void
fires_at_the_third_and_clears_after_five(void **state)
{
    struct trial *trial = *state;

    rounds(trial, 2, 85);
    assert_changes(trial, "");
    rounds(trial, 1, 85);
    assert_changes(trial, "fired ");
    assert_int_equal(trial->set.items[0]->since_ms, 30000);
    rounds(trial, 4, 50);
    assert_changes(trial, "fired ");
    assert_string_equal(trial->set.items[0]->message, "many");
    rounds(trial, 1, 50);
    assert_changes(trial, "fired cleared ");
    alert_set_sweep(&trial->set);
    assert_int_equal(trial->set.count, 0);
}

/* However long it stays on either side: round by round, or a few rounds each. */
static void
twenty_toggles_fire_once_and_clear_once(void **state)
{
    struct trial *trial = *state;

    for (int length = 1; length <= 4; length++) {
        trial->events.list.count = 0;
        for (int i = 0; i < 20; i++)
            rounds(trial, length, i % 2 == 0 ? 81 : 60);
        assert_changes(trial, "fired ");
        rounds(trial, 5, 60);
        assert_changes(trial, "fired cleared ");
    }
}

/* Just below the limit is not yet good, for as long as it lasts. */
static void
near_the_limit_does_not_clear(void **state)
{
    struct trial *trial = *state;

    for (int i = 0; i < 20; i++)
        rounds(trial, 20, i % 2 == 0 ? 81 : 78);
    assert_changes(trial, "fired ");
    rounds(trial, 5, 76);
    assert_changes(trial, "fired cleared ");
}

static void
low_is_bad_where_critical_is_below(void **state)
{
    struct trial *trial = *state;
    struct alert_finding finding = {
        .name = "cache_hit", .level = ALERT_WARNING, .value = 89, .warning = 90, .critical = 80};

    for (int i = 0; i < 40; i++) {
        if (i == 3)
            finding.level = ALERT_NONE;
        if (i >= 3)
            finding.value = i < 20 ? 91 : 93;
        look(trial, &finding, 1);
        if (i == 23)
            assert_changes(trial, "fired ");
    }
    assert_changes(trial, "fired cleared ");
}

static void
gets_worse_and_better(void **state)
{
    struct trial *trial = *state;

    rounds(trial, 3, 85);
    for (int i = 0; i < 20; i++)
        rounds(trial, 1, i % 2 == 0 ? 96 : 90);
    assert_changes(trial, "fired worse ");
    rounds(trial, 5, 90);
    assert_changes(trial, "fired worse better ");
    rounds(trial, 5, 10);
    assert_changes(trial, "fired worse better cleared ");
}

static void
critical_at_once_is_one_message(void **state)
{
    struct trial *trial = *state;

    rounds(trial, 3, 99);
    assert_changes(trial, "fired ");
    assert_int_equal(trial->set.items[0]->level, ALERT_CRITICAL);
}

static void
what_is_not_measured_stays_as_it_was(void **state)
{
    struct trial *trial = *state;

    rounds(trial, 2, 85);
    for (int i = 0; i < 100; i++)
        look(trial, NULL, 0);
    assert_changes(trial, "");
    rounds(trial, 1, 85);
    assert_changes(trial, "fired ");
    for (int i = 0; i < 100; i++)
        look(trial, NULL, 0);
    assert_changes(trial, "fired ");
    rounds(trial, 5, 10);
    assert_changes(trial, "fired cleared ");
}

static void
a_clock_that_goes_back_changes_nothing(void **state)
{
    struct trial *trial = *state;

    trial->now_ms = INT64_C(1000000000);
    rounds(trial, 2, 85);
    trial->now_ms = 0;
    rounds(trial, 1, 85);
    assert_changes(trial, "fired ");
    trial->now_ms = -500000;
    rounds(trial, 5, 10);
    assert_changes(trial, "fired cleared ");
}

static void
the_worst_of_several_counts(void **state)
{
    struct trial *trial = *state;
    struct alert_finding findings[] = {connections(50), connections(97), connections(85)};

    for (int i = 0; i < 3; i++)
        look(trial, findings, 3);
    assert_changes(trial, "fired ");
    assert_int_equal(trial->set.count, 1);
    assert_string_equal(trial->set.items[0]->message, "nearly none left");
    assert_int_equal(trial->set.items[0]->breaching, 2);
}

static void
many_are_bounded(void **state)
{
    struct trial *trial = *state;
    char name[16] = "t";

    for (int i = 0; i < ALERT_LIMIT + 10; i++) {
        struct alert_finding finding = connections(85);
        snprintf(name, sizeof(name), "t%d", i);
        finding.database = name;
        look(trial, &finding, 1);
        assert_int_equal(trial->set.left_out, i >= ALERT_LIMIT);
    }
    assert_int_equal(trial->set.count, ALERT_LIMIT);
}

static void
texts_are_cut_between_characters(void **state)
{
    struct trial *trial = *state;
    char message[2 * ALERT_MESSAGE_BYTES];
    char fix[ALERT_FIX_BYTES + 2];
    struct alert_finding finding = connections(85);

    memset(message, 'x', sizeof(message));
    memcpy(message + ALERT_MESSAGE_BYTES - 1, "\xc3\xa4", 3); /* one character, over the edge */
    memset(fix, 'x', sizeof(fix) - 1);
    fix[sizeof(fix) - 1] = '\0';
    finding.message = message;
    finding.fix_sql = fix;
    look(trial, &finding, 1);
    assert_int_equal(strlen(trial->set.items[0]->message), ALERT_MESSAGE_BYTES - 1);
    assert_string_equal(trial->set.items[0]->fix_sql, "");
}

static void
a_measurement_counts_once(void **state)
{
    struct trial *trial = *state;
    struct alert_finding finding = connections(85);

    for (int i = 0; i < 30; i++) {
        finding.measured_ms = 1000 + i / 10;
        look(trial, &finding, 1);
        assert_int_equal(trial->set.items[0]->breaches, 1 + i / 10);
    }
    assert_changes(trial, "fired ");
}

static bool
is_of_production(const void *context, const struct alert *alert)
{
    (void)context;
    return strcmp(alert->environment, "production") == 0;
}

static void
what_the_deck_has_no_more_clears(void **state)
{
    struct trial *trial = *state;

    rounds(trial, 3, 85);
    alert_set_retire(trial->arena, &trial->set, is_of_production, NULL, &trial->events);
    assert_changes(trial, "fired cleared ");
    assert_true(isnan(trial->set.items[0]->value));
    trial->set.items[0]->sent[0] = ALERT_WARNING; /* somebody has to be told yet */
    alert_set_sweep(&trial->set);
    assert_int_equal(trial->set.count, 1);
    trial->set.items[0]->sent[0] = ALERT_NONE;
    alert_set_sweep(&trial->set);
    assert_int_equal(trial->set.count, 0);
}

int
main(void)
{
#define TRIAL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TRIAL(fires_at_the_third_and_clears_after_five),
        TRIAL(twenty_toggles_fire_once_and_clear_once),
        TRIAL(near_the_limit_does_not_clear),
        TRIAL(low_is_bad_where_critical_is_below),
        TRIAL(gets_worse_and_better),
        TRIAL(critical_at_once_is_one_message),
        TRIAL(what_is_not_measured_stays_as_it_was),
        TRIAL(a_clock_that_goes_back_changes_nothing),
        TRIAL(the_worst_of_several_counts),
        TRIAL(many_are_bounded),
        TRIAL(texts_are_cut_between_characters),
        TRIAL(a_measurement_counts_once),
        TRIAL(what_the_deck_has_no_more_clears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
