// SPDX-License-Identifier: MIT
#include "pool/worker.h"

#include "net/resolver.h"
#include "pool/where.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { LISTENERS_MAX = 8, RANDOM_BYTES = 256 /* as a call gives whole */ };

struct pool_worker {
    struct pool_driver driver; /* first */
    struct pool pool;
    bool has_pool;
    struct net_loop *loop;
    struct pool_crew *crew;
    pthread_t thread;
    bool has_thread;
    int listeners[LISTENERS_MAX];
    size_t listener_count;
    struct pool_lookup *lookup; /* NULL: not needed so far */
    uint8_t random[RANDOM_BYTES];
    size_t random_count; /* of them that are left */
    struct pool_object *departing;
    bool has_told_end;
    /* Given by other threads, which then write to event: */
    int event;
    pthread_mutex_t mutex;
    pthread_cond_t is_done;
    struct pool_node arrivals; /* objects by their dead */
    pool_visit *visit;
    void *visit_context;
    enum { STARTING, STARTED, FAILED } start;
    struct error failure;
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
    return net_loop_connect(((struct pool_worker *)driver)->loop, address, stream, err);
}

/* From the kernel, for several logins at once; each byte is given once and kept nowhere. */
static bool
random_bytes(struct pool_driver *driver, void *bytes, size_t count)
{
    struct pool_worker *worker = (struct pool_worker *)driver;

    if (count > RANDOM_BYTES)
        return false;
    if (worker->random_count < count) {
        if (getrandom(worker->random, RANDOM_BYTES, 0) != RANDOM_BYTES)
            return false;
        worker->random_count = RANDOM_BYTES;
    }
    worker->random_count -= count;
    memcpy(bytes, worker->random + worker->random_count, count);
    OPENSSL_cleanse(worker->random + worker->random_count, count);
    return true;
}

static void
log_line(struct pool_driver *driver, const char *text, bool is_json)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;

    (void)driver;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(stderr,
            is_json ? "{\"time\": \"%s\", \"program\": \"pgdeck pool\", \"pid\": %d, "
                      "\"message\": %s}\n"
                    : "%s pgdeck pool[%d]: %s\n",
            stamp, (int)getpid(), text);
}

static bool
find_local(struct pool_driver *driver, const struct net_stream *stream, pid_t backend,
           struct net_local *ret_local)
{
    (void)driver;
    return net_local_find(stream, backend, ret_local);
}

static bool
is_local_same(struct pool_driver *driver, const struct net_stream *stream,
              const struct net_local *local)
{
    (void)driver;
    return net_local_is_same(local, stream);
}

/* The thread is made when the first question comes. */
static bool
look_up(struct pool_driver *driver, const struct pool_lookup_question *question)
{
    struct pool_worker *worker = (struct pool_worker *)driver;
    struct error err;

    if (worker->lookup == NULL) {
        worker->lookup = pool_lookup_new(&err);
        if (worker->lookup == NULL)
            return false;
        if (!net_loop_watch(worker->loop, pool_lookup_descriptor(worker->lookup), &err)) {
            pool_lookup_free(worker->lookup);
            worker->lookup = NULL;
            return false;
        }
    }
    return pool_lookup_ask(worker->lookup, question);
}

static void
take_answers(struct pool_worker *worker)
{
    struct pool_lookup_answer answer;

    while (pool_lookup_take(worker->lookup, &answer))
        pool_client_found(&worker->pool, &answer);
}

/* --- between threads ----------------------------------------------------------------------- */

static void
wake(struct pool_worker *worker)
{
    const uint64_t one = 1;

    if (write(worker->event, &one, sizeof(one)) < 0)
        return; /* it is full: it will be read */
}

