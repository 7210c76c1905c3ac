// SPDX-License-Identifier: MIT
/* The pool in a simulated network: sim [--seeds N] [--first N] [--plant NAME] [--cuts SEED]. Each
 * seed is one run: some clients, some servers, a pool between them, and chance that decides what is
 * sent, in which parts it arrives, who waits, who leaves, who breaks. Prints the seed of a run that
 * fails, and what was seen. With a planted fault a failure is what is wanted. */
#include "pool/pool.h"
#include "sim/client.h"
#include "sim/config.h"
#include "sim/turns.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    SECONDS_MAX = 20, /* of one run, which takes milliseconds */
    CLIENTS_MAX = 6,
    WORKERS_MAX = 3,
    ROUNDS_MAX = 200000,
    QUIET_MAX = 3000,
    ROUND_US = 20,
    TICK_US = 100000,
};

struct sim_server {
    struct sim_connection *connection;
    struct sim_bytes first; /* up to the whole start-up, or login */
    struct sim_login login;
    bool is_known; /* who it is has been said */
    struct sim_session session;
};

/* A thread: a pool, and what the others have sent it. */
struct sim_worker {
    struct pool_driver driver; /* first */
    struct world *world;
    struct pool pool;
    struct pool_object *departing[SIM_CONNECTIONS];
    size_t departing_count;
    struct pool_node arrivals; /* objects by their dead */
    bool is_woken;
};

struct world {
    struct pool_shared shared;
    struct sim_worker workers[WORKERS_MAX];
    int worker_count;
    uint64_t lent; /* servers, by threads to others */
    struct sim_network network;
    struct sim_turns turns;
    const struct wire_scram_keys *keys;
    uint64_t random, seed;
    struct sim_client clients[CLIENTS_MAX];
    struct sim_server *servers[SIM_CONNECTIONS];
    size_t client_count;
    unsigned lives, client_number, server_number;
    size_t crash_odds, crashes_left, quiet_rounds;
    enum sim_plant plant;
    bool has_no_blocks;     /* statement pooling */
    bool has_lost, is_told; /* a server has been cut; what the pool logs is shown */
    char fault[600];
};

/* --- driver -------------------------------------------------------------------------------- */

static bool
connect_simulated(struct pool_driver *driver, const struct net_address *address,
                  struct net_stream *stream, struct error *err)
{
    struct world *world = ((struct sim_worker *)driver)->world;
    struct sim_server *server = calloc(1, sizeof(*server));

    (void)address;
    if (server == NULL)
        abort();
    server->connection = sim_network_open(&world->network, stream, SIM_SERVER, server);
    if (server->connection == NULL) {
        free(server);
        return error_set(err, ERROR_UNREACHABLE, "too many simulated connections");
    }
    sim_session_init(&server->session, ++world->server_number, world->plant);
    world->servers[server->connection - world->network.connections] = server;
    return true;
}

static bool
random_simulated(struct pool_driver *driver, void *bytes, size_t count)
{
    struct world *world = ((struct sim_worker *)driver)->world;

    for (size_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)sim_random(&world->random);
    return true;
}

static void
log_simulated(struct pool_driver *driver, const char *line, bool is_json)
{
    const struct world *world = ((const struct sim_worker *)driver)->world;

    (void)is_json;
    if (world->is_told)
        printf("#   pool: %s\n", line);
}

static struct net_stream *
stream_of(struct pool_object *object)
{
    return object->kind == POOL_OWNER_SERVER ? &((struct pool_server *)object)->link.stream
                                             : &((struct pool_client *)object)->link.stream;
}

/* It leaves some rounds later, as with io_uring. */
static void
move_simulated(struct pool_driver *driver, struct pool_object *object, int destination)
{
    struct sim_worker *worker = (struct sim_worker *)driver;

    object->destination = destination;
    worker->departing[worker->departing_count++] = object;
}

static void
wake_simulated(struct pool_driver *driver, int other)
{
    ((struct sim_worker *)driver)->world->workers[other].is_woken = true;
}

