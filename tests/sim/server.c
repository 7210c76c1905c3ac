// SPDX-License-Identifier: MIT
/* The servers of a run: each logs the pool in, then is a session, breaks now and then. */
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

bool
sim_server_connect(struct pool_driver *driver, const struct net_address *address,
                   struct net_stream *stream, struct error *err)
{
    struct sim_world *world = ((struct sim_worker *)driver)->world;
    struct sim_server *server = calloc(1, sizeof(*server));

    (void)address;
    if (server == NULL)
        abort();
    server->connection = sim_network_open(&world->network, stream, SIM_SERVER, server);
    if (server->connection == NULL) {
        free(server);
        return error_set(err, ERROR_UNREACHABLE, "too many simulated connections");
    }
    sim_session_init(&server->session, ++world->server_number, world->plant);
    world->servers[server->connection - world->network.connections] = server;
    return true;
}

void
sim_world_excuse(const struct sim_connection *connection)
{
    const struct pool_server *server =
        connection->stream == NULL ? NULL : connection->stream->owner;

    if (connection->kind != SIM_SERVER || server == NULL ||
        server->object.kind != POOL_OWNER_SERVER || server->client == NULL)
        return;
    const struct net_stream *stream = &server->client->link.stream;
    const struct sim_network *network = stream->host;
    if (stream->descriptor >= 0)
        ((struct sim_client *)network->connections[stream->descriptor].peer)->is_excused = true;
}

void
sim_world_cut(struct sim_world *world, struct sim_connection *connection)
{
    bool is_reset = sim_one_in(&world->random, 2);

    sim_world_excuse(connection);
    if (connection->kind == SIM_SERVER) {
        world->has_lost = true;
        for (size_t i = 0; i < world->client_count; i++)
            world->clients[i].may_find_nobody = true;
    }
    if (connection->kind == SIM_CLIENT)
        ((struct sim_client *)connection->peer)->state = SIM_LEAVING;
    sim_network_end(connection, is_reset);
}

static void
cancel(struct sim_world *world, const struct wire_startup *startup)
{
    uint32_t process = wire_uint32(startup->key);

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_server *server = world->servers[i];
        if (server == NULL || !server->session.is_slow)
            continue;
        bool is_meant = server->session.process == process;
        if (world->plant == SIM_PLANT_CANCEL ? !is_meant : is_meant)
            sim_session_end_slow(&server->session, true);
    }
}

bool
sim_world_has_scram(const struct sim_world *world)
{
    return world->workers[0].pool.config->routes.items[0].auth == DECK_AUTH_SCRAM;
}

/* SCRAM with the pool as the client. */
static void
log_in_server(struct sim_world *world, struct sim_server *server)
{
    struct sim_session *session = &server->session;
    struct wire_header header;

    if (wire_read_header(server->first.items, server->first.count, WIRE_FROM_CLIENT, &header) !=
            WIRE_WHOLE ||
        server->first.count < WIRE_HEADER_BYTES + header.body_bytes)
        return;
    bool is_in = false;
    if (!sim_login_serve(&server->login, world->keys, server->first.items + WIRE_HEADER_BYTES,
                         header.body_bytes, &session->out, &is_in))
        session->fault = "a login that is not right";
    session->visible = session->out.count;
    sim_bytes_drop(&server->first, WIRE_HEADER_BYTES + header.body_bytes);
    if (is_in)
        sim_session_greet(session);
}

static void
start_server(struct sim_world *world, struct sim_server *server)
{
    struct wire_startup startup;
    struct error err;
    size_t whole;

    if (wire_read_startup(server->first.items, server->first.count, &startup, &whole, &err) !=
        WIRE_WHOLE)
        return;
    if (startup.kind == WIRE_CANCEL) {
        cancel(world, &startup);
        sim_network_end(server->connection, false);
        return;
    }
    server->is_known = true;
    sim_bytes_drop(&server->first, whole);
    if (!sim_world_has_scram(world)) {
        sim_session_greet(&server->session);
        return;
    }
    sim_login_ask(&server->session.out);
    server->session.visible = server->session.out.count;
}

void
sim_server_step(struct sim_world *world, struct sim_server *server)
{
    struct sim_connection *connection = server->connection;
    struct sim_session *session = &server->session;
    size_t count = sim_network_arrive(&world->network, connection);

    sim_bytes_add(session->has_started ? &session->in : &server->first, connection->to_peer.items,
                  count);
    sim_bytes_drop(&connection->to_peer, count);
    if (connection->has_ended)
        return;
    if (!server->is_known)
        start_server(world, server);
    else if (!session->has_started)
        log_in_server(world, server);
    else if (session->is_slow && sim_one_in(&world->random, 40))
        sim_session_end_slow(session, false);
    else if (sim_one_in(&world->random, 30))
        sim_session_notify(session);
    else
        sim_session_run(session);
    sim_bytes_add(&connection->to_pool, session->out.items, session->visible);
    sim_bytes_drop(&session->out, session->visible);
    session->visible = 0;
    if (session->fault != NULL && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "server %u gets %s", session->process,
                 session->fault);
    bool is_left = connection->stream == NULL && connection->to_peer.count == 0;
    if (session->has_ended || is_left)
        sim_network_end(connection, false);
    else if (world->crashes_left > 0 && sim_one_in(&world->random, world->crash_odds)) {
        world->crashes_left--;
        sim_world_cut(world, connection);
    }
}

void
sim_server_free(struct sim_server *server)
{
    sim_session_release(&server->session);
    sim_login_release(&server->login);
    sim_bytes_release(&server->first);
    free(server);
}
