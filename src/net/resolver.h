/* What names of hosts stand for: a thread of its own asks for each of them every 15 s, and soon
 * when it is told to hurry, so that who needs an answer does not wait for it. For any thread. */
#pragma once
#include "base/error.h"
#include <stdint.h>
#include <sys/socket.h>

enum {
    NET_ADDRESSES_MAX = 8,
    NET_KNOWN_MAX = 16,
    NET_MISSES_MAX = 3, /* answers in a row without an address: it is gone */
    NET_RESOLVE_MS = 15000,
    NET_HURRY_MS = 500
};

struct net_answer {
    struct sockaddr_storage addresses[NET_KNOWN_MAX]; /* with the port */
    socklen_t lengths[NET_KNOWN_MAX];
    uint8_t misses[NET_KNOWN_MAX]; /* answers in a row without it */
    size_t count;   /* the last good answer's, which are first; 0: there was none yet */
    size_t known;   /* and behind them those that are not gone yet */
    char fault[96]; /* why there is no newer one; "": it is the newest */
};

struct net_host {
    const char *name;
    int port;
};

/* Asks, and waits: sets addresses and count, or fault. */
typedef void net_resolve(const struct net_host *host, struct net_answer *answer);
net_resolve net_resolve_by_system;

struct net_resolver;
struct net_resolver *net_resolver_new(net_resolve *resolve, struct error *err) MUST_CHECK;
/* Does not wait for the resolver. NULL: nothing. */
void net_resolver_free(struct net_resolver *resolver);
/* The hosts that are asked for from now on; of those that were, the answers stay. Copies. False: no
 * memory, and nothing has changed. */
bool net_resolver_keep(struct net_resolver *resolver, const struct net_host hosts[],
                       size_t count) MUST_CHECK;
/* False: it is not one of those, or was not answered yet. */
bool net_resolver_find(struct net_resolver *resolver, const struct net_host *host,
                       struct net_answer *ret_answer) MUST_CHECK;
/* Another number whenever an answer has changed. */
unsigned net_resolver_version(const struct net_resolver *resolver);
/* What is known may be outdated: ask now, at most twice a second. */
void net_resolver_hurry(struct net_resolver *resolver);
/* Whether a host is a name, which may come to stand for something else. */
bool net_host_is_name(const char *host);
