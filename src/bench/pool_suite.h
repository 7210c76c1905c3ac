/* Inside of bench/: what a pool is worth. The same requests at the same rate go to the server
 * itself, each client by a connection of its own, and through `pgdeck pool`, which the suite
 * starts. */
#pragma once
#include "bench/cost.h"
#include "bench/mix.h"
#include "bench/run.h"
#include <sys/types.h>

enum { POOL_SIZES = 5, POOL_FULL_SIZE = 4 };
extern const int pool_sizes[POOL_SIZES];

/* A pool of our own, one of each size to the same database. */
struct pool_process {
    pid_t pid;            /* 0: none */
    const char *folder;   /* its files; NULL: none */
    const char *conninfo; /* for its clients */
};

/* pool_process.c: starts it for the database and the user of server; ready when it returns. */
bool pool_process_start(struct arena *arena, PGconn *server, struct pool_process *process,
                        struct error *err) MUST_CHECK;
void pool_process_stop(struct pool_process *process);
/* The name of the pool with so many server connections; size 0: the one to be exhausted. */
const char *pool_process_database(struct arena *arena, int size);

/* One way to the server. */
struct pool_way {
    int size; /* server connections; */
    struct pg_target target;
    struct bench_driver *driver;
    struct bench_load *load; /* of all blocks */
    LIST_OF(struct bench_block) blocks;
    double p95_ratio; /* to direct's, median of the rounds */
    bool is_equal;    /* p95 as without the pool */
    struct bench_cost cost;
    double pool_cpu_ns; /* of the pool itself */
};

struct pool_suite {
    struct bench_run *run;
    struct bench_suite *suite;
    PGconn *control;
    struct pool_process process;
    int clients, slots; /* slots: that the server has for us and others */
    bool is_ours;       /* the database is pgdeck's own */
    double rate;
    struct bench_mix *mix;
    struct pool_way direct, pooled[POOL_SIZES];
    struct histogram *connect[BENCH_ARMS];
    LIST_OF(struct bench_block) connects;
    struct bench_load *full[BENCH_ARMS]; /* many more clients than slots; NULL: not tried */
    int full_clients, refused;           /* by the server itself */
    struct error refusal;
};

/* p95 of the way's blocks by that of direct's in the same round, the median; 0: none. */
double
pool_p95_ratio(struct arena *arena, const struct pool_way *way, const struct pool_way *direct);

/* pool_summary.c: works and tables. */
void pool_summarize(struct pool_suite *suite);
