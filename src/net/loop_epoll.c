// SPDX-License-Identifier: MIT
/* The loop by epoll, edge-triggered, so that no system call is needed to pause or resume a
 * stream. */
#include "net/loop_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct epoll_loop {
    struct net_loop base; /* first */
    int epoll;
};

/* --- sockets as streams ------------------------------------------------------------------- */

static ssize_t
socket_receive(struct net_stream *stream, void *bytes, size_t count)
{
    return recv(stream->descriptor, bytes, count, 0);
}

static ssize_t
socket_send(struct net_stream *stream, const void *bytes, size_t count)
{
    return send(stream->descriptor, bytes, count, MSG_NOSIGNAL);
}

/* Edge-triggered: changing the wish also tells again what is there now. */
static void
socket_want_write(struct net_stream *stream, bool is_wanted)
{
    struct epoll_loop *loop = stream->host;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = stream};

    if (stream->wants_write == is_wanted)
        return;
    stream->wants_write = is_wanted;
    if (is_wanted)
        event.events |= EPOLLOUT;
    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, stream->descriptor, &event);
}

static void
socket_close(struct net_stream *stream)
{
    if (stream->descriptor >= 0)
        close(stream->descriptor);
    stream->descriptor = -1;
}

static const struct net_transport socket_transport = {socket_receive, socket_send,
                                                      socket_want_write, socket_close};

static bool
add_stream(struct net_loop *base, int descriptor, bool wants_write, struct net_stream *stream)
{
    struct epoll_loop *loop = (struct epoll_loop *)base;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = stream};

    if (wants_write)
        event.events |= EPOLLOUT;
    *stream = (struct net_stream){.transport = &socket_transport,
                                  .owner = stream->owner,
                                  .host = loop,
                                  .descriptor = descriptor,
                                  .wants_write = wants_write};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* --- the loop ----------------------------------------------------------------------------- */

static bool
watch(struct net_loop *base, struct net_watch *one)
{
    struct epoll_loop *loop = (struct epoll_loop *)base;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};

    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, one->descriptor, &event) == 0;
}

static size_t
wait_for_events(struct net_loop *base, int timeout_ms, struct net_event events[])
{
    struct epoll_loop *loop = (struct epoll_loop *)base;
    struct epoll_event ready[NET_EVENTS_MAX];
    int count = epoll_wait(loop->epoll, ready, NET_EVENTS_MAX, timeout_ms);

    for (int i = 0; i < count; i++) {
        uint32_t flags = ready[i].events;
        if (net_loop_is_watch(base, ready[i].data.ptr)) {
            const struct net_watch *one = ready[i].data.ptr;
            events[i] = (struct net_event){.kind = one->kind, .descriptor = one->descriptor};
            continue;
        }
        struct net_stream *stream = ready[i].data.ptr;
        stream->is_readable |= (flags & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        stream->has_ended |= (flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        stream->is_gone |= (flags & (EPOLLHUP | EPOLLERR)) != 0;
        events[i] = (struct net_event){.kind = NET_STREAM,
                                       .stream = stream,
                                       .is_writable = (flags & (EPOLLOUT | EPOLLERR)) != 0};
    }
    return count < 0 ? 0 : (size_t)count;
}

static bool
leave(struct net_stream *stream)
{
    const struct epoll_loop *loop = stream->host;

    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, stream->descriptor, NULL);
    return true;
}

static void
let_go(struct net_stream *stream)
{
    (void)stream; /* it has left */
}

static void
release(struct net_loop *base)
{
    struct epoll_loop *loop = (struct epoll_loop *)base;

    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
}

static const struct net_loop_methods methods = {"epoll", add_stream, watch,  wait_for_events,
                                                leave,   let_go,     release};

struct net_loop *
net_loop_new_epoll(void)
{
    struct epoll_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return NULL;
    bool is_made = net_loop_init(&loop->base, &methods, SOCK_NONBLOCK);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (is_made && loop->epoll >= 0)
        return &loop->base;
    net_loop_free(&loop->base);
    return NULL;
}