/* Waits until the other has done it, between two of its rounds. */
static void
visit_one(struct pool_worker *worker, pool_visit *visit, void *context)
{
    pthread_mutex_lock(&worker->mutex);
    worker->visit = visit;
    worker->visit_context = context;
    wake(worker);
    while (worker->visit != NULL)
        pthread_cond_wait(&worker->is_done, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
}

static void
visit_all(struct pool_driver *driver, pool_visit *visit, void *context)
{
    const struct pool_crew *crew = ((struct pool_worker *)driver)->crew;

    visit(&crew->workers[0]->pool, context);
    for (int i = 1; i < crew->count; i++)
        visit_one(crew->workers[i], visit, context);
}

static void
wake_other(struct pool_driver *driver, int other)
{
    wake(((struct pool_worker *)driver)->crew->workers[other]);
}

static struct net_stream *
stream_of(struct pool_object *object)
{
    return object->kind == POOL_OWNER_SERVER ? &((struct pool_server *)object)->link.stream
                                             : &((struct pool_client *)object)->link.stream;
}

/* Its stream has left the loop. */
static void
send_off(struct pool_worker *worker, struct pool_object *object)
{
    struct pool_worker *target = worker->crew->workers[object->destination];

    if (object->kind == POOL_OWNER_SERVER ? !pool_server_depart((struct pool_server *)object)
                                          : !pool_client_depart((struct pool_client *)object))
        return;
    net_loop_let_go(worker->loop, stream_of(object));
    pthread_mutex_lock(&target->mutex);
    pool_list_append(&target->arrivals, &object->dead);
    pthread_mutex_unlock(&target->mutex);
    wake(target);
}

/* Not before the round is over: whoever called may still look at it. */
static void
move(struct pool_driver *driver, struct pool_object *object, int destination)
{
    struct pool_worker *worker = (struct pool_worker *)driver;

    object->destination = destination;
    if (!net_loop_leave(worker->loop, stream_of(object)))
        return; /* an event will say so */
    object->next_departing = worker->departing;
    worker->departing = object;
}

static void
send_off_all(struct pool_worker *worker)
{
    while (worker->departing != NULL) {
        struct pool_object *object = worker->departing;
        worker->departing = object->next_departing;
        send_off(worker, object);
    }
}

/* It is in no loop. */
static void
drop(struct pool_worker *worker, struct pool_object *object)
{
    struct net_stream *stream = stream_of(object);

    close(stream->descriptor);
    net_tls_forget(stream);
    pool_object_drop(object, &worker->driver);
}

static void
welcome_server(struct pool_worker *worker, struct pool_server *server)
{
    if (!pool_server_arrive(&worker->pool, server))
        drop(worker, &server->object);
    else if (net_loop_join(worker->loop, &server->link.stream))
        pool_server_settle_in(server);
    else
        pool_server_close(server, NULL);
}

static void
welcome_client(struct pool_worker *worker, struct pool_client *client)
{
    pool_client_arrive(&worker->pool, client);
    if (net_loop_join(worker->loop, &client->link.stream))
        pool_client_process(client);
    else
        pool_client_close(client);
}

static struct pool_object *
take_first(struct pool_node *list)
{
    struct pool_object *object = POOL_ENTRY(list->next, struct pool_object, dead);

    pool_list_remove(&object->dead);
    return object;
}

static void
take_given(struct pool_worker *worker)
{
    uint64_t count;
    struct pool_node arrivals;

    if (read(worker->event, &count, sizeof(count)) < 0)
        return; /* told already */
    pool_list_init(&arrivals);
    pthread_mutex_lock(&worker->mutex);
    while (!pool_list_is_empty(&worker->arrivals))
        pool_list_append(&arrivals, &take_first(&worker->arrivals)->dead);
    pool_visit *visit = worker->visit;
    pthread_mutex_unlock(&worker->mutex);
    while (!pool_list_is_empty(&arrivals)) {
        struct pool_object *object = take_first(&arrivals);
        if (object->kind == POOL_OWNER_SERVER)
            welcome_server(worker, (struct pool_server *)object);
        else
            welcome_client(worker, (struct pool_client *)object);
    }
    pool_share_look(&worker->pool);
    if (visit == NULL)
        return;
    visit(&worker->pool, worker->visit_context);
    pthread_mutex_lock(&worker->mutex);
    worker->visit = NULL;
    pthread_cond_signal(&worker->is_done);
    pthread_mutex_unlock(&worker->mutex);
}

/* --- events -------------------------------------------------------------------------------- */

/* One: when there are more, the next round says so at once. Asking until there is none would have
 * the kernel make and throw away a socket for the last answer. */
static void
accept_one(struct pool_worker *worker, int listener)
{
    struct pool *pool = &worker->pool;
    struct sockaddr_storage address = {0};
    struct pool_client *client = pool_client_new(pool, &address);

    if (client == NULL)
        return;
    if (net_loop_accept(worker->loop, listener, &client->link.stream, &client->address) <= 0)
        pool_client_close(client);
    else
        pool_client_process(client);
}

static bool
is_own_listener(const struct pool_worker *worker, int descriptor)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        if (worker->listeners[i] == descriptor)
            return true;
    }
    return false;
}

