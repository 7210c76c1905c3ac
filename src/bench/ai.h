/* Inside of bench/: the suite of AI tasks. Tasks are enqueued, claimed, run and completed on both
 * servers, and on the one after by other ways of claiming, too. Writes into ai_tasks, ai_task_queue
 * and ai_results, and removes what it wrote. */
#pragma once
#include "bench/cost.h"
#include "bench/queue.h"
#include "bench/run.h"

enum ai_case_number { AI_BEFORE, AI_BLOCKING, AI_SINGLE, AI_QUEUE, AI_CASES };
enum { AI_ROUNDS = 1000 };

/* A way of working: its statements, and how many tasks one of them takes. */
struct ai_way {
    const char *name, *what;
    const char *files[BENCH_QUEUE_STATEMENTS];
    int batch;
    const char *session; /* file that sets up a connection; NULL: none */
};

/* One way on one server. */
struct ai_case {
    const struct ai_way *way;
    enum bench_arm_number arm;
    const char *label;  /* of the server */
    PGconn *connection; /* to look and to clean up */
    bool is_ours;       /* the database is pgdeck's own */
    const char *last;   /* id of the last task before; NULL: nothing written yet */
    const char **projects, **users;
    size_t owner_count;
    struct bench_queue_floors floors;

    double rates[AI_ROUNDS]; /* jobs a second when tasks always wait, one of each round */
    size_t rate_count;
    struct bench_load *load;
    struct bench_queue_counts counts; /* of the life of tasks, summed */
    struct histogram *claim, *wait, *whole, *without_run;
    uint64_t tasks, lost, doubled; /* by SQL */
    uint64_t unfinished;           /* more came than were done in time */
    struct bench_meter meter;
    struct bench_cost cost; /* of the block that ran last, with the driver's */
    double driver_cpu_ns;
    int64_t private_bytes; /* of a connection's server process, mean; 0: not known */
};

/* Tasks that arrived while a snapshot was young, and old. */
struct ai_beside {
    struct histogram *claims; /* NULL: not measured */
    uint64_t tasks;
    double cpu_ns; /* of the server; < 0: not known */
};

struct ai_suite {
    struct bench_run *run;
    struct bench_suite *suite;
    struct ai_case cases[AI_CASES];
    double rate; /* of arrivals */
    struct ai_beside young, old;
    const char *rate_reason;
};

/* ai_place.c */
/* Connects and says whatever can be said before anything is written. */
bool ai_open_case(struct ai_suite *suite, struct ai_case *one, struct error *err) MUST_CHECK;
/* Also after Ctrl-C; removes what is left. */
void ai_close_case(struct ai_case *one);
/* Only the suite's tasks shall wait from now on. */
bool ai_put_aside(struct ai_suite *suite, struct ai_case *one, struct error *err) MUST_CHECK;
/* Tasks that wait. */
bool ai_fill(struct ai_suite *suite, struct ai_case *one, int count, struct error *err) MUST_CHECK;
/* Counts what became of the suite's tasks and removes them. is_drained: all had their time. */
bool ai_settle(struct ai_case *one, bool is_drained, struct error *err) MUST_CHECK;

/* ai_inserts.c: a table of the suite's. */
bool ai_measure_inserts(struct ai_suite *suite, struct error *err) MUST_CHECK;

/* ai.c */
/* On the disk of each server. */
int64_t ai_needed_megabytes(const struct bench_options *options);
double ai_median_rate(const struct ai_case *one);
/* ai_summary.c: the suite's tables. */
void ai_summarize(struct ai_suite *suite);
