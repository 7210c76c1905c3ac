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

/* The cache's row, so many seconds after FROM; to be released. */
static json_t *
cache_hit(struct watch *watch, int seconds)
{
    json_t *rows = watch_targets(watch, &deck, &environment, FROM + seconds), *row, *found = NULL;
    size_t at;

    json_array_foreach(rows, at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), "cache_hit") == 0)
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
    json_t *row = cache_hit(&watch, MINUTE_S);
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
    json_t *row = cache_hit(&watch, MINUTE_S + 1);
    assert_float_equal(number(row, "now"), 3500.0 / 4000, 1e-9);
    assert_float_equal(number(row, "measured"), 0.5, 1e-9);
    assert_float_equal(number(row, "measured_at"), FROM + MINUTE_S, 0);
    assert_true(json_is_false(json_object_get(row, "is_idle")));
    json_decref(row);
    row = cache_hit(&watch, 2 * MINUTE_S - 1);
    assert_float_equal(number(row, "measured_at"), FROM + MINUTE_S, 0);
    json_decref(row);
    row = cache_hit(&watch, 2 * MINUTE_S);
    assert_float_equal(number(row, "measured"), 1, 0);
    assert_float_equal(number(row, "measured_at"), FROM + 2 * MINUTE_S, 0);
    json_decref(row);
    row = cache_hit(&watch, 4 * MINUTE_S); /* nobody looked */
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
        cmocka_unit_test(test_a_minute_is_measured_once_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
