// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "base/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct workload_query hostile = {.name = "=1+1,\"<b>\"",
                                              .class_name = "<i>",
                                              .what = "</style>{{name}}\xff",
                                              .sql = "SELECT '&'"};
static const struct workload_query plain = {
    .name = "plain", .class_name = "c", .what = "", .sql = "SELECT 1"};

/* One query measured in one pair, one of which nothing is known. */
static struct bench_results
made_up(struct arena *arena, const struct bench_options *options)
{
    static const struct bench_server server = {
        .version = "15", .database = "<db>", .reached_by = "<TCP>"};
    struct bench_results results = {
        .options = options,
        .servers = {server, server},
        .machine = {.cpu = "<cpu>", .kernel = "", .system = "", .cpus = 2},
    };
    struct bench_query *query = LIST_ADD(arena, &results.queries);

    query->query = &hostile;
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_side *side = &query->sides[arm];
        side->executions = 2;
        side->median_ns = arm == BENCH_BEFORE ? 4000000 : 1000000;
        side->p95_ns = side->max_ns = side->median_ns * 2;
        side->cpu_ns = -1;
    }
    query->ratio.value = 4;
    *LIST_ADD(arena, &query->pairs) =
        (struct bench_pair){.number = 1, .executions = {2, 2}, .median_ns = {4000000, 1000000}};
    LIST_ADD(arena, &results.queries)->query = &plain;
    results.queries.items[1].sides[BENCH_BEFORE].cpu_ns = -1;
    *LIST_ADD(arena, &results.classes) = (struct bench_class){.name = "<i>", .query_count = 1};
    *LIST_ADD(arena, &results.classes) = (struct bench_class){.name = "c", .query_count = 1};
    results.total.value = 4;
    results.worst = &results.queries.items[0];
    error_set(&results.stopped, ERROR_INTERRUPTED, "<interrupted>");
    return results;
}

static void
set_options(struct bench_options *options)
{
    bench_options_init(options);
    options->database = "<db>";
    options->command = "pgdeck 'bench'";
    options->pairs = 1;
}

static void
a_page_of_almost_nothing_is_whole(void **state)
{
    AUTO_ARENA arena = arena_new();
    AUTO_TEXT page = {0};
    struct bench_options options;

    (void)state;
    set_options(&options);
    struct bench_results results = made_up(arena, &options);
    json_t *view = bench_view(&results);
    page_fill(&page, "bench/assets/report.html", view);
    json_decref(view);
    const char *html = text_chars(&page);
    assert_non_null(strstr(html, "=1+1,&quot;&lt;b&gt;&quot;"));
    /* A template in a value stays text; what is no UTF-8 becomes a question mark. */
    assert_non_null(strstr(html, "&lt;/style&gt;{{name}}?"));
    assert_non_null(strstr(html, "Stopped early: &lt;interrupted&gt;"));
    assert_null(strstr(html, "<b>\""));
    assert_null(strstr(html, "<db>"));
    assert_null(strstr(html, "nan"));
    assert_non_null(strstr(html, "4.00×"));
    assert_non_null(strstr(html, "</html>"));
}

static void
figures_that_are_not_there_are_null(void **state)
{
    AUTO_ARENA arena = arena_new();
    struct bench_options options;

    (void)state;
    set_options(&options);
    struct bench_results results = made_up(arena, &options);
    char *text = bench_json(&results);
    json_t *data = json_loads(text, 0, NULL);
    const json_t *queries = json_object_get(data, "queries");
    const json_t *measured = json_object_get(json_array_get(queries, 0), "before");
    const json_t *missing = json_object_get(json_array_get(queries, 1), "before");
    assert_true(json_real_value(json_object_get(measured, "median_ms")) == 4);
    assert_true(json_is_null(json_object_get(missing, "median_ms")));
    assert_true(json_is_null(json_object_get(missing, "server_cpu_ms")));
    assert_true(json_is_null(json_object_get(json_array_get(queries, 1), "target_met")));
    json_decref(data);
    free(text);
}