static void
handle_descriptor(struct pool_worker *worker, const struct net_event *event)
{
    if (event->kind == NET_LISTENER && is_own_listener(worker, event->descriptor))
        accept_one(worker, event->descriptor);
    else if (event->descriptor == worker->event)
        take_given(worker);
    else if (worker->lookup != NULL && event->descriptor == pool_lookup_descriptor(worker->lookup))
        take_answers(worker);
    else if (worker->driver.worker == 0)
        worker->crew->other_event(worker->crew, event);
}

static void
handle_stream(struct pool_worker *worker, const struct net_event *event)
{
    if (event->has_left)
        send_off(worker, event->stream->owner);
    else
        pool_stream_event(&worker->pool, event->stream, event->is_writable);
}

/* Idle servers first: what they said unasked is seen before one of them is given to a client. */
static void
handle(struct pool_worker *worker, const struct net_event *events, size_t count)
{
    bool is_done[NET_EVENTS_MAX] = {false};

    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != NET_STREAM)
            continue;
        const struct pool_object *object = events[i].stream->owner;
        is_done[i] =
            object->kind == POOL_OWNER_SERVER &&
            ((const struct pool_server *)events[i].stream->owner)->state == POOL_SERVER_IDLE;
        if (is_done[i])
            handle_stream(worker, &events[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != NET_STREAM)
            handle_descriptor(worker, &events[i]);
        else if (!is_done[i])
            handle_stream(worker, &events[i]);
    }
    send_off_all(worker);
}

/* Worker 0 waits for the others, and they for it, so that each can be visited to the end. */
static bool
is_over(struct pool_worker *worker)
{
    struct pool_crew *crew = worker->crew;

    if (worker->driver.worker == 0)
        return worker->pool.is_ended && atomic_load(&crew->ended_count) == crew->count - 1;
    if (worker->pool.is_ended && !worker->has_told_end) {
        worker->has_told_end = true;
        atomic_fetch_add(&crew->ended_count, 1);
        wake(crew->workers[0]);
    }
    return atomic_load(&crew->is_over);
}

static void
serve(struct pool_worker *worker)
{
    struct pool *pool = &worker->pool;
    struct net_event events[NET_EVENTS_MAX];
    int timeout_ms = pool_tick(pool, now_us());
    uint64_t next_tick_us = pool->now_us;

    while (!is_over(worker)) {
        size_t count = net_loop_wait(worker->loop, timeout_ms, events);
        pool->now_us = now_us();
        handle(worker, events, count);
        pool_sweep(pool);
        if (pool->now_us >= next_tick_us || pool->is_stopping) {
            timeout_ms = pool_tick(pool, pool->now_us);
            send_off_all(worker);
            next_tick_us = pool->now_us + (uint64_t)timeout_ms * 1000;
        }
    }
}

/* --- one of them --------------------------------------------------------------------------- */

static struct pool_worker *
worker_new(struct pool_crew *crew, int index)
{
    struct pool_worker *worker = calloc(1, sizeof(*worker));

    if (worker == NULL)
        return NULL;
    worker->driver = (struct pool_driver){.connect = connect_by_loop,
                                          .random = random_bytes,
                                          .log = log_line,
                                          .look_up = look_up,
                                          .find_local = find_local,
                                          .is_local_same = is_local_same,
                                          .shared = &crew->shared,
                                          .worker = index,
                                          .worker_count = crew->count,
                                          .visit_all = visit_all,
                                          .move = move,
                                          .wake = wake_other};
    worker->crew = crew;
    pool_list_init(&worker->arrivals);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->is_done, NULL);
    worker->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return worker;
}

