/* The benchmark: the same queries against two servers with the same data, `before` and `after`.
 * Short blocks of the two alternate, so that whatever else the machine does hits both; only the
 * server under test is busy while a block runs. Reads only: a statement that writes fails.
 * bench_run measures, bench_write_report writes the folder; neither prints. Results live in the
 * arena. One thread. */
#pragma once
#include "base/arena.h"
#include "base/histogram.h"
#include "bench/plan.h"
#include "bench/samples.h"
#include "bench/suite.h"
#include "pg/connection.h"
#include "workload/query.h"
#include <time.h>

struct bench_arm {
    const char *label;       /* "before", "stock" ... */
    struct pg_target target; /* is_application is set by bench_run */
};

struct bench_options {
    const char *database;    /* its name in the deck */
    const char *environment; /* NULL: none */
    int64_t target_p95_ms;   /* 0: none */
    int64_t target_ai_task_ms;
    double target_cache_hit; /* share; 0: none */
    unsigned suites;         /* set of 1U << enum bench_suite_number; default: the queries */
    const struct workload *workload; /* NULL without the queries */
    const char *const *names;        /* of the queries to run */
    size_t name_count;               /* 0: all */
    struct bench_arm arms[BENCH_ARMS];
    int pairs;          /* of blocks for each query; default 10 */
    bool has_noise_run; /* an A/A run beside the comparison, for the noise */
    int scale, clients; /* of pgbench, clients of the queries under load, too; default 10, 8 */
    int rate; /* a second, by a schedule: queries (0: 50 % of what the slower server can do),
               * pgbench's (0: closed loop), AI tasks (0: 80 % of what the one before can do) */
    int pgbench_block_ms, pool_block_ms, pool_rounds; /* default 2000, 2000 and 5 */
    int workers;                                      /* of the AI tasks; default 16 */
    int run_ms;                                       /* mean run time of an AI task; default 50 */
    int ai_block_ms, ai_rounds;                       /* default 2000 and 5 */
    int snapshot_s;    /* how long AI tasks work beside an open snapshot; 0: not */
    bool are_optional; /* --all: a suite that is refused is left out, and the report says why */
    bool is_known_to_write; /* --i-know: may write into a database that is not pgdeck's own */
    int block_ms;           /* how long a block lasts at least; default 300 */
    int timeout_ms;         /* for one execution; default 60 000 */
    uint64_t seed;          /* of parameters and orders */
    const char *command;    /* how to repeat it; for the report */
    void (*progress)(void *context, const char *line); /* NULL: none */
    void *progress_context;
};
/* Everything optional at its default; seed 1. */
void bench_options_init(struct bench_options *options);

/* One query on one arm. */
struct bench_side {
    uint64_t executions; /* timed and without error */
    uint64_t errors;
    struct error first_error;
    struct histogram *latency;          /* each block has the same weight, however often it ran */
    uint64_t median_ns, p95_ns, max_ns; /* 0 without executions */
    double cpu_ns;                      /* of the server process per execution; < 0: not known */
    struct bench_plan plan;
};

/* What a verdict can be one of. */
enum bench_quantity { BENCH_MEDIAN, BENCH_NET, BENCH_CPU, BENCH_QUANTITIES };

/* Two blocks, one on each arm, one right after the other; with an A/A run a third, on after. */
struct bench_pair {
    int number;
    enum bench_arm_number first;
    uint64_t executions[BENCH_ARMS];
    uint64_t median_ns[BENCH_ARMS]; /* 0: the block had an error */
    uint64_t again_ns;              /* median of the third; 0: there is none */
    /* Of before against after, and of the arms against themselves, natural logarithms of times:
     * means over the slices; NAN: not known. */
    double logs[BENCH_QUANTITIES], noise_logs[BENCH_QUANTITIES];
};

enum bench_equality {
    BENCH_NOT_COMPARED,
    BENCH_EQUAL,
    BENCH_OTHER_VALUES, /* as many rows, other contents */
    BENCH_OTHER_ROWS,   /* not as many rows */
};

struct bench_query {
    const struct workload_query *query;
    const char *const *const *tuples; /* drawn values: tuples[number][parameter] */
    size_t tuple_count;
    size_t tuples_per_block;      /* in a slice */
    int slice_count;              /* of a block */
    enum bench_equality equality; /* the worst of those compared */
    size_t compared, differing;   /* tuples */
    int rows[BENCH_ARMS];         /* of the first tuple that differs, or of the first */
    struct bench_side sides[BENCH_ARMS];
    LIST_OF(struct bench_pair) pairs;
    size_t slices;                  /* of all pairs */
    struct bench_ratio ratio;       /* of the medians; its verdict is that of judged_by */
    struct bench_ratio net;         /* of the time without waits for a CPU */
    struct bench_ratio cpu;         /* of the server's CPU time */
    enum bench_quantity judged_by;  /* net; cpu where net sees no change; where neither is known,
                                     * the medians */
    bool has_target, is_target_met; /* p95 after <= target */
    bool was_target_met;            /* p95 before <= target */
};

