/* What goes on beside the measuring: what the server's sessions wait for, each 20 ms, and what the
 * machine does, each second. A thread of its own takes it down from bench_sampler_start to
 * bench_sampler_stop; only then the samples may be read. */
#pragma once
#include "bench/suite.h"
#include "pg/connection.h"

struct bench_wait {
    const char *type, *event; /* as in pg_stat_activity; "CPU", "" : none, it runs */
    uint64_t count[BENCH_ARMS];
};

enum bench_wait_kind { WAIT_CPU, WAIT_IO, WAIT_LOCK, WAIT_LWLOCK, WAIT_OTHER, WAIT_KINDS };

struct bench_moment {                  /* one second */
    double at_s;                       /* its end, since the start */
    double busy, iowait, steal;        /* shares of all CPUs' time */
    double read_bytes, written_bytes;  /* of all disks */
    double received_bytes, sent_bytes; /* of the network, loopback left out */
    double memory_available_bytes;
    double load;                          /* 1-minute load average */
    double waits[BENCH_ARMS][WAIT_KINDS]; /* sessions at a time, on average */
};

struct bench_samples {
    LIST_OF(struct bench_moment) moments;
    LIST_OF(struct bench_wait) waits; /* the most frequent first */
    uint64_t looks[BENCH_ARMS];       /* times that a server was looked at while it was measured */
    uint64_t other_sessions[BENCH_ARMS]; /* sum of those of other programs that were active then */
    double busy, steal;                  /* means over the run */
    double others;                       /* share of all CPUs' time that went to processes that have
                                          * nothing to do with the benchmark; < 0: not known */
};

struct bench_sampler;
/* Connects to both arms; one that cannot be watched is left out. */
bool bench_sampler_start(struct arena *arena, const struct pg_target targets[BENCH_ARMS],
                         uint64_t start_ns, struct bench_sampler **ret_sampler,
                         struct error *err) MUST_CHECK;
/* Which server is being measured from now on; -1: none. Any thread. */
void bench_sampler_watch(struct bench_sampler *sampler, int arm);
/* Ends the thread. Samples are copied into the arena of the start. */
void bench_sampler_stop(struct bench_sampler *sampler, struct bench_samples *ret_samples);
