/* The daemon's threads. Each has a loop and a pool of its own; which of them a pool of the
 * configuration belongs to is fixed: one, so that nothing of it is ever shared, or several, which
 * lend each other servers (share.h). A transaction takes no lock. A client is accepted by any
 * thread and goes to its pool's with its start-up. Worker 0 is the caller's thread;
 * it has the console, signals and metrics, and asks the others by pool_visit_all. */
#pragma once
#include "net/loop.h"
#include "pool/pool.h"

struct pool_worker;
struct pool_crew {
    struct pool_worker *workers[POOL_WORKERS_MAX];
    int count;
    struct pool_shared shared;
    atomic_int ended_count; /* of those beside worker 0 */
    atomic_bool is_over;
    struct pool_config *config;         /* that they start with */
    uint8_t farewell[WIRE_ERROR_BYTES]; /* for whom there is no descriptor */
    size_t farewell_bytes;
    /* Adds to worker 0's loop, before anybody can connect, what it is to tell of beside clients
     * and servers, and is told. */
    bool (*begin)(struct pool_crew *crew, struct net_loop *loop, struct error *err);
    void (*other_event)(struct pool_crew *crew, const struct net_event *event);
};

/* Gives each route its worker, or workers: those that it has had, else those that have fewest. */
bool
pool_crew_assign(struct pool_crew *crew, struct pool_config *config, struct error *err) MUST_CHECK;
/* Starts all of them but worker 0, which listens and has its pool, too, from then on. Errors as
 * those of net_loop_new, net_loop_listen and pool_init; then pool_crew_release. */
bool pool_crew_start(struct pool_crew *crew, int count, struct pool_config *config,
                     struct error *err) MUST_CHECK;
/* Serves until all pools have ended, and stops the other threads. */
void pool_crew_serve(struct pool_crew *crew);
void pool_crew_release(struct pool_crew *crew);

struct pool *pool_crew_pool(const struct pool_crew *crew);     /* worker 0's */
struct net_loop *pool_crew_loop(const struct pool_crew *crew); /* likewise */
/* Of its driver, which is worker 0's. */
struct pool_crew *pool_crew_of(struct pool *pool);
