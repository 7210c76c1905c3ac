// SPDX-License-Identifier: MIT
/* A server on this host that the configuration names by TCP is connected to by its unix socket,
 * once a login by TCP has shown which process it is. */
#include "pool/pool.h"

#include <stdio.h>

static bool
is_wanted(const struct pool_server *server)
{
    const struct pool_group *group = server->group;

    return !group->is_local_tried && group->pool->config->pooler.has_local_sockets &&
           group->pool->driver->find_local != NULL && !group->route->address.is_local &&
           net_address_is_loopback(&group->route->address) && group->route->tls == NULL &&
           server->key_bytes >= 4;
}

/* The group's servers by TCP are replaced as they become free. */
void
pool_local_look(struct pool_server *server)
{
    struct pool_group *group = server->group;
    struct pool_driver *driver = group->pool->driver;

    if (!is_wanted(server))
        return;
    group->is_local_tried = true;
    group->has_local = driver->find_local(driver, &server->link.stream,
                                          (pid_t)wire_uint32(server->key), &group->local);
    if (!group->has_local)
        return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, group->local.path, sizeof(address.sun_path));
    group->local_address = (struct net_address){
        .length = sizeof(address), .is_local = true, .display = group->local.path};
    memcpy(&group->local_address.storage, &address, sizeof(address));
    group->proven_address = server->address;
    pool_log(group->pool, "the server at %s is on this host: \"%s\" in \"%s\" goes on by %s",
             group->route->address.display, group->route->user, group->route->database,
             group->local.path);
    POOL_EACH(node, &group->servers)
    {
        POOL_ENTRY(node, struct pool_server, node)->is_outdated = true;
    }
}

bool
pool_local_is_same(const struct pool_server *server)
{
    struct pool_driver *driver = server->pool->driver;

    return driver->is_local_same == NULL ||
           driver->is_local_same(driver, &server->link.stream, &server->group->local);
}

/* By TCP again; another look is worth it unless it refuses who comes that way. */
void
pool_local_failed(struct pool_server *server, const struct error *reason)
{
    struct pool_group *group = server->group;

    if (group->has_local)
        pool_log(group->pool, "\"%s\" in \"%s\" goes on by %s, not by %s: %s", group->route->user,
                 group->route->database, group->route->address.display, group->local.path,
                 reason->message);
    group->has_local = false;
    group->is_local_tried = strncmp(reason->sqlstate, "28", 2) == 0;
}
