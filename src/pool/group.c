// SPDX-License-Identifier: MIT
#include "pool/known.h"
#include "pool/outage.h"
#include "pool/pool.h"
#include "pool/where.h"

#include <stdio.h>
#include <stdlib.h>

enum { IDLE_LOOKED_AT = 16 };

struct pool_group *
pool_group_find(struct pool *pool, const char *database, const char *user)
{
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        if (pool_route_is_for(group->route, database, user))
            return group;
    }
    return NULL;
}

bool
pool_group_new(struct pool *pool, struct pool_config *config, const struct pool_route *route)
{
    struct pool_group *group = calloc(1, sizeof(*group));

    struct pool_measures *measures = group == NULL ? NULL : pool_measures_new();
    if (measures == NULL) {
        free(group);
        return false;
    }
    group->measures = measures;
    group->pool = pool;
    group->config = config;
    pool_config_keep(config);
    group->route = route;
    group->share = route->share != NULL && route->share->width > 1 ? route->share : NULL;
    pool_list_init(&group->servers);
    pool_list_init(&group->idle);
    pool_list_init(&group->turns);
    pool_list_append(&pool->groups, &group->node);
    return true;
}

void
pool_group_free(struct pool_group *group)
{
    pool_known_release(group);
    pool_list_remove(&group->node);
    pool_config_drop(group->config);
    pool_measures_free(group->measures);
    pool_waiting_release(group);
    free(group);
}

/* --- check-out ----------------------------------------------------------------------------- */

/* The best of those that are free: the client's last one, one with its parameters, the one used
 * last. NULL: none is free. */
static struct pool_server *
choose(struct pool_group *group, const struct pool_client *client)
{
    struct pool_server *best = NULL;
    int looked_at = 0, best_score = -1;

    POOL_EACH(node, &group->idle)
    {
        struct pool_server *server = POOL_ENTRY(node, struct pool_server, queue);
        int score = server->serial == client->last_server ? 2
                    : server->session == client->session  ? 1
                                                          : 0;
        if (score > best_score) {
            best = server;
            best_score = score;
        }
        if (best_score == 2 || ++looked_at == IDLE_LOOKED_AT)
            break;
    }
    return best;
}

static void
tell_differences(struct pool_client *client, const struct pool_parameters *reported)
{
    struct pool *pool = client->pool;
    struct wire_writer writer =
        pool_link_begin(&client->link, &pool->buffers, pool_parameters_wire_bytes(reported));

    for (unsigned i = 0; i < reported->count; i++) {
        const char *told = pool_parameters_find(client->reported, reported->items[i].name);
        if (told == NULL || strcmp(told, reported->items[i].value) != 0)
            wire_put_parameter(&writer, reported->items[i].name, reported->items[i].value);
    }
    pool_link_end(&client->link, &client->pool->buffers, &writer);
    pool_parameters_move(&pool->parameters, &client->reported, pool_parameters_keep(reported));
}

/* The server has the client's session: the client goes on. */
void
pool_group_start(struct pool_server *server)
{
    struct pool_client *client = server->client;

    server->state = POOL_SERVER_ACTIVE;
    server->since_us = server->pool->now_us;
    if (client->state == POOL_CLIENT_LOGIN) {
        pool_client_welcome_by(client, server);
        client->server = NULL;
        server->client = NULL;
        pool_client_flush(client);
        pool_group_take_back(server);
    } else {
        client->state = POOL_CLIENT_ACTIVE;
        if (client->reported != server->reported)
            tell_differences(client, server->reported);
    }
}

static void
attach(struct pool_server *server, struct pool_client *client)
{
    struct pool_group *group = server->group;
    uint64_t waited = group->pool->now_us - client->since_us;

    pool_group_leave_idle(server);
    if (server->last_client != client->serial && server->last_client != 0 &&
        (group->route->reset == DECK_POOL_FULL || server->is_opaque))
        server->is_discard_due = true;
    server->client = client;
    server->first_query = 0;
    server->waited_us = waited;
    server->last_client = client->serial;
    client->server = server;
    client->last_server = server->serial;
    group->statistics.waits++;
    group->statistics.wait_us += waited;
    pool_measure(&group->measures->wait, waited);
    if (waited > group->statistics.wait_max_us)
        group->statistics.wait_max_us = waited;
    if (pool_session_setup(server))
        pool_group_start(server);
}

void
pool_group_leave_idle(struct pool_server *server)
{
    if (server->queue.next == NULL)
        return;
    pool_list_remove(&server->queue);
    server->group->idle_count--;
}

/* False: it could not even begin, or other threads were quicker. */
static bool
connect_one(struct pool_group *group)
{
    struct error err;

    if (!pool_share_reserve(group))
        return false;
    if (pool_server_start(group, &err))
        return true;
    pool_share_unreserve(group->share, group->pool->driver);
    pool_group_failed(group, &err, group->pool->now_us, group->address_turn);
    return false;
}

