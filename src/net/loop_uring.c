// SPDX-License-Identifier: MIT
/* The loop by io_uring: each socket has one receive that goes on (multishot) into buffers that all
 * share, so that nothing is asked for what comes; what is sent is copied and goes out with all the
 * rest of a round, in the system call that waits for the next one.
 *
 * A socket over which much comes would take the shared buffers from the others, and could not be
 * told to wait: such a one is *direct* for a while, that is, told of by a poll that goes on, and
 * read and written by calls of its own, as with epoll. */
#include "net/loop_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SUBMISSIONS = 1024,
    COMPLETIONS = 8192,
    BUFFERS = 128, /* a power of two */
    BUFFER_BYTES = 4096,
    NO_BUFFER = BUFFERS,
    OUT_BYTES = 16384, /* that wait or are on their way, of a socket */
    SPARE_OUTS = 64,
    DIRECT_BYTES = 8192, /* so much is sent at once, and not copied */
    FEW_SENDS = 3,
    END_ROUNDS = 1000,
    CALM_READS = 32, /* small ones, after which a direct socket is one no more */
};

enum request { RECEIVE, SEND, POLL, POLL_WRITE, REQUESTS }; /* in the low bits of user_data */

struct uring_socket {
    struct net_stream *stream; /* NULL: closed */
    struct uring_loop *loop;
    int descriptor;
    bool is_under_way[REQUESTS];
    bool is_connecting, is_direct;
    bool is_leaving; /* for another loop: nothing new is asked for */
    bool is_queued;  /* to be sent, see next */
    bool has_end;    /* nothing comes after what is held */
    int fault;       /* errno of what failed; 0: none */
    int calm_reads;
    unsigned first, last; /* of the buffers held; NO_BUFFER: none */
    unsigned offset;      /* within the first */
    size_t event;         /* its place in this round's events, and 1; 0: none */
    uint8_t *out;         /* OUT_BYTES; NULL: nothing to send */
    unsigned out_start, out_end;
    struct uring_socket *next; /* to be sent */
};

struct uring_loop {
    struct net_loop base; /* first */
    struct io_uring ring;
    bool has_ring;
    struct io_uring_buf_ring *shared;
    uint8_t *buffers;
    struct {
        unsigned next, count; /* a list: those that a socket holds */
    } held[BUFFERS];
    struct uring_socket *to_send;
    size_t to_send_count;
    uint8_t *spare_outs[SPARE_OUTS];
    size_t spare_count;
    struct net_event *events; /* of this round */
    size_t event_count, socket_count;
    bool is_watched[NET_WATCHES_MAX]; /* a poll is under way */
};

static struct io_uring_sqe *
new_request(struct uring_loop *loop)
{
    struct io_uring_sqe *request;

    while ((request = io_uring_get_sqe(&loop->ring)) == NULL)
        io_uring_submit(&loop->ring);
    return request;
}

static void
start(struct uring_socket *one, enum request kind, struct io_uring_sqe *request)
{
    one->is_under_way[kind] = true;
    io_uring_sqe_set_data64(request, (uintptr_t)one | kind);
}

