/* What a pool is made of: groups, clients, servers, cancel requests. All of one thread. */
#pragma once
#include "pool/checkin.h"
#include "pool/config.h"
#include "pool/driver.h"
#include "pool/group.h"
#include "pool/link.h"
#include "pool/list.h"
#include "pool/owed.h"
#include "pool/parameters.h"
#include "pool/retry.h"
#include "pool/statement.h"

enum {
    POOL_GATHER_BYTES_MAX = 1 << 16, /* of a message that is looked at before it goes on */
    POOL_PARSE_BYTES_MAX = 1 << 24,  /* of a statement that is kept for its client */
    POOL_CUSTOM_BYTES_MAX = 2048,
    POOL_CANCEL_TIMEOUT_MS = 10000,
    POOL_CLOSING_TIMEOUT_MS = 1000,
    POOL_DRAIN_TIMEOUT_MS = 10000,
    POOL_CANCELS_MAX = 64,
};

struct pool_server;

enum pool_owner_kind { POOL_OWNER_CLIENT, POOL_OWNER_SERVER, POOL_OWNER_CANCEL, POOL_OWNER_WEB };

/* The first member of whatever owns a stream. */
struct pool_object {
    enum pool_owner_kind kind;
    struct pool_node dead; /* in pool.dead once it is closed; while it changes threads, in a list */
    int destination;       /* the worker, while it changes threads */
    struct pool_object *next_departing;
};

enum pool_client_state {
    POOL_CLIENT_STARTUP,
    POOL_CLIENT_FIRST,  /* of SCRAM */
    POOL_CLIENT_LOOKUP, /* a server is asked for its verifier */
    POOL_CLIENT_FINAL,
    POOL_CLIENT_LOGIN,   /* waits for a server to tell its parameters */
    POOL_CLIENT_IDLE,    /* has no server */
    POOL_CLIENT_WAITING, /* for a server */
    POOL_CLIENT_ACTIVE,  /* has a server, which may be busy with the pool's own */
    POOL_CLIENT_CONSOLE,
    POOL_CLIENT_CLOSING, /* has been told why; waits for it to leave */
    POOL_CLIENT_CLOSED,
    POOL_CLIENT_STATES
};

enum pool_right { POOL_RIGHT_NONE, POOL_RIGHT_STATS, POOL_RIGHT_ADMIN }; /* on the console */

struct pool_client {
    struct pool_object object;
    enum pool_client_state state;
    struct pool_node node, queue; /* in pool.clients; in line.clients */
    struct pool *pool;
    struct pool_link link;
    struct sockaddr_storage address;
    struct pool_group *group; /* NULL: the console */
    struct pool_line *line;   /* of the group's, where it waits */
    struct pool_server *server;
    const char *user; /* of the configuration when known */
    char user_name[64], database_name[64];
    enum pool_right right;
    enum deck_pool_mode mode; /* as it logged in: RELOAD changes it for those that come then */
    bool has_asked_ssl, has_asked_gss, is_tls_direct;
    bool is_moving, has_moved; /* to the pool of another thread: not to be touched while it moves */
    struct wire_scram *scram;
    struct wire_scram_keys *found; /* by a look-up, while logging in */
    uint32_t process, secret;      /* its cancel key */
    uint64_t serial;
    const struct pool_parameters *startup, *session, *reported;
    struct pool_names names;
    struct pool_statement *unnamed;
    unsigned signs;     /* of this transaction's statements */
    unsigned pins;      /* what ties it to its server */
    char *custom;       /* names in hex; NULL: none */
    uint32_t body_left; /* of a message that streams on */
    bool is_body_dropped;
    bool is_skipping;     /* all is passed over up to the next Sync */
    bool is_held;         /* its next message hangs on answers that are owed; see do_wait_close */
    uint8_t knocks;       /* see pool_client_knock */
    uint64_t knock_us;    /* not before */
    bool is_again;        /* which the console looks at once more */
    uint64_t bound_query; /* what was bound last, by its hash */
    bool is_forget_bound; /* a portal is DEALLOCATE ALL or DISCARD */
    size_t wanted;        /* bytes needed to go on */
    uint64_t since_us, deadline_us;
    uint64_t last_server; /* serial */
};

