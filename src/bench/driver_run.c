// SPDX-License-Identifier: MIT
#include "bench/driver_run.h"

#include "base/interrupt.h"
#include "base/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum { DRAIN_MS = 10000, CANCEL_MS = 5000 };
static const uint64_t second_ns = 1000000000;

/* --- one request -------------------------------------------------------------------------- */

static void
watch_output(struct bench_driver *driver, size_t number, bool is_wanted)
{
    struct epoll_event event = {.events = is_wanted ? EPOLLIN | EPOLLOUT : EPOLLIN,
                                .data.u32 = (uint32_t)number};

    epoll_ctl(driver->poller, EPOLL_CTL_MOD, PQsocket(driver->lanes[number].connection), &event);
}

static void
make_idle(struct bench_driver *driver, size_t number, uint64_t now_ns)
{
    struct bench_lane *lane = &driver->lanes[number];

    lane->is_busy = false;
    lane->idle_ns = now_ns;
    driver->busy_count--;
    driver->idle[driver->idle_count++] = (uint32_t)number;
}

static void
count_failure(struct bench_driver *driver, struct bench_lane *lane, const char *sqlstate,
              const char *message, uint64_t now_ns)
{
    struct bench_load *load = driver->load;

    if (!lane->is_cancelled) { /* else it is counted among the unanswered */
        bench_load_fault(load, sqlstate, message)->errors++;
        load->classes.items[lane->request.class_number].errors++;
        load->errors++;
    }
    driver->second_errors++;
    if (driver->source->done != NULL)
        driver->source->done(driver->source->context, &lane->request, NULL, now_ns);
}

static void
lose(struct bench_driver *driver, size_t number, uint64_t now_ns)
{
    struct bench_lane *lane = &driver->lanes[number];
    const char *message = PQerrorMessage(lane->connection);

    if (lane->is_busy) {
        driver->busy_count--;
        count_failure(driver, lane, "08006", message, now_ns);
    }
    for (size_t i = 0; i < driver->idle_count; i++) {
        if (driver->idle[i] == number)
            driver->idle[i--] = driver->idle[--driver->idle_count];
    }
    if (driver->is_ring)
        bench_ring_submit(driver); /* what is asked for by this descriptor, before another has it */
    PQclear(lane->result);
    PQfinish(lane->connection);
    *lane = (struct bench_lane){0};
    if (driver->mend_ns > now_ns)
        driver->mend_ns = now_ns;
}

/* False: the connection is lost. */
static bool
send_request(struct bench_driver *driver, size_t number)
{
    struct bench_lane *lane = &driver->lanes[number];
    size_t statement = lane->request.statement;

    lane->is_wire = driver->is_wire && lane->is_plain;
    if (lane->is_wire)
        return bench_wire_send(driver, number);
    if (PQsendQueryPrepared(lane->connection, driver->names[statement],
                            driver->options.statements[statement].parameter_count,
                            lane->request.values, NULL, NULL, 0) != 1)
        return false;
    int left = PQflush(lane->connection);
    if (left > 0)
        watch_output(driver, number, true);
    return left >= 0;
}

static void
dispatch(struct bench_driver *driver, uint64_t now_ns)
{
    size_t number = driver->idle[--driver->idle_count];
    struct bench_lane *lane = &driver->lanes[number];

    driver->source->take(driver->source->context, now_ns, &lane->request);
    uint64_t due_ns = lane->request.due_ns;
    uint64_t could_ns = due_ns > lane->idle_ns ? due_ns : lane->idle_ns;
    lane->is_busy = true;
    lane->is_cancelled = false;
    lane->tries = 1;
    driver->busy_count++;
    lane->sent_ns = bench_clock_ns();
    histogram_record(driver->load->late, lane->sent_ns > could_ns ? lane->sent_ns - could_ns : 0);
    if (!send_request(driver, number))
        lose(driver, number, lane->sent_ns);
}

static bool
is_retried(const struct bench_driver *driver, const struct bench_lane *lane, const char *sqlstate)
{
    return lane->tries < driver->options.tries && !lane->is_cancelled &&
           (strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0);
}

