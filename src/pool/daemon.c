// SPDX-License-Identifier: MIT
#include "pool/daemon.h"

#include "net/loop.h"
#include "pool/pool.h"
#include "pool/web.h"

#include <link.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS_MAX = 8, RANDOM_BYTES = 256 /* as a call gives whole */ };

struct daemon {
    struct pool_driver driver; /* first */
    struct pool pool;
    struct net_loop *loop;
    const struct pool_daemon_options *options;
    int listeners[LISTENERS_MAX];
    size_t listener_count;
    int signals;
    int metrics;                /* its listener; -1: none */
    struct pool_lookup *lookup; /* NULL: not needed so far */
    uint8_t random[RANDOM_BYTES];
    size_t random_count; /* of them that are left */
};

static uint64_t
now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* --- driver -------------------------------------------------------------------------------- */

static bool
connect_by_loop(struct pool_driver *driver, const struct net_address *address,
                struct net_stream *stream, struct error *err)
{
    return net_loop_connect(((struct daemon *)driver)->loop, address, stream, err);
}

/* From the kernel, for several logins at once; each byte is given once and kept nowhere. */
static bool
random_bytes(struct pool_driver *driver, void *bytes, size_t count)
{
    struct daemon *daemon = (struct daemon *)driver;

    if (count > RANDOM_BYTES)
        return false;
    if (daemon->random_count < count) {
        if (getrandom(daemon->random, RANDOM_BYTES, 0) != RANDOM_BYTES)
            return false;
        daemon->random_count = RANDOM_BYTES;
    }
    daemon->random_count -= count;
    memcpy(bytes, daemon->random + daemon->random_count, count);
    OPENSSL_cleanse(daemon->random + daemon->random_count, count);
    return true;
}

static void
log_line(struct pool_driver *driver, const char *line)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;

    (void)driver;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(stderr, "%s pgdeck pool[%d]: %s\n", stamp, (int)getpid(), line);
}

/* The thread is made when the first question comes. */
static bool
look_up(struct pool_driver *driver, const struct pool_lookup_question *question)
{
    struct daemon *daemon = (struct daemon *)driver;
    struct error err;

    if (daemon->lookup == NULL) {
        daemon->lookup = pool_lookup_new(&err);
        if (daemon->lookup == NULL)
            return false;
        if (!net_loop_watch(daemon->loop, pool_lookup_descriptor(daemon->lookup), &err)) {
            pool_lookup_free(daemon->lookup);
            daemon->lookup = NULL;
            return false;
        }
    }
    return pool_lookup_ask(daemon->lookup, question);
}

static void
take_answers(struct daemon *daemon)
{
    struct pool_lookup_answer answer;

    while (daemon->lookup != NULL && pool_lookup_take(daemon->lookup, &answer))
        pool_client_found(&daemon->pool, &answer);
}

/* --- configuration ------------------------------------------------------------------------- */

struct pool_config *
pool_daemon_load(const struct pool_daemon_options *options, struct error *err)
{
    if (options->file != NULL)
        return pool_config_of_file(options->file, options->print_faults, err);
    return pool_config_of_deck(options->deck, options->environment, options->sets,
                               options->set_count, options->print_faults, err);
}

static bool
listen_all(struct daemon *daemon, const struct pool_config *config, struct error *err)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        if (daemon->listener_count == LISTENERS_MAX)
            return error_set(err, ERROR_DECK, "more than %d addresses to listen on", LISTENERS_MAX);
        if (!net_loop_listen(daemon->loop, &config->listen.items[i],
                             &daemon->listeners[daemon->listener_count], err))
            return false;
        daemon->listener_count++;
    }
    return config->metrics.length == 0 ||
           net_loop_listen(daemon->loop, &config->metrics, &daemon->metrics, err);
}