enum pool_server_state {
    POOL_SERVER_CONNECTING,
    POOL_SERVER_ASKING, /* for TLS */
    POOL_SERVER_LOGIN,
    POOL_SERVER_IDLE,
    POOL_SERVER_SETUP,    /* getting its next client's parameters */
    POOL_SERVER_ACTIVE,   /* works for its client */
    POOL_SERVER_PROBING,  /* asked what the session holds */
    POOL_SERVER_DRAINING, /* has no client; the pool's own is under way */
    POOL_SERVER_LEAVING,  /* for another thread */
    POOL_SERVER_CLOSED,
    POOL_SERVER_STATES
};

struct pool_server {
    struct pool_object object;
    enum pool_server_state state;
    struct pool_node node, queue; /* in group.servers; in group.idle */
    struct pool *pool;
    struct pool_link link;
    struct pool_group *group;
    struct pool_share *share;   /* the group's */
    unsigned epoch;             /* the group's when it began */
    struct net_address address; /* the server's by TCP, also for cancel requests; no display */
    unsigned address_turn;      /* the group's when it began */
    struct pool_client *client;
    struct pool_owed_queue owed;
    enum pool_copy copy;
    char status; /* I, T, E */
    bool is_broken, is_discard_due, is_resetting, is_failed, is_outdated, has_told_end;
    bool is_flush_sent;   /* answers were asked for */
    bool is_unsynced;     /* extended messages were sent, and no Sync yet */
    bool may_be_in_block; /* by something that is owed, whatever status says */
    bool is_restore_due;  /* DISCARD ALL, in session mode: its start-up's parameters again */
    bool is_restart_due;  /* RESET: those of them that it took; stays set until that is done */
    bool is_forgetting;   /* DEALLOCATE ALL or DISCARD is owed */
    bool is_opaque;       /* its last client may have left what cannot be asked for */
    struct error failure; /* of a hidden message */
    const struct pool_parameters *session, *reported, *next_session;
    struct pool_prepared_set prepared;
    struct pool_statement *unnamed;
    struct pool_retry retry;
    uint8_t key[4 + WIRE_KEY_BYTES_MAX];
    size_t key_bytes;
    uint32_t body_left;
    bool is_body_hidden;
    int cancels;
    struct wire_scram *scram;
    bool is_scram_done, is_authenticated, is_by_local;
    uint64_t serial, last_client;
    uint64_t created_us, since_us, deadline_us;
    uint64_t first_query, waited_us; /* of its client's: by its hash, and how long it waited */
    uint64_t mark_us, mark_received, mark_sent; /* when and where what is owed first began */
    uint64_t query_us;                          /* when the first answer that is owed began to be */
    /* While probing: */
    struct pool_parameter found[POOL_PARAMETERS_MAX];
    size_t found_count;
    unsigned found_pins;
};

/* A cancel request under way. server: not reusable before it is through; NULL: gone. */
struct pool_cancel {
    struct pool_object object;
    struct pool_node node;
    struct pool *pool;
    struct pool_link link;
    struct pool_server *server;
    struct pool_config *config; /* that route is of; counted */
    const struct pool_route *route;
    uint8_t key[4 + WIRE_KEY_BYTES_MAX];
    size_t key_bytes;
    bool is_asked, is_sent, is_closed;
    uint64_t deadline_us;
};

struct pool {
    struct pool_driver *driver;
    struct pool_config *config;
    struct pool_buffers buffers;
    struct pool_parameter_table parameters;
    struct pool_statement_table statements;
    struct pool_node groups, clients, cancels, webs, dead;
    const struct pool_parameters *no_parameters;
    uint64_t now_us, next_serial, started_us;
    uint64_t minute_us; /* when the last one was counted */
    int cancel_count, web_count;
    struct wire_scram *spare_scram; /* NULL: none */
    bool has_removed;               /* a group, to be freed once it is empty */
    bool is_stopping;               /* drains */
    bool is_ended;                  /* nothing is left, or SHUTDOWN IMMEDIATE */
    uint64_t stop_deadline_us;
    /* The daemon's, for the console: loads the configuration again. */
    bool (*reload)(struct pool *pool, struct error *err);
};
