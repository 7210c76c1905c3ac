/* What the two kinds of loop (epoll, io_uring) share, and how they differ. For src/net only. */
#pragma once
#include "net/loop.h"

enum { NET_WATCHES_MAX = 16 };

/* A descriptor that is no stream. */
struct net_watch {
    enum net_event_kind kind;
    int descriptor; /* -1: free */
};

struct net_loop_methods {
    const char *name;
    bool (*add)(struct net_loop *loop, int descriptor, bool is_connecting,
                struct net_stream *stream);
    bool (*watch)(struct net_loop *loop, struct net_watch *watch);
    size_t (*wait)(struct net_loop *loop, int timeout_ms, struct net_event events[]);
    bool (*leave)(struct net_stream *stream); /* true: at once, else an event says so */
    void (*let_go)(struct net_stream *stream);
    void (*release)(struct net_loop *loop);
};

struct net_loop { /* the first member of each kind */
    const struct net_loop_methods *methods;
    int accept_flags;
    const void *farewell;
    size_t farewell_bytes;
    int spare; /* given up for a moment when there are no descriptors left */
    struct net_watch watches[NET_WATCHES_MAX];
};

bool net_loop_init(struct net_loop *loop, const struct net_loop_methods *methods, int accept_flags);
static inline bool
net_loop_is_watch(const struct net_loop *loop, const void *pointer)
{
    return (const char *)pointer >= (const char *)loop->watches &&
           (const char *)pointer < (const char *)(loop->watches + NET_WATCHES_MAX);
}

/* NULL: not possible here, errno. */
struct net_loop *net_loop_new_epoll(void);
struct net_loop *net_loop_new_uring(void);
