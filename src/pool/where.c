// SPDX-License-Identifier: MIT
#include "pool/where.h"

#include "net/resolver.h"
#include "pool/pool.h"

#include <stdlib.h>

/* Which TLS is asked for hangs on whether the server is on this host: that only a RELOAD may change
 * to the worse. */
static bool
is_acceptable(const struct pool_route *route, const struct net_answer *answer, size_t index)
{
    const struct net_address address = {.storage = answer->addresses[index],
                                        .length = answer->lengths[index]};

    return !net_address_is_loopback(&route->address) || net_address_is_loopback(&address);
}

/* What the name stands for, as far as that may be used. False: it is none, or nothing is known. */
static bool
find(const struct pool_group *group, struct net_answer *ret_answer)
{
    const struct pool_route *route = group->route;
    struct net_resolver *resolver = group->pool->driver->shared->resolver;
    const struct net_host host = {route->address_name, route->port};
    size_t kept = 0, kept_count = 0;

    if (resolver == NULL || host.name == NULL || !net_resolver_find(resolver, &host, ret_answer))
        return false;
    for (size_t i = 0; i < ret_answer->known; i++) {
        if (!is_acceptable(route, ret_answer, i))
            continue;
        kept_count += i < ret_answer->count;
        ret_answer->addresses[kept] = ret_answer->addresses[i];
        ret_answer->lengths[kept++] = ret_answer->lengths[i];
    }
    ret_answer->count = kept_count;
    ret_answer->known = kept;
    return true;
}

struct net_address
pool_where(const struct pool_group *group)
{
    struct net_address address = group->route->address;
    struct net_answer answer;

    if (!find(group, &answer) || answer.count == 0)
        return address;
    size_t index = group->address_turn % answer.count;
    address.storage = answer.addresses[index];
    address.length = answer.lengths[index];
    return address;
}

size_t
pool_where_count(const struct pool_group *group)
{
    struct net_answer answer;

    return find(group, &answer) && answer.count > 1 ? answer.count : 1;
}

void
pool_where_failed(struct pool_group *group, unsigned turn)
{
    struct net_resolver *resolver = group->pool->driver->shared->resolver;

    if (turn == group->address_turn) /* else another one there has failed before */
        group->address_turn++;
    if (resolver != NULL && group->route->address_name != NULL)
        net_resolver_hurry(resolver);
}

/* A full answer says nothing of the addresses that it has not. */
static bool
has(const struct net_answer *answer, const struct pool_server *server)
{
    if (answer->count == NET_ADDRESSES_MAX || answer->known == NET_KNOWN_MAX)
        return true;
    for (size_t i = 0; i < answer->known; i++) {
        if (answer->lengths[i] == server->address.length &&
            memcmp(&answer->addresses[i], &server->address.storage, answer->lengths[i]) == 0)
            return true;
    }
    return false;
}

bool
pool_where_has(const struct pool_group *group, const struct pool_server *server)
{
    struct net_answer answer;

    return !find(group, &answer) || answer.count == 0 || has(&answer, server);
}

static void
replace(struct pool_group *group, const struct net_answer *answer)
{
    const struct pool_route *route = group->route;
    int count = 0;

    POOL_EACH(node, &group->servers)
    {
        struct pool_server *server = POOL_ENTRY(node, struct pool_server, node);
        if (has(answer, server))
            continue;
        server->is_outdated = true;
        count++;
    }
    if (count == 0)
        return;
    group->has_local = group->is_local_tried = false;
    pool_log(group->pool,
             "\"%s\" has other addresses: %d connections of \"%s\" in \"%s\" are replaced",
             route->address_name, count, route->user, route->database);
}

void
pool_where_tick(struct pool_group *group)
{
    struct net_resolver *resolver = group->pool->driver->shared->resolver;
    struct net_answer answer;

    if (resolver == NULL || group->answer_version == net_resolver_version(resolver))
        return;
    group->answer_version = net_resolver_version(resolver);
    if (!find(group, &answer))
        return;
    bool has_fault = answer.fault[0] != '\0', is_news = has_fault && !group->has_told_fault;
    group->has_told_fault = has_fault;
    if (is_news)
        pool_log(group->pool, "\"%s\" of database \"%s\" cannot be found: %s; it stays as it was",
                 group->route->address_name, group->route->database, answer.fault);
    if (has_fault)
        return;
    if (answer.count == 0)
        pool_log(group->pool,
                 "\"%s\" of database \"%s\" is on another host now: RELOAD takes that over",
                 group->route->address_name, group->route->database);
    else
        replace(group, &answer);
}

bool
pool_where_keep(struct pool_shared *shared, const struct pool_config *config, struct error *err)
{
    struct net_host *hosts = calloc(config->routes.count + 1, sizeof(*hosts));
    size_t count = 0;

    if (hosts == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct pool_route *route = &config->routes.items[i];
        if (route->address_name != NULL)
            hosts[count++] = (struct net_host){route->address_name, route->port};
    }
    bool is_needed = shared->resolver != NULL || count > 0;
    if (is_needed && shared->resolver == NULL)
        shared->resolver = net_resolver_new(net_resolve_by_system, err);
    bool is_there = !is_needed || shared->resolver != NULL;
    bool is_kept = !is_needed || (is_there && net_resolver_keep(shared->resolver, hosts, count));
    free(hosts);
    return is_kept || (is_there ? error_set(err, ERROR_INTERNAL, "out of memory") : false);
}