/* Unix sockets are worker 0's: the kernel does not spread those. */
static bool
listen_all(struct pool_worker *worker, const struct pool_config *config, struct error *err)
{
    bool is_first = worker->driver.worker == 0;

    for (size_t i = 0; i < config->listen.count; i++) {
        const struct net_address *address = &config->listen.items[i];
        if (!is_first && address->is_local)
            continue;
        if (worker->listener_count == LISTENERS_MAX)
            return error_set(err, ERROR_DECK, "more than %d addresses to listen on", LISTENERS_MAX);
        if (!net_loop_listen(worker->loop, address, !is_first,
                             &worker->listeners[worker->listener_count], err))
            return false;
        worker->listener_count++;
    }
    return true;
}

/* Made beforehand: without descriptors little can be done. */
static void
write_farewell(struct pool_crew *crew)
{
    struct wire_writer writer = wire_writer(crew->farewell, sizeof(crew->farewell));
    struct error err;

    pool_fault(&err, "53300", "sorry, too many clients already");
    error_detail(&err, "The pool may not open more files.");
    error_hint(&err, "Raise its limit of open files (LimitNOFILE of its unit), or let fewer "
                     "clients in (max_clients).");
    wire_put_error(&writer, "FATAL", &err);
    crew->farewell_bytes = writer.length;
}

/* The loop is made by its own thread. */
static bool
prepare(struct pool_worker *worker, enum net_loop_kind kind, struct error *err)
{
    struct pool_config *config = worker->crew->config;

    if (worker->event < 0)
        return error_set(err, ERROR_INTERNAL, "cannot make a descriptor for events");
    worker->loop = net_loop_new(kind, err);
    if (worker->loop == NULL || !net_loop_watch(worker->loop, worker->event, err) ||
        (worker->driver.worker == 0 && !worker->crew->begin(worker->crew, worker->loop, err)) ||
        !listen_all(worker, config, err))
        return false;
    net_loop_set_farewell(worker->loop, worker->crew->farewell, worker->crew->farewell_bytes);
    pool_config_keep(config);
    worker->has_pool = pool_init(&worker->pool, &worker->driver, config, now_us(), err);
    return worker->has_pool;
}

/* In its own thread, which the loop belongs to. */
static void
put_away(struct pool_worker *worker)
{
    if (worker->has_pool) {
        take_given(worker);
        send_off_all(worker);
        pool_release(&worker->pool);
    }
    worker->has_pool = false;
    pool_lookup_free(worker->lookup);
    worker->lookup = NULL;
    if (worker->loop == NULL)
        return;
    for (size_t i = 0; i < worker->listener_count; i++)
        net_loop_close_listener(worker->loop, worker->listeners[i]);
    net_loop_free(worker->loop);
    worker->loop = NULL;
}

static void *
work(void *context)
{
    struct pool_worker *worker = context;
    bool is_epoll = strcmp(net_loop_name(worker->crew->workers[0]->loop), "epoll") == 0;
    bool is_prepared =
        prepare(worker, is_epoll ? NET_LOOP_EPOLL : NET_LOOP_IO_URING, &worker->failure);

    pthread_mutex_lock(&worker->mutex);
    worker->start = is_prepared ? STARTED : FAILED;
    pthread_cond_signal(&worker->is_done);
    pthread_mutex_unlock(&worker->mutex);
    if (is_prepared)
        serve(worker);
    put_away(worker);
    return NULL;
}

/* Signals are worker 0's. */
static bool
start_thread(struct pool_worker *worker, struct error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->has_thread = pthread_create(&worker->thread, NULL, work, worker) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!worker->has_thread)
        return error_set(err, ERROR_INTERNAL, "cannot start a thread");
    pthread_mutex_lock(&worker->mutex);
    while (worker->start == STARTING)
        pthread_cond_wait(&worker->is_done, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
    if (worker->start == STARTED)
        return true;
    *err = worker->failure;
    return false;
}

/* --- all of them --------------------------------------------------------------------------- */

