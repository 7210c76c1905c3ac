/* The driver: sends requests to one server over many connections from one thread, and measures each
 * from the moment at which it was due (coordinated omission cannot hide a stall), the time since it
 * was sent beside it. What is due next is a source's matter: one schedule for the whole workload,
 * and any idle connection takes the next request. mix.h is a source of weighted statements, open or
 * closed loop; a state machine (a queue and its workers) is another.
 * One thread; results live in the arena given and grow by 80 bytes a second only. */
#pragma once
#include "base/arena.h"
#include "base/histogram.h"
#include "pg/connection.h"

enum { BENCH_VALUES_MAX = 64, BENCH_CONNECTIONS_MAX = 4096 };

/* Prepared on every connection before anything runs. */
struct bench_statement {
    const char *name; /* for people: errors */
    const char *sql;
    int parameter_count;
    const Oid *types;   /* NULL: the server finds them out */
    struct place place; /* of the first character of sql; no file: unknown */
};

/* One execution of one statement. */
struct bench_request {
    size_t class_number;       /* of the results */
    size_t statement;          /* of the driver's */
    uint64_t due_ns;           /* bench_clock_ns() */
    const char *const *values; /* text or NULL, one a parameter; stay until it is done */
    uint64_t tag;              /* the source's own */
};

/* What comes next. BENCH_NEVER as due time: nothing before another request is done; with none
 * under way, the run is over. */
#define BENCH_NEVER UINT64_MAX
struct bench_source {
    void *context;
    /* A run begins: the first request is due at start_ns or later, none after end_ns. */
    void (*start)(void *context, uint64_t start_ns, uint64_t end_ns);
    /* When the next request is due: may be long past, or ahead. */
    uint64_t (*due)(void *context, uint64_t now_ns);
    /* That request: it is due and a connection is idle. */
    void (*take)(void *context, uint64_t now_ns, struct bench_request *ret_request);
    /* A request has its answer, or has failed for good: result NULL. done itself NULL: nobody reads
     * the rows, and the driver may throw them away where they arrive. */
    void (*done)(void *context, const struct bench_request *request, const PGresult *result,
                 uint64_t done_ns);
};

struct bench_driver_options {
    struct pg_target target;
    int connections;
    const struct bench_statement *statements;
    size_t statement_count;
    const char *session_sql;       /* run on each connection first; NULL: none */
    const char *session_parameter; /* its $1; NULL: it has none */
    int tries;                     /* of a request that fails with 40001 or 40P01; 0: 1 */
    int drain_ms;  /* how long after the end what was due before is still waited for; 0: 10 s */
    bool is_epoll; /* not by io_uring, as where the kernel does not allow it */
};

struct bench_class_load {
    const char *name;
    uint64_t done; /* without error */
    uint64_t errors, retries;
    struct histogram *response;   /* from due to done, of what was done without error; and of what
                                   * had no answer until the time to drain was over, until then */
    struct histogram *service;    /* from sent; as response, but without what was never sent */
    uint64_t least_unanswered_ns; /* from there on response is a lower bound; 0: all answered */
};

struct bench_fault_count {
    char sqlstate[6];  /* "08006" for a lost connection */
    uint64_t errors;   /* requests that failed with it for good */
    uint64_t retries;  /* times that a request was tried again for it */
    char message[256]; /* the first one's */
};

/* What one second saw, all classes together; responses in nanoseconds. */
struct bench_second {
    uint64_t at_ns;   /* bench_clock_ns() at its begin */
    uint64_t span_ns; /* the last one of a run is shorter */
    uint64_t done, errors;
    uint64_t p50_ns, p95_ns, p99_ns, max_ns;
};

/* Results; run after run adds to them. */
struct bench_load {
    struct arena *arena;
    LIST_OF(struct bench_class_load) classes;
    LIST_OF(struct bench_fault_count) faults;
    LIST_OF(struct bench_second) seconds;
    uint64_t wall_ns;            /* from the first request's due time to the last answer */
    uint64_t schedule_ns;        /* of that without the time to drain */
    uint64_t done_after;         /* of done: answered after the schedule's end */
    uint64_t unfinished;         /* due, but not done when the time to drain was over */
    uint64_t done, errors;       /* sums over the classes */
    uint64_t user_ns, system_ns; /* CPU of the driver's thread */
    double ticks, stolen_ticks;  /* of all CPUs meanwhile; stolen: by the hypervisor */
    struct histogram *late; /* from when it was due and a connection idle until it was sent: the
                             * driver's own fault */
};

struct bench_load *
bench_load_new(struct arena *arena, const char *const *class_names, size_t class_count);
/* The least of both, neither of which counts when 0. */
void bench_note_unanswered(uint64_t *least_ns, uint64_t waited_ns);
/* A request without answer until until_ns: it waited at least so long. sent_ns 0: never sent. */
void bench_load_unanswered(struct bench_load *load, const struct bench_request *request,
                           uint64_t sent_ns, uint64_t until_ns);
/* Adds from into `into`; both have the same classes. Seconds are appended. */
void bench_load_merge(struct bench_load *into, const struct bench_load *from);
/* Empty again, memory kept. */
void bench_load_clear(struct bench_load *load);
/* Why the driver or its machine may have been the limit ("the driver used 83 % of a CPU", ...);
 * NULL: it was not.
 * Times the driver took itself are then in the responses. */
const char *bench_load_limit(const struct bench_load *load, struct arena *arena);

struct bench_driver;
/* Connects and prepares. A statement that the server refuses: ERROR_SQL with its place. */
bool bench_driver_open(struct arena *arena, const struct bench_driver_options *options,
                       struct bench_driver **ret_driver, struct error *err) MUST_CHECK;
/* Runs the source for duration_ns and then drains. False when it could not go on (no connection
 * left, ERROR_INTERRUPTED): load has what was measured until then. */
bool bench_driver_run(struct bench_driver *driver, const struct bench_source *source,
                      uint64_t duration_ns, struct bench_load *load, struct error *err) MUST_CHECK;
/* Whether the last run went by io_uring. */
bool bench_driver_has_ring(const struct bench_driver *driver);
/* Server processes of the connections, for who reads their CPU time; at most count. */
size_t bench_driver_processes(const struct bench_driver *driver, int *processes, size_t count);
void bench_driver_close(struct bench_driver *driver);

uint64_t bench_clock_ns(void); /* monotonic */
