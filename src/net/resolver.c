// SPDX-License-Identifier: MIT
#include "net/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct entry {
    char *name;
    int port;
    struct net_answer answer;
};

struct entries {
    struct entry *items;
    size_t count;
};

struct net_resolver {
    net_resolve *resolve;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t is_due;
    struct entries entries;
    bool is_hurried, is_over;
    atomic_uint version;
};

bool
net_host_is_name(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return host[0] != '/' && inet_pton(AF_INET, host, address) != 1 &&
           inet_pton(AF_INET6, host, address) != 1;
}

void
net_resolve_by_system(const struct net_host *host, struct net_answer *answer)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[16];

    snprintf(service, sizeof(service), "%d", host->port);
    int fault = getaddrinfo(host->name, service, &hints, &found);
    if (fault != 0)
        snprintf(answer->fault, sizeof(answer->fault), "%s", gai_strerror(fault));
    for (const struct addrinfo *one = found; fault == 0 && one != NULL; one = one->ai_next) {
        if (answer->count == NET_ADDRESSES_MAX)
            break;
        memcpy(&answer->addresses[answer->count], one->ai_addr, one->ai_addrlen);
        answer->lengths[answer->count++] = one->ai_addrlen;
    }
    if (found != NULL)
        freeaddrinfo(found);
}

/* --- entries ------------------------------------------------------------------------------ */

static void
entries_free(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (struct entries){0};
}

static struct entry *
find(const struct entries *entries, const struct net_host *host)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        if (entry->port == host->port && strcmp(entry->name, host->name) == 0)
            return entry;
    }
    return NULL;
}

static bool
is_in(const struct net_answer *answer, const struct net_answer *of, size_t index)
{
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->lengths[i] == of->lengths[index] &&
            memcmp(&answer->addresses[i], &of->addresses[index], of->lengths[index]) == 0)
            return true;
    }
    return false;
}

/* Names may be told in another order each time. */
static bool
is_same(const struct net_answer *a, const struct net_answer *b)
{
    if (a->count != b->count || a->known != b->known || strcmp(a->fault, b->fault) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_in(b, a, i))
            return false;
    }
    return true;
}

/* Names may also be told with some of their addresses each time: what was there stays a while. */
static void
keep_known(struct net_answer *answer, const struct net_answer *before)
{
    answer->known = answer->count;
    for (size_t i = 0; i < before->known && answer->known < NET_KNOWN_MAX; i++) {
        if (is_in(answer, before, i) || before->misses[i] + 1 >= NET_MISSES_MAX)
            continue;
        answer->addresses[answer->known] = before->addresses[i];
        answer->lengths[answer->known] = before->lengths[i];
        answer->misses[answer->known++] = (uint8_t)(before->misses[i] + 1);
    }
}

/* --- the thread --------------------------------------------------------------------------- */

/* Asks for one, with the mutex but while it waits: the entries may be others then. */
static void
ask(struct net_resolver *resolver, const struct entry *entry)
{
    struct net_answer answer = {0};
    char *name = strdup(entry->name);
    const struct net_host host = {name, entry->port};

    if (name == NULL)
        return;
    pthread_mutex_unlock(&resolver->mutex);
    resolver->resolve(&host, &answer);
    pthread_mutex_lock(&resolver->mutex);
    struct entry *asked = find(&resolver->entries, &host);
    if (asked != NULL && answer.count == 0) { /* the last good answer stays */
        struct net_answer before = asked->answer;
        memcpy(before.fault, answer.fault, sizeof(before.fault));
        answer = before;
    } else if (asked != NULL) {
        keep_known(&answer, &asked->answer);
    }
    if (asked != NULL && is_same(&asked->answer, &answer)) {
        memcpy(asked->answer.misses, answer.misses, sizeof(answer.misses));
    } else if (asked != NULL) {
        asked->answer = answer;
        atomic_fetch_add(&resolver->version, 1);
    }
    free(name);
}

static void
wait_for(struct net_resolver *resolver, long milliseconds, bool is_for_all)
{
    struct timespec until;
    int fault = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds % 1000 * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (fault != ETIMEDOUT && !resolver->is_over && (is_for_all || !resolver->is_hurried))
        fault = pthread_cond_timedwait(&resolver->is_due, &resolver->mutex, &until);
}

