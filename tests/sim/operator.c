// SPDX-License-Identifier: MIT
#include "sim/operator.h"

#include "sim/config.h"
#include "sim/world.h"
#include "wire/startup.h"

#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 128 };

static const char *const texts[SIM_COMMANDS] = {"",           "PAUSE",  "RESUME",    "RECONNECT",
                                                "WAIT_CLOSE", "RELOAD", "SHOW POOLS"};

static void
fault(struct sim_world *world, const char *what)
{
    if (world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "operator: %s", what);
}

/* The pool's servers that are not closed, of those up to that number. */
static int
count_servers(const struct sim_world *world, unsigned newest)
{
    int count = 0;

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct net_stream *stream = world->network.connections[i].stream;
        count += stream != NULL && world->servers[i] != NULL &&
                 ((const struct pool_object *)stream->owner)->kind == POOL_OWNER_SERVER &&
                 world->servers[i]->session.process <= newest;
    }
    return count;
}

/* --- what it asks for ---------------------------------------------------------------------- */

void
sim_operator_connect(struct sim_world *world, struct sim_operator *operator)
{
    operator->connection = sim_worker_accept(world, SIM_OPERATOR, operator);
    if (operator->connection == NULL)
        return;
    operator->connection->stream->user = geteuid(); /* who runs the pool needs no password */
    struct wire_writer writer = sim_bytes_begin(&operator->connection->to_pool, MESSAGE_BYTES);
    wire_put_startup(&writer, "sim", "pgdeck", NULL, 0);
    sim_bytes_end(&operator->connection->to_pool, &writer);
}

static void
ask(struct sim_world *world, struct sim_operator *operator)
{
    static const enum sim_command some[] = {SIM_PAUSE,  SIM_RESUME, SIM_RECONNECT, SIM_WAIT_CLOSE,
                                            SIM_RELOAD, SIM_RELOAD, SIM_SHOW};
    enum sim_command command = some[sim_below(&world->random, sizeof(some) / sizeof(some[0]))];
    struct wire_writer writer = sim_bytes_begin(&operator->connection->to_pool, MESSAGE_BYTES);

    if (operator->left == 0)
        command = SIM_RESUME;
    operator->left -= operator->left> 0;
    operator->asked = command;
    operator->servers_then = world->server_number;
    operator->is_paused |= command == SIM_PAUSE;
    operator->is_empty = operator->is_empty && command != SIM_RESUME;
    wire_put_query(&writer, texts[command]);
    sim_bytes_end(&operator->connection->to_pool, &writer);
}

static void
plant_mode(struct sim_world *world)
{
    for (int i = 0; i < world->worker_count; i++) {
        POOL_EACH(node, &world->workers[i].pool.clients)
        {
            struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
            if (client->group != NULL)
                client->mode = client->group->route->mode;
        }
    }
}

bool
sim_operator_reload(struct pool *pool, struct error *err)
{
    struct sim_world *world = ((struct sim_worker *)pool->driver)->world;
    struct sim_operator *operator= & world->operator;
    struct pool_config *config = sim_config_again(pool->config, &world->random);
    struct pool_route *route = &config->routes.items[0];
    int count = count_servers(world, UINT32_MAX);

    (void)err;
    operator->max = route->max;
    operator->size = count> route->max ? count : route->max;
    if (world->plant == SIM_PLANT_RELOAD)
        route->max = pool->config->routes.items[0].max;
    for (int i = 0; i < world->worker_count; i++) {
        pool_config_keep(config);
        pool_configure(&world->workers[i].pool, config);
    }
    pool_config_drop(config);
    if (world->plant == SIM_PLANT_MODE)
        plant_mode(world);
    return true;
}

/* --- what it is told ----------------------------------------------------------------------- */

/* As if a thread had not heard of it. */
static void
plant(struct sim_world *world, enum sim_command command)
{
    for (int i = 0; i < world->worker_count; i++) {
        POOL_EACH(node, &world->workers[i].pool.groups)
        {
            struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
            if (command == SIM_PAUSE && world->plant == SIM_PLANT_PAUSE)
                group->is_paused = false;
            if (command != SIM_RECONNECT || world->plant != SIM_PLANT_RECONNECT)
                continue;
            POOL_EACH(server, &group->servers)
            {
                POOL_ENTRY(server, struct pool_server, node)->is_outdated = false;
            }
        }
    }
}

