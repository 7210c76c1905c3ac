// SPDX-License-Identifier: MIT
/* What the health checks found, as findings of alerts. */
#include "alert/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char document[] =
    "{\"decks\": [{\"deck_file\": \"other.yaml\", \"at\": 7, \"checks\": ["
    " {\"check\": \"archiver\", \"server\": \"main\", \"database\": null, \"severity\": "
    "\"critical\"}]},"
    "{\"deck_file\": \"deck.yaml\", \"at\": 12.5, \"error\": null, \"checks\": ["
    " {\"check\": \"sequences\", \"server\": \"main\", \"database\": \"shop\", \"severity\": "
    "\"critical\", \"finding\": \"s is used up\", \"evidence\": \"95 %\", \"fix_sql\": \"ALTER\","
    " \"fix_database\": \"shop\"},"
    " {\"check\": \"dead rows\", \"server\": \"main\", \"database\": \"shop\", \"severity\": "
    "\"warning\"},"
    " {\"check\": \"checksums\", \"server\": \"main\", \"database\": null, \"severity\": \"ok\"},"
    " {\"check\": \"archiver\", \"server\": \"main\", \"database\": null, \"severity\": "
    "\"unknown\"},"
    " {\"check\": \"connections\", \"server\": \"main\", \"database\": null, \"severity\": "
    "\"critical\"},"
    " {\"check\": \"settings\", \"server\": \"gone\", \"database\": null, \"severity\": "
    "\"critical\"},"
    " {\"check\": \"sequences\", \"server\": \"main\", \"database\": \"gone\", \"severity\": "
    "\"critical\"}]}]}";

static void
test_critical_ones_fire_and_measured_ones_clear(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_findings findings = {0};
    struct deck deck = {.name = "shop", .file = "deck.yaml"};
    struct deck_server server = {.name = "main"};
    struct deck_environment environment = {.name = "production", .server = &server};

    (void)state;
    *LIST_ADD(arena, &deck.servers) = server;
    *LIST_ADD(arena, &deck.databases) =
        (struct deck_database){.name = "shop", .environment = &environment};
    json_t *health = json_loads(document, 0, NULL);
    assert_non_null(health);
    alert_evaluate_health(arena, &deck, health, &findings);
    assert_int_equal(findings.list.count, 3);
    const struct alert_finding *worst = &findings.list.items[0];
    assert_string_equal(worst->name, "health_sequences");
    assert_string_equal(worst->message, "s is used up: 95 %");
    assert_string_equal(worst->environment, "production");
    assert_string_equal(worst->fix_sql, "ALTER");
    assert_int_equal(worst->level, ALERT_CRITICAL);
    assert_int_equal(worst->measured_ms, 12500);
    assert_string_equal(findings.list.items[1].name, "health_dead_rows");
    assert_int_equal(findings.list.items[1].level, ALERT_NONE);
    assert_string_equal(findings.list.items[2].name, "health_checksums");
    json_decref(health);
}

static void
test_nothing_looked_at_yet(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct alert_findings findings = {0};
    const struct deck deck = {.name = "shop", .file = "deck.yaml"};

    (void)state;
    alert_evaluate_health(arena, &deck, NULL, &findings);
    assert_int_equal(findings.list.count, 0);
}

/* Whether an alert of the server main is over after that look. */
static bool
is_over(const char *checks, const char *name, const char *database)
{
    AUTO_ARENA arena = arena_new();
    const struct deck deck = {.name = "shop", .file = "deck.yaml"};
    const struct alert_finding alert = {.name = name, .server = "main", .database = database};
    json_t *health = json_loads(
        arena_printf(arena, "{\"decks\": [{\"deck_file\": \"deck.yaml\", \"checks\": [%s]}]}",
                     checks),
        0, NULL);

    assert_non_null(health);
    bool is = alert_health_is_over(&deck, health, &alert);
    json_decref(health);
    return is;
}

static void
test_of_a_check_that_is_no_more_it_is_over(void **state)
{
#define OF_SERVER                                                                                  \
    "{\"check\": \"archiver\", \"server\": \"main\", \"database\": null, \"severity\": "
#define OF_SHOP                                                                                    \
    "{\"check\": \"tables\", \"server\": \"main\", \"database\": \"shop\", \"severity\": "
#define DOWN                                                                                       \
    "{\"check\": \"reachable\", \"server\": \"main\", \"database\": null, \"severity\": "          \
    "\"critical\"}"

    (void)state;
    assert_true(is_over(OF_SERVER "\"ok\"}", "health_backup", NULL));
    assert_false(is_over(OF_SERVER "\"unknown\"}", "health_archiver", NULL));
    assert_false(is_over(OF_SERVER "\"ok\"}", "health_sequences", "shop")); /* nobody looked */
    assert_true(is_over(OF_SHOP "\"ok\"}", "health_sequences", "shop"));
    assert_false(is_over(OF_SHOP "\"ok\"}," DOWN, "health_sequences", "shop"));
    assert_false(is_over("", "health_backup", NULL));
    assert_false(is_over(OF_SERVER "\"ok\"}", "query_mean", NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_critical_ones_fire_and_measured_ones_clear),
        cmocka_unit_test(test_nothing_looked_at_yet),
        cmocka_unit_test(test_of_a_check_that_is_no_more_it_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
