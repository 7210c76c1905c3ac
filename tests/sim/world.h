/* One run of the simulation: clients, servers, the threads of the pool between them, the network.
 * One thread does all of it. */
#pragma once
#include "pool/pool.h"
#include "sim/client.h"
#include "sim/operator.h"
#include "sim/turns.h"

enum { SIM_CLIENTS = 6, SIM_WORKERS = 3, SIM_TICK_US = 100000 };

struct sim_server {
    struct sim_connection *connection;
    struct sim_bytes first; /* up to the whole start-up, or login */
    struct sim_login login;
    bool is_known; /* who it is has been said */
    struct sim_session session;
};

/* A thread: a pool, and what the others have sent it. */
struct sim_worker {
    struct pool_driver driver; /* first */
    struct sim_world *world;
    struct pool pool;
    struct pool_object *departing[SIM_CONNECTIONS];
    size_t departing_count;
    struct pool_node arrivals; /* objects by their dead */
    bool is_woken;
};

struct sim_world {
    struct pool_shared shared;
    struct sim_worker workers[SIM_WORKERS];
    int worker_count;
    uint64_t lent; /* servers, by threads to others */
    struct sim_network network;
    struct sim_turns turns;
    struct sim_operator operator;
    const struct wire_scram_keys *keys;
    uint64_t random, seed;
    struct sim_client clients[SIM_CLIENTS];
    struct sim_server *servers[SIM_CONNECTIONS];
    size_t client_count;
    unsigned lives, client_number, server_number;
    size_t crash_odds, crashes_left, quiet_rounds;
    enum sim_plant plant;
    bool has_no_blocks;     /* statement pooling */
    bool has_lost, is_told; /* a server has been cut; what the pool logs is shown */
    char fault[600];
};

/* --- server.c ------------------------------------------------------------------------------ */

/* As pool_driver.connect. */
bool sim_server_connect(struct pool_driver *driver, const struct net_address *address,
                        struct net_stream *stream, struct error *err);
void sim_server_step(struct sim_world *world, struct sim_server *server);
void sim_server_free(struct sim_server *server);
/* The client whose server it is may be told that it broke. */
void sim_world_excuse(const struct sim_connection *connection);
void sim_world_cut(struct sim_world *world, struct sim_connection *connection);
bool sim_world_has_scram(const struct sim_world *world);

/* --- worker.c ------------------------------------------------------------------------------ */

/* The thread of that number, with that configuration; aborts when it cannot be. */
void sim_worker_init(struct sim_world *world, int number, struct pool_config *config);
/* A connection to the pool, by a thread by chance; NULL: too many. */
struct sim_connection *
sim_worker_accept(struct sim_world *world, enum sim_peer_kind kind, void *peer);
/* What leaves it, and what the others have sent it. */
void sim_worker_exchange(struct sim_worker *worker);
/* It is in no loop, or soon in none. */
bool sim_worker_is_leaving(const struct net_stream *stream);
/* What is under way to it is dropped. */
void sim_worker_release(struct sim_worker *worker);
