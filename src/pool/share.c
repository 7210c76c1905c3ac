// SPDX-License-Identifier: MIT
#include "pool/share.h"

#include "pool/known.h"
#include "pool/pool.h"
#include "pool/total.h"

#include <stdlib.h>

enum {
    LEAD_US = 1000,      /* so much longer another thread's client has waited, to come first */
    LOOK_US = 200,       /* the others' clients are looked at so often while own ones wait */
    SPARE_US = 5000,     /* idle for so long, a server is lent rather than another connected to */
    ANSWER_US = 1000000, /* after which an answer is waited for no longer */
};

/* --- the object ---------------------------------------------------------------------------- */

struct pool_share *
pool_share_find(const struct pool_shared *shared, const char *database, const char *user)
{
    struct pool_share *share = shared->shares;

    while (share != NULL &&
           (strcmp(share->database, database) != 0 || strcmp(share->user, user) != 0))
        share = share->next;
    return share;
}

static void
free_share(struct pool_share *share)
{
    pool_total_free(share->total);
    pool_known_free_shared(share);
    for (int worker = 0; worker < share->worker_count; worker++)
        pthread_mutex_destroy(&share->places[worker].told.mutex);
    free(share->database);
    free(share->user);
    free(share);
}

struct pool_share *
pool_share_new(struct pool_shared *shared, const char *database, const char *user, int first,
               int width, int worker_count)
{
    size_t bytes = sizeof(struct pool_share) + (size_t)worker_count * sizeof(struct pool_place);
    struct pool_share *share = aligned_alloc(POOL_LINE_BYTES, bytes);

    if (share == NULL)
        return NULL;
    memset(share, 0, bytes);
    for (int worker = 0; worker < worker_count; worker++)
        pthread_mutex_init(&share->places[worker].told.mutex, NULL);
    share->database = strdup(database);
    share->user = strdup(user);
    share->first = first;
    share->width = width < worker_count ? width : worker_count;
    share->worker_count = worker_count;
    if (share->database == NULL || share->user == NULL) {
        free_share(share);
        return NULL;
    }
    share->next = shared->shares;
    shared->shares = share;
    return share;
}

void
pool_share_free_all(struct pool_shared *shared)
{
    while (shared->shares != NULL) {
        struct pool_share *share = shared->shares;
        shared->shares = share->next;
        free_share(share);
    }
}

bool
pool_share_has(const struct pool_share *share, int worker)
{
    return (worker - share->first + share->worker_count) % share->worker_count < share->width;
}

int
pool_share_turn(struct pool_share *share)
{
    unsigned ticket = atomic_fetch_add_explicit(&share->tickets, 1, memory_order_relaxed);

    return (share->first + (int)(ticket % (unsigned)share->width)) % share->worker_count;
}

/* --- size ---------------------------------------------------------------------------------- */

int
pool_share_size(const struct pool_group *group)
{
    return group->share == NULL ? group->server_count : atomic_load(&group->share->servers);
}

bool
pool_share_reserve(struct pool_group *group)
{
    struct pool_share *share = group->share;

    if (share == NULL)
        return true;
    int count = atomic_load(&share->servers);
    while (count < group->route->max) {
        if (atomic_compare_exchange_weak(&share->servers, &count, count + 1))
            return true;
    }
    return false;
}

void
pool_share_unreserve(struct pool_share *share, struct pool_driver *driver)
{
    if (share == NULL)
        return;
    atomic_fetch_sub(&share->servers, 1);
    for (int worker = 0; atomic_load(&share->hungry) > 0 && worker < share->worker_count;
         worker++) {
        struct pool_place *place = &share->places[worker];
        if (worker == driver->worker || atomic_load(&place->waiting) == 0)
            continue;
        atomic_store(&place->is_refused, true); /* it looks for a server anew */
        driver->wake(driver, worker);
    }
}

/* --- how it stands ------------------------------------------------------------------------- */

static struct pool_place *
own_place(const struct pool_group *group)
{
    return &group->share->places[group->pool->driver->worker];
}

/* The i-th of the others. */
static int
other_worker(const struct pool_group *group, int i)
{
    const struct pool_share *share = group->share;
    int own =
        (group->pool->driver->worker - share->first + share->worker_count) % share->worker_count;

    return (share->first + (own + i) % share->width) % share->worker_count;
}

int
pool_share_coming(const struct pool_group *group)
{
    return group->share == NULL ? 0 : atomic_load(&own_place(group)->coming);
}