static void
discard(struct net_resolver *resolver)
{
    entries_free(&resolver->entries);
    pthread_cond_destroy(&resolver->is_due);
    pthread_mutex_destroy(&resolver->mutex);
    free(resolver);
}

static void *
work(void *context)
{
    struct net_resolver *resolver = context;

    pthread_mutex_lock(&resolver->mutex);
    while (!resolver->is_over) {
        resolver->is_hurried = false;
        for (size_t i = 0; i < resolver->entries.count && !resolver->is_over; i++)
            ask(resolver, &resolver->entries.items[i]);
        wait_for(resolver, NET_HURRY_MS, true);
        wait_for(resolver, NET_RESOLVE_MS - NET_HURRY_MS, false);
    }
    pthread_mutex_unlock(&resolver->mutex);
    discard(resolver);
    return NULL;
}

struct net_resolver *
net_resolver_new(net_resolve *resolve, struct error *err)
{
    struct net_resolver *resolver = calloc(1, sizeof(*resolver));
    pthread_t thread;
    pthread_condattr_t clock;
    pthread_attr_t detached;
    sigset_t all, before;

    if (resolver == NULL) {
        error_set(err, ERROR_INTERNAL, "out of memory");
        return NULL;
    }
    resolver->resolve = resolve;
    pthread_mutex_init(&resolver->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->is_due, &clock);
    pthread_condattr_destroy(&clock);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the daemon's */
    int fault = pthread_create(&thread, &detached, work, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    if (fault == 0)
        return resolver;
    discard(resolver);
    error_set(err, ERROR_INTERNAL, "cannot start the thread that looks up names of hosts");
    return NULL;
}

/* --- for others --------------------------------------------------------------------------- */

void
net_resolver_free(struct net_resolver *resolver)
{
    if (resolver == NULL)
        return;
    pthread_mutex_lock(&resolver->mutex);
    resolver->is_over = true; /* the thread frees it, which may be waiting for an answer */
    pthread_cond_signal(&resolver->is_due);
    pthread_mutex_unlock(&resolver->mutex);
}

bool
net_resolver_keep(struct net_resolver *resolver, const struct net_host hosts[], size_t count)
{
    struct entries entries = {.items = calloc(count + 1, sizeof(*entries.items))};
    bool is_made = entries.items != NULL;

    pthread_mutex_lock(&resolver->mutex);
    for (size_t i = 0; is_made && i < count; i++) {
        if (find(&entries, &hosts[i]) != NULL)
            continue;
        const struct entry *known = find(&resolver->entries, &hosts[i]);
        struct entry *entry = &entries.items[entries.count];
        *entry = (struct entry){.name = strdup(hosts[i].name), .port = hosts[i].port};
        if (known != NULL)
            entry->answer = known->answer;
        is_made = entry->name != NULL;
        entries.count += is_made;
    }
    struct entries old = is_made ? resolver->entries : entries;
    if (is_made)
        resolver->entries = entries;
    resolver->is_hurried = true;
    pthread_cond_signal(&resolver->is_due);
    pthread_mutex_unlock(&resolver->mutex);
    entries_free(&old);
    return is_made;
}

bool
net_resolver_find(struct net_resolver *resolver, const struct net_host *host,
                  struct net_answer *ret_answer)
{
    pthread_mutex_lock(&resolver->mutex);
    const struct entry *entry = find(&resolver->entries, host);
    bool is_known = entry != NULL && (entry->answer.count > 0 || entry->answer.fault[0] != '\0');
    if (is_known)
        *ret_answer = entry->answer;
    pthread_mutex_unlock(&resolver->mutex);
    return is_known;
}

unsigned
net_resolver_version(const struct net_resolver *resolver)
{
    return atomic_load(&resolver->version);
}

void
net_resolver_hurry(struct net_resolver *resolver)
{
    pthread_mutex_lock(&resolver->mutex);
    resolver->is_hurried = true;
    pthread_cond_signal(&resolver->is_due);
    pthread_mutex_unlock(&resolver->mutex);
}
