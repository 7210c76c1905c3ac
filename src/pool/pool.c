// SPDX-License-Identifier: MIT
#include "pool/pool.h"
#include "pool/total.h"
#include "pool/web.h"

#include "base/json_text.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPARE_BUFFERS = 256, TICK_MS = 100, IDLE_TICK_MS = 1000 };

bool
pool_fault(struct error *err, const char *sqlstate, const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    error_set(err, ERROR_INTERNAL, "%s", message);
    memcpy(err->sqlstate, sqlstate, sizeof(err->sqlstate));
    return false;
}

/* False: no memory. */
static bool
log_json(struct pool *pool, const char *text)
{
    json_t *value = json_text(text);
    char *line = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);

    json_decref(value);
    if (line != NULL)
        pool->driver->log(pool->driver, line, true);
    free(line);
    return line != NULL;
}

void
pool_log(struct pool *pool, const char *format, ...)
{
    char text[2048], line[2 * sizeof(text)];
    size_t length = 0;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool is_json = pool->config != NULL && pool->config->pooler.log_format == DECK_LOG_JSON;
    if (is_json && log_json(pool, text))
        return;
    /* A name can neither move the cursor of a terminal nor begin a line of its own. */
    for (const char *at = text; *at != '\0' && length + 5 < sizeof(line); at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < ' ' || byte == 127)
            length += (size_t)snprintf(line + length, 5, "\\x%02x", byte);
        else
            line[length++] = *at;
    }
    line[length] = '\0';
    pool->driver->log(pool->driver, line, false);
}

struct wire_scram *
pool_scram_take(struct pool *pool)
{
    struct wire_scram *scram = pool->spare_scram;

    pool->spare_scram = NULL;
    return scram != NULL ? scram : calloc(1, sizeof(*scram));
}

void
pool_scram_drop(struct pool *pool, struct wire_scram *scram)
{
    if (scram == NULL)
        return;
    OPENSSL_cleanse(scram, sizeof(*scram));
    if (pool->spare_scram == NULL)
        pool->spare_scram = scram;
    else
        free(scram);
}

/* --- configuration ------------------------------------------------------------------------ */

void
pool_config_keep(struct pool_config *config)
{
    atomic_fetch_add(&config->references, 1);
}

void
pool_config_drop(struct pool_config *config)
{
    if (atomic_fetch_sub(&config->references, 1) == 1)
        pool_config_free(config);
}

static const struct pool_route *
same_route(const struct pool_config *config, const struct pool_route *route)
{
    return pool_config_route(config, route->database, route->user);
}

static bool
is_same_server(const struct pool_route *a, const struct pool_route *b)
{
    const char *old = a->login->password, *new = b->login->password;

    return strcmp(a->login->name, b->login->name) == 0 && a->address.length == b->address.length &&
           memcmp(&a->address.storage, &b->address.storage, a->address.length) == 0 &&
           strcmp(a->tls_identity, b->tls_identity) == 0 && strcmp(a->host, b->host) == 0 &&
           strcmp(a->server_database, b->server_database) == 0 && (old == NULL) == (new == NULL) &&
           (old == NULL || strcmp(old, new) == 0);
}

/* The group's route is now the one of config, or it has none any more. */
static void
reconfigure(struct pool_group *group, struct pool_config *config)
{
    const struct pool_route *route = same_route(config, group->route);

    group->is_removed = route == NULL;
    group->pool->has_removed |= group->is_removed;
    if (route == NULL)
        return;
    bool is_same = is_same_server(group->route, route);
    pool_config_keep(config);
    pool_config_drop(group->config);
    group->config = config;
    group->route = route;
    group->connect_after_us = 0;
    group->has_keys = group->has_keys && is_same;
    group->has_local = group->has_local && is_same && config->pooler.has_local_sockets;
    group->is_local_tried = group->has_local;
    if (!is_same)
        pool_group_outdate(group);
}

void
pool_configure(struct pool *pool, struct pool_config *config)
{
    POOL_EACH(node, &pool->groups)
    {
        reconfigure(POOL_ENTRY(node, struct pool_group, node), config);
    }
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct pool_route *route = &config->routes.items[i];
        if (!(route->share == NULL ? route->worker == pool->driver->worker
                                   : pool_share_has(route->share, pool->driver->worker)))
            continue;
        if (pool_group_find(pool, route->database, route->user) == NULL &&
            !pool_group_new(pool, config, route))
            pool_log(pool, "no memory for the pool of \"%s\" in \"%s\"", route->user,
                     route->database);
    }
    if (pool->config != NULL)
        pool_config_drop(pool->config);
    pool->config = config;
}

bool
pool_init(struct pool *pool, struct pool_driver *driver, struct pool_config *config,
          uint64_t now_us, struct error *err)
{
    *pool = (struct pool){
        .driver = driver, .now_us = now_us, .started_us = now_us, .minute_us = now_us};
    pool_list_init(&pool->groups);
    pool_list_init(&pool->clients);
    pool_list_init(&pool->cancels);
    pool_list_init(&pool->webs);
    pool_list_init(&pool->dead);
    pool->no_parameters = pool_parameters_make(&pool->parameters, NULL, 0);
    if (pool->no_parameters == NULL ||
        !pool_buffers_init(&pool->buffers, SPARE_BUFFERS, (uint32_t)config->pooler.buffer_bytes))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    pool->next_serial = (uint64_t)driver->worker;
    pool_configure(pool, config);
    return true;
}

