/* Inside of bench/: the suites, and how they run their blocks. */
#pragma once
#include "bench/run.h"

/* A suite that --NAME chooses: open looks at the servers, changes nothing and is called for all
 * suites before anything runs; close is called whenever open was, also after its failure. */
struct bench_suite_kind {
    const char *name;
    bool (*open)(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
                 struct error *err);
    bool (*run)(void *opened, struct error *err);
    void (*close)(void *opened);
    int64_t (*needed_megabytes)(const struct bench_options *options); /* NULL: it writes nothing */
};
/* By enum bench_suite_number; that of the queries is only what they do under load. */
extern const struct bench_suite_kind bench_suite_kinds[BENCH_SUITES];

/* suites.c */
bool bench_open_suites(struct bench_run *run, struct error *err) MUST_CHECK;
bool bench_run_suites(struct bench_run *run, struct error *err) MUST_CHECK;
void bench_close_suites(struct bench_run *run);
/* Ratios, verdicts and noise of the suites. */
void bench_summarize_suites(struct bench_run *run);

/* Texts are not copied; note: "" or a remark. */
void bench_add_row(struct arena *arena, struct bench_table *table, const char *name,
                   const char *before, const char *after, const char *note);
/* "1.20 ms", or "-" of an empty histogram. */
const char *bench_percentile(struct arena *arena, const struct histogram *times, double share);

/* Runs options->pairs pairs of blocks of each of count works: before, after, and with an A/A run
 * after again, in random order, the works taking turns in random order. run_block fills in what
 * the block measured and adds it to its work. */
typedef bool
bench_block_runner(void *context, size_t work, struct bench_block *block, struct error *err);
bool bench_run_blocks(struct bench_run *run, size_t count, bench_block_runner *run_block,
                      void *context, struct error *err) MUST_CHECK;
/* CHECKPOINT where more than a little has been written since the last (its WAL position is kept in
 * *lsn). A role that may not is not an error. */
bool bench_checkpoint(PGconn *connection, uint64_t *lsn, struct error *err) MUST_CHECK;

/* query_load.c */
bool bench_query_load_open(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
                           struct error *err) MUST_CHECK;
bool bench_query_load_run(void *opened, struct error *err) MUST_CHECK;
void bench_query_load_close(void *opened);

/* pgbench.c */
bool bench_pgbench_open(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
                        struct error *err) MUST_CHECK;
bool bench_pgbench_run(void *opened, struct error *err) MUST_CHECK;
void bench_pgbench_close(void *opened);

/* ai.c */
bool bench_ai_open(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
                   struct error *err) MUST_CHECK;
bool bench_ai_run(void *opened, struct error *err) MUST_CHECK;
void bench_ai_close(void *opened);

/* pool_suite.c */
bool bench_pool_open(struct bench_run *run, struct bench_suite *of, void **ret_opened,
                     struct error *err) MUST_CHECK;
bool bench_pool_run(void *opened, struct error *err) MUST_CHECK;
void bench_pool_close(void *opened);
