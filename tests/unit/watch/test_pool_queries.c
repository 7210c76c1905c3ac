// SPDX-License-Identifier: MIT
#include "watch/pools.h"
#include "watch/state.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1700000100, DATABASE = 5, FINGERPRINT = 0xabc };

static struct deck deck;
static struct deck_database shop = {.name = "shop"};
static struct watch_server server;
static struct watch_collector collector;
static struct watch_generation generation;
static struct watch_scraper scraper;
static struct watch_statement *statement;

/* One reading of pg_stat_statements, by which the statement has made so many calls in all. */
static void
read_calls(double calls, double now)
{
    const struct watch_statement_key key = {DATABASE, 1, 1};
    const struct watch_work work = {.calls = calls, .ms = calls};
    struct watch_delta delta;

    watch_statements_begin(server.statements);
    (void)watch_statements_add(server.statements, &key, 1, &work, now, &delta);
    watch_statements_end(server.statements, now);
    statement = delta.statement;
}

static int
set_up(void **state)
{
    struct watch_statement *top[WATCH_TOP];
    struct watch_hour hour;

    (void)state;
    server = (struct watch_server){
        .deck = &deck, .statements = watch_statements_new(), .leader = &collector};
    collector = (struct watch_collector){
        .generation = &generation, .server = &server, .database = &shop, .oid = DATABASE};
    generation = (struct watch_generation){.servers = {.items = &server, .count = 1},
                                           .collectors = {.items = &collector, .count = 1}};
    scraper = (struct watch_scraper){
        .generation = &generation, .deck = &deck, .queries = watch_pool_queries_new()};
    read_calls(1, NOW - 3600);
    read_calls(2, NOW - 3600);
    statement->fingerprint = FINGERPRINT;
    statement->role = strdup("web");
    assert_int_equal(watch_statements_top(server.statements, NOW - 3600, top, &hour), 1);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    watch_pool_queries_free(scraper.queries);
    watch_statements_free(server.statements);
    return 0;
}

/* One reading of the pool that says these times; returns the calls that are known of the hour. */
static double
read_times(const char *times)
{
    AUTO_TEXT answer = {0};
    double calls = 0;

    text_append(&answer, "# HELP\n");
    for (unsigned other = 1; other < 1000; other++) /* more than one in a chain */
        text_appendf(&answer,
                     "pgdeck_pool_query_times{database=\"shop\",user=\"web\","
                     "fingerprint=\"%016x\"} 900000:7\n",
                     FINGERPRINT + other * 4096);
    if (times != NULL)
        text_appendf(&answer,
                     "pgdeck_pool_query_times{database=\"shop\",user=\"web\","
                     "fingerprint=\"%016x\"} %s\n",
                     FINGERPRINT, times);
    watch_pool_queries_read(&scraper, &answer, NOW);
    if (statement->day->times != NULL)
        (void)watch_times_p95(statement->day->times, NOW, WATCH_SLOTS, &calls);
    return calls;
}

static void
what_a_reading_says_first_counts_from_then_on(void **state)
{
    (void)state;
    assert_float_equal(read_times(NULL), 0, 0);
    assert_float_equal(read_times("1000:500"), 0, 0); /* from another place of the pool */
    assert_null(statement->day->times);
    assert_float_equal(read_times("1000:503"), 3, 0);
    assert_float_equal(read_times(NULL), 3, 0);
    assert_float_equal(read_times("1000:600"), 3, 0);
    assert_float_equal(read_times("1000:601 64000:4"), 8, 0);
}

static void
a_bucket_that_shrank_brings_no_history(void **state)
{
    (void)state;
    assert_float_equal(read_times("1000:500 64000:50"), 0, 0);
    assert_float_equal(read_times("1000:510 64000:20"), 10, 0);
    assert_float_equal(read_times("1000:2 64000:21"), 11, 0);
}

static void
the_p95_of_a_step_needs_half_of_its_calls(void **state)
{
    const int64_t step = NOW / WATCH_SLOT_S;

    (void)state;
    assert_float_equal(read_times("1000:1"), 0, 0);
    assert_true(isnan(watch_statement_measured_p95(statement, step)));
    assert_float_equal(read_times("1000:6"), 5, 0);
    read_calls(12, NOW);
    double p95_ms = watch_statement_measured_p95(statement, step);
    assert_true(p95_ms > 0.9 && p95_ms < 1.1);
    read_calls(13, NOW);
    assert_true(isnan(watch_statement_measured_p95(statement, step)));
    assert_true(isnan(watch_statement_measured_p95(statement, step - 1)));
}

static void
times_are_given_back_after_an_hour(void **state)
{
    (void)state;
    (void)read_times("1000:1");
    (void)read_times("1000:2");
    read_calls(3, NOW);
    assert_non_null(statement->day->times);
    read_calls(4, NOW + WATCH_SLOTS * WATCH_SLOT_S);
    assert_null(statement->day->times);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_reading_says_first_counts_from_then_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_bucket_that_shrank_brings_no_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_p95_of_a_step_needs_half_of_its_calls, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(times_are_given_back_after_an_hour, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