static void
send_off(struct sim_worker *worker)
{
    size_t kept = 0;

    for (size_t i = 0; i < worker->departing_count; i++) {
        struct pool_object *object = worker->departing[i];
        struct sim_worker *target = &worker->world->workers[object->destination];
        if (sim_one_in(&worker->world->random, 2)) {
            worker->departing[kept++] = object;
            continue;
        }
        bool has_left = object->kind == POOL_OWNER_SERVER
                            ? pool_server_depart((struct pool_server *)object)
                            : pool_client_depart((struct pool_client *)object);
        if (!has_left)
            continue;
        worker->world->lent += object->kind == POOL_OWNER_SERVER;
        pool_list_append(&target->arrivals, &object->dead);
        target->is_woken = true;
    }
    worker->departing_count = kept;
}

static void
drop_arrivals(struct sim_worker *worker)
{
    while (!pool_list_is_empty(&worker->arrivals)) {
        struct pool_object *object = POOL_ENTRY(worker->arrivals.next, struct pool_object, dead);
        pool_list_remove(&object->dead);
        stream_of(object)->transport->close(stream_of(object));
        pool_object_drop(object, &worker->driver);
    }
}

static void
take_arrivals(struct sim_worker *worker)
{
    if (!worker->is_woken || sim_one_in(&worker->world->random, 2))
        return;
    worker->is_woken = false;
    POOL_EACH(node, &worker->arrivals)
    {
        struct pool_object *object = POOL_ENTRY(node, struct pool_object, dead);
        pool_list_remove(node);
        stream_of(object)->is_readable = true;
        if (object->kind == POOL_OWNER_CLIENT) {
            pool_client_arrive(&worker->pool, (struct pool_client *)object);
            pool_client_process((struct pool_client *)object);
        } else if (pool_server_arrive(&worker->pool, (struct pool_server *)object)) {
            pool_server_settle_in((struct pool_server *)object);
        } else {
            abort(); /* the configuration stays as it is */
        }
    }
    pool_share_look(&worker->pool);
}

/* --- servers ------------------------------------------------------------------------------- */

/* The client whose server it is may be told that it broke. */
static void
excuse(const struct sim_connection *connection)
{
    const struct pool_server *server =
        connection->stream == NULL ? NULL : connection->stream->owner;

    if (connection->kind != SIM_SERVER || server == NULL ||
        server->object.kind != POOL_OWNER_SERVER || server->client == NULL)
        return;
    const struct net_stream *stream = &server->client->link.stream;
    const struct sim_network *network = stream->host;
    if (stream->descriptor >= 0)
        ((struct sim_client *)network->connections[stream->descriptor].peer)->is_excused = true;
}

static void
cut(struct world *world, struct sim_connection *connection)
{
    bool is_reset = sim_one_in(&world->random, 2);

    excuse(connection);
    if (connection->kind == SIM_SERVER) {
        world->has_lost = true;
        for (size_t i = 0; i < world->client_count; i++)
            world->clients[i].may_find_nobody = true;
    }
    if (connection->kind == SIM_CLIENT)
        ((struct sim_client *)connection->peer)->state = SIM_LEAVING;
    sim_network_end(connection, is_reset);
}

static void
cancel(struct world *world, const struct wire_startup *startup)
{
    uint32_t process = wire_uint32(startup->key);

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_server *server = world->servers[i];
        if (server == NULL || !server->session.is_slow)
            continue;
        bool is_meant = server->session.process == process;
        if (world->plant == SIM_PLANT_CANCEL ? !is_meant : is_meant)
            sim_session_end_slow(&server->session, true);
    }
}

static bool
has_scram(const struct world *world)
{
    return world->workers[0].pool.config->routes.items[0].auth == DECK_AUTH_SCRAM;
}