static void
give_back(struct uring_loop *loop, unsigned buffer)
{
    io_uring_buf_ring_add(loop->shared, loop->buffers + (size_t)buffer * BUFFER_BYTES, BUFFER_BYTES,
                          (unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(loop->shared, 1);
}

static void
drop_out(struct uring_socket *one)
{
    struct uring_loop *loop = one->loop;

    if (one->out == NULL)
        return;
    if (loop->spare_count < SPARE_OUTS)
        loop->spare_outs[loop->spare_count++] = one->out;
    else
        free(one->out);
    one->out = NULL;
    one->out_start = one->out_end = 0;
}

/* --- requests ----------------------------------------------------------------------------- */

static void
start_receive(struct uring_socket *one)
{
    struct io_uring_sqe *request = new_request(one->loop);

    io_uring_prep_recv_multishot(request, one->descriptor, NULL, 0, 0);
    request->flags |= IOSQE_BUFFER_SELECT;
    request->buf_group = 0;
    start(one, RECEIVE, request);
}

static void
start_poll(struct uring_socket *one)
{
    struct io_uring_sqe *request = new_request(one->loop);

    io_uring_prep_poll_multishot(request, one->descriptor, POLLIN | POLLRDHUP);
    start(one, POLL, request);
}

static void
start_poll_write(struct uring_socket *one)
{
    if (one->is_under_way[POLL_WRITE])
        return;
    struct io_uring_sqe *request = new_request(one->loop);
    io_uring_prep_poll_add(request, one->descriptor, POLLOUT);
    start(one, POLL_WRITE, request);
}

static void
start_send(struct uring_socket *one)
{
    struct io_uring_sqe *request = new_request(one->loop);

    io_uring_prep_send(request, one->descriptor, one->out + one->out_start,
                       one->out_end - one->out_start, MSG_NOSIGNAL);
    start(one, SEND, request);
}

/* Its answer is of no interest; what it ends is told by its own. */
static void
cancel(struct uring_socket *one, enum request kind)
{
    if (!one->is_under_way[kind])
        return;
    struct io_uring_sqe *request = new_request(one->loop);
    io_uring_prep_cancel64(request, (uintptr_t)one | kind, 0);
    io_uring_sqe_set_data64(request, 0);
}

static void
queue(struct uring_socket *one)
{
    if (one->is_queued)
        return;
    one->is_queued = true;
    one->next = one->loop->to_send;
    one->loop->to_send = one;
    one->loop->to_send_count++;
}

/* --- sockets as streams ------------------------------------------------------------------- */

/* What the buffers hold: how much was copied. */
static size_t
take_held(struct uring_socket *one, uint8_t *bytes, size_t count)
{
    struct uring_loop *loop = one->loop;
    size_t taken = 0;

    while (one->first != NO_BUFFER && taken < count) {
        unsigned buffer = one->first;
        size_t there = loop->held[buffer].count - one->offset;
        size_t some = there < count - taken ? there : count - taken;
        memcpy(bytes + taken, loop->buffers + (size_t)buffer * BUFFER_BYTES + one->offset, some);
        taken += some;
        one->offset += (unsigned)some;
        if (some < there)
            break;
        one->first = loop->held[buffer].next;
        one->offset = 0;
        give_back(loop, buffer);
    }
    return taken;
}

/* A direct socket over which little comes is one no more. */
static void
calm_down(struct uring_socket *one, ssize_t got)
{
    if (got >= BUFFER_BYTES)
        one->calm_reads = 0;
    else if (got > 0 && ++one->calm_reads == CALM_READS)
        cancel(one, POLL);
}

static ssize_t
uring_receive(struct net_stream *stream, void *bytes, size_t count)
{
    struct uring_socket *one = stream->host;
    size_t taken = take_held(one, bytes, count);

    if (one->is_direct && !one->is_under_way[RECEIVE] && taken < count) {
        ssize_t got = recv(one->descriptor, (char *)bytes + taken, count - taken, MSG_DONTWAIT);
        calm_down(one, got);
        if (got >= 0 || taken == 0)
            return (ssize_t)taken + got;
    }
    if (taken > 0 || count == 0)
        return (ssize_t)taken;
    if (one->fault != 0) {
        errno = one->fault;
        return -1;
    }
    if (one->has_end)
        return 0;
    errno = EAGAIN;
    return -1;
}

static ssize_t
send_now(struct uring_socket *one, const void *bytes, size_t count)
{
    ssize_t sent = send(one->descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    int fault = errno;

    if (sent < (ssize_t)count && one->stream->wants_write)
        start_poll_write(one); /* told already, and to be told again */
    errno = fault;
    return sent;
}

static ssize_t
uring_send(struct net_stream *stream, const void *bytes, size_t count)
{
    struct uring_socket *one = stream->host;
    struct uring_loop *loop = one->loop;

    if (one->fault != 0) {
        errno = one->fault;
        return -1;
    }
    if (one->out == NULL && count >= DIRECT_BYTES)
        return send_now(one, bytes, count);
    if (one->out == NULL) {
        one->out =
            loop->spare_count > 0 ? loop->spare_outs[--loop->spare_count] : malloc(OUT_BYTES);
        if (one->out == NULL) {
            errno = ENOMEM;
            return -1;
        }
    }
    size_t room = OUT_BYTES - one->out_end;
    if (count > room)
        count = room;
    if (count == 0) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(one->out + one->out_end, bytes, count);
    one->out_end += (unsigned)count;
    queue(one);
    return (ssize_t)count;
}

static void
uring_want_write(struct net_stream *stream, bool is_wanted)
{
    struct uring_socket *one = stream->host;

    if (stream->wants_write == is_wanted)
        return;
    stream->wants_write = is_wanted;
    if (is_wanted && one->out == NULL) /* else the end of what is being sent tells */
        start_poll_write(one);
}

static bool
is_idle(const struct uring_socket *one)
{
    for (size_t kind = 0; kind < REQUESTS; kind++) {
        if (one->is_under_way[kind])
            return false;
    }
    return !one->is_queued;
}

static void
end(struct uring_socket *one)
{
    drop_out(one);
    close(one->descriptor);
    one->loop->socket_count--;
    free(one);
}

/* What was said last goes out if it can at once. */
static void
send_rest(struct uring_socket *one)
{
    if (one->out != NULL && one->fault == 0)
        (void)!send(one->descriptor, one->out + one->out_start, one->out_end - one->out_start,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    drop_out(one);
}

static void
drop_held(struct uring_socket *one)
{
    while (one->first != NO_BUFFER) {
        unsigned buffer = one->first;
        one->first = one->loop->held[buffer].next;
        give_back(one->loop, buffer);
    }
}

static void
uring_close(struct net_stream *stream)
{
    struct uring_socket *one = stream->host;

    stream->descriptor = -1;
    stream->host = NULL;
    one->stream = NULL;
    drop_held(one);
    if (!one->is_under_way[SEND])
        send_rest(one);
    for (enum request kind = 0; kind < REQUESTS; kind++)
        cancel(one, kind);
    if (is_idle(one))
        end(one);
}

static const struct net_transport uring_transport = {uring_receive, uring_send, uring_want_write,
                                                     uring_close};

static bool
add_stream(struct net_loop *base, int descriptor, bool is_connecting, struct net_stream *stream)
{
    struct uring_socket *one = calloc(1, sizeof(*one));

    if (one == NULL)
        return false;
    /* io_uring waits by itself for sockets that would; others it lets fail. */
    if (is_connecting && fcntl(descriptor, F_SETFL, 0) != 0) {
        free(one);
        return false;
    }
    *one = (struct uring_socket){.stream = stream,
                                 .loop = (struct uring_loop *)base,
                                 .descriptor = descriptor,
                                 .is_connecting = is_connecting,
                                 .first = NO_BUFFER};
    *stream = (struct net_stream){.transport = &uring_transport,
                                  .owner = stream->owner,
                                  .host = one,
                                  .descriptor = descriptor,
                                  .wants_write = is_connecting};
    one->loop->socket_count++;
    if (is_connecting)
        start_poll_write(one);
    else
        start_receive(one);
    return true;
}

/* --- answers ------------------------------------------------------------------------------ */

/* The event of this round for the socket's stream, which is made when there is none yet. */
static struct net_event *
event_of(struct uring_socket *one)
{
    struct uring_loop *loop = one->loop;

    if (one->event == 0) {
        loop->events[loop->event_count++] =
            (struct net_event){.kind = NET_STREAM, .stream = one->stream};
        one->event = loop->event_count;
    }
    return &loop->events[one->event - 1];
}

static void
tell_readable(struct uring_socket *one, bool has_ended)
{
    (void)event_of(one);
    one->stream->is_readable = true;
    one->stream->has_ended |= has_ended;
    one->stream->is_gone |= one->fault != 0;
}

static void
hold(struct uring_socket *one, unsigned buffer, unsigned count)
{
    struct uring_loop *loop = one->loop;

    loop->held[buffer].next = NO_BUFFER;
    loop->held[buffer].count = count;
    if (one->first == NO_BUFFER)
        one->first = buffer;
    else
        loop->held[one->last].next = buffer;
    one->last = buffer;
}

static void
take_receive(struct uring_socket *one, const struct io_uring_cqe *answer)
{
    bool goes_on = (answer->flags & IORING_CQE_F_MORE) != 0;
    unsigned buffer = answer->flags >> IORING_CQE_BUFFER_SHIFT;

    one->is_under_way[RECEIVE] = goes_on;
    if (one->stream == NULL) {
        if ((answer->flags & IORING_CQE_F_BUFFER) != 0)
            give_back(one->loop, buffer);
        return;
    }
    if (answer->res > 0) {
        hold(one, buffer, (unsigned)answer->res);
        tell_readable(one, false);
        if (answer->res == BUFFER_BYTES && !one->is_direct) {
            one->is_direct = true;
            one->calm_reads = 0;
            cancel(one, RECEIVE);
        }
    } else if (answer->res == 0) {
        one->has_end = true;
        tell_readable(one, true);
        return;
    } else if (answer->res == -ENOBUFS) {
        one->is_direct = true;
        one->calm_reads = 0;
    } else if (answer->res != -ECANCELED) {
        one->fault = -answer->res;
        tell_readable(one, true);
        return;
    }
    if (goes_on || one->is_leaving)
        return;
    if (one->is_direct)
        start_poll(one);
    else
        start_receive(one);
}

static void
take_send(struct uring_socket *one, int result)
{
    one->is_under_way[SEND] = false;
    if (result > 0)
        one->out_start += (unsigned)result;
    else if (result < 0 && result != -EINTR && one->fault == 0)
        one->fault = -result;
    if (one->stream == NULL) {
        send_rest(one);
        return;
    }
    if (one->out_start == one->out_end || one->fault != 0)
        drop_out(one);
    else
        queue(one);
    if (one->fault != 0)
        tell_readable(one, true);
    if (one->stream->wants_write)
        event_of(one)->is_writable = true;
}

static void
take_poll(struct uring_socket *one, const struct io_uring_cqe *answer)
{
    one->is_under_way[POLL] = (answer->flags & IORING_CQE_F_MORE) != 0;
    if (one->stream == NULL)
        return;
    if (answer->res > 0)
        tell_readable(one, (answer->res & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
    if (one->is_under_way[POLL] || one->is_leaving)
        return;
    if (one->calm_reads < CALM_READS) {
        start_poll(one);
        return;
    }
    one->is_direct = false;
    start_receive(one);
}

static void
take_poll_write(struct uring_socket *one, int result)
{
    one->is_under_way[POLL_WRITE] = false;
    if (one->stream == NULL)
        return;
    if (one->is_connecting) {
        socklen_t length = sizeof(one->fault);
        one->is_connecting = false;
        if ((result & (POLLERR | POLLHUP)) != 0)
            (void)getsockopt(one->descriptor, SOL_SOCKET, SO_ERROR, &one->fault, &length);
        if (one->fault == 0)
            start_receive(one);
        else
            tell_readable(one, true);
    }
    if (one->stream->wants_write)
        event_of(one)->is_writable = true;
}

static void
take_answer(struct uring_loop *loop, const struct io_uring_cqe *answer)
{
    void *pointer = (void *)(uintptr_t)(answer->user_data & ~(uint64_t)(REQUESTS - 1));

    if (net_loop_is_watch(&loop->base, pointer)) {
        const struct net_watch *watch = pointer;
        loop->is_watched[watch - loop->base.watches] = false;
        if (watch->descriptor >= 0 && answer->res > 0)
            loop->events[loop->event_count++] =
                (struct net_event){.kind = watch->kind, .descriptor = watch->descriptor};
        return;
    }
    struct uring_socket *one = pointer;
    switch ((enum request)(answer->user_data & (REQUESTS - 1))) {
    case RECEIVE:
        take_receive(one, answer);
        break;
    case SEND:
        take_send(one, answer->res);
        break;
    case POLL:
        take_poll(one, answer);
        break;
    case POLL_WRITE:
        take_poll_write(one, answer->res);
        break;
    case REQUESTS:
        break;
    }
    if (one->stream == NULL && is_idle(one))
        end(one);
    else if (one->is_leaving && one->out == NULL && is_idle(one))
        event_of(one)->has_left = true;
}

/* --- to another loop ---------------------------------------------------------------------- */

static bool
leave(struct net_stream *stream)
{
    struct uring_socket *one = stream->host;

    one->is_leaving = true;
    for (enum request kind = 0; kind < REQUESTS; kind++) {
        if (kind != SEND) /* what is said is said */
            cancel(one, kind);
    }
    if (!one->is_under_way[POLL_WRITE]) { /* so that there is an answer in any case */
        struct io_uring_sqe *request = new_request(one->loop);
        io_uring_prep_nop(request);
        start(one, POLL_WRITE, request);
    }
    return false;
}

static void
let_go(struct net_stream *stream)
{
    struct uring_socket *one = stream->host;

    drop_held(one);
    drop_out(one);
    one->loop->socket_count--;
    free(one);
}

/* --- the loop ----------------------------------------------------------------------------- */

/* Asked for anew each round: what was not taken yet is told again. */
static bool
watch(struct net_loop *base, struct net_watch *one)
{
    (void)base;
    (void)one;
    return true;
}

static void
poll_watches(struct uring_loop *loop)
{
    for (size_t i = 0; i < NET_WATCHES_MAX; i++) {
        struct net_watch *one = &loop->base.watches[i];
        if (one->descriptor < 0 || loop->is_watched[i])
            continue;
        struct io_uring_sqe *request = new_request(loop);
        io_uring_prep_poll_add(request, one->descriptor, POLLIN);
        io_uring_sqe_set_data(request, one);
        loop->is_watched[i] = true;
    }
}

/* By a call of its own: what the socket takes now. */
static void
send_directly(struct uring_socket *one)
{
    ssize_t sent = send(one->descriptor, one->out + one->out_start, one->out_end - one->out_start,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

    one->out_start += sent > 0 ? (unsigned)sent : 0;
    if (one->out_start == one->out_end && !one->stream->wants_write)
        drop_out(one);
    else
        start_send(one); /* what is left, or failed: its answer says so */
}

/* The answers to requests that send end the wait for others, so that a few cost less without. */
static void
send_all(struct uring_loop *loop)
{
    bool are_few = loop->to_send_count <= FEW_SENDS;

    while (loop->to_send != NULL) {
        struct uring_socket *one = loop->to_send;
        loop->to_send = one->next;
        one->is_queued = false;
        if (one->stream == NULL && is_idle(one))
            end(one);
        else if (one->stream == NULL || one->out == NULL || one->is_under_way[SEND])
            continue;
        else if (are_few && !one->is_leaving) /* whose last answer says that it has left */
            send_directly(one);
        else
            start_send(one);
    }
    loop->to_send_count = 0;
}

static size_t
wait_for_events(struct net_loop *base, int timeout_ms, struct net_event events[])
{
    struct uring_loop *loop = (struct uring_loop *)base;
    struct __kernel_timespec limit = {timeout_ms / 1000, (long long)timeout_ms % 1000 * 1000000};
    struct io_uring_cqe *answer;
    unsigned head, count = 0;

    poll_watches(loop);
    send_all(loop);
    (void)io_uring_submit_and_wait_timeout(&loop->ring, &answer, 1, &limit, NULL);
    loop->events = events;
    loop->event_count = 0;
    io_uring_for_each_cqe(&loop->ring, head, answer)
    {
        if (loop->event_count == NET_EVENTS_MAX)
            break;
        count++;
        if (answer->user_data != 0)
            take_answer(loop, answer);
    }
    io_uring_cq_advance(&loop->ring, count);
    for (size_t i = 0; i < loop->event_count; i++) {
        if (events[i].kind == NET_STREAM)
            ((struct uring_socket *)events[i].stream->host)->event = 0;
    }
    return loop->event_count;
}

/* Sockets that are closed end when the kernel has let go of them. */
static void
end_all(struct uring_loop *loop)
{
    struct net_event events[NET_EVENTS_MAX];
    struct io_uring_sqe *request = new_request(loop);

    for (size_t i = 0; i < NET_WATCHES_MAX; i++)
        loop->base.watches[i].descriptor = -1;
    io_uring_prep_cancel64(request, 0, IORING_ASYNC_CANCEL_ANY);
    io_uring_sqe_set_data64(request, 0);
    (void)wait_for_events(&loop->base, 1, events);
    for (int i = 0; i < END_ROUNDS && loop->socket_count > 0; i++)
        (void)wait_for_events(&loop->base, 1, events);
}

static void
release(struct net_loop *base)
{
    struct uring_loop *loop = (struct uring_loop *)base;

    if (loop->shared != NULL)
        end_all(loop);
    if (loop->has_ring)
        io_uring_queue_exit(&loop->ring);
    if (loop->shared != NULL)
        munmap(loop->shared, BUFFERS * sizeof(struct io_uring_buf));
    free(loop->buffers);
    while (loop->spare_count > 0)
        free(loop->spare_outs[--loop->spare_count]);
    free(loop);
}

static const struct net_loop_methods methods = {"io_uring", add_stream, watch,  wait_for_events,
                                                leave,      let_go,     release};

/* The buffers that all sockets receive into. */
static bool
share_buffers(struct uring_loop *loop)
{
    const size_t bytes = BUFFERS * sizeof(struct io_uring_buf);
    const int flags = MAP_ANONYMOUS | MAP_PRIVATE;
    /* cppcheck-suppress invalidFunctionArg ; -1: of no file */
    void *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

    if (place == MAP_FAILED)
        return false;
    loop->shared = place;
    loop->buffers = malloc((size_t)BUFFERS * BUFFER_BYTES);
    struct io_uring_buf_reg group = {.ring_addr = (uintptr_t)place, .ring_entries = BUFFERS};
    int fault =
        loop->buffers == NULL ? -ENOMEM : io_uring_register_buf_ring(&loop->ring, &group, 0);
    if (fault != 0) {
        errno = -fault;
        return false;
    }
    io_uring_buf_ring_init(loop->shared);
    for (unsigned i = 0; i < BUFFERS; i++)
        give_back(loop, i);
    return true;
}

struct net_loop *
net_loop_new_uring(void)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                                              IORING_SETUP_SUBMIT_ALL,
                                     .cq_entries = COMPLETIONS};
    struct uring_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return NULL;
    bool is_made = net_loop_init(&loop->base, &methods, 0);
    if (is_made) {
        int fault = io_uring_queue_init_params(SUBMISSIONS, &loop->ring, &params);
        errno = -fault;
        loop->has_ring = fault == 0;
        is_made = loop->has_ring && share_buffers(loop);
        if (is_made)
            (void)io_uring_register_ring_fd(&loop->ring); /* a wish: cheaper calls */
    }
    if (is_made)
        return &loop->base;
    int fault = errno;
    net_loop_free(&loop->base);
    errno = fault;
    return NULL;
}
