/* What a pool daemon is to do: who listens where, which client gets which server. Made from a deck
 * or from a file of its own, then constant; a reload makes another one. Lives in its arena. */
#pragma once
#include "deck/deck.h"
#include "net/address.h"
#include "net/tls.h"
#include "wire/scram.h"
#include <stdatomic.h>

struct pool_share;

struct pool_user {
    const char *name;
    const char *password; /* NULL: only keys */
    struct wire_scram_keys keys;
    bool has_keys;           /* false: this user cannot log in */
    bool is_admin, is_stats; /* on the console */
    uid_t stats_uid;         /* is_stats: who needs no password on the unix socket; else -1 */
    LIST_OF(struct net_network) allow; /* empty: from everywhere that the database allows */
};

/* One pool: clients that come as its users to database, servers that are logged in as one there. */
struct pool_route {
    const char *database, *user;       /* as clients name them */
    LIST_OF(const char *) other_users; /* likewise: who shares the pool */
    const char *login_name;            /* NULL: user */
    const char *server_database;
    const char *service, *environment; /* "" without a deck */
    struct net_address address;
    const char *address_name; /* that it stands for, to be looked up again; NULL: none */
    int port;
    const char *host;         /* as written: its certificate's name */
    struct net_tls *tls;      /* NULL: none */
    const char *tls_identity; /* "" or its mode and files, to compare */
    bool is_server_proven;    /* by its certificate */
    const struct pool_user *login;
    int worker;               /* whose pool it is of; given by the daemon before it is shared */
    struct pool_share *share; /* of several threads; likewise; NULL: of that one */
    int threads;              /* that it wants; 0: one */
    int min, max;
    enum deck_pool_mode mode;
    enum deck_pool_reset reset;
    enum deck_pool_state on_session_state;
    int64_t query_timeout_ms; /* 0: none */
    int64_t target_p95_ms;    /* of the environment; 0: none */
    bool has_tls_required, has_auto_prepare;
    enum deck_auth auth;
    uid_t peer;                             /* DECK_AUTH_PEER: who may come; else -1 */
    const char *auth_conninfo, *auth_query; /* who tells verifiers; NULL: nobody */
    LIST_OF(struct net_network) allow;      /* empty: from everywhere */
};

struct pool_tls {
    const char *identity;
    struct net_tls *tls;
};

struct pool_config {
    struct arena *arena;
    bool is_of_deck;
    atomic_uint references; /* of the pools and their groups */
    struct deck_pooler pooler;
    const char *socket_folder;
    LIST_OF(struct net_address) listen;
    struct net_address metrics;                /* length 0: not served */
    LIST_OF(struct net_network) metrics_allow; /* beside loopback */
    struct net_tls *tls;                       /* for clients; NULL: none */
    LIST_OF(struct pool_tls) server_tls;
    LIST_OF(struct pool_user) users;
    LIST_OF(struct pool_route) routes;
};

/* Called with what is wrong with a file, before that is forgotten. */
typedef void pool_config_faults(const struct deck_faults *faults);
/* From a deck (environment NULL: all of them), or from a file for a pooler only. NULL with err set,
 * the file's own faults told to print. The arena is the configuration's and freed with it. */
struct pool_config *pool_config_of_deck(const char *path, const char *environment,
                                        const char *const *sets, size_t set_count,
                                        pool_config_faults *print, struct error *err) MUST_CHECK;
struct pool_config *
pool_config_of_file(const char *path, pool_config_faults *print, struct error *err) MUST_CHECK;
void pool_config_free(struct pool_config *config);

/* Whether a client that comes as user to database is the route's. */
bool pool_route_is_for(const struct pool_route *route, const char *database, const char *user);
const struct pool_user *pool_config_user(const struct pool_config *config, const char *name);
const struct pool_route *
pool_config_route(const struct pool_config *config, const char *database, const char *user);