/* A setting, table or index that is not the same on both. */
struct bench_setting {
    const char *name;
    const char *values[BENCH_ARMS]; /* with unit; "" : this server does not have it */
};

/* What a database looks like. */
struct bench_server {
    const char *version;
    const char *database;
    const char *reached_by; /* "Unix socket", "TCP", "TCP, TLSv1.3" ... */
    int64_t size_bytes;
    int64_t tables, partitions, indexes;
    int64_t index_bytes;
    int64_t tables_without_statistics; /* non-empty, never analysed */
    bool is_local;                     /* on this machine, so that its CPU time can be read */
};

struct bench_machine {
    const char *cpu, *kernel, *system;
    int cpus;
    int64_t memory_bytes;
    double load_before; /* 1-minute load average at the start */
    double steal;       /* share of CPU time taken by the hypervisor during the run */
};

struct bench_class { /* of work */
    const char *name;
    size_t query_count;
    struct bench_ratio ratio; /* geometric mean */
};

struct bench_results {
    const struct bench_options *options;
    time_t started;
    double duration_s;
    LIST_OF(struct bench_query) queries;
    LIST_OF(struct bench_class) classes;
    LIST_OF(struct bench_suite *) suites;   /* but the queries */
    struct bench_ratio total;               /* geometric mean over the queries that have a ratio */
    struct bench_ratio cpu_total;           /* the same of the server's CPU time */
    double noise;                           /* of the queries: a change within this share is none */
    double net_noise, cpu_noise;            /* the same, of the time without waits, and of CPU */
    bool has_noise_run;                     /* it was measured by an A/A run */
    size_t compared;                        /* that many */
    const struct bench_query *worst;        /* the smallest ratio; NULL: none measured */
    uint64_t ai_task_p95_ns[BENCH_ARMS];    /* from enqueue to done; 0: not measured */
    uint64_t ai_task_median_ns[BENCH_ARMS]; /* ... less the drawn run time; 0: not measured */
    double pool_rate[BENCH_ARMS]; /* requests/s a server connection at equal p95; 0: not measured,
                                   * or no pool was equal */
    size_t targets_met, targets_before, targets; /* queries */
    uint64_t errors;
    struct bench_server servers[BENCH_ARMS];
    size_t pairs_apart;    /* of all queries: the two processes were not held on the same CPU */
    bool is_reached_alike; /* both the same way: else encryption and TCP are in one's figures */
    LIST_OF(struct bench_setting) settings; /* that differ */
    size_t equal_settings;
    LIST_OF(struct bench_setting) objects; /* tables and indexes that differ, by definition */
    size_t equal_objects;
    struct bench_machine machine;
    struct bench_samples samples;
    LIST_OF(const char *) limits; /* what may have decided it in place of the servers */
    LIST_OF(const char *) log;
    struct error stopped; /* code ERROR_NONE: ran to its end; else the reason and what is here is
                           * what was measured until then */
};

/* Whether the servers can be measured: suites, queries that they understand. Looks only; at the one
 * after alone where the one before has no conninfo, because it has still to be made. */
bool
bench_check(struct arena *arena, const struct bench_options *options, struct error *err) MUST_CHECK;

/* Room that the chosen suites need on a server's disk, one after the other. */
int64_t bench_needed_megabytes(const struct bench_options *options);
/* Measures. False when nothing could be measured (servers not there, a query that does not
 * parse: before anything is timed); true otherwise, even when stopped early: see stopped. options
 * must stay as long as the results. */
bool bench_run(struct arena *arena, const struct bench_options *options,
               struct bench_results *ret_results, struct error *err) MUST_CHECK;

/* Writes report.html, results.json, results.csv and log.txt into folder, made if need be. */
bool bench_write_report(const struct bench_results *results, const char *folder,
                        struct error *err) MUST_CHECK;
/* The text of results.json; to be freed by the caller. */
char *bench_json(const struct bench_results *results);
/* "1.23 ms" with three digits, into text of at least 32 bytes; returns text. */
char *bench_duration(char text[32], uint64_t duration_ns);
const char *bench_verdict_name(enum bench_verdict verdict);
/* What the query's verdict is one of, and the ratio of that: "the server's CPU". */
const char *bench_quantity_name(enum bench_quantity quantity);
const struct bench_ratio *bench_judged_ratio(const struct bench_query *query);
/* The query's verdict and judged_by, from the verdicts of its three ratios. */
void bench_judge(struct bench_query *query);
