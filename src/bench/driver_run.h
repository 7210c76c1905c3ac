/* Inside of the driver: its connections and what one run keeps.
 *
 * A run whose rows nobody reads goes past libpq (driver_wire.c), and where the kernel allows it by
 * io_uring (driver_ring.c): what a round sends goes out in the one system call that waits for the
 * answers. Encrypted connections, and runs whose rows somebody reads, go by libpq and epoll.
 * The ring belongs to the thread that made it, as the driver's first run: all runs are that one's.
 */
#pragma once
#include "bench/driver.h"
#include "wire/message.h"
#include "workload/query.h"
#include <sys/epoll.h>

enum { BENCH_EVENTS = 256, BENCH_RING_BYTES = 512 };

struct bench_lane {
    PGconn *connection; /* NULL: lost */
    bool is_busy, is_cancelled;
    bool is_plain; /* not encrypted: can go past libpq */
    bool is_wire;  /* the request under way does */
    int tries;
    uint64_t idle_ns; /* since when */
    uint64_t sent_ns;
    struct bench_request request;
    PGresult *result; /* so far */

    /* Past libpq: how far the answer has come. */
    int descriptor;
    uint8_t header[WIRE_HEADER_BYTES];
    size_t header_count, body_left;
    size_t fault_length;
    uint8_t fault[1024]; /* of an ErrorResponse, as much as fits */

    uint32_t life;                     /* a later connection in its place has another one */
    uint8_t message[BENCH_RING_BYTES]; /* on its way by io_uring */
};

struct bench_wire_prefix {
    uint8_t *bytes;
    size_t count;
};

struct bench_ring;

struct bench_driver {
    struct arena *arena;
    struct bench_driver_options options;
    const char **names; /* of the prepared statements */
    struct bench_lane *lanes;
    size_t lane_count;
    uint32_t *idle; /* numbers of idle lanes; the last one is taken next */
    size_t idle_count, busy_count;
    int poller;
    bool is_wire; /* nobody reads the rows of this run */
    bool is_ring; /* this run goes by io_uring */
    bool has_no_ring;
    int ring_fault; /* errno of a request that the kernel did not take: the run ends; 0: none */
    struct bench_ring *ring; /* NULL: not made yet, or has_no_ring */
    uint8_t *output, *input;
    size_t output_room;
    struct bench_wire_prefix *prefixes; /* of each statement */
    struct epoll_event *events;

    const struct bench_source *source;
    struct bench_load *load;
    uint64_t end_ns;
    uint64_t second_ns; /* begin of the second that is counted now */
    uint64_t second_errors;
    uint64_t mend_ns;         /* when a lost connection is made anew; BENCH_NEVER: none is lost */
    struct histogram *second; /* responses within it */
};

/* driver.c */
bool bench_driver_mend(struct bench_driver *driver, size_t number, struct error *err) MUST_CHECK;

/* Tells of what comes from it, until the run's end. */
bool bench_driver_watch(struct bench_driver *driver, size_t number) MUST_CHECK;

/* driver_wire.c */
enum bench_wire_result { BENCH_WIRE_FINE, BENCH_WIRE_DONE, BENCH_WIRE_LOST };
void bench_wire_init(struct bench_driver *driver, struct arena *arena);
bool bench_wire_is_usable(PGconn *connection);
/* False: the connection is lost. */
bool bench_wire_send(struct bench_driver *driver, size_t number);
/* Reads what is here. BENCH_WIRE_DONE: the whole answer. */
enum bench_wire_result bench_wire_receive(struct bench_driver *driver, struct bench_lane *lane);
/* Walks through what came; BENCH_WIRE_DONE with ReadyForQuery. */
enum bench_wire_result bench_wire_walk(struct bench_lane *lane, const uint8_t *bytes, size_t count);
/* Whether the answer was an error, and which. */
bool bench_wire_fault(const struct bench_lane *lane, const char **ret_sqlstate,
                      const char **ret_message);

/* driver_ring.c */
/* For one run. False: without io_uring, then. */
bool bench_ring_start(struct bench_driver *driver) MUST_CHECK;
void bench_ring_receive(struct bench_driver *driver, size_t number);
/* At most BENCH_RING_BYTES, which go out with the next wait or submit. */
void bench_ring_send(struct bench_driver *driver, size_t number, const void *bytes, size_t count);
/* Before what blocks or closes: what was asked for goes out now. Sets ring_fault. */
void bench_ring_submit(struct bench_driver *driver);
/* Returns how many answers there are to take; sets ring_fault. */
size_t bench_ring_wait(struct bench_driver *driver, uint64_t left_ns);
/* One of them, and whose it is; UINT32_MAX: a signal. */
enum bench_wire_result bench_ring_take(struct bench_driver *driver, uint32_t *ret_number);
/* The run is over: what comes from now on stays in the sockets. */
void bench_ring_stop(struct bench_driver *driver);
void bench_ring_close(struct bench_driver *driver);

/* load.c */
struct bench_fault_count *
bench_load_fault(struct bench_load *load, const char *sqlstate, const char *message);