/* SCRAM with the pool as the client. */
static void
log_in_server(struct world *world, struct sim_server *server)
{
    struct sim_session *session = &server->session;
    struct wire_header header;

    if (wire_read_header(server->first.items, server->first.count, WIRE_FROM_CLIENT, &header) !=
            WIRE_WHOLE ||
        server->first.count < WIRE_HEADER_BYTES + header.body_bytes)
        return;
    bool is_in = false;
    if (!sim_login_serve(&server->login, world->keys, server->first.items + WIRE_HEADER_BYTES,
                         header.body_bytes, &session->out, &is_in))
        session->fault = "a login that is not right";
    session->visible = session->out.count;
    sim_bytes_drop(&server->first, WIRE_HEADER_BYTES + header.body_bytes);
    if (is_in)
        sim_session_greet(session);
}

static void
start_server(struct world *world, struct sim_server *server)
{
    struct wire_startup startup;
    struct error err;
    size_t whole;

    if (wire_read_startup(server->first.items, server->first.count, &startup, &whole, &err) !=
        WIRE_WHOLE)
        return;
    if (startup.kind == WIRE_CANCEL) {
        cancel(world, &startup);
        sim_network_end(server->connection, false);
        return;
    }
    server->is_known = true;
    sim_bytes_drop(&server->first, whole);
    if (!has_scram(world)) {
        sim_session_greet(&server->session);
        return;
    }
    sim_login_ask(&server->session.out);
    server->session.visible = server->session.out.count;
}

static void
step_server(struct world *world, struct sim_server *server)
{
    struct sim_connection *connection = server->connection;
    struct sim_session *session = &server->session;
    size_t count = sim_network_arrive(&world->network, connection);

    sim_bytes_add(session->has_started ? &session->in : &server->first, connection->to_peer.items,
                  count);
    sim_bytes_drop(&connection->to_peer, count);
    if (connection->has_ended)
        return;
    if (!server->is_known)
        start_server(world, server);
    else if (!session->has_started)
        log_in_server(world, server);
    else if (session->is_slow && sim_one_in(&world->random, 40))
        sim_session_end_slow(session, false);
    else if (sim_one_in(&world->random, 30))
        sim_session_notify(session);
    else
        sim_session_run(session);
    sim_bytes_add(&connection->to_pool, session->out.items, session->visible);
    sim_bytes_drop(&session->out, session->visible);
    session->visible = 0;
    if (session->fault != NULL && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "server %u gets %s", session->process,
                 session->fault);
    bool is_left = connection->stream == NULL && connection->to_peer.count == 0;
    if (session->has_ended || is_left)
        sim_network_end(connection, false);
    else if (world->crashes_left > 0 && sim_one_in(&world->random, world->crash_odds)) {
        world->crashes_left--;
        cut(world, connection);
    }
}

/* --- clients ------------------------------------------------------------------------------- */

static struct sim_connection *
connect_to_pool(struct world *world, enum sim_peer_kind kind, struct sim_client *peer)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    size_t door = sim_below(&world->random, (size_t)world->worker_count);
    struct pool_client *client = pool_client_new(&world->workers[door].pool, &address);

    if (client == NULL)
        abort();
    struct sim_connection *connection =
        sim_network_open(&world->network, &client->link.stream, kind, peer);
    if (connection == NULL) {
        pool_client_close(client);
        return NULL;
    }
    connection->is_told = true;
    client->link.stream.is_local = true;
    client->link.stream.user = SIM_PEER_USER;
    return connection;
}

static void
begin_life(struct world *world, struct sim_client *client)
{
    sim_client_init(client, &world->random, ++world->client_number);
    client->state = SIM_GONE;
    if (world->lives == 0)
        return;
    client->connection = connect_to_pool(world, SIM_CLIENT, client);
    if (client->connection == NULL)
        return;
    const struct pool_route *route = &world->workers[0].pool.config->routes.items[0];
    client->state = SIM_LOGGING_IN;
    world->lives--;
    client->keys = world->keys;
    client->is_refused = has_scram(world) && sim_one_in(&world->random, 8);
    client->login.has_wrong_keys = client->is_refused && world->plant != SIM_PLANT_PROOF;
    client->user = route->other_users.count > 0 && sim_one_in(&world->random, 2);
    client->user_name = client->user == 0 || world->plant == SIM_PLANT_TURNS ? "sim" : "other";
    client->has_no_blocks = world->has_no_blocks;
    client->may_find_nobody = world->has_lost;
    sim_client_start(client);
}

