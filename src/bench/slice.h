/* How the blocks of a query are cut up, and what its pair keeps of the slices. */
#pragma once
#include "bench/bench.h"

/* A block is cut into slices, in which the servers take turns: as many as there is room for in
 * block_ms with some executions each. A block ends with the round in which it has lasted block_ms
 * and made so many executions, or has lasted so many times block_ms; a slice with its part of
 * that. */
enum { BENCH_BLOCK_EXECUTIONS = 30, BENCH_BLOCK_STRETCH = 3, BENCH_BLOCK_SLICES = 10 };
enum { BENCH_SLICE_MS = 10, BENCH_SLICE_EXECUTIONS = BENCH_BLOCK_EXECUTIONS / BENCH_BLOCK_SLICES };
/* What one block of a slice says about an execution; 0: not known. */
struct bench_cut {
    uint64_t median_ns;
    double net_ns; /* mean, less what its processes waited for a CPU */
    double cpu_ns; /* of the server process, mean */
};

/* The shortest comparison: some executions on one arm, then on the other, and with an A/A run once
 * more in the opposite order, so that each arm has the same part of the time and of what drifts. */
struct bench_slice {
    int pair, number; /* of the pair: from 1; in it: from 0 */
    struct bench_cut arms[BENCH_ARMS], again[BENCH_ARMS];
};

/* Sets the pair's logarithms from its slices, at most BENCH_BLOCK_SLICES. */
void bench_sum_slices(const struct bench_slice *slices, size_t count, struct bench_pair *pair);