static void
csv_is_quoted_and_no_formula(void **state)
{
    AUTO_ARENA arena = arena_new();
    AUTO_TEXT csv = {0};
    struct bench_options options;

    (void)state;
    set_options(&options);
    struct bench_results results = made_up(arena, &options);
    bench_put_csv(&csv, &results);
    const char *row = strchr(text_chars(&csv), '\n') + 1;
    static const char expected[] =
        "\"'=1+1,\"\"<b>\"\"\",\"<i>\",before,2,0,4,8,8,,,,,,,,,,\r\n"
        "\"'=1+1,\"\"<b>\"\"\",\"<i>\",after,2,0,1,2,2,,,,,4,,,,too few pairs,medians\r\n"
        "\"plain\",\"c\",before,0,0,,,,,,,,,,,,,\r\n";
    assert_memory_equal(row, expected, strlen(expected));
}

/* The row's figures are the medians': where something else decided, it says what. */
static void
a_verdict_names_its_quantity(void **state)
{
    AUTO_ARENA arena = arena_new();
    AUTO_TEXT page = {0};
    struct bench_options options;

    (void)state;
    set_options(&options);
    struct bench_results results = made_up(arena, &options);
    struct bench_query *query = &results.queries.items[0];
    query->ratio = (struct bench_ratio){0.67, 0.29, 1.0, BENCH_NO_CHANGE};
    query->net = (struct bench_ratio){0.98, 0.9, 1.1, BENCH_NO_CHANGE};
    query->cpu = (struct bench_ratio){0.7, 0.48, 0.96, BENCH_WORSE};
    bench_judge(query);
    assert_int_equal(query->judged_by, BENCH_CPU);
    assert_int_equal(query->ratio.verdict, BENCH_WORSE);
    json_t *view = bench_view(&results);
    page_fill(&page, "bench/assets/report.html", view);
    json_decref(view);
    assert_non_null(strstr(text_chars(&page), "worse</small>"));
    assert_non_null(strstr(text_chars(&page), "by server CPU: 0.70× (0.48× to 0.96×)"));
    query->cpu.verdict = BENCH_NO_CHANGE;
    bench_judge(query);
    assert_true(query->judged_by == BENCH_NET && query->ratio.verdict == BENCH_NO_CHANGE);
    query->net = query->cpu = (struct bench_ratio){0};
    query->ratio.verdict = BENCH_IMPROVED;
    bench_judge(query);
    assert_true(query->judged_by == BENCH_MEDIAN && query->ratio.verdict == BENCH_IMPROVED);
}

static void
a_work_without_latencies_shows_none(void **state)
{
    AUTO_ARENA arena = arena_new();
    AUTO_TEXT page = {0};
    struct bench_options options;
    struct bench_work *work;
    struct bench_suite suite = {.name = "ai"};

    (void)state;
    set_options(&options);
    struct bench_results results = made_up(arena, &options);
    *LIST_ADD(arena, &results.suites) = &suite;
    work = LIST_ADD(arena, &suite.works);
    *work = (struct bench_work){.name = "jobs", .class_name = "c", .what = ""};
    work->sides[BENCH_AFTER].response = histogram_new(arena);
    work->sides[BENCH_AFTER].service = histogram_new(arena);
    histogram_record(work->sides[BENCH_AFTER].response, 1000000);
    json_t *view = bench_view(&results);
    page_fill(&page, "bench/assets/report.html", view);
    json_decref(view);
    assert_non_null(strstr(text_chars(&page), "1.00 ms"));
    assert_null(strstr(text_chars(&page), " service</small>"));
}

static void
durations_and_sizes_have_three_digits(void **state)
{
    static const struct {
        uint64_t duration_ns;
        const char *text;
    } durations[] = {
        {500, "0.50 µs"},     {21300, "21.3 µs"},   {999400, "999 µs"},   {999600, "1.00 ms"},
        {9996000, "10.0 ms"}, {1234567, "1.23 ms"}, {99960000, "100 ms"}, {2500000000, "2.50 s"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
        assert_string_equal(bench_duration(text, durations[i].duration_ns), durations[i].text);
    assert_string_equal(bench_size(text, 1500), "1.5 kB");
    assert_string_equal(bench_size(text, 15LL << 30), "15 GB");
    assert_string_equal(bench_count(text, 1234567), "1 234 567");
    assert_string_equal(bench_times(text, 12.34), "12.3×");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_almost_nothing_is_whole),
        cmocka_unit_test(figures_that_are_not_there_are_null),
        cmocka_unit_test(csv_is_quoted_and_no_formula),
        cmocka_unit_test(a_verdict_names_its_quantity),
        cmocka_unit_test(a_work_without_latencies_shows_none),
        cmocka_unit_test(durations_and_sizes_have_three_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
