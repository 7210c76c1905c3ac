// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const arm_names[BENCH_ARMS] = {"before", "after"};
static const struct {
    const char *name;
    double share;
} percentiles[] = {{"p50_ms", 0.5},  {"p90_ms", 0.9},     {"p95_ms", 0.95},
                   {"p99_ms", 0.99}, {"p99.9_ms", 0.999}, {"max_ms", 1}};
enum { PERCENTILES = sizeof(percentiles) / sizeof(percentiles[0]) };

const struct histogram *
bench_latency_of(const struct bench_work_side *side)
{
    return side->response != NULL && side->response->total > 0 ? side->response : side->service;
}

double
bench_rate_of(const struct bench_work_side *side)
{
    return side->seconds > 0 ? (double)(side->done - side->done_after) / side->seconds : -1;
}

const char *
bench_side_percentile(char text[40], const struct bench_work_side *side, double share)
{
    const struct histogram *latency = bench_latency_of(side);
    char duration[32];

    if (latency == NULL || latency->total == 0)
        return "–";
    uint64_t value_ns = histogram_percentile(latency, share);
    bool is_bound = latency == side->response && side->least_unanswered_ns > 0 &&
                    value_ns >= side->least_unanswered_ns / 1000 * 999; /* of the same bucket */
    snprintf(text, 40, "%s%s", is_bound ? "≥ " : "", bench_duration(duration, value_ns));
    return text;
}

double
bench_each(double sum, uint64_t count)
{
    return sum < 0 || count == 0 ? -1 : sum / (double)count;
}

/* --- results.json --------------------------------------------------------------------------- */

static json_t *
latency_data(const struct histogram *latency)
{
    json_t *data = json_object();

    if (latency == NULL || latency->total == 0) {
        json_decref(data);
        return json_null();
    }
    for (size_t i = 0; i < PERCENTILES; i++)
        json_object_set_new(
            data, percentiles[i].name,
            json_real((double)histogram_percentile(latency, percentiles[i].share) / 1e6));
    return data;
}

static json_t *
known(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *
cost_data(const struct bench_work_side *side)
{
    const struct bench_cost *cost = &side->cost;

    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "server_cpu_us",
        known(bench_each(cost->cpu_ns < 0 ? -1 : cost->cpu_ns / 1e3, side->done)), "wal_bytes",
        known(bench_each(cost->wal_bytes, side->done)), "buffers",
        known(bench_each(cost->buffers, side->done)), "buffers_read",
        known(bench_each(cost->buffers_read, side->done)), "temp_bytes",
        known(bench_each(cost->temp_bytes, side->done)), "driver_cpu_us",
        known(bench_each(side->driver_cpu_ns < 0 ? -1 : side->driver_cpu_ns / 1e3, side->done)));
}

static json_t *
side_data(const struct bench_work_side *side)
{
    json_t *data = json_object();
    json_t *failures = json_array();

    for (size_t i = 0; i < side->failures.count; i++) {
        const struct bench_failures *of = &side->failures.items[i];
        json_array_append_new(
            failures, json_pack("{s:o, s:I, s:o}", "sqlstate", json_text(of->sqlstate), "count",
                                (json_int_t)of->count, "first_message", json_text(of->message)));
    }
    json_object_set_new(data, "done", json_integer((json_int_t)side->done));
    json_object_set_new(data, "failed", json_integer((json_int_t)side->failed));
    json_object_set_new(data, "retried", json_integer((json_int_t)side->retried));
    json_object_set_new(data, "seconds", json_real(side->seconds));
    json_object_set_new(data, "per_second", known(bench_rate_of(side)));
    json_object_set_new(data, "response_is_a_bound_from_ms",
                        side->least_unanswered_ns == 0
                            ? json_null()
                            : json_real((double)side->least_unanswered_ns / 1e6));
    json_object_set_new(data, "response", latency_data(side->response));
    json_object_set_new(data, "service", latency_data(side->service));
    json_object_set_new(data, "each", cost_data(side));
    json_object_set_new(data, "failures", failures);
    return data;
}

