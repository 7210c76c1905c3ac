// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "bench/suite_run.h"

#include <string.h>

enum { WEIGHT = 1 << 20 }; /* of a block in its side's histogram, whatever it ran */

bool
bench_is_given_up(const struct bench_query *query)
{
    return query->sides[BENCH_BEFORE].errors >= BENCH_MAX_ERRORS ||
           query->sides[BENCH_AFTER].errors >= BENCH_MAX_ERRORS;
}

bool
bench_count_error(struct bench_run *run, struct bench_query *query, size_t arm,
                  const struct error *fault)
{
    struct bench_side *side = &query->sides[arm];

    bench_log(run, "%s: %s: error: %s %s", query->query->name, run->sessions[arm].label,
              fault->sqlstate, fault->message);
    if (fault->code == ERROR_INTERRUPTED)
        return false;
    run->results->errors++;
    if (side->errors++ == 0)
        side->first_error = *fault;
    return fault->code != ERROR_CONNECTION_LOST;
}

/* One timed execution: from before the message is sent until the last row is here. */
static bool
execute(struct bench_run *run, const struct bench_query *query, size_t arm, const char *name,
        const char *const *tuple, uint64_t *ret_ns, struct error *err)
{
    PGconn *connection = run->sessions[arm].connection;
    int count = (int)query->query->parameters.count;
    AUTO_PGRESULT rows = NULL;

    uint64_t start_ns = bench_clock_ns();
    if (!pg_send_prepared(connection, name, count, tuple, err) ||
        !pg_receive(connection, &rows, err))
        return false;
    *ret_ns = bench_clock_ns() - start_ns;
    return true;
}

/* A block lasts its time, and longer while it has few executions: with two or three, one hiccup of
 * the machine would decide the percentiles. */
static bool
is_over(const struct bench_run *run, uint64_t start_ns, uint64_t executions)
{
    uint64_t lasted_ms = (bench_clock_ns() - start_ns) / 1000000;
    uint64_t block_ms = (uint64_t)run->options->block_ms;

    if (lasted_ms < block_ms)
        return false;
    return executions >= BENCH_BLOCK_EXECUTIONS || lasted_ms >= block_ms * BENCH_BLOCK_STRETCH;
}

/* Whole rounds over the pair's tuples, so that each tuple weighs the same in both arms. A failed
 * execution ends the block. */
static bool
run_rounds(struct bench_run *run, struct bench_query *query, const struct bench_pair *pair,
           size_t arm, struct histogram *latency, struct error *err)
{
    uint64_t start_ns = bench_clock_ns();
    size_t first = (size_t)(pair->number - 1) * BENCH_MAX_TUPLES_PER_BLOCK % query->tuple_count;
    char name[32];

    bench_statement_name(run, query, name);
    do {
        for (size_t i = 0; i < query->tuples_per_block; i++) {
            uint64_t took_ns;
            if (!execute(run, query, arm, name, query->tuples[first + i], &took_ns, err))
                return false;
            histogram_record(latency, took_ns);
        }
    } while (!is_over(run, start_ns, latency->total));
    return true;
}

/* What a block adds to its side. */
static void
keep_block(struct bench_run *run, struct bench_side *side, const struct histogram *latency,
           double cpu_ns)
{
    uint64_t weight = WEIGHT / latency->total;

    if (side->latency == NULL)
        side->latency = histogram_new(run->arena);
    histogram_merge(side->latency, latency, weight == 0 ? 1 : weight);
    side->executions += latency->total;
    side->cpu_ns += cpu_ns;
}

/* is_again: only for the noise. */
static bool
run_block(struct bench_run *run, struct bench_query *query, struct bench_pair *pair, size_t arm,
          bool is_again, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct histogram *latency = histogram_new(scratch);
    struct bench_session *session = &run->sessions[arm];
    char median[32];

    bench_progress(run, "pair %d of %d: %s, %s", pair->number, run->options->pairs,
                   query->query->name, session->label);
    error_clear(err);
    if (!bench_checkpoint(session->connection, &session->checkpoint_lsn, err))
        return bench_count_error(run, query, arm, err);
    uint64_t cpu_ns = bench_cpu_ns(session);
    bench_sampler_watch(run->sampler, (int)arm);
    bool is_run = run_rounds(run, query, pair, arm, latency, err);
    bench_sampler_watch(run->sampler, -1);
    if (!is_run && !bench_count_error(run, query, arm, err))
        return false;
    bool has_failed = err->code != ERROR_NONE;
    error_clear(err);
    if (latency->total == 0)
        return true;
    uint64_t median_ns = histogram_percentile(latency, 0.5);
    bench_log(run, "%s: pair %d: %s%s: %llu executions, median %s", query->query->name,
              pair->number, session->label, is_again ? " again" : "",
              (unsigned long long)latency->total, bench_duration(median, median_ns));
    if (is_again) {
        pair->again_ns = has_failed ? 0 : median_ns;
        return true;
    }
    keep_block(run, &query->sides[arm], latency, (double)(bench_cpu_ns(session) - cpu_ns));
    pair->executions[arm] = latency->total;
    pair->median_ns[arm] = has_failed ? 0 : median_ns;
    return true;
}

bool
bench_run_pair(struct bench_run *run, struct bench_query *query, int number, struct error *err)
{
    struct bench_pair pair = {.number = number};
    size_t count = query->pairs.count;

    if (bench_is_given_up(query))
        return true;
    /* Random, but each second pair the other way round than the one before: neither arm is first
     * more often. The third block is random by itself: first, between or last. */
    pair.first =
        count % 2 == 1 ? !query->pairs.items[count - 1].first : random_below(&run->random, 2) == 1;
    size_t third = run->options->has_noise_run ? random_below(&run->random, 3) : SIZE_MAX;
    for (size_t i = 0; i < 3; i++) {
        if (i == third && !run_block(run, query, &pair, BENCH_AFTER, true, err))
            return false;
        if (i < 2 && !run_block(run, query, &pair, i == 0 ? pair.first : !pair.first, false, err))
            return false;
    }
    *LIST_ADD(run->arena, &query->pairs) = pair;
    return true;
}
