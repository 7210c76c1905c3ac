/* Who has the servers of a group, for those who wait in vain. While clients of a pool of several
 * threads wait, each thread tells the others at each tick. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POOL_HOLDERS_TOLD = 3 };

struct pool_group;

struct pool_holder {
    char user[64], application[64];
    uint64_t since_us;
    const char *does;
};

struct pool_holding {
    int pinned, blocks, busy, connecting, waiting;
    struct pool_holder holders[POOL_HOLDERS_TOLD]; /* those that have one for longest, first */
    int holder_count;
};

/* Of one thread, for the others. */
struct pool_told_holding {
    pthread_mutex_t mutex;
    struct pool_holding holding;
};

/* In all threads. */
struct pool_holding pool_holding_of(const struct pool_group *group);
void pool_holding_tell(struct pool_group *group);
/* "user" (application) for so long, and what it does; ... */
void
pool_holding_text(const struct pool_holding *holding, uint64_t now_us, char *text, size_t size);