/* The whole answer is here; sqlstate NULL: no error. */
static void
finish(struct bench_driver *driver, size_t number, const char *sqlstate, const char *message)
{
    struct bench_lane *lane = &driver->lanes[number];
    struct bench_class_load *class = &driver->load->classes.items[lane->request.class_number];
    AUTO_PGRESULT result = lane->result;
    uint64_t now_ns = bench_clock_ns();

    lane->result = NULL;
    if (sqlstate != NULL && is_retried(driver, lane, sqlstate)) {
        lane->tries++;
        class->retries++;
        bench_load_fault(driver->load, sqlstate, message)->retries++;
        if (!send_request(driver, number))
            lose(driver, number, now_ns);
        return;
    }
    if (sqlstate != NULL || lane->is_cancelled) {
        count_failure(driver, lane, sqlstate, message, now_ns);
    } else {
        uint64_t response_ns = now_ns - lane->request.due_ns;
        histogram_record(class->response, response_ns);
        histogram_record(class->service, now_ns - lane->sent_ns);
        histogram_record(driver->second, response_ns);
        class->done++;
        driver->load->done++;
        driver->load->done_after += now_ns > driver->end_ns;
        if (driver->source->done != NULL)
            driver->source->done(driver->source->context, &lane->request, result, now_ns);
    }
    make_idle(driver, number, now_ns);
}

static void
take_result(struct bench_driver *driver, size_t number, enum bench_wire_result result)
{
    struct bench_lane *lane = &driver->lanes[number];
    const char *sqlstate = NULL;
    const char *message = NULL;

    if (result == BENCH_WIRE_LOST || (result == BENCH_WIRE_DONE && !lane->is_busy)) {
        lose(driver, number, bench_clock_ns());
    } else if (result == BENCH_WIRE_DONE) {
        bench_wire_fault(lane, &sqlstate, &message);
        finish(driver, number, sqlstate, message);
    }
}

static void
read_answer(struct bench_driver *driver, size_t number, uint32_t events)
{
    struct bench_lane *lane = &driver->lanes[number];

    if (lane->connection == NULL)
        return;
    if (lane->is_wire) {
        take_result(driver, number, bench_wire_receive(driver, lane));
        return;
    }
    if ((events & EPOLLOUT) != 0 && PQflush(lane->connection) == 0)
        watch_output(driver, number, false);
    if (PQconsumeInput(lane->connection) == 0) {
        lose(driver, number, bench_clock_ns());
        return;
    }
    while (lane->is_busy && PQisBusy(lane->connection) == 0) {
        PGresult *result = PQgetResult(lane->connection);
        if (result == NULL) {
            finish(driver, number, PQresultErrorField(lane->result, PG_DIAG_SQLSTATE),
                   PQresultErrorField(lane->result, PG_DIAG_MESSAGE_PRIMARY));
            return;
        }
        PQclear(lane->result);
        lane->result = result;
    }
}

