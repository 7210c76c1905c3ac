/* The simulated network: connections between the pool and its peers, as two queues of bytes of
 * which chance decides how much arrives when. The pool sees them through struct net_transport. */
#pragma once
#include "net/stream.h"
#include "sim/bytes.h"

enum sim_peer_kind { SIM_FREE, SIM_CLIENT, SIM_CANCEL, SIM_SERVER, SIM_OPERATOR };

struct sim_connection {
    enum sim_peer_kind kind;
    void *peer;
    struct net_stream *stream; /* the pool's end; NULL: it has closed it */
    struct sim_bytes to_pool, to_peer;
    size_t arrived;                        /* of to_pool: what the pool may read */
    bool is_told;                          /* the pool knows that it is open */
    bool has_ended, is_reset, is_end_told; /* the peer's end */
};

enum { SIM_CONNECTIONS = 64 };

struct sim_network {
    struct sim_connection connections[SIM_CONNECTIONS];
    uint64_t random;
    size_t chunk;               /* at most so many bytes arrive at once */
    size_t room;                /* so many bytes to a peer are under way at most */
    uint64_t bytes, cut_at;     /* the connection that carries this byte is cut; UINT64_MAX: none */
    struct sim_connection *cut; /* has just been cut; NULL: none */
};

/* NULL: too many. */
struct sim_connection *sim_network_open(struct sim_network *network, struct net_stream *stream,
                                        enum sim_peer_kind kind, void *peer);
/* The peer closes it; is_reset: what is under way to the pool is lost. */
void sim_network_end(struct sim_connection *connection, bool is_reset);
/* A part of what the pool has sent, for the peer, who then drops it from to_peer. */
size_t sim_network_arrive(struct sim_network *network, struct sim_connection *connection);
/* Whether something happens to the pool's end now; sets the stream's flags and ret_is_writable. */
bool sim_network_tell(struct sim_network *network, struct sim_connection *connection,
                      bool *ret_is_writable);
/* Both ends are closed. */
bool sim_network_is_over(const struct sim_connection *connection);
void sim_network_forget(struct sim_connection *connection);
