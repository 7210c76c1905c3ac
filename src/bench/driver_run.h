/* Inside of the driver: its connections and what one run keeps. */
#pragma once
#include "bench/driver.h"
#include "workload/query.h"

struct bench_lane {
    PGconn *connection; /* NULL: lost */
    bool is_busy, is_cancelled;
    int tries;
    uint64_t idle_ns; /* since when */
    uint64_t sent_ns;
    struct bench_request request;
    PGresult *result; /* so far */
};

struct bench_driver {
    struct bench_driver_options options;
    const char **names; /* of the prepared statements */
    struct bench_lane *lanes;
    size_t lane_count;
    uint32_t *idle; /* numbers of idle lanes; the last one is taken next */
    size_t idle_count, busy_count;
    int poller;

    const struct bench_source *source;
    struct bench_load *load;
    uint64_t end_ns;
    uint64_t second_ns; /* begin of the second that is counted now */
    uint64_t second_errors;
    struct histogram *second; /* responses within it */
};

struct bench_fault_count *
bench_load_fault(struct bench_load *load, const char *sqlstate, const char *message);
