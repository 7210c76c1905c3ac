// SPDX-License-Identifier: MIT
#include "net/loop_kind.h"
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    KEEPALIVE_S = 60,
    UNACKNOWLEDGED_MS = 30000,
    DEFER_S = 5, /* a connection is told of once it has said something: clients begin */
};

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
    if (!loop->methods->add(loop, descriptor, true, stream))
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
    for (size_t i = 0; i < NET_WATCHES_MAX; i++) {
        struct net_watch *free_one = &loop->watches[i];
        if (free_one->descriptor >= 0)
            continue;
        *free_one = (struct net_watch){kind, descriptor};
        if (loop->methods->watch(loop, free_one))
            return true;
        free_one->descriptor = -1;
        return false;
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
net_loop_listen(struct net_loop *loop, const struct net_address *address, bool is_further,
                int *ret_descriptor, struct error *err)
{
    const struct sockaddr *socket_address = (const struct sockaddr *)&address->storage;
    int descriptor =
        socket(socket_address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1, defer_s = DEFER_S;

    if (descriptor < 0)
        goto fail;
    if (address->is_local)
        remove_dead_socket(address);
    else if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        goto fail;
    if (!address->is_local) {
        set_tcp_options(descriptor); /* those that it accepts have them too */
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_s, sizeof(defer_s));
    }
    if (is_further && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0)
        goto fail;
    mode_t mask = umask(0007);
    int fault = bind(descriptor, socket_address, address->length);
    umask(mask);
    /* Only now for the first one, so that an address that another process has is not shared. */
    if (fault == 0 && !is_further && !address->is_local)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
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

void
net_loop_set_farewell(struct net_loop *loop, const void *bytes, size_t count)
{
    loop->farewell = bytes;
    loop->farewell_bytes = count;
}

/* One for whom there is no descriptor but the spare one. What it has said is read, as what it is
 * told would be lost with it otherwise. */
static void
turn_away(struct net_loop *loop, int listener)
{
    char said[1024];

    close(loop->spare);
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor >= 0) {
        (void)!recv(descriptor, said, sizeof(said), MSG_DONTWAIT);
        (void)!send(descriptor, loop->farewell, loop->farewell_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(descriptor);
    }
    loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int
net_loop_accept(struct net_loop *loop, int listener, struct net_stream *stream,
                struct sockaddr_storage *ret_address)
{
    socklen_t length = sizeof(*ret_address);
    int descriptor = accept4(listener, (struct sockaddr *)ret_address, &length, loop->accept_flags);

    if (descriptor < 0 && (errno == EMFILE || errno == ENFILE)) {
        turn_away(loop, listener);
        return -1;
    }
    if (descriptor < 0)
        return 0;
    if (!loop->methods->add(loop, descriptor, false, stream)) {
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

    for (size_t i = 0; i < NET_WATCHES_MAX; i++) {
        if (loop->watches[i].descriptor == descriptor)
            loop->watches[i].descriptor = -1;
    }
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 &&
        address.sun_family == AF_UNIX)
        unlink(address.sun_path);
    close(descriptor);
}

/* --- from one loop to another ------------------------------------------------------------- */

bool
net_loop_leave(struct net_loop *loop, struct net_stream *stream)
{
    return loop->methods->leave(stream);
}

void
net_loop_let_go(struct net_loop *loop, struct net_stream *stream)
{
    loop->methods->let_go(stream);
    stream->host = NULL;
}

bool
net_loop_join(struct net_loop *loop, struct net_stream *stream)
{
    const struct net_stream before = *stream;

    if (!loop->methods->add(loop, before.descriptor, false, stream)) {
        close(before.descriptor);
        *stream = before;
        stream->descriptor = -1;
        net_tls_forget(stream);
        return false;
    }
    stream->is_local = before.is_local;
    stream->user = before.user;
    stream->is_partial = before.is_partial;
    stream->is_readable = true;
    net_tls_carry(stream, &before);
    return true;
}

/* --- the loop ----------------------------------------------------------------------------- */

bool
net_loop_init(struct net_loop *loop, const struct net_loop_methods *methods, int accept_flags)
{
    *loop = (struct net_loop){.methods = methods, .accept_flags = accept_flags | SOCK_CLOEXEC};
    for (size_t i = 0; i < NET_WATCHES_MAX; i++)
        loop->watches[i].descriptor = -1;
    loop->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return loop->spare >= 0;
}

struct net_loop *
net_loop_new(enum net_loop_kind kind, struct error *err)
{
    struct net_loop *loop = NULL;

    if (kind != NET_LOOP_EPOLL)
        loop = net_loop_new_uring();
    if (loop == NULL && kind == NET_LOOP_IO_URING) {
        error_errno(err, "cannot use io_uring");
        error_hint(err, "It needs Linux 6.1, and containers often forbid it. Use io: auto.");
        return NULL;
    }
    if (loop == NULL)
        loop = net_loop_new_epoll();
    if (loop == NULL)
        error_errno(err, "cannot make an event loop");
    return loop;
}

const char *
net_loop_name(const struct net_loop *loop)
{
    return loop->methods->name;
}

void
net_loop_free(struct net_loop *loop)
{
    close(loop->spare);
    loop->methods->release(loop);
}

size_t
net_loop_wait(struct net_loop *loop, int timeout_ms, struct net_event events[])
{
    return loop->methods->wait(loop, timeout_ms, events);
}
