/* The event loop, by io_uring or epoll. Gives sockets as streams. One loop a thread, which makes
 * it; what belongs to it is used there only. */
#pragma once
#include "net/address.h"
#include "net/stream.h"

struct net_loop;

enum net_loop_kind {
    NET_LOOP_AUTO, /* io_uring where the kernel allows it, else epoll */
    NET_LOOP_EPOLL,
    NET_LOOP_IO_URING,
};
struct net_loop *net_loop_new(enum net_loop_kind kind, struct error *err) MUST_CHECK;
const char *net_loop_name(const struct net_loop *loop);
void net_loop_free(struct net_loop *loop);

enum net_event_kind { NET_STREAM, NET_LISTENER, NET_SIGNAL };
struct net_event {
    enum net_event_kind kind;
    struct net_stream *stream; /* its is_readable and has_ended are set */
    bool is_writable;
    bool has_left;  /* see net_loop_leave */
    int descriptor; /* NET_LISTENER */
};
enum { NET_EVENTS_MAX = 256 };
/* Waits for at most timeout_ms and gives what happened; 0: nothing. */
size_t net_loop_wait(struct net_loop *loop, int timeout_ms, struct net_event events[]);

/* Starts connecting; the stream can be written once an event says so. Errors: ERROR_UNREACHABLE. */
bool net_loop_connect(struct net_loop *loop, const struct net_address *address,
                      struct net_stream *stream, struct error *err) MUST_CHECK;
/* Listens; a unix socket gets mode 0770, and one that a dead process left is taken over. A further
 * loop of this process listens on a TCP address beside the first: the kernel spreads what comes. */
bool net_loop_listen(struct net_loop *loop, const struct net_address *address, bool is_further,
                     int *ret_descriptor, struct error *err) MUST_CHECK;
/* Takes one connection: 1; 0 when there is none; -1 when there are too many descriptors, and the
 * connection was told the farewell and closed (a spare descriptor is kept for that). */
int net_loop_accept(struct net_loop *loop, int listener, struct net_stream *stream,
                    struct sockaddr_storage *ret_address);
/* The stream, with its TLS, goes to a loop of another thread: it begins to leave this one. True: it
 * has left at once. False: an event says so; until then nothing is read or written. Then what has
 * been received is to be read here, as the other loop cannot give it; then it is let go. */
bool net_loop_leave(struct net_loop *loop, struct net_stream *stream) MUST_CHECK;
void net_loop_let_go(struct net_loop *loop, struct net_stream *stream);
/* The other loop takes it; the stream may be elsewhere in memory only without TLS. False: no
 * memory, and it is closed. */
bool net_loop_join(struct net_loop *loop, struct net_stream *stream) MUST_CHECK;
/* The bytes stay the caller's, and where they are. */
void net_loop_set_farewell(struct net_loop *loop, const void *bytes, size_t count);
void net_loop_close_listener(struct net_loop *loop, int descriptor);
/* Wakes the loop when descriptor can be read (signals): NET_SIGNAL. */
bool net_loop_watch(struct net_loop *loop, int descriptor, struct error *err) MUST_CHECK;
