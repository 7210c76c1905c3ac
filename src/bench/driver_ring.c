// SPDX-License-Identifier: MIT
/* Requests and answers by io_uring: each connection has one receive that goes on (multishot) into
 * buffers that all share, and what a round sends goes out in the system call that waits for the
 * answers. What is asked for belongs to one run; the ring stays. */
#include "bench/driver_run.h"

#include "base/interrupt.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum {
    SUBMISSIONS = 512,
    COMPLETIONS = 4 * BENCH_CONNECTIONS_MAX,
    BUFFERS = 128, /* a power of two */
    BUFFER_BYTES = 8192,
    SHARED_BYTES = BUFFERS * sizeof(struct io_uring_buf),
    SUBMIT_ROUNDS = 1000,
    STOP_ROUNDS = 1000,
};

enum request { OTHER, RECEIVE, SEND, SIGNAL };

struct bench_ring {
    struct io_uring ring;
    struct io_uring_buf_ring *shared;
    uint8_t *buffers;
    size_t going_on; /* receives, and the look for a signal */
    uint32_t lives;
    struct io_uring_sqe nowhere; /* for what the kernel does not take */
};

/* --- what is asked for ---------------------------------------------------------------------- */

static void
note_fault(struct bench_driver *driver, int result)
{
    if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN && result != -EBUSY)
        driver->ring_fault = -result;
}

void
bench_ring_submit(struct bench_driver *driver)
{
    note_fault(driver, io_uring_submit(&driver->ring->ring));
}

static struct io_uring_sqe *
new_request(struct bench_driver *driver)
{
    struct bench_ring *ring = driver->ring;

    for (int i = 0; i < SUBMIT_ROUNDS && driver->ring_fault == 0; i++) {
        struct io_uring_sqe *request = io_uring_get_sqe(&ring->ring);
        if (request != NULL)
            return request;
        bench_ring_submit(driver);
    }
    if (driver->ring_fault == 0)
        driver->ring_fault = EBUSY;
    return &ring->nowhere;
}

static void
mark(struct io_uring_sqe *request, enum request kind, size_t number, uint32_t life)
{
    io_uring_sqe_set_data64(request, (uint64_t)life << 32 | (uint64_t)number << 2 | kind);
}

static void
receive(struct bench_driver *driver, size_t number)
{
    struct bench_lane *lane = &driver->lanes[number];
    struct io_uring_sqe *request = new_request(driver);

    io_uring_prep_recv_multishot(request, lane->descriptor, NULL, 0, 0);
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = 0;
    mark(request, RECEIVE, number, lane->life);
    driver->ring->going_on++;
}

void
bench_ring_receive(struct bench_driver *driver, size_t number)
{
    driver->lanes[number].life = ++driver->ring->lives;
    receive(driver, number);
}

void
bench_ring_send(struct bench_driver *driver, size_t number, const void *bytes, size_t count)
{
    struct bench_lane *lane = &driver->lanes[number];
    struct io_uring_sqe *request = new_request(driver);

    memcpy(lane->message, bytes, count);
    io_uring_prep_send(request, lane->descriptor, lane->message, count, MSG_NOSIGNAL | MSG_WAITALL);
    request->flags |= IOSQE_CQE_SKIP_SUCCESS;
    mark(request, SEND, number, lane->life);
}

/* --- what comes ------------------------------------------------------------------------------ */

static void
wait_at_most(struct bench_driver *driver, uint64_t left_ns)
{
    const uint64_t second_ns = 1000000000;
    struct __kernel_timespec left = {.tv_sec = (long long)(left_ns / second_ns),
                                     .tv_nsec = (long long)(left_ns % second_ns)};
    struct io_uring_cqe *ignored;

    note_fault(driver,
               io_uring_submit_and_wait_timeout(&driver->ring->ring, &ignored, 1, &left, NULL));
}

size_t
bench_ring_wait(struct bench_driver *driver, uint64_t left_ns)
{
    wait_at_most(driver, left_ns);
    return io_uring_cq_ready(&driver->ring->ring);
}