/* All or nothing. Addresses to listen on stay as they are until a restart. */
static bool
reload(struct pool *pool, struct error *err)
{
    struct daemon *daemon = (struct daemon *)pool->driver;
    struct pool_config *config = pool_daemon_load(daemon->options, err);

    if (config == NULL) {
        pool_log(pool, "the configuration stays as it was: %s", err->message);
        memcpy(err->sqlstate, "F0000", sizeof(err->sqlstate)); /* config_file_error */
        return false;
    }
    pool_configure(pool, config);
    pool_log(pool, "configuration loaded: %zu pools", config->routes.count);
    return true;
}

/* --- events -------------------------------------------------------------------------------- */

/* One: when there are more, the next round says so at once. Asking until there is none would have
 * the kernel make and throw away a socket for the last answer. */
static void
accept_one(struct daemon *daemon, int listener)
{
    struct pool *pool = &daemon->pool;
    struct sockaddr_storage address = {0};
    struct pool_client *client = pool_client_new(pool, &address);

    if (client == NULL)
        return;
    if (net_loop_accept(daemon->loop, listener, &client->link.stream, &client->address) <= 0)
        pool_client_close(client);
    else
        pool_client_process(client);
}

static bool
may_read_metrics(const struct pool_config *config, const struct sockaddr_storage *address)
{
    const struct net_address from = {.storage = *address};
    bool is_allowed = net_address_is_loopback(&from);

    for (size_t i = 0; i < config->metrics_allow.count; i++)
        is_allowed |= net_network_has(&config->metrics_allow.items[i], address);
    return is_allowed;
}

static void
accept_web(struct daemon *daemon)
{
    struct pool *pool = &daemon->pool;

    struct sockaddr_storage address = {0};
    struct pool_web spare = {0}, *web = pool_web_new(pool);
    struct net_stream *stream = web == NULL ? &spare.link.stream : &web->link.stream;
    int taken = net_loop_accept(daemon->loop, daemon->metrics, stream, &address);

    if (taken > 0 && web != NULL && may_read_metrics(pool->config, &address))
        pool_web_event(web);
    else if (web != NULL)
        pool_web_close(web);
    else if (taken > 0)
        stream->transport->close(stream);
}

static void
take_signal(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    struct pool *pool = &daemon->pool;
    struct error err;

    while (read(daemon->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            if (!reload(pool, &err))
                continue; /* logged */
        } else if (pool->is_stopping || info.ssi_signo == SIGINT) {
            pool->is_ended = true;
        } else {
            pool_log(pool, "stopping: transactions may end");
            pool_stop(pool, (int)pool->config->pooler.shutdown_timeout_ms);
        }
    }
}

/* Idle servers first: what they said unasked is seen before one of them is given to a client. */
static void
handle(struct daemon *daemon, const struct net_event *events, size_t count)
{
    struct pool *pool = &daemon->pool;
    bool is_done[NET_EVENTS_MAX] = {false};

    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != NET_STREAM)
            continue;
        struct pool_object *object = events[i].stream->owner;
        is_done[i] = object->kind == POOL_OWNER_SERVER &&
                     ((struct pool_server *)events[i].stream->owner)->state == POOL_SERVER_IDLE;
        if (is_done[i])
            pool_stream_event(pool, events[i].stream, events[i].is_writable);
    }
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == NET_STREAM && !is_done[i])
            pool_stream_event(pool, events[i].stream, events[i].is_writable);
        else if (events[i].kind == NET_LISTENER && events[i].descriptor == daemon->metrics)
            accept_web(daemon);
        else if (events[i].kind == NET_LISTENER)
            accept_one(daemon, events[i].descriptor);
        else if (events[i].kind == NET_SIGNAL) {
            take_signal(daemon);
            take_answers(daemon);
        }
    }
}