void
pool_share_note(struct pool_group *group)
{
    if (group->share == NULL)
        return;
    struct pool_place *place = own_place(group);
    int waited = atomic_load_explicit(&place->waiting, memory_order_relaxed);
    if (group->waiting_count > 0) {
        uint64_t since_us = pool_waiting_oldest(group)->since_us;
        atomic_store_explicit(&place->since_us, since_us, memory_order_relaxed);
    }
    if (waited != group->waiting_count)
        atomic_store(&place->waiting, group->waiting_count);
    if ((waited > 0) != (group->waiting_count > 0))
        atomic_fetch_add(&group->share->hungry, waited > 0 ? -1 : 1);
    if (group->idle_count > 0) {
        const struct pool_server *last =
            POOL_ENTRY(group->idle.previous, struct pool_server, queue);
        atomic_store_explicit(&place->spare_since_us, last->since_us, memory_order_relaxed);
    }
    if (atomic_load_explicit(&place->idle, memory_order_relaxed) != group->idle_count)
        atomic_store(&place->idle, group->idle_count);
}

/* --- lending ------------------------------------------------------------------------------- */

static int
wanted_by(const struct pool_place *place)
{
    return atomic_load(&place->waiting) - atomic_load(&place->coming);
}

/* The one that was used longest ago. */
static void
lend(struct pool_group *group, int worker)
{
    struct pool_server *server = POOL_ENTRY(group->idle.previous, struct pool_server, queue);
    struct pool_driver *driver = group->pool->driver;

    pool_group_leave_idle(server);
    server->state = POOL_SERVER_LEAVING;
    atomic_fetch_add(&group->share->places[worker].coming, 1);
    driver->move(driver, &server->object, worker);
}

/* The thread whose first client has waited for longest, and for longer than those here; -1: none.
 */
static int
find_hungry(const struct pool_group *group)
{
    const struct pool_share *share = group->share;
    uint64_t best_us = UINT64_MAX;
    int best = -1;

    if (group->waiting_count > 0)
        best_us = pool_waiting_oldest(group)->since_us - LEAD_US;
    for (int i = 1; i < share->width; i++) {
        int worker = other_worker(group, i);
        const struct pool_place *place = &share->places[worker];
        uint64_t since_us = atomic_load_explicit(&place->since_us, memory_order_relaxed);
        if (wanted_by(place) <= 0 || since_us >= best_us)
            continue;
        best = worker;
        best_us = since_us;
    }
    return best;
}

void
pool_share_give(struct pool_group *group)
{
    uint64_t now_us = group->pool->now_us;

    if (group->share == NULL || group->idle_count == 0 || group->is_paused || group->is_removed ||
        atomic_load(&group->share->hungry) <= (group->waiting_count > 0))
        return;
    if (group->waiting_count > 0 && now_us - group->looked_us < LOOK_US)
        return;
    group->looked_us = now_us;
    int worker;
    while (group->idle_count > 0 && (worker = find_hungry(group)) >= 0)
        lend(group, worker);
    pool_share_note(group);
}

bool
pool_share_ask(struct pool_group *group)
{
    struct pool *pool = group->pool;
    struct pool_share *share = group->share;

    if (share == NULL)
        return false;
    if (group->asked_us != 0 && pool->now_us - group->asked_us < ANSWER_US)
        return true;
    bool is_full =
        atomic_load(&share->servers) >= group->route->max || pool->now_us < group->connect_after_us;
    group->asked_us = 0;
    for (int i = 1; i < share->width; i++) {
        int worker = other_worker(group, i);
        struct pool_place *place = &share->places[worker];
        uint64_t since_us = atomic_load_explicit(&place->spare_since_us, memory_order_relaxed);
        if (atomic_load(&place->idle) == 0 || (!is_full && pool->now_us < since_us + SPARE_US))
            continue;
        group->asked_us = pool->now_us;
        atomic_fetch_or(&place->asked_by, UINT64_C(1) << pool->driver->worker);
        pool->driver->wake(pool->driver, worker);
        return true;
    }
    return false;
}

/* What it has for another thread: as many as that needs, or the word that there is none. */
static void
answer(struct pool_group *group, int worker)
{
    struct pool_driver *driver = group->pool->driver;
    struct pool_place *place = &group->share->places[worker];
    bool is_given = false;

    while (group->idle_count > 0 && wanted_by(place) > 0) {
        lend(group, worker);
        is_given = true;
    }
    if (is_given)
        return;
    atomic_store(&place->is_refused, true);
    driver->wake(driver, worker);
}

void
pool_share_look(struct pool *pool)
{
    POOL_EACH(node, &pool->groups)
    {
        struct pool_group *group = POOL_ENTRY(node, struct pool_group, node);
        if (group->share == NULL)
            continue;
        struct pool_place *place = own_place(group);
        uint64_t askers = atomic_exchange(&place->asked_by, 0);
        for (int worker = 0; askers != 0; worker++, askers >>= 1) {
            if ((askers & 1) != 0)
                answer(group, worker);
        }
        pool_share_note(group);
        if (!atomic_exchange(&place->is_refused, false))
            continue;
        group->asked_us = 0;
        pool_group_serve(group);
    }
}

void
pool_share_arrived(struct pool_server *server)
{
    atomic_fetch_sub(&server->share->places[server->object.destination].coming, 1);
}
