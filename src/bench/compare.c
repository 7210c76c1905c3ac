// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "bench/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FLOAT4 = 700, FLOAT8 = 701 }; /* pg_type.dat */

/* Rows of a result whatever their order: the sum of their hashes. */
struct digest {
    int rows;
    uint64_t sum;
};

static void
hash_cell(XXH64_state_t *state, const PGresult *rows, int row, int column)
{
    char rounded[64];
    Oid type = PQftype(rows, column);
    const char *value = PQgetvalue(rows, row, column);

    if (PQgetisnull(rows, row, column)) {
        XXH64_update(state, "n", 1);
        return;
    }
    /* A sum of floating-point numbers in another order has other last digits. */
    if (type == FLOAT4 || type == FLOAT8) {
        snprintf(rounded, sizeof(rounded), type == FLOAT4 ? "%.5g" : "%.11g", strtod(value, NULL));
        value = rounded;
    }
    XXH64_update(state, value, strlen(value) + 1);
}

static struct digest
digest(const PGresult *rows)
{
    struct digest digest = {.rows = PQntuples(rows)};
    XXH64_state_t *state = XXH64_createState();

    for (int row = 0; state != NULL && row < digest.rows; row++) {
        XXH64_reset(state, 0);
        for (int column = 0; column < PQnfields(rows); column++)
            hash_cell(state, rows, row, column);
        digest.sum += XXH64_digest(state);
    }
    XXH64_freeState(state);
    return digest;
}

/* Runs a tuple on both arms at once. False when the run must end; ret_is_answered: both did. */
static bool
run_on_both(struct bench_run *run, struct bench_query *query, const char *const *tuple,
            struct digest digests[BENCH_ARMS], bool *ret_is_answered, struct error *err)
{
    char name[32];
    bool is_sent[BENCH_ARMS] = {false};
    int count = (int)query->query->parameters.count;

    *ret_is_answered = true;
    bench_statement_name(run, query, name);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct error fault = {0};
        is_sent[arm] = pg_send_prepared(run->sessions[arm].connection, name, count, tuple, &fault);
        if (!is_sent[arm] && !bench_count_error(run, query, arm, &fault)) {
            *err = fault;
            return false;
        }
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        AUTO_PGRESULT rows = NULL;
        struct error fault = {0};
        if (is_sent[arm] && pg_receive(run->sessions[arm].connection, &rows, &fault)) {
            digests[arm] = digest(rows);
            continue;
        }
        *ret_is_answered = false;
        if (is_sent[arm] && !bench_count_error(run, query, arm, &fault)) {
            *err = fault;
            return false;
        }
    }
    return true;
}

static void
note_difference(struct bench_query *query, const struct digest digests[BENCH_ARMS])
{
    bool is_same_count = digests[0].rows == digests[1].rows;
    enum bench_equality found = BENCH_OTHER_ROWS;

    if (is_same_count)
        found = digests[0].sum == digests[1].sum ? BENCH_EQUAL : BENCH_OTHER_VALUES;
    if (query->compared++ == 0 || found > query->equality) {
        query->equality = found;
        for (size_t arm = 0; arm < BENCH_ARMS; arm++)
            query->rows[arm] = digests[arm].rows;
    }
    query->differing += found != BENCH_EQUAL;
}

/* Compares one tuple. A query over a moving time window can differ because the two statements did
 * not begin in the same microsecond: it gets a few tries to be equal. */
static bool
compare_tuple(struct bench_run *run, struct bench_query *query, size_t number, struct error *err)
{
    enum { TRIES = 3 };
    struct digest digests[BENCH_ARMS];
    bool is_answered = false;

    for (int try = 0; try < TRIES; try++) {
        if (!run_on_both(run, query, query->tuples[number], digests, &is_answered, err))
            return false;
        if (!is_answered || bench_is_given_up(query))
            return true;
        if (digests[0].rows == digests[1].rows && digests[0].sum == digests[1].sum)
            break;
    }
    note_difference(query, digests);
    return true;
}

/* The tuple to compare as number: one of each pair's first, then of each pair's second ones. */
static size_t
spread(const struct bench_query *query, size_t number)
{
    size_t blocks = query->tuple_count / BENCH_MAX_TUPLES_PER_BLOCK;

    if (blocks == 0)
        return number;
    return number % blocks * BENCH_MAX_TUPLES_PER_BLOCK + number / blocks;
}

/* How a block is cut up: fastest_ns is how long one tuple takes, on the slower server. */
static void
cut_blocks(const struct bench_run *run, struct bench_query *query, uint64_t fastest_ns)
{
    uint64_t block_ns = (uint64_t)run->options->block_ms * 1000000;
    uint64_t slice_ns = fastest_ns * BENCH_SLICE_EXECUTIONS;

    if (slice_ns < (uint64_t)BENCH_SLICE_MS * 1000000)
        slice_ns = (uint64_t)BENCH_SLICE_MS * 1000000;
    uint64_t slices = block_ns / slice_ns;
    slices = slices < 1 ? 1 : slices > BENCH_BLOCK_SLICES ? BENCH_BLOCK_SLICES : slices;
    uint64_t fitting = fastest_ns == 0 ? 1 : block_ns / slices / fastest_ns;
    if (query->tuple_count == 1 || fitting < 1)
        fitting = 1;
    query->slice_count = (int)slices;
    query->tuples_per_block =
        fitting > BENCH_MAX_TUPLES_PER_BLOCK ? BENCH_MAX_TUPLES_PER_BLOCK : (size_t)fitting;
}

/* One execution on both servers at once says little of how long it takes: something else may have
 * held it up. A query with few tuples is run some more times; the least counts. */
static bool
find_fastest(struct bench_run *run, struct bench_query *query, uint64_t limit_ns,
             uint64_t *fastest_ns, struct error *err)
{
    enum { EXECUTIONS = 20 };
    struct digest ignored[BENCH_ARMS];
    bool is_answered = query->compared > 0;

    for (size_t i = query->compared; i < EXECUTIONS && is_answered; i++) {
        uint64_t before_ns = bench_clock_ns();
        if (before_ns > limit_ns || bench_is_given_up(query))
            break;
        const char *const *tuple = query->tuples[spread(query, i % query->compared)];
        if (!run_on_both(run, query, tuple, ignored, &is_answered, err))
            return false;
        uint64_t took_ns = bench_clock_ns() - before_ns;
        if (is_answered && took_ns < *fastest_ns)
            *fastest_ns = took_ns;
    }
    return true;
}

bool
bench_compare(struct bench_run *run, struct bench_query *query, struct error *err)
{
    uint64_t budget_ns = (uint64_t)run->options->block_ms * 2000000;
    uint64_t start_ns = bench_clock_ns();
    uint64_t fastest_ns = 0;

    for (size_t i = 0; i < query->tuple_count && !bench_is_given_up(query); i++) {
        uint64_t before_ns = bench_clock_ns();
        if (!compare_tuple(run, query, spread(query, i), err))
            return false;
        uint64_t now_ns = bench_clock_ns();
        if (fastest_ns == 0 || now_ns - before_ns < fastest_ns)
            fastest_ns = now_ns - before_ns;
        if (now_ns - start_ns > budget_ns)
            break;
    }
    if (!find_fastest(run, query, start_ns + budget_ns / 2, &fastest_ns, err))
        return false;
    cut_blocks(run, query, fastest_ns);
    bench_log(run, "%s: compared %zu of %zu tuples, %zu differ; blocks of %d slices, %zu in each",
              query->query->name, query->compared, query->tuple_count, query->differing,
              query->slice_count, query->tuples_per_block);
    return true;
}
