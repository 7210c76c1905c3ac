/* Inside of bench/: what the parts of one run share. */
#pragma once
#include "base/random.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/driver.h"

#include <sched.h>

enum { BENCH_MAX_TUPLES_PER_BLOCK = 8, BENCH_MAX_ERRORS = 3 };

struct bench_session {
    PGconn *connection;
    const char *label;
    int cpu_clock;      /* descriptor of the backend's run time in /proc; -1: not on this machine */
    cpu_set_t cpus;     /* on which its backend may run */
    bool is_on_one_cpu; /* at the moment only on one of them */
    uint64_t checkpoint_lsn; /* WAL position after the last CHECKPOINT */
};

struct bench_pages {
    long long touched, read; /* read: not found in the server's cache */
};

struct bench_run {
    struct arena *arena;
    const struct bench_options *options;
    struct bench_results *results;
    struct bench_session sessions[BENCH_ARMS];
    struct random random;
    void *opened[BENCH_SUITES]; /* what a suite keeps while it runs; NULL: not chosen */
    uint64_t start_ns;
    struct bench_pages pages[BENCH_ARMS]; /* of the databases, before anything ran */
    bool has_pages[BENCH_ARMS];
    struct bench_sampler *sampler; /* NULL: not started */
};

/* A line for log.txt, with the seconds since the start. */
void bench_log(struct bench_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
void bench_progress(struct bench_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
double bench_elapsed_s(const struct bench_run *run); /* since the clock was started */
/* A random order (Fisher and Yates). */
void bench_shuffle(struct random *random, size_t *order, size_t count);

/* session.c: connects the two arms, read only; prepares each query as bench_statement_name. */
bool bench_open(struct bench_run *run, struct error *err) MUST_CHECK;
void bench_close(struct bench_run *run);
bool bench_prepare(struct bench_run *run, struct error *err) MUST_CHECK;
/* As that server is asked. */
bool bench_statement_of(struct bench_run *run, size_t arm, const struct workload_query *query,
                        struct bench_statement *ret_statement, struct error *err) MUST_CHECK;
const char *
bench_statement_name(const struct bench_run *run, const struct bench_query *query, char name[32]);
/* What a process or thread has had of CPUs until now; zeros where that is not known. */
struct bench_cpu {
    uint64_t ran_ns, waited_ns; /* waited: could have run, but no CPU was free */
};
struct bench_cpu bench_cpu_of(const struct bench_session *session); /* its server process */
struct bench_cpu bench_cpu_of_us(void);                             /* this thread */
/* Whether the server process of this session is on this machine, in our own PID namespace. */
bool bench_is_backend_here(PGconn *connection);
/* Runs an embedded statement with up to one parameter. */
bool bench_ask(struct bench_session *session, const char *path, const char *parameter,
               PGresult **ret_result, struct error *err) MUST_CHECK;

/* draw.c: the values of the parameters, from arm `after`; both arms get the same ones. */
bool bench_draw(struct bench_run *run, struct error *err) MUST_CHECK;

/* compare.c: runs tuples on both arms at the same moment (so that now() is the same) and compares
 * the rows whatever their order. Also the warm-up, and what tuples_per_block is set by. */
bool bench_compare(struct bench_run *run, struct bench_query *query, struct error *err) MUST_CHECK;

/* block.c: one pair of blocks. */
bool bench_run_pair(struct bench_run *run, struct bench_query *query, int number,
                    struct error *err) MUST_CHECK;
/* True when one side has failed so often that the query is no longer run. */
bool bench_is_given_up(const struct bench_query *query);
/* Counts a failed execution; false when the run cannot go on (connection lost, interrupted). */
bool bench_count_error(struct bench_run *run, struct bench_query *query, size_t arm,
                       const struct error *fault);

/* same_cpu.c: for the number-th pair of blocks (from 1) both servers' processes stay on the same
 * CPU, the next one of those that both may use: two CPUs of a machine can differ by some percent
 * for seconds, by what runs beside each. Only where both are on this machine and the system lets us
 * (the same user, or root); on any CPU that they had afterwards. Counts those where not in results.
 */
void bench_to_same_cpu(struct bench_run *run, int number);
void bench_to_any_cpu(struct bench_run *run);

/* explain.c: the plans of all queries, outside of all timing. */
bool bench_explain(struct bench_run *run, struct error *err) MUST_CHECK;

/* environment.c: servers, settings that differ, machine. */
bool bench_read_servers(struct bench_run *run, struct error *err) MUST_CHECK;
void bench_read_machine(struct bench_run *run);

/* targets.c: what the environment wants, and whether it has it. */
void bench_targets_begin(struct bench_run *run);
void bench_targets_end(struct bench_run *run);

/* limits.c: what may have been the limit, or unfair. */
void bench_find_limits(struct bench_run *run);

/* promises.c: what pgdeck promises, as a table of that suite. */
void bench_add_promises(struct bench_run *run, struct bench_suite *suite);

/* summary.c: percentiles, ratios, classes, totals. */
void bench_summarize(struct bench_run *run);