/* The worker from which on the next so many have fewest pools. */
static int
find_free(const struct pool_crew *crew, const int counts[], int width)
{
    int best = 0, best_sum = INT_MAX;

    for (int first = 0; first < crew->count; first++) {
        int sum = 0;
        for (int i = 0; i < width; i++)
            sum += counts[(first + i) % crew->count];
        if (sum < best_sum) {
            best = first;
            best_sum = sum;
        }
    }
    return best;
}

bool
pool_crew_assign(struct pool_crew *crew, struct pool_config *config, struct error *err)
{
    int counts[POOL_WORKERS_MAX] = {0};
    size_t count = config->routes.count;

    for (size_t i = 0; i < 2 * count; i++) {
        struct pool_route *route = &config->routes.items[i < count ? i : i - count];
        int width = route->threads < 2             ? 1
                    : route->threads > crew->count ? crew->count
                                                   : route->threads;
        if (route->share != NULL)
            continue;
        route->share = pool_share_find(&crew->shared, route->database, route->user);
        if (route->share == NULL && i < count) /* after those that have one */
            continue;
        if (route->share == NULL)
            route->share = pool_share_new(&crew->shared, route->database, route->user,
                                          find_free(crew, counts, width), width, crew->count);
        if (route->share == NULL)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        route->worker = route->share->first;
        for (int j = 0; j < route->share->width; j++)
            counts[(route->worker + j) % crew->count]++;
    }
    return pool_where_keep(&crew->shared, config, err);
}

bool
pool_crew_start(struct pool_crew *crew, int count, struct pool_config *config, struct error *err)
{
    static const enum net_loop_kind kinds[] = {[DECK_IO_AUTO] = NET_LOOP_AUTO,
                                               [DECK_IO_EPOLL] = NET_LOOP_EPOLL,
                                               [DECK_IO_URING] = NET_LOOP_IO_URING};

    crew->count = count;
    crew->config = config;
    write_farewell(crew);
    if (!pool_crew_assign(crew, config, err))
        return false;
    if (getrandom(crew->shared.mock_secret, sizeof(crew->shared.mock_secret), 0) !=
        (ssize_t)sizeof(crew->shared.mock_secret))
        return error_set(err, ERROR_INTERNAL, "no random numbers");
    for (int i = 0; i < count; i++) {
        crew->workers[i] = worker_new(crew, i);
        if (crew->workers[i] == NULL)
            return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    if (!prepare(crew->workers[0], kinds[config->pooler.io], err))
        return false;
    for (int i = 1; i < count; i++) {
        if (!start_thread(crew->workers[i], err))
            return false;
    }
    return true;
}

void
pool_crew_serve(struct pool_crew *crew)
{
    serve(crew->workers[0]);
}

/* Sent here when the thread had ended. */
static void
drop_late(struct pool_worker *worker)
{
    while (!pool_list_is_empty(&worker->arrivals))
        drop(worker, take_first(&worker->arrivals));
}

void
pool_crew_release(struct pool_crew *crew)
{
    atomic_store(&crew->is_over, true);
    for (int i = 1; i < crew->count && crew->workers[i] != NULL; i++) {
        wake(crew->workers[i]);
        if (crew->workers[i]->has_thread)
            pthread_join(crew->workers[i]->thread, NULL);
    }
    if (crew->count > 0 && crew->workers[0] != NULL)
        put_away(crew->workers[0]);
    for (int i = 0; i < crew->count && crew->workers[i] != NULL; i++) {
        drop_late(crew->workers[i]);
    }
    for (int i = 0; i < crew->count && crew->workers[i] != NULL; i++) {
        struct pool_worker *worker = crew->workers[i];
        if (worker->event >= 0)
            close(worker->event);
        pthread_cond_destroy(&worker->is_done);
        pthread_mutex_destroy(&worker->mutex);
        free(worker);
        crew->workers[i] = NULL;
    }
    pool_share_free_all(&crew->shared);
    net_resolver_free(crew->shared.resolver);
}

struct pool *
pool_crew_pool(const struct pool_crew *crew)
{
    return &crew->workers[0]->pool;
}

struct net_loop *
pool_crew_loop(const struct pool_crew *crew)
{
    return crew->workers[0]->loop;
}

struct pool_crew *
pool_crew_of(struct pool *pool)
{
    return ((struct pool_worker *)pool->driver)->crew;
}
