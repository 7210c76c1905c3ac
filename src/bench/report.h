/* Inside of bench/: the files of a report. JSON values are owned by the caller. */
#pragma once
#include "base/json_text.h"
#include "base/text.h"
#include "bench/bench.h"
#include <jansson.h>

json_t *bench_data(const struct bench_results *results); /* results.json */
void bench_put_csv(struct text *out, const struct bench_results *results);
/* report_suites.c: works.csv, blocks.csv, and a suite in results.json. */
void bench_put_works(struct text *out, const struct bench_results *results);
void bench_put_blocks(struct text *out, const struct bench_results *results);
json_t *bench_suite_data(const struct bench_suite *suite);
json_t *bench_rows_data(const struct bench_table *table);
json_t *bench_ratio_data(const struct bench_ratio *ratio);
/* RFC 4180, with the leading signs that spreadsheets take for a formula made harmless. */
void bench_put_csv_text(struct text *out, const char *value);
/* A comma and the number; nothing after the comma for 0 and below. */
void bench_put_csv_number(struct text *out, double value);
/* Done a second, without what was done after the schedule's end; below 0: not known. */
double bench_rate_of(const struct bench_work_side *side);
/* The latency that counts: response where there is one. */
const struct histogram *bench_latency_of(const struct bench_work_side *side);
/* The latency's percentile, "≥ 5.00 s" where what was not answered decides it; "–": none. */
const char *bench_side_percentile(char text[40], const struct bench_work_side *side, double share);
/* sum / count; below 0: not known. */
double bench_each(double sum, uint64_t count);
void bench_put_log(struct text *out, const struct bench_results *results);
/* What the template report.html shows: texts ready to read and places of bars. */
json_t *bench_view(const struct bench_results *results);
/* view_detail.c: one query's section. */
json_t *bench_view_detail(const struct bench_query *query, size_t number);

/* view_suites.c: the suites' sections. */
json_t *bench_view_suites(const struct bench_results *results);
/* view_samples.c: waits and system of the page, results.json and system.csv. */
void bench_set_samples(json_t *view, const struct bench_results *results);
json_t *bench_samples_data(const struct bench_results *results);
void bench_put_system(struct text *out, const struct bench_results *results);
/* Shares of all CPUs' time; of one CPU for the load generator. */
#define BENCH_STEAL_LIMIT 0.01
#define BENCH_OTHERS_LIMIT 0.1
#define BENCH_SESSIONS_LIMIT 0.02
#define BENCH_DRIVER_LIMIT 0.7
/* view_advice.c: what to do next, with evidence and command; the runs in the same folder as this
 * one's. */
json_t *bench_view_advice(const struct bench_results *results);
json_t *bench_view_history(const struct bench_results *results, const char *folder);
/* view.c: the ratio in words: times, interval, mood, verdict. */
void bench_set_ratio(json_t *view, const struct bench_ratio *ratio);

/* UTC, "2024-05-01 13:00:05 UTC"; returns text. */
const char *bench_time(char text[32], time_t time);
/* "66x" or "1.24x", with the multiplication sign; "" for 0. */
const char *bench_times(char text[32], double ratio);
/* "1.2 GB" */
const char *bench_size(char text[32], int64_t size_bytes);
/* "12 345" */
const char *bench_count(char text[32], uint64_t count);
/* By unit: "ns", "B" or "" for a number; below 0 a dash: not known. */
const char *bench_amount(char text[32], double value, const char *unit);