/* Makes lost connections anew; where that fails, again a second later. */
static bool
mend(struct bench_driver *driver, uint64_t now_ns, struct error *err)
{
    driver->mend_ns = BENCH_NEVER;
    if (driver->is_ring)
        bench_ring_submit(driver); /* connecting blocks */
    for (size_t i = 0; i < driver->lane_count; i++) {
        if (driver->lanes[i].connection != NULL)
            continue;
        if (bench_driver_mend(driver, i, err)) {
            driver->lanes[i].idle_ns = bench_clock_ns();
            driver->idle[driver->idle_count++] = (uint32_t)i;
            continue;
        }
        if (driver->idle_count + driver->busy_count == 0)
            return error_wrap(err, "all connections are lost");
        driver->mend_ns = now_ns + second_ns;
        break;
    }
    return true;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void
add_second(struct bench_driver *driver, uint64_t span_ns)
{
    const struct histogram *responses = driver->second;

    *LIST_ADD(driver->load->arena, &driver->load->seconds) = (struct bench_second){
        .at_ns = driver->second_ns,
        .span_ns = span_ns,
        .done = responses->total,
        .errors = driver->second_errors,
        .p50_ns = histogram_percentile(responses, 0.5),
        .p95_ns = histogram_percentile(responses, 0.95),
        .p99_ns = histogram_percentile(responses, 0.99),
        .max_ns = responses->max_ns,
    };
    histogram_clear(driver->second);
    driver->second_errors = 0;
    driver->second_ns += span_ns;
}

static bool
wait_for_ring(struct bench_driver *driver, uint64_t left_ns)
{
    for (size_t left = bench_ring_wait(driver, left_ns); left > 0; left--) {
        uint32_t number;
        enum bench_wire_result result = bench_ring_take(driver, &number);
        if (number == UINT32_MAX)
            return false;
        take_result(driver, number, result);
    }
    return !is_interrupted() && driver->ring_fault == 0;
}

/* Until something happens or until until_ns; false: interrupted, or ring_fault. */
static bool
wait_for_events(struct bench_driver *driver, uint64_t now_ns, uint64_t until_ns)
{
    const struct epoll_event *events = driver->events;
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    if (driver->is_ring)
        return wait_for_ring(driver, left_ns);
    struct timespec left = {.tv_sec = (time_t)(left_ns / second_ns),
                            .tv_nsec = (long)(left_ns % second_ns)};

    int count = epoll_pwait2(driver->poller, driver->events, BENCH_EVENTS, &left, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == UINT32_MAX)
            return false;
        read_answer(driver, events[i].data.u32, events[i].events);
    }
    return !is_interrupted();
}

/* Cancels what is still under way, so that the next run finds idle connections. is_whole: the time
 * to drain is over; else the run was broken off, which says nothing of how long it takes. */
static void
cancel_rest(struct bench_driver *driver, bool is_whole)
{
    char ignored[256];
    uint64_t limit_ns = bench_clock_ns() + CANCEL_MS * UINT64_C(1000000);

    for (size_t i = 0; i < driver->lane_count; i++) {
        struct bench_lane *lane = &driver->lanes[i];
        if (lane->connection == NULL || !lane->is_busy)
            continue;
        if (is_whole)
            bench_load_unanswered(driver->load, &lane->request, lane->sent_ns, bench_clock_ns());
        else
            driver->load->unfinished++;
        lane->is_cancelled = true;
        PGcancel *cancel = PQgetCancel(lane->connection);
        if (cancel != NULL)
            PQcancel(cancel, ignored, sizeof(ignored));
        PQfreeCancel(cancel);
    }
    for (uint64_t now_ns = bench_clock_ns();
         driver->busy_count > 0 && driver->ring_fault == 0 && now_ns < limit_ns;
         now_ns = bench_clock_ns())
        wait_for_events(driver, now_ns, limit_ns);
    for (size_t i = 0; i < driver->lane_count; i++) {
        if (driver->lanes[i].is_busy)
            lose(driver, i, limit_ns);
    }
}

/* Requests that were due and that no connection came to. */
static void
count_unsent(struct bench_driver *driver, uint64_t until_ns)
{
    const struct bench_source *source = driver->source;
    struct bench_request request;

    while (source->due(source->context, driver->end_ns) < driver->end_ns) {
        source->take(source->context, driver->end_ns, &request);
        bench_load_unanswered(driver->load, &request, 0, until_ns);
    }
}

static bool
stop_error(const struct bench_driver *driver, struct error *err)
{
    errno = driver->ring_fault;
    return driver->ring_fault == 0 ? interrupt_error(err)
                                   : error_errno(err, "io_uring takes no more requests");
}

