// SPDX-License-Identifier: MIT
#include "watch/pools.h"
#include "watch/server_log.h"

#include "base/interrupt.h"
#include "pg/host.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

double
watch_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

long long
watch_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void
watch_log(struct watch *watch, const char *format, ...)
{
    AUTO_TEXT line = {0};
    char *plain = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&plain, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        text_append_visible(&line, plain);
        free(plain);
        if (watch->options->hooks.log != NULL)
            watch->options->hooks.log(watch->options->hooks.sink, text_chars(&line));
    }
}

/* --- what outlives a reload ----------------------------------------------------------------- */

static struct watch_kept *
find_kept(struct watch *watch, const char *name)
{
    struct watch_kept *kept = watch->kept;

    while (kept != NULL && strcmp(kept->name, name) != 0)
        kept = kept->next;
    return kept;
}

static void *
keep(struct watch *watch, const char *name, void *value, void (*release)(void *value))
{
    struct watch_kept *kept = calloc(1, sizeof(*kept));

    if (kept == NULL || (kept->name = strdup(name)) == NULL)
        abort();
    kept->value = value;
    kept->release = release;
    kept->next = watch->kept;
    watch->kept = kept;
    return value;
}

void *
watch_keep(struct watch *watch, const char *name, void *(*make)(void), void (*release)(void *value))
{
    struct watch_kept *kept = find_kept(watch, name);

    return kept != NULL ? kept->value : keep(watch, name, make(), release);
}

static void
release_series(void *value)
{
    watch_series_free(value);
}

struct watch_series *
watch_keep_series(struct watch *watch, const char *name, size_t width)
{
    struct watch_kept *kept = find_kept(watch, name);

    return kept != NULL ? kept->value : keep(watch, name, watch_series_new(width), release_series);
}

static void
release_kept(struct watch *watch)
{
    for (struct watch_kept *kept = watch->kept, *next; kept != NULL; kept = next) {
        next = kept->next;
        kept->release(kept->value);
        free(kept->name);
        free(kept);
    }
}

/* --- a generation --------------------------------------------------------------------------- */

static void
add_server(struct watch *watch, struct watch_generation *generation, const struct deck *deck,
           const struct deck_server *server)
{
    struct watch_server *added = LIST_ADD(generation->decks.arena, &generation->servers);
    char name[512];

    snprintf(name, sizeof(name), "%s/%s/load", deck->name, server->name);
    *added = (struct watch_server){.deck = deck, .server = server, .cores = server->cpus};
    added->host.ticks = machine_read_ticks();
    added->load = watch_keep(watch, name, watch_load_new, watch_load_free);
    snprintf(name, sizeof(name), "%s/%s/statements", deck->name, server->name);
    added->statements = watch_keep(watch, name, watch_statements_new, watch_statements_free);
    snprintf(name, sizeof(name), "%s/%s/log", deck->name, server->name);
    added->log = watch_keep(watch, name, watch_server_log_new, watch_server_log_free);
}

static struct watch_server *
find_server(struct watch_generation *generation, const struct deck_server *server)
{
    for (size_t i = 0; i < generation->servers.count; i++) {
        if (generation->servers.items[i].server == server)
            return &generation->servers.items[i];
    }
    return NULL;
}

static void
add_deck(struct watch *watch, struct watch_generation *generation, const struct deck *deck)
{
    char name[512], queries[512];

    for (size_t i = 0; i < deck->servers.count; i++)
        add_server(watch, generation, deck, &deck->servers.items[i]);
    if (deck->pooler.metrics_port == 0)
        return;
    snprintf(name, sizeof(name), "%s/pools", deck->name);
    snprintf(queries, sizeof(queries), "%s/pool queries", deck->name);
    *LIST_ADD(generation->decks.arena, &generation->scrapers) = (struct watch_scraper){
        .watch = watch,
        .generation = generation,
        .deck = deck,
        .pools = watch_keep(watch, name, watch_pools_new, watch_pools_free),
        .queries = watch_keep(watch, queries, watch_pool_queries_new, watch_pool_queries_free),
    };
}

/* Once all servers are there, since they are pointed to. */
static void
add_databases(struct watch *watch, struct watch_generation *generation, const struct deck *deck)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        struct watch_collector *collector =
            LIST_ADD(generation->decks.arena, &generation->collectors);
        collector->watch = watch;
        collector->generation = generation;
        collector->database = database;
        collector->server = find_server(generation, database->environment->server);
        collector->session.stop = generation->stop;
    }
}

static void
release_generation(struct watch_generation *generation)
{
    for (size_t i = 0; i < generation->servers.count; i++)
        json_decref(generation->servers.items[i].blocking);
    close(generation->stop);
    arena_free(generation->decks.arena);
}

