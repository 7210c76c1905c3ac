/* pgdeck bench list, bench compare and the gate: what earlier runs say. */
#pragma once
#include "bench/history.h"
#include "cli/command.h"

/* The runs below folder, one a line. */
bool cli_bench_list(struct cli *cli, const char *folder);
/* Each work of two runs, older and newer, side by side; with gates their judgement. */
bool cli_bench_compare(struct cli *cli, const char *older, const char *newer,
                       const struct cli_list *gates, struct error *err) MUST_CHECK;
/* Prints what is over the gates. False with ERROR_GATE when something is. */
bool cli_bench_gate(struct cli *cli, const struct bench_record *older,
                    const struct bench_record *newer, const struct cli_list *gates,
                    struct error *err) MUST_CHECK;
/* Whether all of them can be read. */
bool
cli_bench_check_gates(struct cli *cli, const struct cli_list *gates, struct error *err) MUST_CHECK;
