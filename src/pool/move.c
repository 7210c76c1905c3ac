// SPDX-License-Identifier: MIT
/* Between threads: a client's start-up says whose pool it is for, and the client goes there with
 * all that was read of it. Nothing else ever changes threads. */
#include "pool/pool.h"

/* Process numbers are spread over the threads up to the last whole round below 2^32. */
uint32_t
pool_client_process_number(const struct pool_client *client)
{
    const uint64_t count = (uint64_t)client->pool->driver->worker_count;

    return (uint32_t)(client->serial % (UINT32_MAX / count * count));
}

static int
home_of(const struct pool *pool, const struct wire_startup *startup)
{
    const int own = pool->driver->worker;

    if (startup->kind == WIRE_CANCEL)
        return startup->key_bytes != 8
                   ? own
                   : (int)(wire_uint32(startup->key) % (uint32_t)pool->driver->worker_count);
    if (startup->kind != WIRE_STARTUP)
        return own;
    if (pool_console_is_database(startup->database))
        return 0;
    const struct pool_route *route =
        pool_config_route(pool->config, startup->database, startup->user);
    return route == NULL ? own : route->worker;
}

bool
pool_client_move(struct pool_client *client, const struct wire_startup *startup)
{
    struct pool_driver *driver = client->pool->driver;

    if (driver->worker_count == 1 || client->has_moved || pool_link_is_stuck(&client->link))
        return false;
    int home = home_of(client->pool, startup);
    if (home == driver->worker)
        return false;
    client->is_moving = true;
    driver->move(driver, client, home);
    return true;
}

bool
pool_client_depart(struct pool_client *client)
{
    struct pool *pool = client->pool;
    struct pool_link *link = &client->link;
    enum pool_fill fill;

    do {
        link->stream.is_readable = true;
        fill = pool_link_fill(link, &pool->buffers, pool_link_unread(link) + 1);
    } while (fill == POOL_FILL_SOME && pool_link_unread(link) < POOL_GATHER_BYTES_MAX);
    if (fill != POOL_FILL_NONE || link->out.bytes != NULL) {
        pool_client_close(client);
        return false;
    }
    pool_parameters_move(&pool->parameters, &client->startup, NULL);
    pool_parameters_move(&pool->parameters, &client->session, NULL);
    pool_parameters_move(&pool->parameters, &client->reported, NULL);
    pool_list_remove(&client->node);
    pool->buffers.taken -= link->in.bytes != NULL;
    return true;
}

void
pool_client_arrive(struct pool *pool, struct pool_client *client)
{
    client->pool = pool;
    client->is_moving = false;
    client->has_moved = true;
    client->serial = pool_new_serial(pool);
    client->startup = pool_parameters_keep(pool->no_parameters);
    client->session = pool_parameters_keep(pool->no_parameters);
    client->reported = pool_parameters_keep(pool->no_parameters);
    pool_list_append(&pool->clients, &client->node);
    pool->buffers.taken += client->link.in.bytes != NULL;
}