static bool
load_generation(struct watch *watch, struct watch_generation **ret_generation, struct error *err)
{
    const struct watch_hooks *hooks = &watch->options->hooks;
    struct watch_decks decks;

    if (!hooks->load(hooks->sink, &decks, err))
        return false;
    struct watch_generation *generation = ARENA_NEW(decks.arena, struct watch_generation);
    generation->decks = decks;
    generation->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < decks.list.count; i++)
        add_deck(watch, generation, decks.list.items[i]);
    for (size_t i = 0; i < decks.list.count; i++)
        add_databases(watch, generation, decks.list.items[i]);
    *ret_generation = generation;
    return true;
}

static bool
start_collectors(struct watch_generation *generation, struct error *err)
{
    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *collector = &generation->collectors.items[i];
        if (pthread_create(&collector->thread, NULL, watch_collect, collector) != 0)
            return error_set(err, ERROR_INTERNAL, "cannot start a thread");
        collector->is_started = true;
    }
    for (size_t i = 0; i < generation->scrapers.count; i++) {
        struct watch_scraper *scraper = &generation->scrapers.items[i];
        if (pthread_create(&scraper->thread, NULL, watch_scrape, scraper) != 0)
            return error_set(err, ERROR_INTERNAL, "cannot start a thread");
        scraper->is_started = true;
    }
    return true;
}

static void
stop_collectors(struct watch_generation *generation)
{
    eventfd_write(generation->stop, 1);
    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *collector = &generation->collectors.items[i];
        if (collector->is_started)
            pthread_join(collector->thread, NULL);
        collector->is_started = false;
    }
    for (size_t i = 0; i < generation->scrapers.count; i++) {
        if (generation->scrapers.items[i].is_started)
            pthread_join(generation->scrapers.items[i].thread, NULL);
        generation->scrapers.items[i].is_started = false;
    }
}

/* All or nothing: with a faulty deck everything stays as it was. */
static bool
reload(struct watch *watch, struct error *err)
{
    const struct watch_hooks *hooks = &watch->options->hooks;
    struct watch_generation *before = watch->generation, *generation;

    pthread_mutex_lock(&watch->lock);
    bool is_loaded = load_generation(watch, &generation, err);
    pthread_mutex_unlock(&watch->lock);
    if (!is_loaded)
        return false;
    if (hooks->configure != NULL &&
        !hooks->configure(hooks->sink, &generation->decks, watch->board, err)) {
        release_generation(generation);
        return false;
    }
    if (before != NULL)
        stop_collectors(before);
    pthread_mutex_lock(&watch->lock);
    watch->generation = generation;
    pthread_mutex_unlock(&watch->lock);
    if (before != NULL)
        release_generation(before);
    watch_log(watch, "%zu databases on %zu servers", generation->collectors.count,
              generation->servers.count);
    return start_collectors(generation, err);
}

/* --- running -------------------------------------------------------------------------------- */

static bool
is_all_known(struct watch *watch)
{
    struct watch_generation *generation = watch->generation;
    bool is_known = true;

    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *collector = &generation->collectors.items[i];
        is_known &= collector->was_asked &&
                    (!collector->is_reachable || collector->server->sampled_at > collector->since);
    }
    pthread_mutex_unlock(&watch->lock);
    return is_known;
}

static void
take_hang_up(struct watch *watch, int signals)
{
    struct signalfd_siginfo info;
    struct error err = {0};
    bool is_wanted = false;

    while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        is_wanted = true;
    if (is_wanted && !reload(watch, &err))
        watch_log(watch, "the decks stay as they were: %s", err.message);
}

static void
serve(struct watch *watch, int signals)
{
    enum { LOOK_MS = 100, PUT_UP_MS = 2100 };
    struct pollfd waits[] = {{.fd = signals, .events = POLLIN},
                             {.fd = interrupt_descriptor(), .events = POLLIN}};
    bool is_once = watch->options->is_once;
    long long until_ms = watch_now_ms() + watch->options->once_ms;

    while (!is_interrupted() && !(is_once && watch_now_ms() >= until_ms && is_all_known(watch))) {
        poll(waits, 2, is_once ? LOOK_MS : -1);
        take_hang_up(watch, signals);
    }
    if (is_once)
        poll(waits + 1, 1, PUT_UP_MS); /* what was known last is put up */
}

static int
block_hang_up(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

bool
watch_run(const struct watch_options *options, struct error *err)
{
    struct watch watch = {.options = options, .board = options->board, .started_at = watch_now()};
    int signals = block_hang_up();

    pthread_mutex_init(&watch.lock, NULL);
    watch.publisher_stop = eventfd(0, EFD_CLOEXEC);
    bool is_fine = reload(&watch, err);
    if (is_fine && pthread_create(&watch.publisher, NULL, watch_publish, &watch) == 0) {
        serve(&watch, signals);
        eventfd_write(watch.publisher_stop, 1);
        pthread_join(watch.publisher, NULL);
    }
    if (watch.generation != NULL) {
        stop_collectors(watch.generation);
        release_generation(watch.generation);
    }
    release_kept(&watch);
    close(watch.publisher_stop);
    close(signals);
    pthread_mutex_destroy(&watch.lock);
    if (is_fine)
        watch_log(&watch, "stopped");
    return is_fine;
}
