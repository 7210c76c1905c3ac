/* A group: what a pool of the configuration is in a thread. Its servers, who waits for one, and
 * what it has counted. Owner: struct pool. One thread. */
#pragma once
#include "pool/config.h"
#include "pool/driver.h"
#include "pool/list.h"
#include "pool/measure.h"
#include "pool/parameters.h"
#include "pool/share.h"
#include "pool/statement.h"

struct pool_statistics {
    uint64_t transactions, queries, errors;
    uint64_t received_bytes, sent_bytes; /* of clients that have gone */
    uint64_t wait_us, wait_max_us, waits;
    uint64_t transaction_us, query_us;
};

/* A start-up's parameters, and what a server reports with them: the next login needs no server. */
struct pool_login {
    const struct pool_parameters *startup, *reported;
};

/* The clients of a user that wait for a server, first come first served. */
struct pool_line {
    struct pool_node turn;    /* in group.turns while somebody waits */
    struct pool_node clients; /* by their queue */
    struct pool_line *next;   /* of the group's */
    char user[64];
};

/* What happened in the last whole minute. */
struct pool_minute {
    struct pool_statistics before; /* up to its end */
    struct pool_statistics within;
    uint64_t ended_us, length_us; /* 0: there was none yet */
};

struct pool_group {
    struct pool_node node; /* in pool.groups */
    struct pool *pool;
    struct pool_config *config; /* that route is of; counted */
    const struct pool_route *route;
    struct pool_node servers, idle;
    struct pool_node turns; /* lines: whose turn it is first */
    struct pool_line *lines;
    int server_count, idle_count, connecting_count, client_count, waiting_count;
    struct pool_share *share;     /* NULL: of one thread */
    uint64_t asked_us, looked_us; /* of other threads; see share.c */
    unsigned epoch;               /* servers of an earlier one are outdated */
    bool has_told_holding;        /* see holding.h */
    bool is_paused, is_disabled, is_removed, is_serving, has_local, is_local_tried;
    bool has_served;       /* a server has let it in */
    unsigned failures;     /* since then */
    unsigned failing_turn; /* the address's, when they began */
    uint64_t failing_since_us;
    struct net_local local;
    struct net_address local_address;
    struct net_address proven_address;     /* by TCP, the same server's */
    unsigned address_turn, answer_version; /* see where.h */
    bool has_told_fault;                   /* of the name */
    uint64_t connect_after_us;
    struct error failure; /* the last one */
    struct pool_login logins[POOL_LOGINS_MAX];
    size_t login_count, login_next; /* where the next one goes */
    size_t shared_logins;           /* of the share's, taken already */
    struct wire_scram_keys keys;    /* for the server's salt: PBKDF2 once */
    bool has_keys;
    struct pool_statistics statistics;
    struct pool_minute minute;
    struct pool_measures *measures;
    struct pool_seen seen;                         /* unnamed statements */
    uint64_t live_received_bytes, live_sent_bytes; /* as of the last look at the metrics */
};
