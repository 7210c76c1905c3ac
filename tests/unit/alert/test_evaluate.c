// SPDX-License-Identifier: MIT
/* What the documents say, held against the levels. */
#include "alert/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char seen[] =
    "{\"servers\": [{\"deck\": \"shop\", \"server\": \"main\", \"is_reachable\": true,"
    " \"sampled_at\": 12.5}], \"environments\": [{\"deck\": \"shop\", \"server\": \"main\","
    " \"environment\": \"production\", \"databases\": [{\"name\": \"shop\", \"was_asked\": true,"
    " \"is_reachable\": true}], \"targets\": []}]}";

/* The finding of that name; NULL: there is none. */
static const struct alert_finding *
evaluate(struct arena *arena, const json_t *overview, const json_t *blocking, const char *name)
{
    struct alert_findings findings = {0};
    struct deck *deck = arena_alloc(arena, sizeof(*deck));
    struct deck_server *server = arena_alloc(arena, sizeof(*server));

    *deck = (struct deck){.name = "shop", .file = "deck.yaml"};
    *server = (struct deck_server){.name = "main"};
    *LIST_ADD(arena, &deck->environments) =
        (struct deck_environment){.name = "production", .server = server};
    alert_evaluate(arena, deck, overview, blocking, NULL, &findings);
    for (size_t i = 0; i < findings.list.count; i++) {
        if (strcmp(findings.list.items[i].name, name) != 0)
            continue;
        struct alert_finding *finding = ARENA_NEW(arena, struct alert_finding);
        *finding = findings.list.items[i];
        return finding;
    }
    return NULL;
}

/* The SQL about who waits for a lock. */
static const char *
ended(struct arena *arena, const char *sessions)
{
    json_t *overview = json_loads(seen, 0, NULL);
    json_t *blocking = json_loads(
        arena_printf(
            arena, "{\"servers\": [{\"deck\": \"shop\", \"server\": \"main\", \"sessions\": %s}]}",
            sessions),
        0, NULL);
    assert_non_null(overview);
    assert_non_null(blocking);
    const struct alert_finding *finding = evaluate(arena, overview, blocking, "lock_wait");
    assert_non_null(finding);
    assert_int_equal(finding->level, ALERT_WARNING);
    const char *fix = arena_strdup(arena, finding->fix_sql);
    json_decref(overview);
    json_decref(blocking);
    return fix;
}

static void
test_who_holds_up_the_longest_wait_is_ended(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(
        ended(arena, "[{\"pid\": 4, \"blockers\": [2, 1], \"waiting_s\": 1, \"fix_sql\": \"4\"},"
                     " {\"pid\": 9, \"blockers\": [], \"waiting_s\": null, \"fix_sql\": \"9\"},"
                     " {\"pid\": 8, \"blockers\": [9], \"waiting_s\": 3, \"fix_sql\": \"8\"},"
                     " {\"pid\": 2, \"blockers\": [3], \"waiting_s\": 70, \"fix_sql\": \"2\"},"
                     " {\"pid\": 3, \"blockers\": [1], \"waiting_s\": 60, \"fix_sql\": \"3\"},"
                     " {\"pid\": 1, \"blockers\": [], \"waiting_s\": null, \"fix_sql\": \"1\"}]"),
        "1");
}

static void
test_of_a_circle_nobody_is_ended(void **state)
{
    AUTO_ARENA arena = arena_new();

    (void)state;
    assert_string_equal(
        ended(arena, "[{\"pid\": 1, \"blockers\": [2], \"waiting_s\": 70, \"fix_sql\": \"1\"},"
                     " {\"pid\": 2, \"blockers\": [1], \"waiting_s\": 60, \"fix_sql\": \"2\"}]"),
        alert_fix(arena, "lock_wait"));
}

/* What is made of the row of the cache; NULL: nothing. */
static const struct alert_finding *
of_cache(struct arena *arena, const char *row)
{
    json_t *overview = json_loads(seen, 0, NULL), *target = json_loads(row, 0, NULL);

    assert_non_null(overview);
    assert_non_null(target);
    json_array_append_new(
        json_object_get(json_array_get(json_object_get(overview, "environments"), 0), "targets"),
        target);
    const struct alert_finding *finding = evaluate(arena, overview, NULL, "cache_hit");
    json_decref(overview);
    return finding;
}

static void
test_a_target_counts_by_its_own_measurement(void **state)
{
    AUTO_ARENA arena = arena_new();
    const struct alert_finding *finding =
        of_cache(arena, "{\"name\": \"cache_hit\", \"now\": 0.99, \"measured\": 0.5,"
                        " \"measured_at\": 120, \"is_idle\": false}");

    (void)state;
    assert_non_null(finding);
    assert_int_equal(finding->level, ALERT_CRITICAL);
    assert_int_equal(finding->measured_ms, 120000);
    assert_float_equal(finding->value, 0.5, 0);
}

static void
test_an_idle_cache_is_well(void **state)
{
    AUTO_ARENA arena = arena_new();
    const struct alert_finding *finding =
        of_cache(arena, "{\"name\": \"cache_hit\", \"now\": null, \"measured\": null,"
                        " \"measured_at\": 120, \"is_idle\": true}");

    (void)state;
    assert_non_null(finding);
    assert_int_equal(finding->level, ALERT_NONE);
    assert_int_equal(finding->measured_ms, 120000);
    assert_null(of_cache(arena, "{\"name\": \"cache_hit\", \"now\": null, \"measured\": null,"
                                " \"measured_at\": 120, \"is_idle\": false}"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_holds_up_the_longest_wait_is_ended),
        cmocka_unit_test(test_of_a_circle_nobody_is_ended),
        cmocka_unit_test(test_a_target_counts_by_its_own_measurement),
        cmocka_unit_test(test_an_idle_cache_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