static json_t *
blocks_data(const struct bench_work *work)
{
    json_t *blocks = json_array();

    for (size_t i = 0; i < work->blocks.count; i++) {
        const struct bench_block *block = &work->blocks.items[i];
        json_array_append_new(
            blocks, json_pack("{s:i, s:s, s:b, s:f, s:f, s:I, s:I, s:f, s:f, s:f}", "pair",
                              block->pair, "arm", arm_names[block->arm], "again", block->is_again,
                              "start_s", block->start_s, "duration_s", block->duration_s, "done",
                              (json_int_t)block->done, "failed", (json_int_t)block->failed,
                              "p50_ms", (double)block->median_ns / 1e6, "p95_ms",
                              (double)block->p95_ns / 1e6, "p99_ms", (double)block->p99_ns / 1e6));
    }
    return blocks;
}

static json_t *
work_data(const struct bench_work *work)
{
    json_t *data = json_object();

    json_object_set_new(data, "name", json_text(work->name));
    json_object_set_new(data, "class", json_text(work->class_name));
    json_object_set_new(data, "what", json_text(work->what));
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        json_object_set_new(data, arm_names[arm], side_data(&work->sides[arm]));
    json_object_set_new(data, "ratio", bench_ratio_data(&work->ratio));
    json_object_set_new(data, "rate", bench_ratio_data(&work->rate));
    json_object_set_new(data, "blocks", blocks_data(work));
    return data;
}

json_t *
bench_rows_data(const struct bench_table *table)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < table->rows.count; i++) {
        const struct bench_row *row = &table->rows.items[i];
        json_array_append_new(rows, json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(row->name),
                                              "before", json_text(row->values[BENCH_BEFORE]),
                                              "after", json_text(row->values[BENCH_AFTER]), "note",
                                              json_text(row->note == NULL ? "" : row->note)));
    }
    return rows;
}

static json_t *
table_data(const struct bench_table *table)
{
    return json_pack("{s:o, s:o, s:o}", "title", json_text(table->title), "what",
                     json_text(table->what), "rows", bench_rows_data(table));
}

static json_t *
counts_data(const uint64_t counts[BENCH_ARMS])
{
    return json_pack("{s:I, s:I}", "before", (json_int_t)counts[BENCH_BEFORE], "after",
                     (json_int_t)counts[BENCH_AFTER]);
}

json_t *
bench_suite_data(const struct bench_suite *suite)
{
    json_t *data = json_object();
    json_t *works = json_array();
    json_t *tables = json_array();
    json_t *commands = json_array();

    for (size_t i = 0; i < suite->works.count; i++)
        json_array_append_new(works, work_data(&suite->works.items[i]));
    for (size_t i = 0; i < suite->tables.count; i++)
        json_array_append_new(tables, table_data(&suite->tables.items[i]));
    for (size_t i = 0; i < suite->commands.count; i++)
        json_array_append_new(commands, json_text(suite->commands.items[i]));
    json_object_set_new(data, "name", json_text(suite->name));
    json_object_set_new(data, "what", json_text(suite->what == NULL ? "" : suite->what));
    json_object_set_new(data, "arrivals_per_second", known(suite->arrivals));
    json_object_set_new(data, "tasks_lost",
                        suite->has_tasks ? counts_data(suite->lost) : json_null());
    json_object_set_new(data, "tasks_done_twice",
                        suite->has_tasks ? counts_data(suite->doubled) : json_null());
    json_object_set_new(data, "noise", json_real(suite->noise));
    json_object_set_new(data, "noise_is_measured", json_boolean(suite->has_noise_run));
    json_object_set_new(data, "total", bench_ratio_data(&suite->total));
    json_object_set_new(data, "works", works);
    json_object_set_new(data, "tables", tables);
    json_object_set_new(data, "commands", commands);
    return data;
}

