// SPDX-License-Identifier: MIT
/* What an environment's targets say: on the page, and to the alerts. */
#include "watch/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_S = 60, FROM = 1700000400 };

static struct deck_environment environment = {.name = "test", .targets = {.cache_hit = 0.9}};
static const struct deck deck = {.name = "shop"};

static void
free_kept(struct watch *watch)
{
    while (watch->kept != NULL) {
        struct watch_kept *kept = watch->kept;
        watch->kept = kept->next;
        kept->release(kept->value);
        free(kept->name);
        free(kept);
    }
}

/* The row of that name, so many seconds after FROM; to be released. */
static json_t *
row_of(struct watch *watch, const char *name, int seconds)
{
    json_t *rows = watch_targets(watch, &deck, &environment, FROM + seconds), *row, *found = NULL;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            found = json_incref(row);
    }
    json_decref(rows);
    assert_non_null(found);
    return found;
}

static double
number(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);

    return json_is_null(value) ? -1 : json_number_value(value);
}

static void
test_hardly_a_page_says_nothing_of_now(void **state)
{
    struct watch watch = {0};

    (void)state;
    watch_target_add(&watch, &deck, &environment, WATCH_CACHE_HIT, FROM, (const double[]){10, 90});
    json_t *row = row_of(&watch, "cache_hit", MINUTE_S);
    assert_float_equal(number(row, "now"), -1, 0);
    assert_float_equal(number(row, "measured"), -1, 0);
    assert_true(json_is_true(json_object_get(row, "is_idle")));
    assert_float_equal(number(row, "hour"), 0.1, 1e-9);
    json_decref(row);
    free_kept(&watch);
}

static void
test_a_minute_is_measured_once_it_is_over(void **state)
{
    struct watch watch = {0};

    (void)state;
    watch_target_add(&watch, &deck, &environment, WATCH_CACHE_HIT, FROM,
                     (const double[]){500, 500});
    watch_target_add(&watch, &deck, &environment, WATCH_CACHE_HIT, FROM + MINUTE_S,
                     (const double[]){3000, 0});
    json_t *row = row_of(&watch, "cache_hit", MINUTE_S + 1);
    assert_float_equal(number(row, "now"), 3500.0 / 4000, 1e-9);
    assert_float_equal(number(row, "measured"), 0.5, 1e-9);
    assert_float_equal(number(row, "measured_at"), FROM + MINUTE_S, 0);
    assert_true(json_is_false(json_object_get(row, "is_idle")));
    json_decref(row);
    row = row_of(&watch, "cache_hit", 2 * MINUTE_S - 1);
    assert_float_equal(number(row, "measured_at"), FROM + MINUTE_S, 0);
    json_decref(row);
    row = row_of(&watch, "cache_hit", 2 * MINUTE_S);
    assert_float_equal(number(row, "measured"), 1, 0);
    assert_float_equal(number(row, "measured_at"), FROM + 2 * MINUTE_S, 0);
    json_decref(row);
    row = row_of(&watch, "cache_hit", 4 * MINUTE_S); /* nobody looked */
    assert_float_equal(number(row, "measured"), -1, 0);
    assert_true(json_is_false(json_object_get(row, "is_idle")));
    json_decref(row);
    free_kept(&watch);
}

static void
add_tasks(struct watch *watch, int minute, double failed, double done)
{
    watch_target_add(watch, &deck, &environment, WATCH_AI_TASK_ERRORS, FROM + minute * MINUTE_S,
                     (const double[]){failed, done});
}

static void
test_few_tasks_are_judged_with_those_of_the_hour(void **state)
{
    struct watch watch = {0};

    (void)state;
    add_tasks(&watch, 0, 1, 16);
    json_t *row = row_of(&watch, "ai_task_errors", MINUTE_S); /* one failure of 17 */
    assert_float_equal(number(row, "measured"), -1, 0);
    assert_float_equal(number(row, "now"), -1, 0);
    assert_true(json_is_true(json_object_get(row, "is_idle")));
    assert_float_equal(number(row, "hour"), 1.0 / 17, 1e-9);
    json_decref(row);
    add_tasks(&watch, 1, 3, 0);
    row = row_of(&watch, "ai_task_errors", 2 * MINUTE_S); /* all three, but seldom: not missed */
    assert_float_equal(number(row, "measured"), 4.0 / 20, 1e-9);
    assert_true(json_is_false(json_object_get(row, "is_idle")));
    json_decref(row);
    add_tasks(&watch, 2, 2, 38);
    row = row_of(&watch, "ai_task_errors", 3 * MINUTE_S); /* enough by itself */
    assert_float_equal(number(row, "measured"), 2.0 / 40, 1e-9);
    json_decref(row);
    row = row_of(&watch, "ai_task_errors", 5 * MINUTE_S); /* nobody looked */
    assert_float_equal(number(row, "measured"), -1, 0);
    assert_true(json_is_false(json_object_get(row, "is_idle")));
    json_decref(row);
    free_kept(&watch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hardly_a_page_says_nothing_of_now),
        cmocka_unit_test(test_few_tasks_are_judged_with_those_of_the_hour),
        cmocka_unit_test(test_a_minute_is_measured_once_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
