// SPDX-License-Identifier: MIT
#include "pool/daemon.h"

#include "net/loop.h"
#include "pool/web.h"
#include "pool/worker.h"

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

struct daemon {
    struct pool_crew crew; /* first */
    const struct pool_daemon_options *options;
    int signals;
    int metrics; /* its listener; -1: none */
};

/* --- configuration ------------------------------------------------------------------------- */

struct pool_config *
pool_daemon_load(const struct pool_daemon_options *options, struct error *err)
{
    if (options->file != NULL)
        return pool_config_of_file(options->file, options->print_faults, err);
    return pool_config_of_deck(options->deck, options->environment, options->sets,
                               options->set_count, options->print_faults, err);
}

static void
configure(struct pool *pool, void *config)
{
    pool_config_keep(config);
    pool_configure(pool, config);
}

/* All or nothing. Addresses to listen on and threads stay as they are until a restart. */
static bool
reload(struct pool *pool, struct error *err)
{
    struct daemon *daemon = (struct daemon *)pool_crew_of(pool);
    struct pool_daemon_options options = *daemon->options;

    options.print_faults = NULL; /* they are for who asks, and for the log */
    struct pool_config *config = pool_daemon_load(&options, err);
    if (config == NULL) {
        pool_log(pool, "the configuration stays as it was: %s%s%s%s%s", err->message,
                 err->detail[0] == '\0' ? "" : "; ", err->detail, err->hint[0] == '\0' ? "" : "; ",
                 err->hint);
        memcpy(err->sqlstate, "F0000", sizeof(err->sqlstate)); /* config_file_error */
        return false;
    }
    if (!pool_crew_assign(&daemon->crew, config, err)) {
        pool_config_drop(config);
        return false;
    }
    pool_visit_all(pool, configure, config);
    pool_log(pool, "configuration loaded: %zu pools", config->routes.count);
    pool_config_drop(config);
    return true;
}

/* --- events -------------------------------------------------------------------------------- */

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
    struct pool *pool = pool_crew_pool(&daemon->crew);
    struct sockaddr_storage address = {0};
    struct pool_web spare = {0}, *web = pool_web_new(pool);
    struct net_stream *stream = web == NULL ? &spare.link.stream : &web->link.stream;
    int taken = net_loop_accept(pool_crew_loop(&daemon->crew), daemon->metrics, stream, &address);

    if (taken > 0 && web != NULL && may_read_metrics(pool->config, &address))
        pool_web_event(web);
    else if (web != NULL)
        pool_web_close(web);
    else if (taken > 0)
        stream->transport->close(stream);
}

static void
stop(struct pool *pool, void *context)
{
    (void)context;
    pool_stop(pool, (int)pool->config->pooler.shutdown_timeout_ms);
}

static void
end(struct pool *pool, void *context)
{
    (void)context;
    pool->is_ended = true;
}

static void
take_signals(struct daemon *daemon)
{
    struct signalfd_siginfo info;
    struct pool *pool = pool_crew_pool(&daemon->crew);
    struct error err;

    while (read(daemon->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            if (!reload(pool, &err))
                continue; /* logged */
        } else if (pool->is_stopping || info.ssi_signo == SIGINT) {
            pool_visit_all(pool, end, NULL);
        } else {
            pool_log(pool, "stopping: transactions may end");
            pool_visit_all(pool, stop, NULL);
        }
    }
}

static bool
begin(struct pool_crew *crew, struct net_loop *loop, struct error *err)
{
    struct daemon *daemon = (struct daemon *)crew;

    return net_loop_watch(loop, daemon->signals, err) &&
           (crew->config->metrics.length == 0 ||
            net_loop_listen(loop, &crew->config->metrics, false, &daemon->metrics, err));
}

static void
other_event(struct pool_crew *crew, const struct net_event *event)
{
    struct daemon *daemon = (struct daemon *)crew;

    if (event->descriptor == daemon->metrics)
        accept_web(daemon);
    else if (event->descriptor == daemon->signals)
        take_signals(daemon);
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Before there are threads, which are to have them blocked, too. */
static bool
block_signals(struct daemon *daemon, struct error *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return error_errno(err, "cannot block signals");
    daemon->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return daemon->signals >= 0 || error_errno(err, "cannot watch signals");
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

/* Whether a server is asked for the user's verifier. */
static bool
is_looked_up(const struct pool_config *config, const char *user)
{
    bool is_so = false;

    for (size_t i = 0; i < config->routes.count; i++) {
        const struct pool_route *route = &config->routes.items[i];
        is_so = is_so ||
                (route->auth_conninfo != NULL && pool_route_is_for(route, route->database, user));
    }
    return is_so;
}

static void
log_start(struct daemon *daemon)
{
    struct pool *pool = pool_crew_pool(&daemon->crew);

    for (size_t i = 0; i < pool->config->users.count; i++) {
        const struct pool_user *user = &pool->config->users.items[i];
        if (!user->has_keys && !is_looked_up(pool->config, user->name))
            pool_log(pool, "no password is known for \"%s\": it cannot log in", user->name);
    }
    for (size_t i = 0; i < pool->config->listen.count; i++)
        pool_log(pool, "listening on %s", pool->config->listen.items[i].display);
    if (daemon->metrics >= 0)
        pool_log(pool, "metrics are on %s", pool->config->metrics.display);
    pool_log(pool, "waiting by %s, threads: %d", net_loop_name(pool_crew_loop(&daemon->crew)),
             daemon->crew.count);
}

/* More threads than the pools want would only wait. */
static int
count_threads(const struct pool_config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN), most = 0;
    long wanted = config->pooler.threads > 0 ? config->pooler.threads : cores;

    for (size_t i = 0; i < config->routes.count; i++)
        most += config->routes.items[i].threads > 1 ? config->routes.items[i].threads : 1;
    if (wanted > most)
        wanted = most;
    return (int)(wanted < 1 ? 1 : wanted > POOL_WORKERS_MAX ? POOL_WORKERS_MAX : wanted);
}

bool
pool_daemon_run(const struct pool_daemon_options *options, struct error *err)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));

    if (daemon == NULL)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    daemon->options = options;
    daemon->crew.begin = begin;
    daemon->crew.other_event = other_event;
    daemon->signals = daemon->metrics = -1;
    prepare_process();
    struct pool_config *config = pool_daemon_load(options, err);
    bool is_started = config != NULL && block_signals(daemon, err) &&
                      pool_crew_start(&daemon->crew, count_threads(config), config, err);
    if (is_started) {
        struct pool *pool = pool_crew_pool(&daemon->crew);
        pool->reload = reload;
        log_start(daemon);
        (void)dl_iterate_phdr(give_back_code, NULL);
        (void)malloc_trim(0);
        pool_crew_serve(&daemon->crew);
        pool_log(pool, "stopped");
    }
    if (daemon->metrics >= 0)
        net_loop_close_listener(pool_crew_loop(&daemon->crew), daemon->metrics);
    pool_crew_release(&daemon->crew);
    if (daemon->signals >= 0)
        close(daemon->signals);
    if (config != NULL)
        pool_config_drop(config);
    free(daemon);
    return is_started;
}
