/* A source for the driver: AI tasks from enqueue to done. Tasks arrive by an open-loop schedule;
 * workers claim them, hold each for its drawn run time and complete it. A worker is a state
 * machine: it has one statement under way at most, completes what has run, and claims as much as it
 * has room for. One whose connection breaks dies with all it holds; another takes its place. */
#pragma once
#include "base/random.h"
#include "bench/driver.h"

enum { BENCH_QUEUE_SLOTS = 64, BENCH_QUEUE_WORKERS = 256, BENCH_QUEUE_PRIORITIES = 10 };

/* How far workers have come in each priority, from run to run on one server: all zeros at first. A
 * claim looks only at places from the highest on that had been claimed 100 to 200 ms before, so
 * that an enqueue may take so long to commit; one a second looks at all: for later ones yet, and
 * leases that ended. */
struct bench_queue_floors {
    int64_t highest[BENCH_QUEUE_PRIORITIES]; /* place that was claimed */
    int64_t before[BENCH_QUEUE_PRIORITIES];  /* ... until turned_ns */
    int64_t floors[BENCH_QUEUE_PRIORITIES];  /* ... until the time before that */
    uint64_t turned_ns;                      /* 100 ms ago at most */
    uint64_t whole_ns;                       /* when a claim last looked at all */
};

/* The driver's statements: enqueue($1 project, $2 user, $3 name, $4 priority, $5 input),
 * claim($1 count, $2 worker, $3 lease seconds, $4 the lowest place to look at of each priority, 9
 * first) returning id, due_ns, run_us and, where $4 counts, priority and place, and
 * complete($1 ids, $2 worker, $3 milliseconds run) returning ids. */
enum bench_queue_statement { BENCH_ENQUEUE, BENCH_CLAIM, BENCH_COMPLETE, BENCH_QUEUE_STATEMENTS };

struct bench_queue_options {
    double rate;         /* tasks enqueued a second (Poisson); 0: none, what waits is worked off */
    int workers;         /* at most BENCH_QUEUE_WORKERS */
    int slots;           /* tasks that a worker can have running; at most BENCH_QUEUE_SLOTS */
    int batch;           /* tasks claimed and completed by one statement */
    double run_ms;       /* mean of the drawn run times (exponential); 0: none */
    int poll_ms;         /* after an empty claim */
    int lease_s;         /* after which what a dead worker held may be claimed again */
    uint64_t stop_after; /* end once so many are completed; 0: at the end of the run */
    bool has_drain;      /* go on after the end until all is done */
    const char *const *projects, *const *users; /* to enqueue for; drawn */
    size_t owner_count;
    struct bench_queue_floors *floors;
    uint64_t seed;
};

struct bench_queue_counts {
    uint64_t enqueued, claimed, completed;
    uint64_t claims, empty_claims;
    uint64_t refused;                /* completions of tasks that were no longer the worker's */
    uint64_t deaths;                 /* of workers */
    uint64_t first_ns, last_done_ns; /* start of the run; when the last was completed */
    double without_run_sum_ns;       /* of the times in without_run */
};

struct bench_queue;
/* Histograms in the arena; they and the counts grow from run to run. */
struct bench_queue *bench_queue_new(struct arena *arena, const struct bench_queue_options *options);
struct bench_source bench_queue_source(struct bench_queue *queue);

struct bench_queue_times {
    const struct histogram *claim; /* statements that brought tasks: due to done */
    const struct histogram *wait;  /* of a task: from when its enqueue was due until claimed */
    const struct histogram *whole; /* ... until completed */
    const struct histogram *without_run; /* that, less the drawn run time */
};
struct bench_queue_times bench_queue_times(const struct bench_queue *queue);
struct bench_queue_counts bench_queue_counts(const struct bench_queue *queue);
