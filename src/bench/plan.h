/* A query's plan as the server explains it, read into a flat list of nodes. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <stddef.h>

struct bench_plan_node {
    int depth;                     /* 0: the root */
    const char *title;             /* "Index Scan using i on t" */
    LIST_OF(const char *) details; /* "Filter: ..." */
    double rows_planned;
    double rows, time_ms; /* per execution of the query, all loops; < 0: not measured */
    double loops;
    double buffers; /* pages touched, children included; < 0: not measured */
};

struct bench_plan {
    LIST_OF(struct bench_plan_node) nodes; /* parents first; empty: no plan */
    bool is_measured;                      /* EXPLAIN ANALYZE */
    bool has_workers;                      /* parallel */
    double planning_ms, execution_ms;      /* < 0: not measured */
    double buffers;                        /* pages touched by the query; < 0: not measured */
    double wal_bytes, temp_bytes;          /* written by it; temp: at 8 kB a block; < 0: as above */
    LIST_OF(const char *)
    indexes;           /* that it reads, each once; indexes of partitions by the
                        * name of the partitioned index */
    const char *fault; /* why there is no plan; NULL: there is */
};

/* Reads the text of EXPLAIN (FORMAT JSON). indexes are as the plan names them. */
bool bench_plan_read(struct arena *arena, const char *json, struct bench_plan *ret_plan,
                     struct error *err) MUST_CHECK;