/* Whether a server is needed beside those that are being connected to, or come from elsewhere. */
static bool
is_short(const struct pool_group *group)
{
    return group->connecting_count + pool_share_coming(group) < group->waiting_count;
}

static bool
can_grow(const struct pool_group *group)
{
    return is_short(group) && pool_share_size(group) < group->route->max &&
           group->pool->now_us >= group->connect_after_us;
}

/* Starts as many connections as are needed and allowed. Apart from what decides it: errors are
 * large, and cleared when they are declared. */
static void
grow(struct pool_group *group)
{
    while (can_grow(group) && connect_one(group))
        continue;
}

/* Has servers come for those who wait. */
static void
supply(struct pool_group *group)
{
    pool_share_note(group);
    if (!group->is_paused && is_short(group) && !pool_share_ask(group) && can_grow(group))
        grow(group);
}

void
pool_group_serve(struct pool_group *group)
{
    if (group->is_serving) /* further up the stack, and going on */
        return;
    group->is_serving = true;
    pool_share_give(group);
    while (group->waiting_count > 0 && !group->is_paused) {
        struct pool_client *client = pool_waiting_first(group);
        struct pool_server *server = choose(group, client);
        if (server == NULL)
            break;
        pool_waiting_take(client);
        attach(server, client);
        pool_client_process(client);
    }
    group->is_serving = false;
    supply(group);
    pool_share_give(group);
}

/* Apart from pool_group_want: errors are large, and cleared when they are declared. */
static void
refuse(struct pool_client *client)
{
    struct error err;

    pool_fault(&err, "08004", "database \"%s\" is not served by this pool any more",
               client->group->route->database);
    pool_client_fail(client, &err);
}

void
pool_group_want(struct pool_client *client)
{
    struct pool_group *group = client->group;

    if (group->is_removed) {
        refuse(client);
        return;
    }
    client->since_us = group->pool->now_us;
    if (client->state != POOL_CLIENT_LOGIN)
        client->state = POOL_CLIENT_WAITING;
    struct pool_server *server =
        group->waiting_count == 0 && !group->is_paused ? choose(group, client) : NULL;
    if (server != NULL) {
        attach(server, client);
        pool_share_note(group);
        return;
    }
    pool_waiting_add(client);
    supply(group);
}

/* --- check-in ------------------------------------------------------------------------------ */

static unsigned
facts_of(const struct pool_server *server, bool is_client_gone)
{
    const struct pool_client *client = server->client;
    const struct pool_link *link = &server->link;
    unsigned facts = is_client_gone ? POOL_FACT_GONE : 0;

    facts |= server->is_broken || link->is_broken ? POOL_FACT_BROKEN : 0;
    facts |= client->body_left > 0 && !client->is_body_dropped ? POOL_FACT_PARTIAL : 0;
    facts |= link->out.bytes != NULL || link->run_bytes > 0 ? POOL_FACT_UNSENT : 0;
    facts |= link->stream.is_readable || link->stream.is_partial || pool_link_unread(link) > 0 ||
                     server->body_left > 0
                 ? POOL_FACT_UNREAD
                 : 0;
    facts |= server->owed.count > 0 || server->owed.is_skipping || server->is_unsynced
                 ? POOL_FACT_OWED
                 : 0;
    facts |= server->copy != POOL_COPY_NONE ? POOL_FACT_COPY : 0;
    facts |= server->status != 'I' ? POOL_FACT_BLOCK : 0;
    facts |= server->cancels > 0 ? POOL_FACT_CANCEL : 0;
    facts |= client->mode == DECK_POOL_SESSION ? POOL_FACT_SESSION : 0;
    facts |= client->pins != 0 ? POOL_FACT_PINNED : 0;
    facts |= client->signs != 0 ? POOL_FACT_SIGNS : 0;
    return facts;
}

static void
detach(struct pool_server *server)
{
    struct pool_client *client = server->client;

    if (client != NULL) {
        client->server = NULL;
        client->signs = 0;
        client->is_held = client->is_forget_bound = false;
        if (client->state == POOL_CLIENT_ACTIVE)
            client->state = POOL_CLIENT_IDLE;
    }
    server->client = NULL;
    server->is_restart_due = false;
    uint64_t duration_us = server->pool->now_us - server->since_us;
    pool_retry_forget(&server->retry); /* never another client's */
    server->retry.is_second = false;
    server->group->statistics.transactions++;
    server->group->statistics.transaction_us += duration_us;
    pool_measure(&server->group->measures->transaction, duration_us);
    pool_query_leave(server, duration_us);
}

/* A query runs on for a client that has gone: it is stopped before the connection is closed. */
static void
abandon(struct pool_server *server)
{
    detach(server);
    if (pool_owed_has_visible(&server->owed) && !server->is_broken)
        pool_cancel_server(server);
    pool_server_close(server, NULL);
}

static void
drain(struct pool_server *server)
{
    server->state = POOL_SERVER_DRAINING;
    server->deadline_us = server->pool->now_us + (uint64_t)POOL_DRAIN_TIMEOUT_MS * 1000;
}