static void
serve(struct daemon *daemon)
{
    struct pool *pool = &daemon->pool;
    struct net_event events[NET_EVENTS_MAX];
    int timeout_ms = pool_tick(pool, now_us());
    uint64_t next_tick_us = pool->now_us;

    while (!pool->is_ended) {
        size_t count = net_loop_wait(daemon->loop, timeout_ms, events);
        pool->now_us = now_us();
        handle(daemon, events, count);
        pool_sweep(pool);
        if (pool->now_us >= next_tick_us || pool->is_stopping) {
            timeout_ms = pool_tick(pool, pool->now_us);
            next_tick_us = pool->now_us + (uint64_t)timeout_ms * 1000;
        }
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

static bool
watch_signals(struct daemon *daemon, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_errno(err, "cannot block signals");
    daemon->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (daemon->signals < 0)
        return error_errno(err, "cannot watch signals");
    return net_loop_watch(daemon->loop, daemon->signals, err);
}

/* As many descriptors as may be had; no core dumps, which would hold passwords. */
static void
prepare_process(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* a wish */
    }
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks by looking into the process */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Code and constants that only the start has touched, those of libraries that a pool never calls
 * among them: what is called again comes back from the file. Nothing here was ever written to. */
static int
give_back_code(struct dl_phdr_info *object, size_t size, void *context)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    (void)context;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;
        uintptr_t end = (start + segment->p_memsz) & ~(page - 1);
        start = (start + page - 1) & ~(page - 1);
        if (start < end)
            (void)madvise((void *)start, end - start, MADV_DONTNEED); /* a wish */
    }
    return 0;
}

static void
close_listeners(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->listener_count; i++)
        net_loop_close_listener(daemon->loop, daemon->listeners[i]);
    daemon->listener_count = 0;
    if (daemon->metrics >= 0)
        net_loop_close_listener(daemon->loop, daemon->metrics);
}

static void
log_start(struct daemon *daemon)
{
    struct pool *pool = &daemon->pool;

    for (size_t i = 0; i < pool->config->users.count; i++) {
        const struct pool_user *user = &pool->config->users.items[i];
        if (!user->has_keys)
            pool_log(pool, "no password is known for \"%s\": it cannot log in", user->name);
    }
    for (size_t i = 0; i < pool->config->listen.count; i++)
        pool_log(pool, "listening on %s", pool->config->listen.items[i].display);
    if (daemon->metrics >= 0)
        pool_log(pool, "metrics are on %s", pool->config->metrics.display);
    pool_log(pool, "waiting by %s", net_loop_name(daemon->loop));
}

bool
pool_daemon_run(const struct pool_daemon_options *options, struct error *err)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    struct pool_config *config = NULL;
    bool is_served = false;
    static const enum net_loop_kind kinds[] = {[DECK_IO_AUTO] = NET_LOOP_AUTO,
                                               [DECK_IO_EPOLL] = NET_LOOP_EPOLL,
                                               [DECK_IO_URING] = NET_LOOP_IO_URING};

    if (daemon == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    daemon->driver = (struct pool_driver){connect_by_loop, random_bytes, log_line, look_up};
    daemon->options = options;
    daemon->signals = daemon->metrics = -1;
    prepare_process();
    config = pool_daemon_load(options, err);
    daemon->loop = config == NULL ? NULL : net_loop_new(kinds[config->pooler.io], err);
    if (daemon->loop == NULL)
        goto done;
    if (!listen_all(daemon, config, err) || !watch_signals(daemon, err) ||
        !pool_init(&daemon->pool, &daemon->driver, config, now_us(), err))
        goto done;
    config = NULL; /* the pool's */
    daemon->pool.reload = reload;
    log_start(daemon);
    (void)dl_iterate_phdr(give_back_code, NULL);
    (void)malloc_trim(0);
    serve(daemon);
    pool_log(&daemon->pool, "stopped");
    pool_release(&daemon->pool);
    is_served = true;
done:
    pool_lookup_free(daemon->lookup);
    if (daemon->loop != NULL) {
        close_listeners(daemon);
        net_loop_free(daemon->loop);
    }
    if (daemon->signals >= 0)
        close(daemon->signals);
    if (config != NULL)
        pool_config_drop(config);
    free(daemon);
    return is_served;
}
