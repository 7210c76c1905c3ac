/* How the two servers are reached. Encryption and TCP cost a server some 20 us a statement: where
 * only one of them has it, a key lookup there looks half as fast. Inside of bench/. */
#pragma once
#include "bench/run.h"

/* Finds out how, and where it is not the same way for both, goes by both servers' Unix sockets if
 * it can: on this machine, where the same login is let in. Says in the results what came of it. */
bool bench_align_transports(struct bench_run *run, struct bench_options *options,
                            struct error *err) MUST_CHECK;