static void
ask_to_cancel(struct world *world, struct sim_client *client)
{
    uint8_t key[8], bytes[32];
    struct wire_writer key_writer = wire_writer(key, sizeof(key));
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    client->cancel = connect_to_pool(world, SIM_CANCEL, client);
    if (client->cancel == NULL)
        return;
    client->wants_cancel = false;
    client->has_cancelled = true;
    wire_put_uint32(&key_writer, client->process);
    wire_put_uint32(&key_writer, client->secret);
    wire_put_cancel(&writer, key, sizeof(key));
    sim_bytes_add(&client->cancel->to_pool, bytes, writer.length);
}

static void
step_client(struct world *world, struct sim_client *client)
{
    struct sim_connection *connection = client->connection;
    size_t count = sim_network_arrive(&world->network, connection);

    sim_client_take(client, connection->to_peer.items, count);
    sim_bytes_drop(&connection->to_peer, count);
    if (connection->stream == NULL && connection->to_peer.count == 0)
        sim_client_lose(client);
    else if (client->state == SIM_RUNNING && client->wants_cancel && client->direct.is_slow &&
             client->cancel == NULL && sim_one_in(&world->random, 8))
        ask_to_cancel(world, client);
    else if (sim_one_in(&world->random, 2))
        sim_client_go_on(client);
    if (client->state == SIM_RUNNING && sim_one_in(&world->random, 2000))
        cut(world, connection);
    if (client->fault[0] != '\0' && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "%s: %s", client->name, client->fault);
}

static void
step_peer(struct world *world, struct sim_connection *connection)
{
    if (connection->kind == SIM_SERVER) {
        step_server(world, connection->peer);
    } else if (connection->kind == SIM_CLIENT) {
        step_client(world, connection->peer);
    } else if (connection->kind == SIM_CANCEL) {
        connection->to_peer.count = 0;
        if (connection->stream == NULL)
            sim_network_end(connection, false);
    }
    if (world->network.cut != NULL) {
        cut(world, world->network.cut);
        world->network.cut = NULL;
    }
}

/* --- rounds -------------------------------------------------------------------------------- */

static void
forget(struct world *world, size_t index)
{
    struct sim_connection *connection = &world->network.connections[index];
    struct sim_server *server = world->servers[index];
    struct sim_client *client = connection->peer;

    if (connection->kind == SIM_SERVER) {
        sim_session_release(&server->session);
        sim_login_release(&server->login);
        sim_bytes_release(&server->first);
        free(server);
        world->servers[index] = NULL;
    } else if (connection->kind == SIM_CANCEL && client->cancel == connection) {
        client->cancel = NULL;
    } else if (connection->kind == SIM_CLIENT) {
        client->state = SIM_GONE;
        client->connection = NULL;
    }
    sim_network_forget(connection);
}

struct event {
    struct net_stream *stream;
    bool is_writable;
};

/* As a worker handles them: idle servers first. */
static void
handle(struct world *world, const struct event *events, size_t count)
{
    bool is_done[SIM_CONNECTIONS] = {false};

    for (size_t i = 0; i < count; i++) {
        const struct pool_server *server = events[i].stream->owner;
        is_done[i] = server->object.kind == POOL_OWNER_SERVER && server->state == POOL_SERVER_IDLE;
        if (is_done[i])
            pool_stream_event(&world->workers[0].pool, events[i].stream, events[i].is_writable);
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_done[i])
            pool_stream_event(&world->workers[0].pool, events[i].stream, events[i].is_writable);
    }
    for (int i = 0; i < world->worker_count; i++) {
        send_off(&world->workers[i]);
        take_arrivals(&world->workers[i]);
    }
    for (int i = 0; i < world->worker_count; i++)
        pool_sweep(&world->workers[i].pool);
}

