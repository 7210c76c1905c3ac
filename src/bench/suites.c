// SPDX-License-Identifier: MIT
#include "bench/suite_run.h"

#include "base/embed.h"
#include "bench/ai.h"
#include "bench/pgbench.h"
#include "bench/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LITTLE_WAL_BYTES = 64 * 1024 };

const struct bench_suite_kind bench_suite_kinds[BENCH_SUITES] = {
    [BENCH_QUERIES] = {"queries", bench_query_load_open, bench_query_load_run,
                       bench_query_load_close, NULL},
    [BENCH_PGBENCH] = {"pgbench", bench_pgbench_open, bench_pgbench_run, bench_pgbench_close,
                       pgbench_needed_megabytes},
    [BENCH_AI] = {"ai", bench_ai_open, bench_ai_run, bench_ai_close, ai_needed_megabytes},
    [BENCH_POOL] = {"pool", bench_pool_open, bench_pool_run, bench_pool_close, NULL},
};

int64_t
bench_needed_megabytes(const struct bench_options *options)
{
    int64_t most = 0;

    for (size_t i = 0; i < BENCH_SUITES; i++) {
        const struct bench_suite_kind *kind = &bench_suite_kinds[i];
        if ((options->suites & 1U << i) == 0 || kind->needed_megabytes == NULL)
            continue;
        int64_t needed = kind->needed_megabytes(options);
        most = needed > most ? needed : most;
    }
    return most;
}

static void
leave_out(struct bench_run *run, struct bench_suite *suite, size_t number, struct error *err)
{
    *suite = (struct bench_suite){.name = bench_suite_kinds[number].name, .title = suite->title};
    suite->what = arena_printf(run->arena, "Left out: %s. %s", err->message, err->hint);
    bench_log(run, "%s: left out: %s", suite->name, err->message);
    bench_suite_kinds[number].close(run->opened[number]);
    run->opened[number] = NULL;
    error_clear(err);
}

bool
bench_open_suites(struct bench_run *run, struct error *err)
{
    for (size_t i = 0; i < BENCH_SUITES; i++) {
        const struct bench_suite_kind *kind = &bench_suite_kinds[i];
        if ((run->options->suites & 1U << i) == 0 || kind->open == NULL)
            continue;
        struct bench_suite *suite = ARENA_NEW(run->arena, struct bench_suite);
        *LIST_ADD(run->arena, &run->results->suites) = suite;
        suite->name = kind->name;
        if (kind->open(run, suite, &run->opened[i], err))
            continue;
        if (err->code != ERROR_REFUSED || !run->options->are_optional)
            return error_wrap(err, "--%s", kind->name);
        leave_out(run, suite, i, err);
    }
    return true;
}

bool
bench_run_suites(struct bench_run *run, struct error *err)
{
    for (size_t i = 0; i < BENCH_SUITES; i++) {
        if (run->opened[i] != NULL && !bench_suite_kinds[i].run(run->opened[i], err))
            return false;
    }
    return true;
}

void
bench_close_suites(struct bench_run *run)
{
    for (size_t i = 0; i < BENCH_SUITES; i++) {
        if (run->opened[i] != NULL)
            bench_suite_kinds[i].close(run->opened[i]);
        run->opened[i] = NULL;
    }
}

/* --- tables --------------------------------------------------------------------------------- */

void
bench_add_row(struct arena *arena, struct bench_table *table, const char *name, const char *before,
              const char *after, const char *note)
{
    struct bench_row *row = LIST_ADD(arena, &table->rows);

    *row = (struct bench_row){.name = name, .values = {before, after}, .note = note};
}

const char *
bench_percentile(struct arena *arena, const struct histogram *times, double share)
{
    char text[32];

    if (times->total == 0)
        return "-";
    return arena_strdup(arena, bench_duration(text, histogram_percentile(times, share)));
}

/* --- blocks --------------------------------------------------------------------------------- */

bool
bench_checkpoint(PGconn *connection, uint64_t *lsn, struct error *err)
{
    AUTO_PGRESULT before = NULL;
    AUTO_PGRESULT after = NULL;
    const char *position = embedded_file("bench/sql/wal_position.sql")->text;
    struct error refused = {0};

    if (!pg_query(connection, position, 0, NULL, &before, err))
        return false;
    uint64_t now = (uint64_t)pg_integer(before, 0, "position");
    if (*lsn > 0 && now - *lsn < LITTLE_WAL_BYTES)
        return true;
    if (!pg_execute(connection, "CHECKPOINT", &refused) && refused.code != ERROR_PRIVILEGE) {
        *err = refused;
        return false;
    }
    if (!pg_query(connection, position, 0, NULL, &after, err))
        return false;
    *lsn = (uint64_t)pg_integer(after, 0, "position");
    return true;
}