static void
take_answer(struct sim_world *world, struct sim_operator *operator, const char * tag)
{
    const char *expected = operator->asked == SIM_SHOW ? "SHOW" : texts[operator->asked];

    if (strcmp(tag, expected) != 0)
        fault(world, "another answer than to what was asked");
    operator->is_empty |= operator->asked == SIM_PAUSE;
    operator->is_paused = operator->is_paused && operator->asked != SIM_RESUME;
    if (operator->asked == SIM_RECONNECT) {
        operator->outdated = operator->servers_then;
        memset(operator->is_noted, 0, sizeof(operator->is_noted));
    }
    if (operator->asked == SIM_WAIT_CLOSE && count_servers(world, operator->outdated) > 0)
        fault(world, "WAIT_CLOSE is answered while there are servers from before RECONNECT");
    plant(world, operator->asked);
}

static void
take_message(struct sim_world *world, struct sim_operator *operator, uint8_t type,
             const uint8_t *body)
{
    if (type == 'E')
        fault(world, "an error");
    else if (type == 'C')
        take_answer(world, operator,(const char *) body);
    else if (type == 'Z')
        operator->is_in = true;
    if (type == 'Z')
        operator->asked = SIM_NO_COMMAND;
}

static void
take(struct sim_world *world, struct sim_operator *operator, const uint8_t * bytes, size_t count)
{
    struct sim_bytes *got = &operator->got;
    struct wire_header header;

    sim_bytes_add(got, bytes, count);
    while (wire_read_header(got->items, got->count, WIRE_FROM_SERVER, &header) == WIRE_WHOLE &&
           got->count >= WIRE_HEADER_BYTES + header.body_bytes) {
        take_message(world, operator, header.type, got->items + WIRE_HEADER_BYTES);
        sim_bytes_drop(got, WIRE_HEADER_BYTES + header.body_bytes);
    }
}

void
sim_operator_step(struct sim_world *world, struct sim_operator *operator)
{
    struct sim_connection *connection = operator->connection;
    size_t count = sim_network_arrive(&world->network, connection);

    take(world, operator, connection->to_peer.items, count);
    sim_bytes_drop(&connection->to_peer, count);
    if (connection->has_ended)
        return;
    if (connection->stream == NULL && connection->to_peer.count == 0) {
        fault(world, "the pool closed the connection");
        sim_network_end(connection, false);
    } else if (sim_one_in(&world->random, 1000)) {
        sim_network_end(connection, sim_one_in(&world->random, 2));
    } else if (operator->is_in && operator->asked ==
               SIM_NO_COMMAND &&(operator->left> 0 || operator->is_paused) &&
               sim_one_in(&world->random, 40)) {
        ask(world, operator);
    }
}

void
sim_operator_lose(struct sim_operator *operator)
{
    sim_bytes_release(&operator->got);
    operator->connection = NULL;
    operator->is_in = false;
    operator->asked = SIM_NO_COMMAND;
}

/* --- what must be so ----------------------------------------------------------------------- */

/* Servers from before RECONNECT stay with whom they have, and go to nobody else. */
static void
check_outdated(struct sim_world *world, struct sim_operator *operator)
{
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct net_stream *stream = world->network.connections[i].stream;
        const struct pool_server *server = stream == NULL ? NULL : stream->owner;
        if (server == NULL || server->object.kind != POOL_OWNER_SERVER ||
            world->servers[i]->session.process > operator->outdated)
            continue;
        bool is_new = operator->is_noted[i] && server->client != NULL && server->client !=
                      operator->holders[i];
        if (is_new)
            fault(world, "a server from before RECONNECT goes to another client");
        operator->holders[i] = server->client;
        operator->is_noted[i] = true;
    }
}

void
sim_operator_check(struct sim_world *world, struct sim_operator *operator)
{
    int count = count_servers(world, UINT32_MAX);

    if (operator->is_empty && count> 0)
        fault(world, "PAUSE is answered, and there are servers");
    if (count > operator->size && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "%d servers, at most %d",
                 count, operator->size);
    if (operator->size> operator->max) /* RELOAD has made it smaller: as they go, none comes */
        operator->size = count> operator->max ? count : operator->max;
    check_outdated(world, operator);
}