static void
give_back(struct bench_ring *ring, unsigned buffer)
{
    io_uring_buf_ring_add(ring->shared, ring->buffers + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(ring->shared, 1);
}

static enum bench_wire_result
take_received(struct bench_driver *driver, const struct io_uring_cqe *answer, size_t number,
              bool is_current)
{
    struct bench_ring *ring = driver->ring;
    enum bench_wire_result result = BENCH_WIRE_FINE;
    bool has_ended = (answer->flags & IORING_CQE_F_MORE) == 0;

    ring->going_on -= has_ended;
    if ((answer->flags & IORING_CQE_F_BUFFER) != 0) {
        unsigned buffer = answer->flags >> IORING_CQE_BUFFER_SHIFT;
        if (is_current && answer->res > 0)
            result =
                bench_wire_walk(&driver->lanes[number],
                                ring->buffers + (size_t)buffer * BUFFER_BYTES, (size_t)answer->res);
        give_back(ring, buffer);
    }
    if (!is_current || !has_ended || result == BENCH_WIRE_LOST)
        return result;
    if (answer->res <= 0 && answer->res != -ENOBUFS)
        return BENCH_WIRE_LOST;
    receive(driver, number);
    return result;
}

enum bench_wire_result
bench_ring_take(struct bench_driver *driver, uint32_t *ret_number)
{
    struct bench_ring *ring = driver->ring;
    enum bench_wire_result result = BENCH_WIRE_FINE;
    struct io_uring_cqe *answer;

    *ret_number = 0;
    if (io_uring_peek_cqe(&ring->ring, &answer) != 0)
        return BENCH_WIRE_FINE;
    enum request kind = (enum request)(answer->user_data & 3);
    uint32_t number = (uint32_t)answer->user_data >> 2;
    uint32_t life = (uint32_t)(answer->user_data >> 32);
    bool is_current = number < driver->lane_count && driver->lanes[number].life == life;
    if (kind == RECEIVE) {
        *ret_number = number;
        result = take_received(driver, answer, number, is_current);
    } else if (kind == SEND && is_current) { /* told only where it failed */
        *ret_number = number;
        result = BENCH_WIRE_LOST;
    } else if (kind == SIGNAL) {
        *ret_number = UINT32_MAX;
        ring->going_on--;
    }
    io_uring_cqe_seen(&ring->ring, answer);
    return result;
}

/* --- the ring -------------------------------------------------------------------------------- */

static bool
share_buffers(struct bench_driver *driver)
{
    struct bench_ring *ring = driver->ring;
    const int flags = MAP_ANONYMOUS | MAP_PRIVATE;
    /* cppcheck-suppress invalidFunctionArg ; -1: of no file */
    void *place = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (place == MAP_FAILED)
        return false;
    ring->shared = place;
    struct io_uring_buf_reg group = {.ring_addr = (uintptr_t)place, .ring_entries = BUFFERS};
    if (io_uring_register_buf_ring(&ring->ring, &group, 0) != 0)
        return false;
    ring->buffers = ARENA_ARRAY(driver->arena, uint8_t, (size_t)BUFFERS * BUFFER_BYTES);
    io_uring_buf_ring_init(ring->shared);
    for (unsigned i = 0; i < BUFFERS; i++)
        give_back(ring, i);
    return true;
}

void
bench_ring_close(struct bench_driver *driver)
{
    struct bench_ring *ring = driver->ring;

    if (ring == NULL)
        return;
    io_uring_queue_exit(&ring->ring);
    if (ring->shared != NULL)
        munmap(ring->shared, SHARED_BYTES);
    driver->ring = NULL;
}

/* Older kernels, and containers that forbid it, have no io_uring. */
static bool
make(struct bench_driver *driver)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                                              IORING_SETUP_SUBMIT_ALL,
                                     .cq_entries = COMPLETIONS};
    struct bench_ring *ring = ARENA_NEW(driver->arena, struct bench_ring);

    if (io_uring_queue_init_params(SUBMISSIONS, &ring->ring, &params) != 0)
        return false;
    driver->ring = ring;
    if (share_buffers(driver))
        return true;
    bench_ring_close(driver);
    return false;
}

bool
bench_ring_start(struct bench_driver *driver)
{
    if (driver->ring == NULL && !driver->has_no_ring)
        driver->has_no_ring = driver->options.is_epoll || !make(driver);
    if (driver->has_no_ring)
        return false;
    if (interrupt_descriptor() < 0)
        return true;
    struct io_uring_sqe *request = new_request(driver);
    io_uring_prep_poll_add(request, interrupt_descriptor(), POLLIN);
    mark(request, SIGNAL, 0, 0);
    driver->ring->going_on++;
    return true;
}

void
bench_ring_stop(struct bench_driver *driver)
{
    struct bench_ring *ring = driver->ring;
    struct io_uring_sqe *request = new_request(driver);
    uint32_t ignored;

    for (size_t i = 0; i < driver->lane_count; i++)
        driver->lanes[i].life = 0; /* nothing of this run is anybody's any more */
    io_uring_prep_cancel64(request, 0, IORING_ASYNC_CANCEL_ANY);
    mark(request, OTHER, 0, 0);
    for (int i = 0; i < STOP_ROUNDS && ring->going_on > 0 && driver->ring_fault == 0; i++) {
        for (size_t left = bench_ring_wait(driver, 1000000); left > 0; left--)
            (void)bench_ring_take(driver, &ignored);
    }
    if (ring->going_on > 0 || driver->ring_fault != 0)
        bench_ring_close(driver);
    driver->ring_fault = 0;
}
