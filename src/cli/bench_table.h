/* The table at the end of a benchmark; for pgdeck bench and pgdeck demo. */
#pragma once
#include "bench/bench.h"
#include "cli/command.h"

/* Prints query, medians before and after, times faster with its interval, p95 after and whether
 * the target is met, then the sums, to stdout. */
void cli_print_bench(const struct cli *cli, const struct bench_results *results);
