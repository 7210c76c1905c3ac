// SPDX-License-Identifier: MIT
#include "bench/driver_run.h"

#include "base/interrupt.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const uint32_t interrupted = UINT32_MAX;

/* --- connections ---------------------------------------------------------------------------- */

static bool
prepare(struct bench_driver *driver, PGconn *connection, struct error *err)
{
    const struct bench_driver_options *options = &driver->options;

    AUTO_PGRESULT ignored = NULL;

    if (options->session_sql != NULL &&
        !pg_query(connection, options->session_sql, options->session_parameter != NULL,
                  &options->session_parameter, &ignored, err))
        return false;
    for (size_t i = 0; i < options->statement_count; i++) {
        const struct bench_statement *statement = &options->statements[i];
        int position;
        if (pg_prepare(connection, driver->names[i], statement->sql, statement->parameter_count,
                       statement->types, &position, err))
            continue;
        error_wrap(err, "statement \"%s\"", statement->name);
        if (statement->place.file == NULL)
            return false;
        return error_place(err, workload_place(statement->place, statement->sql, position));
    }
    if (PQsetnonblocking(connection, 1) != 0)
        return pg_fault(connection, NULL, err);
    return true;
}

static bool
watch(struct bench_driver *driver, int operation, int descriptor, uint32_t events, uint32_t number)
{
    struct epoll_event event = {.events = events, .data.u32 = number};

    return epoll_ctl(driver->poller, operation, descriptor, &event) == 0;
}

static void
take_descriptor(struct bench_lane *lane)
{
    lane->descriptor = PQsocket(lane->connection);
    lane->is_plain = bench_wire_is_usable(lane->connection);
}

bool
bench_driver_watch(struct bench_driver *driver, size_t number)
{
    if (!driver->is_ring)
        return watch(driver, EPOLL_CTL_ADD, driver->lanes[number].descriptor, EPOLLIN,
                     (uint32_t)number);
    bench_ring_receive(driver, number);
    return true;
}

static bool
connect_lanes(struct bench_driver *driver, struct error *err)
{
    size_t count = driver->lane_count;
    AUTO_ARENA scratch = arena_new();
    struct pg_target *targets = ARENA_ARRAY(scratch, struct pg_target, count);
    PGconn **connections = ARENA_ARRAY(scratch, PGconn *, count);
    struct error *faults = ARENA_ARRAY(scratch, struct error, count);

    for (size_t i = 0; i < count; i++)
        targets[i] = driver->options.target;
    if (!pg_connect_all(targets, count, &(struct pg_connecting){0}, connections, faults, err))
        return false;
    for (size_t i = 0; i < count; i++)
        driver->lanes[i].connection = connections[i];
    for (size_t i = 0; i < count; i++) {
        if (connections[i] == NULL) {
            *err = faults[i];
            return error_wrap(err, "connection %zu of %zu", i + 1, count);
        }
        if (!prepare(driver, connections[i], err))
            return false;
        take_descriptor(&driver->lanes[i]);
    }
    return true;
}

/* A new connection in place of a lost one; it blocks meanwhile. */
bool
bench_driver_mend(struct bench_driver *driver, size_t number, struct error *err)
{
    struct bench_lane *lane = &driver->lanes[number];

    if (!pg_connect(&driver->options.target, &lane->connection, err))
        return false;
    take_descriptor(lane);
    if (driver->is_ring && !lane->is_plain)
        error_set(err, ERROR_UNREACHABLE, "the new connection is encrypted, unlike the others");
    else if (prepare(driver, lane->connection, err) && bench_driver_watch(driver, number))
        return true;
    PQfinish(lane->connection);
    lane->connection = NULL;
    return false;
}

bool
bench_driver_open(struct arena *arena, const struct bench_driver_options *options,
                  struct bench_driver **ret_driver, struct error *err)
{
    struct bench_driver *driver = ARENA_NEW(arena, struct bench_driver);

    driver->arena = arena;
    driver->options = *options;
    driver->lane_count = (size_t)options->connections;
    driver->lanes = ARENA_ARRAY(arena, struct bench_lane, driver->lane_count);
    driver->idle = ARENA_ARRAY(arena, uint32_t, driver->lane_count);
    driver->second = histogram_new(arena);
    driver->events = ARENA_ARRAY(arena, struct epoll_event, BENCH_EVENTS);
    driver->names = ARENA_ARRAY(arena, const char *, options->statement_count + 1);
    for (size_t i = 0; i < options->statement_count; i++)
        driver->names[i] = arena_printf(arena, "bench_%zu", i);
    bench_wire_init(driver, arena);
    driver->poller = epoll_create1(EPOLL_CLOEXEC);
    if (driver->poller < 0)
        return error_errno(err, "cannot make an event loop");
    if (interrupt_descriptor() >= 0 &&
        !watch(driver, EPOLL_CTL_ADD, interrupt_descriptor(), EPOLLIN, interrupted))
        error_errno(err, "cannot watch for Ctrl-C");
    else if (connect_lanes(driver, err)) {
        *ret_driver = driver;
        return true;
    }
    bench_driver_close(driver);
    return false;
}

void
bench_driver_close(struct bench_driver *driver)
{
    if (driver == NULL)
        return;
    for (size_t i = 0; i < driver->lane_count; i++)
        PQfinish(driver->lanes[i].connection);
    bench_ring_close(driver);
    close(driver->poller);
    memset(driver, 0, sizeof(*driver));
}

bool
bench_driver_has_ring(const struct bench_driver *driver)
{
    return driver->is_ring;
}

size_t
bench_driver_processes(const struct bench_driver *driver, int *processes, size_t count)
{
    size_t found = 0;

    for (size_t i = 0; i < driver->lane_count && found < count; i++) {
        if (driver->lanes[i].connection != NULL)
            processes[found++] = PQbackendPID(driver->lanes[i].connection);
    }
    return found;
}
