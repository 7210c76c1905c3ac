// SPDX-License-Identifier: MIT
#include "sim/network.h"

#include <errno.h>

/* --- the pool's end ------------------------------------------------------------------------ */

static struct sim_connection *
connection_of(const struct net_stream *stream)
{
    struct sim_network *network = stream->host;

    return &network->connections[stream->descriptor];
}

static ssize_t
receive(struct net_stream *stream, void *bytes, size_t count)
{
    struct sim_connection *connection = connection_of(stream);

    if (connection->arrived == 0 && connection->is_end_told) {
        errno = ECONNRESET;
        return connection->is_reset ? -1 : 0;
    }
    if (connection->arrived == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (count > connection->arrived)
        count = connection->arrived;
    memcpy(bytes, connection->to_pool.items, count);
    sim_bytes_drop(&connection->to_pool, count);
    connection->arrived -= count;
    return (ssize_t)count;
}

static ssize_t
send_some(struct net_stream *stream, const void *bytes, size_t count)
{
    struct sim_network *network = stream->host;
    struct sim_connection *connection = connection_of(stream);

    if (connection->is_end_told) {
        errno = EPIPE;
        return -1;
    }
    size_t used = connection->to_peer.count;
    size_t room = used < network->room ? network->room - used : 0;
    if (room == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (count > room)
        count = room;
    sim_bytes_add(&connection->to_peer, bytes, count);
    return (ssize_t)count;
}

static void
want_write(struct net_stream *stream, bool is_wanted)
{
    stream->wants_write = is_wanted;
}

static void
close_stream(struct net_stream *stream)
{
    connection_of(stream)->stream = NULL;
    stream->descriptor = -1;
}

static const struct net_transport transport = {receive, send_some, want_write, close_stream};

/* --- both ends ----------------------------------------------------------------------------- */

struct sim_connection *
sim_network_open(struct sim_network *network, struct net_stream *stream, enum sim_peer_kind kind,
                 void *peer)
{
    for (int i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_connection *connection = &network->connections[i];
        if (connection->kind != SIM_FREE)
            continue;
        *connection = (struct sim_connection){.kind = kind, .peer = peer, .stream = stream};
        *stream = (struct net_stream){.transport = &transport,
                                      .owner = stream->owner,
                                      .host = network,
                                      .descriptor = i,
                                      .wants_write = kind == SIM_SERVER,
                                      .user = (uid_t)-1};
        return connection;
    }
    return NULL;
}

void
sim_network_end(struct sim_connection *connection, bool is_reset)
{
    connection->has_ended = true;
    connection->is_reset |= is_reset;
    if (is_reset)
        connection->to_pool.count = connection->arrived; /* the rest never comes */
}

/* How much of count arrives now: up to the byte that cuts it. */
static size_t
carry(struct sim_network *network, struct sim_connection *connection, size_t count)
{
    size_t part = 1 + sim_below(&network->random, network->chunk);

    if (part > count)
        part = count;
    if (network->bytes <= network->cut_at && network->bytes + part > network->cut_at) {
        part = (size_t)(network->cut_at - network->bytes);
        network->cut = connection;
        network->cut_at = UINT64_MAX;
    }
    network->bytes += part;
    return part;
}

size_t
sim_network_arrive(struct sim_network *network, struct sim_connection *connection)
{
    return connection->to_peer.count == 0 ? 0
                                          : carry(network, connection, connection->to_peer.count);
}

bool
sim_network_tell(struct sim_network *network, struct sim_connection *connection,
                 bool *ret_is_writable)
{
    struct net_stream *stream = connection->stream;
    size_t waiting = connection->to_pool.count - connection->arrived;
    bool is_news = false;

    *ret_is_writable =
        !connection->is_told || (stream->wants_write && connection->to_peer.count < network->room &&
                                 sim_one_in(&network->random, 2));
    connection->is_told = true;
    if (waiting > 0) {
        connection->arrived += carry(network, connection, waiting);
        stream->is_readable = is_news = true;
    }
    bool is_all = connection->arrived == connection->to_pool.count;
    if (connection->has_ended && !connection->is_end_told && is_all) {
        connection->is_end_told = true;
        stream->is_readable = stream->has_ended = is_news = true;
    }
    return is_news || *ret_is_writable;
}

bool
sim_network_is_over(const struct sim_connection *connection)
{
    return connection->kind != SIM_FREE && connection->stream == NULL && connection->has_ended;
}

void
sim_network_forget(struct sim_connection *connection)
{
    sim_bytes_release(&connection->to_pool);
    sim_bytes_release(&connection->to_peer);
    *connection = (struct sim_connection){0};
}
