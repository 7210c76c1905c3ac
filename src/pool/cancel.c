// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include <openssl/crypto.h>
#include <stdlib.h>

void
pool_cancel_close(struct pool_cancel *cancel)
{
    struct pool *pool = cancel->pool;
    struct pool_server *server = cancel->server;

    if (cancel->is_closed)
        return;
    cancel->is_closed = true;
    cancel->server = NULL;
    pool_link_close(&cancel->link, &pool->buffers);
    pool_list_remove(&cancel->node);
    pool->cancel_count--;
    pool_list_append(&pool->dead, &cancel->object.dead);
    pool_config_drop(cancel->config);
    if (server == NULL)
        return;
    server->cancels--;
    bool is_quiet = server->owed.count == 0 && !server->link.stream.is_readable &&
                    pool_link_unread(&server->link) == 0;
    if (server->state == POOL_SERVER_DRAINING && is_quiet && server->status == 'I')
        pool_session_done(server);
    else if (server->state == POOL_SERVER_ACTIVE)
        pool_group_checkin(server, false);
}

void
pool_cancel_forget(struct pool_server *server)
{
    POOL_EACH(node, &server->pool->cancels)
    {
        struct pool_cancel *cancel = POOL_ENTRY(node, struct pool_cancel, node);
        if (cancel->server == server)
            cancel->server = NULL;
    }
    server->cancels = 0;
}

void
pool_cancel_server(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct error ignored;

    if (server->key_bytes == 0 || pool->cancel_count >= POOL_CANCELS_MAX)
        return;
    struct pool_cancel *cancel = calloc(1, sizeof(*cancel));
    if (cancel == NULL)
        return;
    cancel->object.kind = POOL_OWNER_CANCEL;
    cancel->pool = pool;
    cancel->link.stream.owner = cancel;
    cancel->link.stream.descriptor = -1;
    cancel->deadline_us = pool->now_us + (uint64_t)POOL_CANCEL_TIMEOUT_MS * 1000;
    cancel->key_bytes = server->key_bytes;
    memcpy(cancel->key, server->key, server->key_bytes);
    struct net_address address = server->address;
    address.display = server->group->route->address.display;
    if (!pool->driver->connect(pool->driver, &address, &cancel->link.stream, &ignored)) {
        free(cancel);
        return;
    }
    cancel->server = server;
    cancel->config = server->group->config;
    pool_config_keep(cancel->config);
    cancel->route = server->group->route;
    server->cancels++;
    pool->cancel_count++;
    pool_list_append(&pool->cancels, &cancel->node);
}

/* Where the server is spoken to by TLS, this is too. False: more must come first. */
static bool
has_tls(struct pool_cancel *cancel)
{
    struct pool_link *link = &cancel->link;
    struct pool_buffers *buffers = &cancel->pool->buffers;
    uint8_t bytes[16];

    if (cancel->route->tls == NULL || net_tls_is_on(&link->stream))
        return true;
    if (!cancel->is_asked) {
        struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
        wire_put_ssl_request(&writer);
        pool_link_put(link, buffers, bytes, writer.length);
        cancel->is_asked = true;
    }
    if (!pool_link_flush(link, buffers)) {
        pool_cancel_close(cancel);
        return false;
    }
    enum pool_fill fill = pool_link_fill(link, buffers, 1);
    if (fill == POOL_FILL_NONE)
        return false;
    bool is_granted =
        fill == POOL_FILL_SOME && pool_link_unread(link) == 1 && pool_link_bytes(link)[0] == 'S';
    pool_link_consume(link, pool_link_unread(link));
    pool_link_settle(link, buffers);
    if (is_granted && net_tls_connect(cancel->route->tls, &link->stream, cancel->route->host))
        return true;
    pool_cancel_close(cancel);
    return false;
}

/* The request is sent, then the server closes: only then the signal has been given. */
void
pool_cancel_event(struct pool_cancel *cancel)
{
    struct pool *pool = cancel->pool;
    uint8_t bytes[16 + 4 + WIRE_KEY_BYTES_MAX];

    if (cancel->is_closed || !has_tls(cancel))
        return;
    if (!cancel->is_sent) {
        struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
        wire_put_cancel(&writer, cancel->key, cancel->key_bytes);
        pool_link_put(&cancel->link, &pool->buffers, bytes, writer.length);
        cancel->is_sent = true;
    }
    if (!pool_link_flush(&cancel->link, &pool->buffers)) {
        pool_cancel_close(cancel);
        return;
    }
    enum pool_fill fill = pool_link_fill(&cancel->link, &pool->buffers, 1);
    if (fill != POOL_FILL_NONE)
        pool_cancel_close(cancel);
}

static struct pool_client *
find_client(struct pool *pool, const uint8_t *key, size_t key_bytes)
{
    if (key_bytes != 8)
        return NULL;
    POOL_EACH(node, &pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        uint8_t own[8];
        struct wire_writer writer = wire_writer(own, sizeof(own));
        if (!pool_client_is_open(client) || client->state < POOL_CLIENT_IDLE ||
            (client->state == POOL_CLIENT_CONSOLE && !client->is_held))
            continue;
        wire_put_uint32(&writer, client->process);
        wire_put_uint32(&writer, client->secret);
        if (CRYPTO_memcmp(own, key, sizeof(own)) == 0)
            return client;
    }
    return NULL;
}

void
pool_cancel_request(struct pool *pool, const uint8_t *key, size_t key_bytes)
{
    struct pool_client *client = find_client(pool, key, key_bytes);
    struct error err;

    if (client == NULL)
        return;
    struct pool_server *server = client->server;
    if (client->state == POOL_CLIENT_CONSOLE) {
        pool_console_cancel(client);
    } else if (client->state == POOL_CLIENT_WAITING) {
        pool_fault(&err, "57014", "canceling statement due to user request");
        pool_client_give_up(client, &err);
    } else if (client->state == POOL_CLIENT_ACTIVE && server->state == POOL_SERVER_ACTIVE &&
               pool_owed_has_visible(&server->owed))
        pool_cancel_server(server);
}