/* One pair of one work: before, after and with an A/A run after once more, in random order. */
static bool
run_pair(struct bench_run *run, size_t work, int pair, bench_block_runner *run_block, void *context,
         struct error *err)
{
    struct bench_block blocks[] = {{.pair = pair, .arm = BENCH_BEFORE},
                                   {.pair = pair, .arm = BENCH_AFTER},
                                   {.pair = pair, .arm = BENCH_AFTER, .is_again = true}};
    size_t order[3];
    size_t count = run->options->has_noise_run ? 3 : 2;

    bench_shuffle(&run->random, order, count);
    for (size_t i = 0; i < count; i++) {
        if (!run_block(context, work, &blocks[order[i]], err))
            return false;
    }
    return true;
}

bool
bench_run_blocks(struct bench_run *run, size_t count, bench_block_runner *run_block, void *context,
                 struct error *err)
{
    size_t *order = ARENA_ARRAY(run->arena, size_t, count);

    for (int pair = 1; pair <= run->options->pairs; pair++) {
        bench_shuffle(&run->random, order, count);
        for (size_t i = 0; i < count; i++) {
            if (!run_pair(run, order[i], pair, run_block, context, err))
                return false;
        }
    }
    return true;
}

/* --- what came of it ------------------------------------------------------------------------ */

enum quantity { MEDIAN, RATE };
enum blocks { ALL, FIRST, AGAIN };

static double
quantity_of(const struct bench_block *block, enum quantity quantity)
{
    if (quantity == MEDIAN)
        return (double)block->median_ns;
    uint64_t done = block->done - block->done_after;
    return done == 0 ? 0 : block->duration_s / (double)done; /* less is better */
}

/* The logarithm of what a pair's blocks of one kind took; the mean of both where there are two.
 * NAN: there is none. */
static double
log_of(const struct bench_work *work, int pair, enum quantity quantity, enum bench_arm_number arm,
       enum blocks which)
{
    double sum = 0;
    int count = 0;

    for (size_t i = 0; i < work->blocks.count; i++) {
        const struct bench_block *block = &work->blocks.items[i];
        double value = quantity_of(block, quantity);
        if (block->pair != pair || block->arm != arm || value <= 0 ||
            (which != ALL && block->is_again != (which == AGAIN)))
            continue;
        sum += log(value);
        count++;
    }
    return count == 0 ? NAN : sum / count;
}

/* Pair by pair: before against all of after; or, for the noise, after against after again. */
static struct bench_sample
sample_of(struct bench_run *run, const struct bench_work *work, enum quantity quantity,
          bool is_noise)
{
    double *logs = ARENA_ARRAY(run->arena, double, (size_t)run->options->pairs);
    struct bench_sample sample = {logs, 0};

    for (int pair = 1; pair <= run->options->pairs; pair++) {
        double one = is_noise ? log_of(work, pair, quantity, BENCH_AFTER, FIRST)
                              : log_of(work, pair, quantity, BENCH_BEFORE, ALL);
        double other = log_of(work, pair, quantity, BENCH_AFTER, is_noise ? AGAIN : ALL);
        if (!isnan(one) && !isnan(other))
            logs[sample.count++] = one - other;
    }
    return sample;
}

static void
summarize(struct bench_run *run, struct bench_suite *suite)
{
    size_t count = suite->works.count;
    uint64_t seed = run->options->seed;
    struct bench_sample *samples = ARENA_ARRAY(run->arena, struct bench_sample, count + 1);
    struct bench_sample *noise = ARENA_ARRAY(run->arena, struct bench_sample, count + 1);

    for (size_t i = 0; i < count; i++) {
        noise[i] = sample_of(run, &suite->works.items[i], MEDIAN, true);
        samples[i] = sample_of(run, &suite->works.items[i], MEDIAN, false);
    }
    suite->noise = bench_noise_of(noise, count, &suite->has_noise_run);
    for (size_t i = 0; i < count; i++) {
        struct bench_work *work = &suite->works.items[i];
        struct bench_sample rate = sample_of(run, work, RATE, false);
        work->ratio = bench_ratio_of(&samples[i], 1, seed, suite->noise);
        work->rate = bench_ratio_of(&rate, 1, seed, suite->noise);
    }
    suite->total = bench_ratio_of(samples, count, seed, suite->noise);
}

void
bench_summarize_suites(struct bench_run *run)
{
    for (size_t i = 0; i < run->results->suites.count; i++)
        summarize(run, run->results->suites.items[i]);
}
