// SPDX-License-Identifier: MIT
#include "pool/holding.h"

#include "pool/pool.h"

#include <stdio.h>

static const char *
what_it_does(const struct pool_server *server)
{
    return server->client->pins != 0                   ? "pinned"
           : server->owed.count > 0                    ? "running a query"
           : server->status != 'I'                     ? "idle in a transaction"
           : server->client->mode == DECK_POOL_SESSION ? "in its session"
                                                       : "active";
}

/* The place of one that has a server since then: the number of those that have one for longer. */
static int
place_of(const struct pool_holding *holding, uint64_t since_us)
{
    int place = holding->holder_count;

    while (place > 0 && holding->holders[place - 1].since_us > since_us)
        place--;
    return place;
}

static struct pool_holder *
insert(struct pool_holding *holding, uint64_t since_us)
{
    int place = place_of(holding, since_us);

    if (place == POOL_HOLDERS_TOLD)
        return NULL;
    if (holding->holder_count < POOL_HOLDERS_TOLD)
        holding->holder_count++;
    for (int i = holding->holder_count - 1; i > place; i--)
        holding->holders[i] = holding->holders[i - 1];
    return &holding->holders[place];
}

static void
add_server(struct pool_holding *holding, const struct pool_server *server)
{
    const struct pool_client *client = server->client;

    if (client == NULL)
        return;
    holding->pinned += client->pins != 0;
    holding->blocks += client->pins == 0 && server->owed.count == 0 && server->status != 'I';
    holding->busy += client->pins == 0 && server->owed.count > 0;
    struct pool_holder *holder = insert(holding, server->since_us);
    if (holder == NULL)
        return;
    const char *application = pool_parameters_find(client->reported, "application_name");
    *holder = (struct pool_holder){.since_us = server->since_us, .does = what_it_does(server)};
    snprintf(holder->user, sizeof(holder->user), "%s", client->user_name);
    snprintf(holder->application, sizeof(holder->application), "%.*s",
             (int)sizeof(holder->application) - 1, application == NULL ? "" : application);
}

/* In this thread. */
static struct pool_holding
own_holding(const struct pool_group *group)
{
    struct pool_holding holding = {.connecting = group->connecting_count,
                                   .waiting = group->waiting_count};

    POOL_EACH(node, &group->servers)
    {
        add_server(&holding, POOL_ENTRY(node, struct pool_server, node));
    }
    return holding;
}

static void
add(struct pool_holding *holding, const struct pool_holding *other)
{
    holding->pinned += other->pinned;
    holding->blocks += other->blocks;
    holding->busy += other->busy;
    holding->connecting += other->connecting;
    holding->waiting += other->waiting;
    for (int i = 0; i < other->holder_count; i++) {
        struct pool_holder *holder = insert(holding, other->holders[i].since_us);
        if (holder != NULL)
            *holder = other->holders[i];
    }
}

struct pool_holding
pool_holding_of(const struct pool_group *group)
{
    struct pool_holding holding = own_holding(group);
    struct pool_share *share = group->share;

    for (int worker = 0; share != NULL && worker < share->worker_count; worker++) {
        struct pool_told_holding *told = &share->places[worker].told;
        if (worker == group->pool->driver->worker || !pool_share_has(share, worker))
            continue;
        pthread_mutex_lock(&told->mutex);
        add(&holding, &told->holding);
        pthread_mutex_unlock(&told->mutex);
    }
    return holding;
}

void
pool_holding_tell(struct pool_group *group)
{
    if (group->share == NULL)
        return;
    struct pool_place *place = &group->share->places[group->pool->driver->worker];
    bool is_asked = atomic_load_explicit(&group->share->hungry, memory_order_relaxed) > 0;
    if (!is_asked && !group->has_told_holding)
        return;
    group->has_told_holding = is_asked;
    struct pool_holding holding = {0};
    if (is_asked)
        holding = own_holding(group);
    pthread_mutex_lock(&place->told.mutex);
    place->told.holding = holding;
    pthread_mutex_unlock(&place->told.mutex);
}

void
pool_holding_text(const struct pool_holding *holding, uint64_t now_us, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (int i = 0; i < holding->holder_count && length < size; i++) {
        const struct pool_holder *holder = &holding->holders[i];
        bool has_name = holder->application[0] != '\0';
        uint64_t held_ms = now_us > holder->since_us ? (now_us - holder->since_us) / 1000 : 0;
        length += (size_t)snprintf(text + length, size - length,
                                   "%s\"%s\"%s%s%s for %llu.%llu s, %s", i == 0 ? "" : "; ",
                                   holder->user, has_name ? " (" : "", holder->application,
                                   has_name ? ")" : "", (unsigned long long)held_ms / 1000,
                                   (unsigned long long)held_ms % 1000 / 100, holder->does);
    }
}
