// SPDX-License-Identifier: MIT
/* The threads of the pool in a run: the driver of each, and what goes from one to another. */
#include "sim/config.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

static bool
random_simulated(struct pool_driver *driver, void *bytes, size_t count)
{
    struct sim_world *world = ((struct sim_worker *)driver)->world;

    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)sim_random(&world->random);
    return true;
}

static void
log_simulated(struct pool_driver *driver, const char *line, bool is_json)
{
    const struct sim_world *world = ((const struct sim_worker *)driver)->world;

    (void)is_json;
    if (world->is_told)
        printf("#   pool: %s\n", line);
}

static struct net_stream *
stream_of(struct pool_object *object)
{
    return object->kind == POOL_OWNER_SERVER ? &((struct pool_server *)object)->link.stream
                                             : &((struct pool_client *)object)->link.stream;
}

/* It leaves some rounds later, as with io_uring. */
static void
move_simulated(struct pool_driver *driver, struct pool_object *object, int destination)
{
    struct sim_worker *worker = (struct sim_worker *)driver;

    object->destination = destination;
    worker->departing[worker->departing_count++] = object;
}

static void
wake_simulated(struct pool_driver *driver, int other)
{
    ((struct sim_worker *)driver)->world->workers[other].is_woken = true;
}

static void
visit_simulated(struct pool_driver *driver, pool_visit *visit, void *context)
{
    struct sim_world *world = ((struct sim_worker *)driver)->world;

    for (int i = 0; i < world->worker_count; i++)
        visit(&world->workers[i].pool, context);
}

static void
send_off(struct sim_worker *worker)
{
    size_t kept = 0;

    for (size_t i = 0; i < worker->departing_count; i++) {
        struct pool_object *object = worker->departing[i];
        struct sim_worker *target = &worker->world->workers[object->destination];
        if (sim_one_in(&worker->world->random, 2)) {
            worker->departing[kept++] = object;
            continue;
        }
        bool has_left = object->kind == POOL_OWNER_SERVER
                            ? pool_server_depart((struct pool_server *)object)
                            : pool_client_depart((struct pool_client *)object);
        if (!has_left)
            continue;
        worker->world->lent += object->kind == POOL_OWNER_SERVER;
        pool_list_append(&target->arrivals, &object->dead);
        target->is_woken = true;
    }
    worker->departing_count = kept;
}

void
sim_worker_release(struct sim_worker *worker)
{
    while (!pool_list_is_empty(&worker->arrivals)) {
        struct pool_object *object = POOL_ENTRY(worker->arrivals.next, struct pool_object, dead);
        pool_list_remove(&object->dead);
        stream_of(object)->transport->close(stream_of(object));
        pool_object_drop(object, &worker->driver);
    }
}

static void
take_arrivals(struct sim_worker *worker)
{
    if (!worker->is_woken || sim_one_in(&worker->world->random, 2))
        return;
    worker->is_woken = false;
    POOL_EACH(node, &worker->arrivals)
    {
        struct pool_object *object = POOL_ENTRY(node, struct pool_object, dead);
        pool_list_remove(node);
        stream_of(object)->is_readable = true;
        if (object->kind == POOL_OWNER_CLIENT) {
            pool_client_arrive(&worker->pool, (struct pool_client *)object);
            pool_client_process((struct pool_client *)object);
        } else if (pool_server_arrive(&worker->pool, (struct pool_server *)object)) {
            pool_server_settle_in((struct pool_server *)object);
        } else {
            abort(); /* the configuration stays as it is */
        }
    }
    pool_share_look(&worker->pool);
}

bool
sim_worker_is_leaving(const struct net_stream *stream)
{
    const struct pool_object *object = stream->owner;

    return object->kind == POOL_OWNER_SERVER
               ? ((const struct pool_server *)object)->state == POOL_SERVER_LEAVING
               : object->kind == POOL_OWNER_CLIENT &&
                     ((const struct pool_client *)object)->is_moving;
}

void
sim_worker_exchange(struct sim_worker *worker)
{
    send_off(worker);
    take_arrivals(worker);
}

void
sim_worker_init(struct sim_world *world, int number, struct pool_config *config)
{
    struct sim_worker *worker = &world->workers[number];
    struct error err;

    worker->driver = (struct pool_driver){.connect = sim_server_connect,
                                          .random = random_simulated,
                                          .log = log_simulated,
                                          .shared = &world->shared,
                                          .worker = number,
                                          .worker_count = world->worker_count,
                                          .visit_all = visit_simulated,
                                          .move = move_simulated,
                                          .wake = wake_simulated};
    worker->world = world;
    pool_list_init(&worker->arrivals);
    pool_config_keep(config);
    if (!pool_init(&worker->pool, &worker->driver, config, SIM_TICK_US, &err))
        abort();
    worker->pool.reload = sim_operator_reload;
}

struct sim_connection *
sim_worker_accept(struct sim_world *world, enum sim_peer_kind kind, void *peer)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    size_t door = sim_below(&world->random, (size_t)world->worker_count);
    struct pool_client *client = pool_client_new(&world->workers[door].pool, &address);

    if (client == NULL)
        abort();
    struct sim_connection *connection =
        sim_network_open(&world->network, &client->link.stream, kind, peer);
    if (connection == NULL) {
        pool_client_close(client);
        return NULL;
    }
    connection->is_told = true;
    client->link.stream.is_local = true;
    client->link.stream.user = SIM_PEER_USER;
    return connection;
}
