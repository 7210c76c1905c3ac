// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "bench/slice.h"
#include "bench/suite_run.h"

#include <inttypes.h>
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

/* By arm, then those of the A/A run by arm. */
enum { AGAIN = BENCH_ARMS, PARTS = 2 * BENCH_ARMS };

/* One arm's part of a pair: its blocks of all slices. */
struct part {
    enum bench_arm_number arm;
    bool is_again;           /* only for the noise */
    struct histogram *all;   /* latencies of all slices */
    struct histogram *slice; /* of the one that is measured */
    double cpu_ns;
    bool has_failed;
};

/* A slice lasts its time, and longer while it has few executions: with one or two, one hiccup of
 * the machine would decide the percentiles. */
static bool
is_over(const struct bench_run *run, const struct bench_query *query, uint64_t start_ns,
        uint64_t executions)
{
    uint64_t lasted_us = (bench_clock_ns() - start_ns) / 1000;
    uint64_t slices = (uint64_t)query->slice_count;
    uint64_t slice_us = (uint64_t)run->options->block_ms * 1000 / slices;

    if (lasted_us < slice_us)
        return false;
    return executions >= BENCH_BLOCK_EXECUTIONS / slices ||
           lasted_us >= slice_us * BENCH_BLOCK_STRETCH;
}

/* Whole rounds over the slice's tuples, so that each tuple weighs the same in both arms. A failed
 * execution ends the part. */
static bool
run_rounds(struct bench_run *run, struct bench_query *query, const struct bench_slice *slice,
           struct part *part, struct error *err)
{
    uint64_t start_ns = bench_clock_ns();
    size_t first = (size_t)(slice->pair - 1) * BENCH_MAX_TUPLES_PER_BLOCK % query->tuple_count;
    size_t turn = query->tuple_count == 1 ? 1 : BENCH_MAX_TUPLES_PER_BLOCK;
    size_t offset = (size_t)slice->number * query->tuples_per_block;
    char name[32];

    bench_statement_name(run, query, name);
    do {
        for (size_t i = 0; i < query->tuples_per_block; i++) {
            uint64_t took_ns;
            const char *const *tuple = query->tuples[first + (offset + i) % turn];
            if (!execute(run, query, part->arm, name, tuple, &took_ns, err))
                return false;
            histogram_record(part->slice, took_ns);
        }
    } while (!is_over(run, query, start_ns, part->slice->total));
    return true;
}

/* The two processes wait for each other, so that mostly one of them can wait for a CPU; but a woken
 * one may be counted before the other sleeps: the work itself is the least. */
static struct bench_cut
cut_of(const struct bench_session *session, const struct histogram *latency, uint64_t lasted_ns,
       const struct bench_cpu before[2])
{
    struct bench_cpu server = bench_cpu_of(session);
    struct bench_cpu us = bench_cpu_of_us();
    struct bench_cut cut = {.median_ns = histogram_percentile(latency, 0.5)};
    double executions = (double)latency->total;
    double waited_ns =
        (double)(server.waited_ns - before[0].waited_ns + us.waited_ns - before[1].waited_ns);

    if (server.ran_ns <= before[0].ran_ns)
        return cut;
    cut.cpu_ns = (double)(server.ran_ns - before[0].ran_ns) / executions;
    cut.net_ns = ((double)lasted_ns - waited_ns) / executions;
    if (cut.net_ns < cut.cpu_ns)
        cut.net_ns = cut.cpu_ns;
    return cut;
}

/* False: the run cannot go on. */
static bool
run_slice(struct bench_run *run, struct bench_query *query, struct bench_slice *slice,
          struct part *part, struct error *err)
{
    struct bench_session *session = &run->sessions[part->arm];
    const struct bench_cpu before[2] = {bench_cpu_of(session), bench_cpu_of_us()};
    struct bench_cut *cut = part->is_again ? &slice->again[part->arm] : &slice->arms[part->arm];

    error_clear(err);
    histogram_clear(part->slice);
    uint64_t start_ns = bench_clock_ns();
    bench_sampler_watch(run->sampler, (int)part->arm);
    bool is_run = run_rounds(run, query, slice, part, err);
    bench_sampler_watch(run->sampler, -1);
    if (is_run)
        *cut = cut_of(session, part->slice, bench_clock_ns() - start_ns, before);
    histogram_merge(part->all, part->slice, 1);
    part->cpu_ns += (double)(bench_cpu_of(session).ran_ns - before[0].ran_ns);
    part->has_failed = !is_run;
    return is_run || bench_count_error(run, query, part->arm, err);
}

