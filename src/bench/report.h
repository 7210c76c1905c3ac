/* Inside of bench/: the files of a report. JSON values are owned by the caller. */
#pragma once
#include "base/text.h"
#include "bench/bench.h"
#include <jansson.h>

json_t *bench_data(const struct bench_results *results); /* results.json */
void bench_put_csv(struct text *out, const struct bench_results *results);
void bench_put_log(struct text *out, const struct bench_results *results);
/* What the template report.html shows: texts ready to read and places of bars. */
json_t *bench_view(const struct bench_results *results);
/* view_detail.c: one query's section. */
json_t *bench_view_detail(const struct bench_query *query, size_t number);

/* A JSON text; bytes that are not UTF-8 (a database in SQL_ASCII) become question marks. */
json_t *bench_text(const char *chars);
/* UTC, "2024-05-01 13:00:05 UTC"; returns text. */
const char *bench_time(char text[32], time_t time);
/* "66x" or "1.24x", with the multiplication sign; "" for 0. */
const char *bench_times(char text[32], double ratio);
/* "1.2 GB" */
const char *bench_size(char text[32], int64_t size_bytes);
/* "12 345" */
const char *bench_count(char text[32], uint64_t count);