static bool
loop(struct bench_driver *driver, struct error *err)
{
    const struct bench_source *source = driver->source;
    int drain_ms = driver->options.drain_ms > 0 ? driver->options.drain_ms : DRAIN_MS;
    uint64_t limit_ns = driver->end_ns + (uint64_t)drain_ms * 1000000;

    for (;;) {
        uint64_t now_ns = bench_clock_ns();
        while (now_ns >= driver->second_ns + second_ns)
            add_second(driver, second_ns);
        if (now_ns >= driver->mend_ns && !mend(driver, now_ns, err))
            return false;
        uint64_t due_ns = source->due(source->context, now_ns);
        if ((due_ns == BENCH_NEVER && driver->busy_count == 0) || now_ns >= limit_ns)
            return true;
        if (due_ns <= now_ns && driver->idle_count > 0) {
            do
                dispatch(driver, now_ns);
            while (driver->idle_count > 0 && source->due(source->context, now_ns) <= now_ns);
            continue;
        }
        uint64_t until_ns = driver->second_ns + second_ns;
        if (driver->idle_count > 0 && due_ns < until_ns)
            until_ns = due_ns;
        if (!wait_for_events(driver, now_ns, until_ns < limit_ns ? until_ns : limit_ns))
            return stop_error(driver, err);
    }
}

static uint64_t
time_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * second_ns + (uint64_t)time.tv_usec * 1000;
}

/* All connections are idle, and told of. */
static bool
begin(struct bench_driver *driver, uint64_t start_ns, struct error *err)
{
    bool are_plain = true;

    for (size_t i = 0; i < driver->lane_count; i++)
        are_plain = are_plain && (driver->lanes[i].connection == NULL || driver->lanes[i].is_plain);
    driver->is_ring = driver->is_wire && are_plain && bench_ring_start(driver);
    driver->idle_count = driver->busy_count = 0;
    driver->mend_ns = BENCH_NEVER;
    for (size_t i = 0; i < driver->lane_count; i++) {
        struct bench_lane *lane = &driver->lanes[i];
        lane->idle_ns = start_ns;
        lane->is_wire = driver->is_wire && lane->is_plain;
        if (lane->connection == NULL)
            driver->mend_ns = start_ns;
        else if (!bench_driver_watch(driver, i))
            return error_errno(err, "cannot watch a connection");
        else
            driver->idle[driver->idle_count++] = (uint32_t)i;
    }
    return true;
}

static void
end(struct bench_driver *driver)
{
    if (driver->is_ring)
        bench_ring_stop(driver);
    for (size_t i = 0; i < driver->lane_count; i++) {
        const struct bench_lane *lane = &driver->lanes[i];
        if (!driver->is_ring && lane->connection != NULL)
            (void)epoll_ctl(driver->poller, EPOLL_CTL_DEL, lane->descriptor, NULL);
    }
}

bool
bench_driver_run(struct bench_driver *driver, const struct bench_source *source,
                 uint64_t duration_ns, struct bench_load *load, struct error *err)
{
    struct rusage before, after;
    struct machine_ticks ticks_before = machine_read_ticks();

    driver->source = source;
    driver->load = load;
    driver->is_wire = source->done == NULL;
    if (!begin(driver, bench_clock_ns(), err)) {
        end(driver);
        return false;
    }
    uint64_t start_ns = bench_clock_ns();
    driver->end_ns = start_ns + duration_ns;
    driver->second_ns = start_ns;
    driver->second_errors = 0;
    histogram_clear(driver->second);
    source->start(source->context, start_ns, driver->end_ns);
    getrusage(RUSAGE_THREAD, &before);
    bool is_whole = loop(driver, err);
    getrusage(RUSAGE_THREAD, &after);
    uint64_t stop_ns = bench_clock_ns();
    struct machine_ticks ticks_after = machine_read_ticks();
    load->wall_ns += stop_ns - start_ns;
    load->schedule_ns += stop_ns - start_ns < duration_ns ? stop_ns - start_ns : duration_ns;
    load->ticks += ticks_after.total - ticks_before.total;
    load->stolen_ticks += ticks_after.steal - ticks_before.steal;
    if (stop_ns > driver->second_ns)
        add_second(driver, stop_ns - driver->second_ns);
    load->user_ns += time_ns(after.ru_utime) - time_ns(before.ru_utime);
    load->system_ns += time_ns(after.ru_stime) - time_ns(before.ru_stime);
    cancel_rest(driver, is_whole);
    end(driver);
    if (is_whole)
        count_unsent(driver, stop_ns);
    return is_whole;
}