/* What a pair adds to the query. */
static void
keep_part(struct bench_run *run, struct bench_query *query, struct bench_pair *pair,
          const struct part *part)
{
    struct bench_side *side = &query->sides[part->arm];
    uint64_t executions = part->all->total;

    if (executions == 0)
        return;
    uint64_t median_ns = histogram_percentile(part->all, 0.5);
    if (part->is_again) {
        if (part->arm == BENCH_AFTER)
            pair->again_ns = part->has_failed ? 0 : median_ns;
        return;
    }
    uint64_t weight = WEIGHT / executions;
    if (side->latency == NULL)
        side->latency = histogram_new(run->arena);
    histogram_merge(side->latency, part->all, weight == 0 ? 1 : weight);
    side->executions += executions;
    side->cpu_ns += part->cpu_ns;
    pair->executions[part->arm] = executions;
    pair->median_ns[part->arm] = part->has_failed ? 0 : median_ns;
}

static void
log_pair(struct bench_run *run, const struct bench_query *query, const struct bench_pair *pair,
         const struct part parts[PARTS])
{
    AUTO_TEXT medians = {0};
    char median[32];

    for (size_t i = 0; i < PARTS; i++) {
        const struct histogram *all = parts[i].all;
        if (all->total > 0)
            text_appendf(&medians, "%s %s%s %s of %" PRIu64, medians.length == 0 ? " medians" : ",",
                         run->sessions[parts[i].arm].label, parts[i].is_again ? " again" : "",
                         bench_duration(median, histogram_percentile(all, 0.5)), all->total);
    }
    bench_log(run, "%s: pair %d:%s", query->query->name, pair->number, text_chars(&medians));
}

/* One arm, the other, and with an A/A run the other again and the one again. */
static bool
run_turn(struct bench_run *run, struct bench_query *query, struct bench_slice *slice,
         enum bench_arm_number first, struct part parts[PARTS], struct error *err)
{
    size_t second = first == BENCH_BEFORE ? BENCH_AFTER : BENCH_BEFORE;
    size_t order[PARTS] = {first, second, AGAIN + second, AGAIN + first};
    size_t count = run->options->has_noise_run ? PARTS : AGAIN;

    for (size_t i = 0; i < count; i++) {
        struct part *part = &parts[order[i]];
        if (!part->has_failed && !run_slice(run, query, slice, part, err))
            return false;
    }
    error_clear(err);
    return true;
}

/* False: the run cannot go on; what was measured until then counts. */
static bool
run_turns(struct bench_run *run, struct bench_query *query, struct bench_pair *pair,
          struct part parts[PARTS], struct error *err)
{
    struct bench_slice slices[BENCH_BLOCK_SLICES] = {0};
    int number = 0;
    bool is_whole = true;

    while (is_whole && number < query->slice_count) {
        struct bench_slice *slice = &slices[number];
        *slice = (struct bench_slice){.pair = pair->number, .number = number};
        bool is_before = (pair->first == BENCH_BEFORE) == (number % 2 == 0);
        is_whole = run_turn(run, query, slice, is_before ? BENCH_BEFORE : BENCH_AFTER, parts, err);
        number++;
    }
    bench_sum_slices(slices, (size_t)number, pair);
    query->slices += (size_t)number;
    return is_whole;
}

static bool
checkpoint_both(struct bench_run *run, struct bench_query *query, struct error *err)
{
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_session *session = &run->sessions[arm];
        error_clear(err);
        if (!bench_checkpoint(session->connection, &session->checkpoint_lsn, err) &&
            !bench_count_error(run, query, arm, err))
            return false;
    }
    error_clear(err);
    return true;
}

bool
bench_run_pair(struct bench_run *run, struct bench_query *query, int number, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_pair pair = {.number = number};
    size_t count = query->pairs.count;
    struct part parts[PARTS] = {
        {.arm = BENCH_BEFORE}, {.arm = BENCH_AFTER}, {.arm = BENCH_AFTER, .is_again = true}};

    if (bench_is_given_up(query))
        return true;
    bench_progress(run, "pair %d of %d: %s", number, run->options->pairs, query->query->name);
    if (!checkpoint_both(run, query, err))
        return false;
    /* Random, but each second pair the other way round than the one before: neither arm is first
     * more often. */
    pair.first =
        count % 2 == 1 ? !query->pairs.items[count - 1].first : random_below(&run->random, 2) == 1;
    for (size_t i = 0; i < PARTS; i++)
        parts[i] = (struct part){.arm = (enum bench_arm_number)(i % BENCH_ARMS),
                                 .is_again = i >= AGAIN,
                                 .all = histogram_new(scratch),
                                 .slice = histogram_new(scratch)};
    bench_to_same_cpu(run, number);
    bool is_whole = run_turns(run, query, &pair, parts, err);
    bench_to_any_cpu(run);
    for (size_t i = 0; i < PARTS; i++)
        keep_part(run, query, &pair, &parts[i]);
    log_pair(run, query, &pair, parts);
    *LIST_ADD(run->arena, &query->pairs) = pair;
    return is_whole;
}
