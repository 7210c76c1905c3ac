// SPDX-License-Identifier: MIT
/* Who waits for a server: each user of a pool has a line, first come first served, and the lines
 * take turns, so that a thousand clients of one user do not keep another's waiting. Also what those
 * are told whose time is up. */
#include "pool/pool.h"

#include <stdlib.h>

enum { HOLDER_BYTES = 200 };

bool
pool_waiting_join(struct pool_group *group, struct pool_client *client)
{
    struct pool_line *line = group->lines;

    while (line != NULL && strcmp(line->user, client->user_name) != 0)
        line = line->next;
    if (line == NULL) {
        line = calloc(1, sizeof(*line));
        if (line == NULL)
            return false;
        memcpy(line->user, client->user_name, sizeof(line->user));
        pool_list_init(&line->clients);
        line->next = group->lines;
        group->lines = line;
    }
    client->line = line;
    return true;
}

void
pool_waiting_release(struct pool_group *group)
{
    while (group->lines != NULL) {
        struct pool_line *line = group->lines;
        group->lines = line->next;
        free(line);
    }
}

void
pool_waiting_add(struct pool_client *client)
{
    struct pool_line *line = client->line;

    if (pool_list_is_empty(&line->clients))
        pool_list_append(&client->group->turns, &line->turn);
    pool_list_append(&line->clients, &client->queue);
    client->group->waiting_count++;
}

void
pool_waiting_remove(struct pool_client *client)
{
    if (client->queue.next == NULL)
        return;
    pool_list_remove(&client->queue);
    client->group->waiting_count--;
    if (pool_list_is_empty(&client->line->clients))
        pool_list_remove(&client->line->turn);
}

static struct pool_client *
first_of(const struct pool_node *turn)
{
    const struct pool_line *line = POOL_ENTRY(turn, struct pool_line, turn);

    return POOL_ENTRY(line->clients.next, struct pool_client, queue);
}

struct pool_client *
pool_waiting_first(const struct pool_group *group)
{
    return pool_list_is_empty(&group->turns) ? NULL : first_of(group->turns.next);
}

void
pool_waiting_take(struct pool_client *client)
{
    struct pool_line *line = client->line;

    pool_waiting_remove(client);
    if (pool_list_is_empty(&line->clients))
        return;
    pool_list_remove(&line->turn);
    pool_list_append(&client->group->turns, &line->turn);
}

struct pool_client *
pool_waiting_oldest(const struct pool_group *group)
{
    struct pool_client *oldest = NULL;

    POOL_EACH(node, &group->turns)
    {
        struct pool_client *client = first_of(node);
        if (oldest == NULL || client->since_us < oldest->since_us)
            oldest = client;
    }
    return oldest;
}

/* --- whose time is up ---------------------------------------------------------------------- */

void
pool_waiting_fail_late(struct pool_client *client)
{
    struct pool_group *group = client->group;
    struct pool_holding holding = pool_holding_of(group);
    char holders[POOL_HOLDERS_TOLD * HOLDER_BYTES];
    struct error err;

    pool_holding_text(&holding, group->pool->now_us, holders, sizeof(holders));
    pool_fault(&err, "53300", "no server connection became free within %lld ms",
               (long long)group->pool->config->pooler.query_wait_timeout_ms);
    error_detail(&err,
                 "Of %d connections (at most %d) %d run queries, %d are idle in a transaction, "
                 "%d are pinned, %d are being made; %d clients wait.%s%s%s",
                 pool_share_size(group), group->route->max, holding.busy, holding.blocks,
                 holding.pinned, holding.connecting, holding.waiting,
                 holders[0] == '\0' ? "" : " Longest held by ", holders,
                 holders[0] == '\0' ? "" : ".");
    if (group->failures > 0)
        error_hint(&err, "The last attempt to connect failed: %.300s.", group->failure.message);
    else if (group->is_paused)
        error_hint(&err, "The pool is paused.");
    if (client->state == POOL_CLIENT_WAITING)
        pool_client_give_up(client, &err);
    else
        pool_client_fail(client, &err);
}
