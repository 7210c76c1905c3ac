/* What a deck says of connection pools: each service's, and the daemon that serves them. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include <stdint.h>

enum deck_pool_mode { DECK_POOL_TRANSACTION, DECK_POOL_SESSION, DECK_POOL_STATEMENT };
enum deck_pool_reset { DECK_POOL_TRACKED, DECK_POOL_FULL };
enum deck_pool_state { DECK_POOL_PIN, DECK_POOL_REFUSE };
enum deck_auth { DECK_AUTH_SCRAM, DECK_AUTH_CERT, DECK_AUTH_PEER };
enum deck_log_format { DECK_LOG_TEXT, DECK_LOG_JSON };
enum deck_io { DECK_IO_AUTO, DECK_IO_EPOLL, DECK_IO_URING };
enum deck_tls { DECK_TLS_OFF, DECK_TLS_ALLOW, DECK_TLS_REQUIRE };

struct deck_pool {
    const char *service;
    struct place place;
    int min;
    int max;
    int threads;   /* that serve it; 0: one */
    int login_max; /* connections of each of logins; 0: they do not come by the pool */
    LIST_OF(const char *) logins; /* listed roles that log in and are members of the service's */
    int64_t query_timeout_ms;     /* 0: none */
    enum deck_pool_mode mode;
    enum deck_pool_reset reset;
    enum deck_pool_state on_session_state;
    enum deck_auth auth;
    bool has_auto_prepare;
};

struct deck_pooler {              /* `pooler:`: the daemon itself (pgdeck pool) */
    LIST_OF(const char *) listen; /* default: 127.0.0.1 */
    int port;
    const char *socket_folder; /* NULL: pool/ in the state folder */
    int max_clients;
    int64_t query_wait_timeout_ms;
    int64_t login_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t idle_timeout_ms; /* of a server beyond min; 0: none */
    int64_t recycle_ms;      /* age at which a server is replaced; 0: never */
    int64_t shutdown_timeout_ms;
    int prepared_statements; /* at most on one server */
    int64_t buffer_bytes;
    int metrics_port; /* 0: no metrics */
    const char *metrics_listen;
    LIST_OF(const char *) metrics_allow;
    LIST_OF(const char *) stats_users; /* who may look at the console, and no more */
    enum deck_io io;
    enum deck_log_format log_format;
    int threads; /* 0: the cores */
    bool has_local_sockets;
    enum deck_tls tls;                                     /* of clients */
    const char *tls_certificate, *tls_key, *tls_client_ca; /* files; NULL: none */
};

struct deck_environment;

/* Connections at most: the service's, and those of each login that comes beside it. */
int deck_pool_total(const struct deck_pool *pool);
bool deck_has_pool_logins(const struct deck_environment *environment);
/* The login by which the pool asks for the verifiers of others, where it has some. In the arena. */
const char *deck_pool_asker(struct arena *arena, const struct deck_environment *environment);