/* --- works.csv, blocks.csv ------------------------------------------------------------------ */

static void
put_latency(struct text *out, const struct histogram *latency)
{
    for (size_t i = 0; i < PERCENTILES; i++) {
        bool is_known = latency != NULL && latency->total > 0;
        bench_put_csv_number(
            out, is_known ? (double)histogram_percentile(latency, percentiles[i].share) / 1e6 : -1);
    }
}

static void
put_work(struct text *out, const struct bench_suite *suite, const struct bench_work *work,
         size_t arm)
{
    const struct bench_work_side *side = &work->sides[arm];
    const struct bench_cost *cost = &side->cost;
    bool is_after = arm == BENCH_AFTER;

    bench_put_csv_text(out, suite->name);
    text_append(out, ",");
    bench_put_csv_text(out, work->name);
    text_append(out, ",");
    bench_put_csv_text(out, work->class_name);
    text_appendf(out, ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64, arm_names[arm], side->done,
                 side->failed, side->retried);
    bench_put_csv_number(out, bench_rate_of(side));
    put_latency(out, side->response);
    put_latency(out, side->service);
    bench_put_csv_number(out, bench_each(cost->cpu_ns < 0 ? -1 : cost->cpu_ns / 1e3, side->done));
    bench_put_csv_number(out, bench_each(cost->wal_bytes, side->done));
    bench_put_csv_number(out, bench_each(cost->buffers, side->done));
    bench_put_csv_number(out, bench_each(cost->temp_bytes, side->done));
    bench_put_csv_number(out, is_after ? work->ratio.value : -1);
    bench_put_csv_number(out, is_after ? work->ratio.low : -1);
    bench_put_csv_number(out, is_after ? work->ratio.high : -1);
    text_appendf(out, ",%s\r\n", is_after ? bench_verdict_name(work->ratio.verdict) : "");
}

void
bench_put_works(struct text *out, const struct bench_results *results)
{
    text_append(out, "suite,work,class,arm,done,failed,retried,per_second");
    for (size_t i = 0; i < PERCENTILES; i++)
        text_appendf(out, ",response_%s", percentiles[i].name);
    for (size_t i = 0; i < PERCENTILES; i++)
        text_appendf(out, ",service_%s", percentiles[i].name);
    text_append(out, ",server_cpu_us_each,wal_bytes_each,buffers_each,temp_bytes_each,"
                     "times_faster,times_faster_low,times_faster_high,verdict\r\n");
    for (size_t i = 0; i < results->suites.count; i++) {
        const struct bench_suite *suite = results->suites.items[i];
        for (size_t j = 0; j < suite->works.count * BENCH_ARMS; j++)
            put_work(out, suite, &suite->works.items[j / BENCH_ARMS], j % BENCH_ARMS);
    }
}

void
bench_put_blocks(struct text *out, const struct bench_results *results)
{
    text_append(out, "suite,work,pair,arm,again,start_s,duration_s,done,failed,p50_ms,p95_ms,"
                     "p99_ms\r\n");
    for (size_t i = 0; i < results->suites.count; i++) {
        const struct bench_suite *suite = results->suites.items[i];
        for (size_t j = 0; j < suite->works.count; j++) {
            const struct bench_work *work = &suite->works.items[j];
            for (size_t k = 0; k < work->blocks.count; k++) {
                const struct bench_block *block = &work->blocks.items[k];
                bench_put_csv_text(out, suite->name);
                text_append(out, ",");
                bench_put_csv_text(out, work->name);
                text_appendf(out, ",%d,%s,%s,%.3f,%.3f,%" PRIu64 ",%" PRIu64 ",%.6g,%.6g,%.6g\r\n",
                             block->pair, arm_names[block->arm], block->is_again ? "yes" : "no",
                             block->start_s, block->duration_s, block->done, block->failed,
                             (double)block->median_ns / 1e6, (double)block->p95_ns / 1e6,
                             (double)block->p99_ns / 1e6);
            }
        }
    }
}
