// SPDX-License-Identifier: MIT
/* Between threads: a client's start-up says whose pool it is for, and the client goes there with
 * all that was read of it. An idle server goes to a thread that needs it (share.c). Nothing else
 * ever changes threads. */
#include "pool/pool.h"
#include "pool/where.h"

#include <stdlib.h>

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
    if (route == NULL)
        return own;
    return route->share == NULL || route->share->width == 1 ? route->worker
                                                            : pool_share_turn(route->share);
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
    driver->move(driver, &client->object, home);
    return true;
}

/* What has been received, as another loop cannot give it; the end of that it will find, too. False:
 * it has to be closed. */
static bool
read_rest(struct pool *pool, struct pool_link *link, enum pool_fill *ret_last)
{
    enum pool_fill fill;

    do {
        link->stream.is_readable = true;
        fill = pool_link_fill(link, &pool->buffers, pool_link_unread(link) + 1);
    } while (fill == POOL_FILL_SOME && pool_link_unread(link) < POOL_GATHER_BYTES_MAX);
    *ret_last = fill;
    return (fill == POOL_FILL_NONE || fill == POOL_FILL_END) && link->out.bytes == NULL;
}

bool
pool_client_depart(struct pool_client *client)
{
    struct pool *pool = client->pool;
    enum pool_fill last;

    if (!read_rest(pool, &client->link, &last)) {
        pool_client_close(client);
        return false;
    }
    pool_parameters_move(&pool->parameters, &client->startup, NULL);
    pool_parameters_move(&pool->parameters, &client->session, NULL);
    pool_parameters_move(&pool->parameters, &client->reported, NULL);
    pool_list_remove(&client->node);
    pool->buffers.taken -= client->link.in.bytes != NULL;
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

/* --- servers ------------------------------------------------------------------------------- */

/* Its parameters and statements, which are its pool's, become copies of its own. False: no memory,
 * and nothing has changed. */
static bool
unshare_texts(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_parameters *session = pool_parameters_copy(server->session);
    struct pool_parameters *reported = pool_parameters_copy(server->reported);
    struct pool_statement *unnamed =
        server->unnamed == NULL ? NULL : pool_statement_copy(server->unnamed);

    if (session == NULL || reported == NULL || (unnamed == NULL) != (server->unnamed == NULL) ||
        !pool_prepared_copy(&server->prepared, &pool->statements)) {
        free(session);
        free(reported);
        free(unnamed);
        return false;
    }
    pool_parameters_drop(&pool->parameters, server->session);
    pool_parameters_drop(&pool->parameters, server->reported);
    pool_parameters_drop(&pool->parameters, server->next_session);
    pool_statement_drop(&pool->statements, server->unnamed);
    server->session = session;
    server->reported = reported;
    server->next_session = NULL;
    server->unnamed = unnamed;
    return true;
}

bool
pool_server_depart(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_group *group = server->group;
    enum pool_fill last;

    if (server->is_outdated || group->is_removed || !read_rest(pool, &server->link, &last) ||
        last == POOL_FILL_END || !unshare_texts(server)) {
        pool_server_close(server, NULL);
        return false;
    }
    pool_list_remove(&server->node);
    group->server_count--;
    pool->buffers.taken -= server->link.in.bytes != NULL;
    server->group = NULL;
    server->pool = NULL;
    return true;
}

bool
pool_server_arrive(struct pool *pool, struct pool_server *server)
{
    struct pool_parameter_table *table = &pool->parameters;
    struct pool_group *group = pool_group_find(pool, server->share->database, server->share->user);

    if (group == NULL || group->is_removed || group->share != server->share)
        return false;
    pool_share_arrived(server);
    server->pool = pool;
    server->group = group;
    server->is_outdated |= server->epoch != group->epoch ||
                           (group->has_local && !server->is_by_local) ||
                           !pool_where_has(group, server);
    server->session = pool_parameters_adopt(table, (struct pool_parameters *)server->session);
    server->reported = pool_parameters_adopt(table, (struct pool_parameters *)server->reported);
    pool_prepared_adopt(&server->prepared, &pool->statements);
    if (server->unnamed != NULL)
        server->unnamed = pool_statement_adopt(&pool->statements, server->unnamed);
    pool_list_append(&group->servers, &server->node);
    group->server_count++;
    group->asked_us = 0;
    pool->buffers.taken += server->link.in.bytes != NULL;
    server->state = POOL_SERVER_IDLE;
    return true;
}

void
pool_server_settle_in(struct pool_server *server)
{
    pool_server_process(server); /* what it has said meanwhile */
    if (pool_server_is_open(server))
        pool_group_take_back(server);
}

static void
drop_server(struct pool_server *server, struct pool_driver *driver)
{
    pool_share_arrived(server);
    pool_share_unreserve(server->share, driver);
    pool_owed_release(&server->owed);
    for (uint32_t i = 0; i < server->prepared.count; i++)
        free(server->prepared.items[i].statement);
    free(server->prepared.items);
    free(server->unnamed);
    free((void *)server->session);
    free((void *)server->reported);
    free(server->scram);
    free(server->retry.bytes);
    free(server->retry.answer);
    free(server->link.in.bytes);
    free(server);
}

void
pool_object_drop(struct pool_object *object, struct pool_driver *driver)
{
    if (object->kind == POOL_OWNER_SERVER) {
        drop_server((struct pool_server *)object, driver);
        return;
    }
    struct pool_client *client = (struct pool_client *)object;
    free(client->link.in.bytes);
    free(client);
}
