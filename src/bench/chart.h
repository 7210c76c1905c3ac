/* Inside of bench/: drawings of the page, as places in an SVG that assets/chart.html draws. JSON
 * values are owned by the caller. */
#pragma once
#include "bench/bench.h"
#include <jansson.h>

/* Points of one line, in the order of x; kind is its class in report.css. */
struct bench_line {
    const char *kind, *label;
    const double *x, *y; /* y of 0 or less: a gap on a logarithmic axis */
    size_t count;
    bool is_dots; /* each point by itself instead of a line */
};
struct bench_chart {
    const char *title;
    const char *what; /* for who cannot see it */
    const char *unit; /* of y: "ns" (shown as durations), "%", "B", "" */
    const struct bench_line *lines;
    size_t line_count;
    bool is_log;
    bool is_wide;
    double target; /* a line at that y; 0: none */
};

/* x: seconds since the start. null when there is nothing to draw. */
json_t *bench_timeline_view(const struct bench_chart *chart);
/* Latency over the share of requests that took no longer, from 50 % on, both logarithmic; what is
 * rarer than one in so many requests is not drawn. null: both are empty. */
json_t *bench_curve_view(const struct histogram *const sides[BENCH_ARMS], const uint64_t counts[],
                         const char *title, double target_ns);
