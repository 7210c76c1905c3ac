// SPDX-License-Identifier: MIT
#include "pool/total.h"

#include "pool/pool.h"

#include <stdlib.h>

enum { MINUTE_US = 60000000 };

void
pool_total_free(struct pool_total *total)
{
    if (total == NULL)
        return;
    pool_measures_free(total->measures);
    free(total);
}

static void
add_servers(struct pool_total *total, const struct pool_group *group)
{
    POOL_EACH(node, &group->servers)
    {
        const struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        total->client_active += server->client != NULL;
        total->client_pinned += server->client != NULL && server->client->pins != 0;
        total->server_active += server->client != NULL;
        total->server_login += server->state <= POOL_SERVER_LOGIN;
        total->server_idle += server->state == POOL_SERVER_IDLE;
        total->server_used +=
            server->state == POOL_SERVER_DRAINING || server->state == POOL_SERVER_LEAVING;
    }
}

static void
add_statistics(struct pool_statistics *into, const struct pool_statistics *from)
{
    into->transactions += from->transactions;
    into->queries += from->queries;
    into->errors += from->errors;
    into->received_bytes += from->received_bytes;
    into->sent_bytes += from->sent_bytes;
    into->wait_us += from->wait_us;
    into->waits += from->waits;
    into->transaction_us += from->transaction_us;
    into->query_us += from->query_us;
    if (from->wait_max_us > into->wait_max_us)
        into->wait_max_us = from->wait_max_us;
}

/* All but the measures. */
static void
add_figures(struct pool_total *total, const struct pool_group *group)
{
    const struct pool_client *oldest = pool_waiting_oldest(group);
    uint64_t waited_us = oldest == NULL ? 0 : group->pool->now_us - oldest->since_us;

    add_servers(total, group);
    add_statistics(&total->statistics, &group->statistics);
    add_statistics(&total->minute, &group->minute.within);
    if (group->minute.length_us > total->minute_us)
        total->minute_us = group->minute.length_us;
    total->clients += group->client_count;
    total->waiting += group->waiting_count;
    total->servers += group->server_count;
    total->live_received_bytes += group->live_received_bytes;
    total->live_sent_bytes += group->live_sent_bytes;
    if (waited_us > total->wait_us)
        total->wait_us = waited_us;
    if (group->failures > 0)
        memcpy(total->last_error, group->failure.message, sizeof(total->last_error));
}

/* What clients that are still here have sent and got. */
static void
count_bytes(struct pool *pool)
{
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        group->live_received_bytes = group->live_sent_bytes = 0;
    }
    POOL_EACH(node, &pool->clients)
    {
        const struct pool_client *client = POOL_ENTRY(node, struct pool_client, node);
        if (client->group == NULL)
            continue;
        client->group->live_received_bytes += client->link.received_bytes;
        client->group->live_sent_bytes += client->link.sent_bytes;
    }
}

static void
add_groups(struct pool *pool, void *context)
{
    (void)context;
    count_bytes(pool);
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        struct pool_total *total = group->share == NULL ? NULL : group->share->total;
        if (total == NULL)
            continue;
        add_figures(total, group);
        pool_measures_add(total->measures, group->measures);
    }
}

/* --- the last minute ----------------------------------------------------------------------- */

static void
end_minute(struct pool_group *group)
{
    struct pool_minute *minute = &group->minute;
    struct pool_statistics now = group->statistics;
    const struct pool_statistics *before = &minute->before;
    uint64_t began_us = minute->ended_us == 0 ? group->pool->started_us : minute->ended_us;

    now.received_bytes += group->live_received_bytes;
    now.sent_bytes += group->live_sent_bytes;
    minute->within = (struct pool_statistics){
        .transactions = now.transactions - before->transactions,
        .queries = now.queries - before->queries,
        .received_bytes = now.received_bytes - before->received_bytes,
        .sent_bytes = now.sent_bytes - before->sent_bytes,
        .wait_us = now.wait_us - before->wait_us,
        .transaction_us = now.transaction_us - before->transaction_us,
        .query_us = now.query_us - before->query_us,
    };
    minute->length_us = group->pool->now_us - began_us;
    minute->ended_us = group->pool->now_us;
    minute->before = now;
}

void
pool_total_tick(struct pool *pool)
{
    if (pool->now_us - pool->minute_us < MINUTE_US)
        return;
    pool->minute_us = pool->now_us;
    count_bytes(pool);
    POOL_EACH(node, &pool->groups)
    {
        end_minute(POOL_ENTRY(node, struct pool_group, node));
    }
}

/* --- sums of all threads ------------------------------------------------------------------- */

void
pool_total_collect(struct pool *pool)
{
    for (struct pool_share *share = pool->driver->shared->shares; share != NULL;
         share = share->next) {
        if (share->width == 1)
            continue;
        pool_total_free(share->total);
        share->total = calloc(1, sizeof(*share->total));
        if (share->total == NULL)
            continue;
        share->total->measures = pool_measures_new();
        if (share->total->measures != NULL)
            continue;
        free(share->total);
        share->total = NULL; /* no memory: it is left out */
    }
    pool_visit_all(pool, add_groups, NULL);
}

bool
pool_total_of(struct pool_group *group, struct pool_total *ret_total)
{
    const struct pool_share *share = group->share;

    if (share != NULL && (share->first != group->pool->driver->worker || share->total == NULL))
        return false;
    if (share != NULL)
        *ret_total = *share->total;
    else
        *ret_total = (struct pool_total){.measures = group->measures};
    ret_total->group = group;
    if (share == NULL)
        add_figures(ret_total, group);
    return true;
}