/* Statement pooling: a transaction that stays open is not what it is for. */
static bool
is_block_refused(const struct pool_server *server)
{
    /* Not yet while the client has part of a notification only. */
    return server->client->mode == DECK_POOL_STATEMENT && server->owed.count == 0 &&
           server->status != 'I' && (server->body_left == 0 || server->is_body_hidden);
}

static void
refuse_block(struct pool_server *server)
{
    struct error err;

    pool_fault(&err, "0A000", "transaction blocks are not possible in statement pooling");
    pool_client_fail(server->client, &err); /* closes the server by the rule */
}

void
pool_group_checkin(struct pool_server *server, bool is_client_gone)
{
    if (is_client_gone && server->state != POOL_SERVER_ACTIVE) {
        /* The pool's own is under way: what it leaves is thrown away. */
        detach(server);
        server->is_discard_due = true;
        drain(server);
        return;
    }
    if (!is_client_gone && is_block_refused(server)) {
        refuse_block(server);
        return;
    }
    switch (pool_checkin(facts_of(server, is_client_gone))) {
    case POOL_KEEP:
        return;
    case POOL_CLOSE:
        abandon(server);
        return;
    case POOL_WAIT:
        server->is_discard_due |= is_client_gone;
        detach(server);
        drain(server);
        return;
    case POOL_PROBE:
        pool_session_probe(server);
        return;
    case POOL_RESET:
        detach(server);
        pool_session_reset(server);
        return;
    case POOL_RELEASE:
        detach(server);
        pool_group_take_back(server);
        return;
    }
}

void
pool_group_take_back(struct pool_server *server)
{
    struct pool_group *group = server->group;
    uint64_t age_us = group->pool->now_us - server->created_us;
    uint64_t recycle_us = (uint64_t)group->pool->config->pooler.recycle_ms * 1000;

    if (server->is_outdated || group->is_removed || group->is_paused ||
        (recycle_us > 0 && age_us >= recycle_us) || pool_share_size(group) > group->route->max) {
        pool_server_close(server, NULL);
        return;
    }
    server->state = POOL_SERVER_IDLE;
    server->since_us = group->pool->now_us;
    server->deadline_us = 0;
    pool_list_prepend(&group->idle, &server->queue);
    group->idle_count++;
    pool_group_serve(group);
}

void
pool_group_outdate(struct pool_group *group)
{
    group->epoch++;
    POOL_EACH(node, &group->servers)
    {
        struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        server->is_outdated = true;
    }
}

/* --- time ---------------------------------------------------------------------------------- */

static void
tick_server(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_group *group = server->group;
    const struct deck_pooler *pooler = &pool->config->pooler;
    uint64_t idle_us = pool->now_us - server->since_us;
    uint64_t age_us = pool->now_us - server->created_us;
    int64_t query_ms = group->route->query_timeout_ms;
    struct error err;

    if (server->deadline_us != 0 && pool->now_us >= server->deadline_us) {
        pool_fault(&err, "08006", "the server did not answer in time");
        pool_server_close(server, &err);
    } else if (server->state == POOL_SERVER_IDLE) {
        bool is_old = pooler->recycle_ms > 0 && age_us >= (uint64_t)pooler->recycle_ms * 1000;
        bool is_spare = pooler->idle_timeout_ms > 0 &&
                        idle_us >= (uint64_t)pooler->idle_timeout_ms * 1000 &&
                        pool_share_size(group) > group->route->min;
        if (server->is_outdated || group->is_removed || group->is_paused || is_old || is_spare)
            pool_server_close(server, NULL);
    } else if (server->state == POOL_SERVER_ACTIVE && query_ms > 0 && server->cancels == 0 &&
               pool_owed_has_visible(&server->owed) &&
               pool->now_us - server->query_us >= (uint64_t)query_ms * 1000) {
        pool_cancel_server(server); /* and again, if it goes on */
    }
}

void
pool_group_tick(struct pool_group *group)
{
    struct pool *pool = group->pool;
    uint64_t limit_us = (uint64_t)pool->config->pooler.query_wait_timeout_ms * 1000;

    pool_holding_tell(group);
    pool_where_tick(group);
    POOL_EACH(node, &group->servers)
    {
        tick_server(POOL_ENTRY(node, struct pool_server, node));
    }
    while (group->waiting_count > 0) {
        struct pool_client *client = pool_waiting_oldest(group);
        if (pool->now_us - client->since_us < limit_us)
            break;
        pool_waiting_fail_late(client);
    }
    if (group->is_paused || pool->is_stopping || group->is_removed)
        return;
    bool has_secret = group->route->login->password != NULL || group->has_keys ||
                      (!group->route->login->has_keys && group->route->auth_conninfo == NULL);
    bool is_first = group->share == NULL || group->share->first == pool->driver->worker;
    while (is_first && pool_share_size(group) < group->route->min && has_secret &&
           pool->now_us >= group->connect_after_us && connect_one(group))
        continue;
    pool_group_serve(group);
    pool_outage_tick(group);
}
