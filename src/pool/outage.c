// SPDX-License-Identifier: MIT
/* Where a group was served from before the server gets connect_timeout: a restart is no more. */
#include "pool/outage.h"

#include "pool/pool.h"
#include "pool/where.h"

enum { BACKOFF_MIN_MS = 50, BACKOFF_MAX_MS = 1000, BLIP_MS = 300 };

static bool
is_class(const struct error *err, const char *prefix)
{
    return strncmp(err->sqlstate, prefix, strlen(prefix)) == 0;
}

/* Faults that waiting does not mend. */
static bool
is_hopeless(const struct error *err)
{
    return is_class(err, "28") || is_class(err, "3D") || is_class(err, "08P");
}

/* The server was not reached, or does not serve yet: another address may do. */
static bool
is_unreached(const struct error *err)
{
    return is_class(err, "08") || is_class(err, "57P03");
}

/* No server is there, none is being connected to, and the last attempt failed. */
static bool
is_down(const struct pool_group *group)
{
    return group->failures > 0 && group->server_count == group->connecting_count &&
           pool_share_size(group) == group->server_count;
}

/* Whether clients are still to wait: the server may come back by itself. */
static bool
is_within_grace(const struct pool_group *group)
{
    const struct error *failure = &group->failure;
    /* Full, starting or stopping. */
    bool is_there =
        is_class(failure, "53") || is_class(failure, "57") || is_class(failure, "08006");
    int64_t grace_ms =
        group->has_served || is_there ? group->pool->config->pooler.connect_timeout_ms : BLIP_MS;

    bool is_early = group->pool->now_us - group->failing_since_us < (uint64_t)grace_ms * 1000;
    bool is_elsewhere = is_unreached(failure) &&
                        group->address_turn - group->failing_turn < pool_where_count(group);
    return !is_hopeless(failure) && (is_early || is_elsewhere);
}

static const char *
hint_of(const struct error *failure)
{
    if (failure->hint[0] != '\0')
        return failure->hint;
    if (is_class(failure, "28P"))
        return "The password that the pool has for this login is not the server's.";
    if (is_class(failure, "28"))
        return "The server does not let the pool in: see pg_hba.conf there, and its certificate.";
    if (is_class(failure, "3D"))
        return "Create the database on the server, or name another one to the pool.";
    if (is_class(failure, "53"))
        return "Others have the server's connections: give this pool a smaller max, or the server "
               "a larger max_connections.";
    return "See whether PostgreSQL runs there and may be reached; the pool tries again by itself.";
}

static void
tell(struct pool_client *client)
{
    const struct pool_group *group = client->group;
    const struct error *failure = &group->failure;
    struct error err;

    pool_fault(&err, failure->sqlstate, "the pool has no connection to the server of \"%s\"",
               group->route->database);
    error_detail(&err, "Logging in \"%s\" to \"%s\" at %s failed: %s%s%s%s",
                 group->route->login->name, group->route->server_database,
                 group->route->address.display, failure->message,
                 failure->detail[0] == '\0' ? "" : " (", failure->detail,
                 failure->detail[0] == '\0' ? "" : ")");
    error_hint(&err, "%s", hint_of(failure));
    if (client->state == POOL_CLIENT_WAITING)
        pool_client_give_up(client, &err);
    else
        pool_client_fail(client, &err);
}

/* Those who wait, and what they ask for next as far as they have sent it. */
static void
tell_waiting(struct pool_group *group)
{
    while (group->waiting_count > 0 && is_down(group) && !is_within_grace(group))
        tell(pool_waiting_first(group));
}

void
pool_outage_tick(struct pool_group *group)
{
    if (group->connecting_count == 0 && group->pool->now_us < group->connect_after_us)
        tell_waiting(group);
}

void
pool_group_failed(struct pool_group *group, const struct error *err, uint64_t began_us,
                  unsigned turn)
{
    struct pool *pool = group->pool;
    uint64_t wait_ms = BACKOFF_MIN_MS;
    uint16_t jitter = 0;

    for (unsigned i = 0; i < group->failures && wait_ms < BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BACKOFF_MAX_MS)
        wait_ms = BACKOFF_MAX_MS;
    if (!pool->driver->random(pool->driver, &jitter, sizeof(jitter)))
        jitter = 0;
    wait_ms += wait_ms * jitter / UINT16_MAX / 2;
    group->connect_after_us = pool->now_us + wait_ms * 1000;
    if (group->failures == 0) {
        group->failing_since_us = began_us;
        group->failing_turn = group->address_turn;
    }
    if (group->failures++ == 0 || strcmp(group->failure.message, err->message) != 0)
        pool_log(pool, "cannot log in \"%s\" to \"%s\" at %s: %s", group->route->login->name,
                 group->route->server_database, group->route->address.display, err->message);
    group->failure = *err;
    if (is_unreached(err))
        pool_where_failed(group, turn);
    tell_waiting(group);
}