/* It is in no loop, or soon in none. */
static bool
is_on_its_way(const struct net_stream *stream)
{
    const struct pool_object *object = stream->owner;

    return object->kind == POOL_OWNER_SERVER
               ? ((const struct pool_server *)object)->state == POOL_SERVER_LEAVING
               : object->kind == POOL_OWNER_CLIENT &&
                     ((const struct pool_client *)object)->is_moving;
}

/* The pool's size is exact over all threads, whatever is on its way between them. */
static void
check_size(struct world *world)
{
    int count = 0, max = world->workers[0].pool.config->routes.items[0].max;

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct net_stream *stream = world->network.connections[i].stream;
        count += stream != NULL && ((struct pool_object *)stream->owner)->kind == POOL_OWNER_SERVER;
    }
    if (count > max && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "%d servers, at most %d", count, max);
}

/* Only where one thread decides, and no server is lost: who had it then comes first. */
static void
check_turns(struct world *world)
{
    struct sim_turns *turns = &world->turns;

    if (world->worker_count > 1 || world->crashes_left > 0 || world->network.cut_at != UINT64_MAX)
        return;
    turns->round++;
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct sim_connection *connection = &world->network.connections[i];
        bool is_client = connection->kind == SIM_CLIENT && connection->stream != NULL;
        sim_turns_note(turns, i, is_client ? connection->stream->owner : NULL);
    }
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct sim_connection *connection = &world->network.connections[i];
        bool is_client = connection->kind == SIM_CLIENT && connection->stream != NULL;
        const struct sim_client *peer = is_client ? connection->peer : NULL;
        const char *fault = sim_turns_look(turns, i, is_client ? connection->stream->owner : NULL,
                                           is_client ? peer->user : 0);
        if (fault != NULL && world->fault[0] == '\0')
            snprintf(world->fault, sizeof(world->fault), "%s", fault);
    }
}

/* What the pool is told now, in an order by chance; some of it only in a later round. */
static size_t
collect(struct world *world, struct event events[])
{
    size_t count = 0;

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_connection *connection = &world->network.connections[i];
        struct event event = {.stream = connection->stream};
        if (connection->kind == SIM_FREE || connection->stream == NULL ||
            is_on_its_way(connection->stream) || sim_one_in(&world->random, 2) ||
            !sim_network_tell(&world->network, connection, &event.is_writable))
            continue;
        if (connection->is_end_told)
            excuse(connection); /* who was given it before this was known */
        if (world->network.cut != NULL)
            cut(world, world->network.cut);
        world->network.cut = NULL;
        size_t place = sim_below(&world->random, count + 1);
        events[count++] = events[place];
        events[place] = event;
    }
    return count;
}

static bool
round_once(struct world *world)
{
    struct event events[SIM_CONNECTIONS];
    uint64_t now_us = world->workers[0].pool.now_us;
    bool is_alive = world->lives > 0;
    uint64_t before = world->network.bytes;

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_connection *connection = &world->network.connections[i];
        if (connection->kind != SIM_FREE && !sim_one_in(&world->random, 3))
            step_peer(world, connection);
        if (sim_network_is_over(connection))
            forget(world, i);
    }
    for (size_t i = 0; i < world->client_count; i++) {
        struct sim_client *client = &world->clients[i];
        if (client->connection == NULL && client->cancel == NULL) {
            sim_client_release(client);
            begin_life(world, client);
        }
        is_alive |= client->connection != NULL || client->cancel != NULL;
    }
    size_t count = collect(world, events);
    handle(world, events, count);
    world->quiet_rounds = world->network.bytes == before ? world->quiet_rounds + 1 : 0;
    check_size(world);
    check_turns(world);
    uint64_t next_us = now_us + (world->quiet_rounds > 50 ? TICK_US : ROUND_US);
    for (int i = 0; i < world->worker_count; i++) {
        if (next_us / TICK_US != now_us / TICK_US)
            (void)pool_tick(&world->workers[i].pool, next_us);
        world->workers[i].pool.now_us = next_us;
    }
    return is_alive;
}

/* --- one seed ------------------------------------------------------------------------------ */

