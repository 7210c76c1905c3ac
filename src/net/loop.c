// SPDX-License-Identifier: MIT
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, WATCHES_MAX = 16, KEEPALIVE_S = 60, UNACKNOWLEDGED_MS = 30000 };

/* What epoll's data points to when it is no stream. */
struct watch {
    enum net_event_kind kind;
    int descriptor; /* -1: free */
};

struct net_loop {
    int epoll;
    int spare; /* given up for a moment when there are no descriptors left */
    struct watch watches[WATCHES_MAX];
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
    struct net_loop *loop = stream->host;
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
add_stream(struct net_loop *loop, int descriptor, bool wants_write, struct net_stream *stream)
{
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

/* Small messages go out at once; a dead peer is noticed. */
static void
set_tcp_options(int descriptor)
{
    const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) /* wishes: may fail */
        (void)setsockopt(descriptor, options[i].level, options[i].name, &options[i].value,
                         sizeof(int));
}

bool
net_loop_connect(struct net_loop *loop, const struct net_address *address,
                 struct net_stream *stream, struct error *err)
{
    int descriptor =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        goto fail;
    if (!address->is_local)
        set_tcp_options(descriptor);
    if (connect(descriptor, (const struct sockaddr *)&address->storage, address->length) != 0 &&
        errno != EINPROGRESS)
        goto fail;
    if (!add_stream(loop, descriptor, true, stream))
        goto fail;
    stream->is_local = address->is_local;
    return true;
fail:
    error_errno(err, "cannot connect to the server at %s", address->display);
    err->code = ERROR_UNREACHABLE;
    if (descriptor >= 0)
        close(descriptor);
    stream->descriptor = -1;
    return false;
}

/* --- listening ---------------------------------------------------------------------------- */

static bool
watch(struct net_loop *loop, int descriptor, enum net_event_kind kind)
{
    for (size_t i = 0; i < WATCHES_MAX; i++) {
        struct watch *free_one = &loop->watches[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = free_one};
        if (free_one->descriptor >= 0)
            continue;
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
            return false;
        *free_one = (struct watch){kind, descriptor};
        return true;
    }
    errno = ENOSPC;
    return false;
}

bool
net_loop_watch(struct net_loop *loop, int descriptor, struct error *err)
{
    return watch(loop, descriptor, NET_SIGNAL) || error_errno(err, "cannot watch a descriptor");
}

/* A socket file that nobody listens behind is taken away. */
static void
remove_dead_socket(const struct net_address *address)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)&address->storage;
    struct stat status;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe >= 0 && lstat(local->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        connect(probe, (const struct sockaddr *)local, address->length) != 0 &&
        errno == ECONNREFUSED)
        unlink(local->sun_path);
    if (probe >= 0)
        close(probe);
}

bool
net_loop_listen(struct net_loop *loop, const struct net_address *address, int *ret_descriptor,
                struct error *err)
{
    const struct sockaddr *socket_address = (const struct sockaddr *)&address->storage;
    int descriptor =
        socket(socket_address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (descriptor < 0)
        goto fail;
    if (address->is_local)
        remove_dead_socket(address);
    else if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        goto fail;
    mode_t mask = umask(0007);
    int fault = bind(descriptor, socket_address, address->length);
    umask(mask);
    if (fault != 0 || listen(descriptor, BACKLOG) != 0 || !watch(loop, descriptor, NET_LISTENER))
        goto fail;
    *ret_descriptor = descriptor;
    return true;
fail:
    error_errno(err, "cannot listen on %s", address->display);
    err->code = ERROR_UNREACHABLE;
    if (errno == EADDRINUSE)
        error_hint(err, "Another process listens there: another pgdeck pool, or PgBouncer?");
    if (descriptor >= 0)
        close(descriptor);
    return false;
}

static uid_t
peer_user(int descriptor)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return (uid_t)-1;
    return credentials.uid;
}

int
net_loop_accept(struct net_loop *loop, int listener, struct net_stream *stream,
                struct sockaddr_storage *ret_address)
{
    socklen_t length = sizeof(*ret_address);
    int descriptor =
        accept4(listener, (struct sockaddr *)ret_address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0 && (errno == EMFILE || errno == ENFILE)) {
        close(loop->spare);
        descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (descriptor >= 0)
            close(descriptor);
        loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return -1;
    }
    if (descriptor < 0)
        return 0;
    if (ret_address->ss_family != AF_UNIX)
        set_tcp_options(descriptor);
    if (!add_stream(loop, descriptor, false, stream)) {
        close(descriptor);
        return -1;
    }
    stream->is_local = ret_address->ss_family == AF_UNIX;
    stream->user = stream->is_local ? peer_user(descriptor) : (uid_t)-1;
    return 1;
}

void
net_loop_close_listener(struct net_loop *loop, int descriptor)
{
    struct sockaddr_un address;
    socklen_t length = sizeof(address);

    for (size_t i = 0; i < WATCHES_MAX; i++) {
        if (loop->watches[i].descriptor == descriptor)
            loop->watches[i].descriptor = -1;
    }
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 &&
        address.sun_family == AF_UNIX)
        unlink(address.sun_path);
    close(descriptor);
}

/* --- the loop ----------------------------------------------------------------------------- */

struct net_loop *
net_loop_new(struct error *err)
{
    struct net_loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < WATCHES_MAX; i++)
        loop->watches[i].descriptor = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (loop->epoll < 0 || loop->spare < 0) {
        error_errno(err, "cannot make an event loop");
        net_loop_free(loop);
        return NULL;
    }
    return loop;
}

void
net_loop_free(struct net_loop *loop)
{
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->spare >= 0)
        close(loop->spare);
    free(loop);
}

static bool
is_watch(const struct net_loop *loop, const void *pointer)
{
    return (const char *)pointer >= (const char *)loop->watches &&
           (const char *)pointer < (const char *)(loop->watches + WATCHES_MAX);
}

size_t
net_loop_wait(struct net_loop *loop, int timeout_ms, struct net_event events[])
{
    struct epoll_event ready[NET_EVENTS_MAX];
    int count = epoll_wait(loop->epoll, ready, NET_EVENTS_MAX, timeout_ms);

    for (int i = 0; i < count; i++) {
        uint32_t flags = ready[i].events;
        if (is_watch(loop, ready[i].data.ptr)) {
            const struct watch *one = ready[i].data.ptr;
            events[i] = (struct net_event){.kind = one->kind, .descriptor = one->descriptor};
            continue;
        }
        struct net_stream *stream = ready[i].data.ptr;
        stream->is_readable |= (flags & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        stream->has_ended |= (flags & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        events[i] = (struct net_event){.kind = NET_STREAM,
                                       .stream = stream,
                                       .is_writable = (flags & (EPOLLOUT | EPOLLERR)) != 0};
    }
    return count < 0 ? 0 : (size_t)count;
}
