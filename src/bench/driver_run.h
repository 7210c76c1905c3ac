/* Inside of the driver: its connections and what one run keeps. */
#pragma once
#include "bench/driver.h"
#include "wire/message.h"
#include "workload/query.h"
#include <sys/epoll.h>

enum { BENCH_EVENTS = 256 };

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
};

struct bench_wire_prefix {
    uint8_t *bytes;
    size_t count;
};

struct bench_driver {
    struct bench_driver_options options;
    const char **names; /* of the prepared statements */
    struct bench_lane *lanes;
    size_t lane_count;
    uint32_t *idle; /* numbers of idle lanes; the last one is taken next */
    size_t idle_count, busy_count;
    int poller;
    bool is_wire; /* nobody reads the rows of this run */
    uint8_t *output, *input;
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

/* driver_wire.c */
enum bench_wire_result { BENCH_WIRE_FINE, BENCH_WIRE_DONE, BENCH_WIRE_LOST, BENCH_WIRE_TOO_LONG };
void bench_wire_init(struct bench_driver *driver, struct arena *arena);
bool bench_wire_is_usable(PGconn *connection);
/* BENCH_WIRE_TOO_LONG: not sent; libpq can do it. */
enum bench_wire_result bench_wire_send(struct bench_driver *driver, struct bench_lane *lane);
/* Reads what is here. BENCH_WIRE_DONE: the whole answer. */
enum bench_wire_result bench_wire_receive(struct bench_driver *driver, struct bench_lane *lane);
/* Whether the answer was an error, and which. */
bool bench_wire_fault(const struct bench_lane *lane, const char **ret_sqlstate,
                      const char **ret_message);

/* load.c */
struct bench_fault_count *
bench_load_fault(struct bench_load *load, const char *sqlstate, const char *message);