/* The pool is one of all threads, or of some. */
static void
share_pool(struct world *world, struct pool_route *route)
{
    int first = (int)sim_below(&world->random, (size_t)world->worker_count);
    int width = 1 + (int)sim_below(&world->random, (size_t)world->worker_count);

    route->worker = first;
    route->share = pool_share_new(&world->shared, route->database, route->user, first, width,
                                  world->worker_count);
    if (route->share == NULL)
        abort();
}

static void
prepare(struct world *world, uint64_t seed, uint64_t cut_at)
{
    static const size_t chunks[] = {4, 30, 300, 5000}, rooms[] = {20, 100, 1000, 100000};
    struct error err;

    world->random = world->seed = seed;
    struct pool_config *config = sim_config_make(&world->random, world->keys);
    struct pool_route *route = &config->routes.items[0];
    world->has_no_blocks = route->mode == DECK_POOL_STATEMENT;
    if (world->plant == SIM_PLANT_BLOCK && world->has_no_blocks)
        route->mode = DECK_POOL_TRANSACTION;
    world->worker_count = sim_one_in(&world->random, 2) ? 1 + (int)sim_below(&world->random, 3) : 1;
    share_pool(world, route);
    world->network.random = sim_random(&world->random);
    world->network.chunk = chunks[sim_below(&world->random, 4)];
    world->network.room = rooms[sim_below(&world->random, 4)];
    world->network.cut_at = cut_at;
    world->client_count = 1 + sim_below(&world->random, CLIENTS_MAX);
    world->lives = 2 * (unsigned)world->client_count;
    world->crash_odds = 300 + sim_below(&world->random, 3000);
    world->crashes_left = sim_one_in(&world->random, 2) ? 0 : 5;
    for (int i = 0; i < world->worker_count; i++) {
        struct sim_worker *worker = &world->workers[i];
        worker->driver = (struct pool_driver){.connect = connect_simulated,
                                              .random = random_simulated,
                                              .log = log_simulated,
                                              .shared = &world->shared,
                                              .worker = i,
                                              .worker_count = world->worker_count,
                                              .move = move_simulated,
                                              .wake = wake_simulated};
        worker->world = world;
        pool_list_init(&worker->arrivals);
        pool_config_keep(config);
        if (!pool_init(&worker->pool, &worker->driver, config, TICK_US, &err))
            abort();
    }
    pool_config_drop(config);
}

/* How it stands, for a run that failed. */
static void
tell(const struct world *world)
{
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        const struct sim_connection *connection = &world->network.connections[i];
        const struct pool_object *object =
            connection->stream == NULL ? NULL : connection->stream->owner;
        const char *state = "closed";
        if (connection->kind == SIM_FREE)
            continue;
        if (object != NULL && object->kind == POOL_OWNER_CLIENT)
            state = pool_client_state_name(((const struct pool_client *)object)->state);
        else if (object != NULL && object->kind == POOL_OWNER_SERVER)
            state = pool_server_state_name(((const struct pool_server *)object)->state);
        printf("#   %s %zu: %s in the pool, %zu bytes to the pool, %zu to the peer%s\n",
               connection->kind == SIM_SERVER   ? "server"
               : connection->kind == SIM_CLIENT ? "client"
                                                : "cancel request",
               i, state, connection->to_pool.count, connection->to_peer.count,
               connection->has_ended ? ", which has ended" : "");
    }
}

static volatile uint64_t running_seed; /* for the one that is told when time is up */

static void
give_up(int signal_number)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "# seed %llu: the pool goes round for ever\n",
                          (unsigned long long)running_seed);

    (void)signal_number;
    _exit(write(STDOUT_FILENO, line, (size_t)length) < 0 ? 2 : 1);
}

struct options {
    uint64_t first, seeds;
    enum sim_plant plant;
    bool has_cuts;
    struct wire_scram_keys keys;
};

struct tally {
    uint64_t bytes; /* of the last run */
    uint64_t runs, failures, all_bytes, lent;
};

