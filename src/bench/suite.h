/* What a suite hands to the report: kinds of work, each measured on both arms in pairs of blocks,
 * and tables of its own. Whatever suite it comes from, the page, CSV, JSON and the gate show it
 * alike. In the run's arena; one thread. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/histogram.h"

enum bench_arm_number { BENCH_BEFORE, BENCH_AFTER, BENCH_ARMS };

/* In this order they run; 1U << number in bench_options.suites. */
enum bench_suite_number { BENCH_QUERIES, BENCH_PGBENCH, BENCH_AI, BENCH_POOL, BENCH_SUITES };

enum bench_verdict { BENCH_NO_VERDICT, BENCH_IMPROVED, BENCH_WORSE, BENCH_NO_CHANGE };

/* A ratio: above 1 is better after than before. */
struct bench_ratio {
    double value;     /* 0: nothing to compare */
    double low, high; /* 95 % confidence interval; 0: too few pairs to tell (under 3) */
    enum bench_verdict verdict;
};

/* What the server did for some work, in sums; below 0: not known. */
struct bench_cost {
    double cpu_ns; /* of all its processes */
    double wal_bytes;
    double buffers, buffers_read; /* pages touched; those of them that were not in its cache */
    double temp_bytes;
};

struct bench_failures { /* of one SQLSTATE */
    char sqlstate[6];   /* "": none came with it */
    uint64_t count;
    const char *message; /* of the first */
};

struct bench_work_side {
    uint64_t done;            /* transactions, jobs ... in the measured blocks */
    uint64_t failed, retried; /* not in done, not in the histograms */
    uint64_t done_after;      /* of done: after the end of its block's schedule; not in the rate */
    double seconds;           /* that the measured blocks, their schedules lasted */
    uint64_t least_unanswered_ns; /* from there on response is a lower bound; 0: all answered */
    struct histogram *response;   /* from when it was due; NULL: there was no schedule */
    struct histogram *service;    /* from when it was sent */
    struct bench_cost cost;       /* of all done */
    double driver_cpu_ns;         /* what the load generator itself took; < 0: not known */
    LIST_OF(struct bench_failures) failures;
};

/* One block: some work on one arm for a short time. */
struct bench_block {
    int pair; /* from 1 */
    enum bench_arm_number arm;
    bool is_again;              /* the second one on the arm in its pair: it measures the noise */
    double start_s, duration_s; /* since the start of the run */
    uint64_t done, failed, done_after; /* done_after: of done, after the schedule's end */
    double mean_ns;
    uint64_t median_ns, p95_ns, p99_ns; /* response where there is a schedule, else service */
};

struct bench_work {
    const char *name, *class_name, *what;
    const char *sql; /* or the script; NULL: none */
    struct bench_work_side sides[BENCH_ARMS];
    LIST_OF(struct bench_block) blocks; /* in the order in which they ran */
    struct bench_ratio ratio;           /* of the median latencies of each pair's blocks */
    struct bench_ratio rate;            /* of the rates */
};

/* Rows of text for what is peculiar to a suite. */
struct bench_row {
    const char *name, *values[BENCH_ARMS], *note; /* note: "" or a remark */
};
struct bench_table {
    const char *title, *what;
    LIST_OF(struct bench_row) rows;
};

struct bench_suite {
    const char *name;               /* as its option: "pgbench" */
    const char *title, *what;       /* a heading; a sentence or two on what ran */
    const char *labels[BENCH_ARMS]; /* NULL: the arms' own */
    LIST_OF(struct bench_work) works;
    LIST_OF(struct bench_table) tables;
    LIST_OF(const char *) commands; /* that were run, exactly */
    double arrivals;                /* a second, by the schedule; 0: as fast as can be */
    bool has_tasks;                 /* AI tasks: */
    uint64_t lost[BENCH_ARMS], doubled[BENCH_ARMS];
    double noise;             /* a change within this share is none; an A/A run's */
    bool has_noise_run;       /* false: noise is assumed */
    struct bench_ratio total; /* geometric mean of the works' ratios */
};