void
pool_release(struct pool *pool)
{
    POOL_EACH(client, &pool->clients)
    {
        pool_client_close(POOL_ENTRY(client, struct pool_client, node));
    }
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        POOL_EACH(server, &group->servers)
        {
            pool_server_close(POOL_ENTRY(server, struct pool_server, node), NULL);
        }
    }
    POOL_EACH(cancel, &pool->cancels)
    {
        pool_cancel_close(POOL_ENTRY(cancel, struct pool_cancel, node));
    }
    POOL_EACH(web, &pool->webs)
    {
        pool_web_close(POOL_ENTRY(web, struct pool_web, node));
    }
    pool_sweep(pool);
    POOL_EACH(group, &pool->groups)
    {
        pool_group_free(POOL_ENTRY(group, struct pool_group, node));
    }
    pool_parameters_drop(&pool->parameters, pool->no_parameters);
    pool_buffers_release(&pool->buffers);
    free(pool->spare_scram);
    pool_config_drop(pool->config);
}

/* --- events ------------------------------------------------------------------------------- */

void
pool_stream_event(struct pool *pool, struct net_stream *stream, bool is_writable)
{
    enum pool_owner_kind kind = ((struct pool_object *)stream->owner)->kind;

    (void)pool;
    stream->is_readable |= is_writable && net_tls_is_on(stream); /* it may have to write to read */
    if (kind == POOL_OWNER_CANCEL) {
        pool_cancel_event(stream->owner);
        return;
    }
    if (kind == POOL_OWNER_WEB) {
        pool_web_event(stream->owner);
        return;
    }
    if (kind == POOL_OWNER_SERVER) {
        struct pool_server *server = stream->owner;
        if (server->state == POOL_SERVER_LEAVING)
            return; /* what it says is read when it has left */
        if (is_writable && pool_server_is_open(server))
            pool_server_writable(server);
        if (stream->is_readable && pool_server_is_open(server))
            pool_server_process(server);
        return;
    }
    struct pool_client *client = stream->owner;
    if (client->state == POOL_CLIENT_CLOSED)
        return;
    if (is_writable) {
        pool_client_flush(client);
        /* The server was not read while its client did not take what it got. */
        if (client->server != NULL && !pool_link_is_stuck(&client->link))
            pool_server_process(client->server);
    }
    if (client->state != POOL_CLIENT_CLOSED)
        pool_client_process(client);
}

uint64_t
pool_new_serial(struct pool *pool)
{
    pool->next_serial += (uint64_t)pool->driver->worker_count;
    return pool->next_serial;
}

void
pool_visit_all(struct pool *pool, pool_visit *visit, void *context)
{
    if (pool->driver->visit_all == NULL)
        visit(pool, context);
    else
        pool->driver->visit_all(pool->driver, visit, context);
}

static void
tick_clients(struct pool *pool)
{
    POOL_EACH(node, &pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        struct error err;
        if (node_next == NULL) /* closed by what the last one's end led to: next time */
            return;
        if (client->state == POOL_CLIENT_CONSOLE && client->is_held)
            pool_console_tick(client);
        if (client->state == POOL_CLIENT_CLOSED) /* by that: what it had is gone */
            continue;
        if (client->link.stream.has_ended)
            pool_client_knock(client);
        if (client->deadline_us == 0 || pool->now_us < client->deadline_us)
            continue;
        if (client->is_moving) {
            pool_client_close(client);
        } else if (client->state <= POOL_CLIENT_FINAL) {
            pool_fault(&err, "08006", "the login took too long");
            pool_client_fail(client, &err);
        } else if (client->state == POOL_CLIENT_CLOSING) {
            pool_client_close(client);
        }
    }
}

static void
tick_stop(struct pool *pool)
{
    bool is_over = pool->now_us >= pool->stop_deadline_us;
    struct error err;

    POOL_EACH(node, &pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        if (client->state == POOL_CLIENT_CLOSING || client->state == POOL_CLIENT_CONSOLE ||
            (client->server != NULL && !is_over))
            continue;
        pool_fault(&err, "57P01", "pgdeck pool is shutting down");
        pool_client_fail(client, &err);
    }
    bool has_work = false;
    POOL_EACH(node, &pool->clients)
    {
        struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        has_work |= client->server != NULL || client->state == POOL_CLIENT_CLOSING;
    }
    pool->is_ended = !has_work || is_over;
}

int
pool_tick(struct pool *pool, uint64_t now_us)
{
    pool->now_us = now_us;
    tick_clients(pool);
    POOL_EACH(node, &pool->cancels)
    {
        struct pool_cancel *cancel = POOL_ENTRY(node, struct pool_cancel, node);
        if (now_us >= cancel->deadline_us)
            pool_cancel_close(cancel);
    }
    pool_web_tick(pool);
    pool_total_tick(pool);
    POOL_EACH(group, &pool->groups)
    {
        pool_group_tick(POOL_ENTRY(group, struct pool_group, node));
    }
    if (pool->is_stopping)
        tick_stop(pool);
    pool_sweep(pool);
    return pool_list_is_empty(&pool->clients) && pool->web_count == 0 && !pool->is_stopping
               ? IDLE_TICK_MS
               : TICK_MS;
}

void
pool_stop(struct pool *pool, int timeout_ms)
{
    if (pool->is_stopping)
        return;
    pool->is_stopping = true;
    pool->stop_deadline_us = pool->now_us + (uint64_t)timeout_ms * 1000;
    tick_stop(pool);
}

void
pool_sweep(struct pool *pool)
{
    POOL_EACH(node, &pool->dead)
    {
        pool_list_remove(node);
        free(POOL_ENTRY(node, struct pool_object, dead));
    }
    if (!pool->has_removed)
        return;
    pool->has_removed = false;
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        if (group->is_removed && group->client_count == 0 && group->server_count == 0)
            pool_group_free(group);
        else
            pool->has_removed |= group->is_removed;
    }
}
