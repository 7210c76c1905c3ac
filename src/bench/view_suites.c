// SPDX-License-Identifier: MIT
#include "bench/chart.h"
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

static void
set_text(json_t *view, const char *key, const char *chars)
{
    json_object_set_new(view, key, json_text(chars));
}

static void
set_percentile(json_t *view, const char *key, const struct bench_work_side *side, double share)
{
    char text[40];

    set_text(view, key, bench_side_percentile(text, side, share));
}

static const char *
rate_of(char text[32], const struct bench_work_side *side)
{
    double rate = bench_rate_of(side);

    return rate < 0 ? "–" : bench_count(text, (uint64_t)(rate + 0.5));
}

static json_t *
failures_view(const struct bench_work_side *side)
{
    json_t *view = json_array();
    char text[32];

    for (size_t i = 0; i < side->failures.count; i++) {
        const struct bench_failures *of = &side->failures.items[i];
        json_array_append_new(view,
                              json_pack("{s:s, s:o, s:o}", "count", bench_count(text, of->count),
                                        "sqlstate", json_text(of->sqlstate), "message",
                                        json_text(of->message == NULL ? "" : of->message)));
    }
    return view;
}

static json_t *
side_view(const struct bench_work_side *side, const char *label)
{
    json_t *view = json_object();
    const struct histogram *latency = bench_latency_of(side);
    const struct bench_cost *cost = &side->cost;
    char text[32];

    set_text(view, "label", label);
    set_percentile(view, "p50", side, 0.5);
    set_percentile(view, "p95", side, 0.95);
    set_percentile(view, "p99", side, 0.99);
    set_percentile(view, "p999", side, 0.999);
    set_percentile(view, "max", side, 1);
    bool has_service = latency != NULL && latency == side->response && side->service != NULL &&
                       side->service->total > 0;
    set_text(view, "service_p95",
             has_service ? bench_duration(text, histogram_percentile(side->service, 0.95)) : "");
    set_text(view, "done", bench_count(text, side->done));
    set_text(view, "failed", bench_count(text, side->failed));
    set_text(view, "retried", bench_count(text, side->retried));
    set_text(view, "rate", rate_of(text, side));
    set_text(view, "cpu", bench_amount(text, bench_each(cost->cpu_ns, side->done), "ns"));
    set_text(view, "driver", bench_amount(text, bench_each(side->driver_cpu_ns, side->done), "ns"));
    set_text(view, "wal", bench_amount(text, bench_each(cost->wal_bytes, side->done), "B"));
    set_text(view, "buffers", bench_amount(text, bench_each(cost->buffers, side->done), ""));
    set_text(view, "temp", bench_amount(text, bench_each(cost->temp_bytes, side->done), "B"));
    if (cost->buffers > 0 && cost->buffers_read >= 0) {
        snprintf(text, sizeof(text), "%.1f %%", 100 - cost->buffers_read / cost->buffers * 100);
        set_text(view, "hit", text);
    } else {
        set_text(view, "hit", "–");
    }
    json_object_set_new(view, "failures", failures_view(side));
    return view;
}

/* The medians of the blocks over time, in the colours of their arms. */
static json_t *
blocks_view(struct arena *arena, const struct bench_work *work)
{
    struct bench_line lines[BENCH_ARMS] = {{.kind = "dot-before", .label = "", .is_dots = true},
                                           {.kind = "dot-after", .label = "", .is_dots = true}};
    const struct bench_chart chart = {.title = "Median of each block over the run",
                                      .what = work->name,
                                      .unit = "ns",
                                      .lines = lines,
                                      .line_count = BENCH_ARMS,
                                      .is_log = true};

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        double *x = ARENA_ARRAY(arena, double, work->blocks.count + 1);
        double *y = ARENA_ARRAY(arena, double, work->blocks.count + 1);
        for (size_t i = 0; i < work->blocks.count; i++) {
            const struct bench_block *block = &work->blocks.items[i];
            if (block->arm != arm)
                continue;
            x[lines[arm].count] = block->start_s + block->duration_s / 2;
            y[lines[arm].count++] = (double)block->median_ns;
        }
        lines[arm].x = x;
        lines[arm].y = y;
    }
    return bench_timeline_view(&chart);
}

static json_t *
work_view(struct arena *arena, const struct bench_work *work, const char *const labels[BENCH_ARMS])
{
    json_t *view = json_object();
    json_t *sides = json_array();
    const struct histogram *latencies[BENCH_ARMS];
    uint64_t counts[BENCH_ARMS];
    json_t *rate = json_object();

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        json_t *side = side_view(&work->sides[arm], labels[arm]);
        json_object_set_new(side, "kind", json_string(arm == BENCH_BEFORE ? "before" : "after"));
        json_object_set_new(side, "is_first", json_boolean(arm == BENCH_BEFORE));
        json_array_append_new(sides, side);
        latencies[arm] = bench_latency_of(&work->sides[arm]);
        counts[arm] = work->sides[arm].done;
    }
    set_text(view, "name", work->name);
    set_text(view, "class", work->class_name);
    set_text(view, "what", work->what);
    bench_set_ratio(view, &work->ratio);
    bench_set_ratio(rate, &work->rate);
    json_object_set_new(view, "rate_ratio", rate);
    json_object_set_new(view, "sides", sides);
    json_object_set_new(view, "curve",
                        bench_curve_view(latencies, counts, "Percentiles of the latency", 0));
    json_object_set_new(view, "timeline", blocks_view(arena, work));
    return view;
}

static json_t *
table_view(const struct bench_table *table)
{
    return json_pack("{s:o, s:o, s:o}", "table_title", json_text(table->title), "table_what",
                     json_text(table->what == NULL ? "" : table->what), "rows",
                     bench_rows_data(table));
}

static json_t *
suite_view(struct arena *arena, const struct bench_results *results,
           const struct bench_suite *suite)
{
    json_t *view = json_object();
    json_t *works = json_array();
    json_t *tables = json_array();
    json_t *commands = json_array();
    const char *labels[BENCH_ARMS];
    char noise[32];

    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        labels[arm] =
            suite->labels[arm] != NULL ? suite->labels[arm] : results->options->arms[arm].label;
    for (size_t i = 0; i < suite->works.count; i++)
        json_array_append_new(works, work_view(arena, &suite->works.items[i], labels));
    for (size_t i = 0; i < suite->tables.count; i++)
        json_array_append_new(tables, table_view(&suite->tables.items[i]));
    for (size_t i = 0; i < suite->commands.count; i++)
        json_array_append_new(commands, json_text(suite->commands.items[i]));
    snprintf(noise, sizeof(noise), "%.1f %%", suite->noise * 100);
    set_text(view, "title", suite->title == NULL ? suite->name : suite->title);
    set_text(view, "what", suite->what == NULL ? "" : suite->what);
    set_text(view, "noise", noise);
    json_object_set_new(view, "noise_is_measured", json_boolean(suite->has_noise_run));
    set_text(view, "suite_before", labels[BENCH_BEFORE]);
    set_text(view, "suite_after", labels[BENCH_AFTER]);
    bench_set_ratio(view, &suite->total);
    json_object_set_new(view, "works", works);
    json_object_set_new(view, "tables", tables);
    json_object_set_new(view, "commands", commands);
    return view;
}

json_t *
bench_view_suites(const struct bench_results *results)
{
    AUTO_ARENA arena = arena_new();
    json_t *view = json_array();

    for (size_t i = 0; i < results->suites.count; i++)
        json_array_append_new(view, suite_view(arena, results, results->suites.items[i]));
    return view;
}