static void
run_seed(const struct options *options, uint64_t seed, uint64_t cut_at, struct tally *tally)
{
    enum sim_plant plant = options->plant;
    struct world *world = calloc(1, sizeof(*world));
    unsigned rounds = 0;

    if (world == NULL)
        abort();
    world->plant = plant;
    world->keys = &options->keys;
    running_seed = seed;
    alarm(SECONDS_MAX);
    prepare(world, seed, cut_at);
    while (world->fault[0] == '\0' && round_once(world)) {
        if (world->quiet_rounds > QUIET_MAX || ++rounds > ROUNDS_MAX)
            snprintf(world->fault, sizeof(world->fault), "%s after %u rounds",
                     rounds > ROUNDS_MAX ? "it does not end" : "nothing goes on", rounds);
    }
    bool is_fine = world->fault[0] == '\0';
    if (!is_fine && plant == SIM_PLANT_NONE) {
        printf("# seed %llu", (unsigned long long)seed);
        if (cut_at != UINT64_MAX)
            printf(", cut at byte %llu", (unsigned long long)cut_at);
        printf(":\n    %s\n", world->fault);
        tell(world);
    }
    tally->bytes = world->network.bytes;
    tally->all_bytes += tally->bytes;
    tally->lent += world->lent;
    tally->runs++;
    tally->failures += !is_fine;
    for (int i = 0; i < world->worker_count; i++)
        drop_arrivals(&world->workers[i]);
    for (int i = 0; i < world->worker_count; i++)
        pool_release(&world->workers[i].pool);
    pool_share_free_all(&world->shared);
    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        if (world->network.connections[i].kind != SIM_FREE)
            forget(world, i);
    }
    for (size_t i = 0; i < world->client_count; i++)
        sim_client_release(&world->clients[i]);
    free(world);
}

/* --- main ---------------------------------------------------------------------------------- */

static bool
read_options(int count, char **words, struct options *options)
{
    static const char *const plants[SIM_PLANTS] = {"none",   "discard", "restore", "cancel", "row",
                                                   "listen", "turns",   "block",   "proof"};

    for (int i = 1; i + 1 < count; i += 2) {
        const char *value = words[i + 1];
        if (strcmp(words[i], "--seeds") == 0) {
            options->seeds = strtoull(value, NULL, 10);
        } else if (strcmp(words[i], "--first") == 0) {
            options->first = strtoull(value, NULL, 10);
        } else if (strcmp(words[i], "--cuts") == 0) {
            options->has_cuts = true;
            options->first = strtoull(value, NULL, 10);
        } else if (strcmp(words[i], "--plant") == 0) {
            while (options->plant < SIM_PLANTS && strcmp(plants[options->plant], value) != 0)
                options->plant++;
        } else {
            return false;
        }
    }
    return count % 2 == 1 && options->plant < SIM_PLANTS;
}

int
main(int count, char **words)
{
    struct options options = {.first = 1, .seeds = 1000};
    struct tally tally = {0};

    if (!read_options(count, words, &options)) {
        fprintf(stderr, "usage: sim [--seeds N] [--first N] [--cuts SEED]"
                        " [--plant discard|restore|cancel|row|listen|turns|block|proof]\n");
        return 2;
    }
    signal(SIGALRM, give_up);
    sim_login_keys(&options.keys);
    for (uint64_t i = 0; i < options.seeds && tally.failures < 5; i++) {
        uint64_t seed = options.has_cuts ? options.first : options.first + i;
        uint64_t cut_at = options.has_cuts ? i : UINT64_MAX;
        run_seed(&options, seed, cut_at, &tally);
        if (options.has_cuts && i >= tally.bytes) /* all of its bytes */
            break;
    }
    bool is_fine = (tally.failures > 0) == (options.plant != SIM_PLANT_NONE);
    printf("1..1\n%s 1 - %llu runs, %llu bytes, %llu servers lent, %llu failures%s\n",
           is_fine ? "ok" : "not ok", (unsigned long long)tally.runs,
           (unsigned long long)tally.all_bytes, (unsigned long long)tally.lent,
           (unsigned long long)tally.failures,
           options.plant == SIM_PLANT_NONE ? "" : " (a fault is planted)");
    return is_fine ? 0 : 1;
}
