// SPDX-License-Identifier: MIT
/* The pool in a simulated network: sim [--seeds N] [--first N] [--plant NAME] [--cuts SEED]. Each
 * seed is one run: some clients, some servers, a pool between them, and chance that decides what is
 * sent, in which parts it arrives, who waits, who leaves, who breaks. Prints the seed of a run that
 * fails, and what was seen. With a planted fault a failure is what is wanted. */
#include "sim/config.h"
#include "sim/world.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    SECONDS_MAX = 20, /* of one run, which takes milliseconds */
    ROUNDS_MAX = 200000,
    QUIET_MAX = 3000,
    ROUND_US = 20,
};

/* --- clients ------------------------------------------------------------------------------- */

static void
begin_life(struct sim_world *world, struct sim_client *client)
{
    sim_client_init(client, &world->random, ++world->client_number);
    client->state = SIM_GONE;
    if (world->lives == 0)
        return;
    client->connection = sim_worker_accept(world, SIM_CLIENT, client);
    if (client->connection == NULL)
        return;
    const struct pool_route *route = &world->workers[0].pool.config->routes.items[0];
    client->state = SIM_LOGGING_IN;
    world->lives--;
    client->keys = world->keys;
    client->is_refused = sim_world_has_scram(world) && sim_one_in(&world->random, 8);
    client->login.has_wrong_keys = client->is_refused && world->plant != SIM_PLANT_PROOF;
    client->user = route->other_users.count > 0 && sim_one_in(&world->random, 2);
    client->user_name = client->user == 0 || world->plant == SIM_PLANT_TURNS ? "sim" : "other";
    client->has_no_blocks = world->has_no_blocks;
    client->may_find_nobody = world->has_lost;
    sim_client_start(client);
}

static void
ask_to_cancel(struct sim_world *world, struct sim_client *client)
{
    uint8_t key[8], bytes[32];
    struct wire_writer key_writer = wire_writer(key, sizeof(key));
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    client->cancel = sim_worker_accept(world, SIM_CANCEL, client);
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
step_client(struct sim_world *world, struct sim_client *client)
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
        sim_world_cut(world, connection);
    if (client->fault[0] != '\0' && world->fault[0] == '\0')
        snprintf(world->fault, sizeof(world->fault), "%s: %s", client->name, client->fault);
}

static void
step_peer(struct sim_world *world, struct sim_connection *connection)
{
    if (connection->kind == SIM_SERVER) {
        sim_server_step(world, connection->peer);
    } else if (connection->kind == SIM_CLIENT) {
        step_client(world, connection->peer);
    } else if (connection->kind == SIM_OPERATOR) {
        sim_operator_step(world, connection->peer);
    } else if (connection->kind == SIM_CANCEL) {
        connection->to_peer.count = 0;
        if (connection->stream == NULL)
            sim_network_end(connection, false);
    }
    if (world->network.cut != NULL) {
        sim_world_cut(world, world->network.cut);
        world->network.cut = NULL;
    }
}

/* --- rounds -------------------------------------------------------------------------------- */

static void
forget(struct sim_world *world, size_t index)
{
    struct sim_connection *connection = &world->network.connections[index];
    struct sim_server *server = world->servers[index];
    struct sim_client *client = connection->peer;

    if (connection->kind == SIM_SERVER) {
        sim_server_free(server);
        world->servers[index] = NULL;
    } else if (connection->kind == SIM_CANCEL && client->cancel == connection) {
        client->cancel = NULL;
    } else if (connection->kind == SIM_CLIENT) {
        client->state = SIM_GONE;
        client->connection = NULL;
    } else if (connection->kind == SIM_OPERATOR) {
        sim_operator_lose(connection->peer);
    }
    sim_network_forget(connection);
}

struct event {
    struct net_stream *stream;
    bool is_writable;
};

/* As a worker handles them: idle servers first. */
static void
handle(struct sim_world *world, const struct event *events, size_t count)
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
    for (int i = 0; i < world->worker_count; i++)
        sim_worker_exchange(&world->workers[i]);
    for (int i = 0; i < world->worker_count; i++)
        pool_sweep(&world->workers[i].pool);
}

/* Only where one thread decides, and no server is lost: who had it then comes first. */
static void
check_turns(struct sim_world *world)
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
        const char *fault =
            sim_turns_look(turns, i, is_client ? connection->stream->owner : NULL,
                           is_client ? peer->user : 0, is_client && peer->has_cancelled);
        if (fault != NULL && world->fault[0] == '\0')
            snprintf(world->fault, sizeof(world->fault), "%s", fault);
    }
}

/* What the pool is told now, in an order by chance; some of it only in a later round. */
static size_t
collect(struct sim_world *world, struct event events[])
{
    size_t count = 0;

    for (size_t i = 0; i < SIM_CONNECTIONS; i++) {
        struct sim_connection *connection = &world->network.connections[i];
        struct event event = {.stream = connection->stream};
        if (connection->kind == SIM_FREE || connection->stream == NULL ||
            sim_worker_is_leaving(connection->stream) || sim_one_in(&world->random, 2) ||
            !sim_network_tell(&world->network, connection, &event.is_writable))
            continue;
        if (connection->is_end_told)
            sim_world_excuse(connection); /* who was given it before this was known */
        if (world->network.cut != NULL)
            sim_world_cut(world, world->network.cut);
        world->network.cut = NULL;
        size_t place = sim_below(&world->random, count + 1);
        events[count++] = events[place];
        events[place] = event;
    }
    return count;
}

static bool
round_once(struct sim_world *world)
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
    if (world->operator.connection == NULL && world->operator.is_there)
        sim_operator_connect(world, &world->operator);
    size_t count = collect(world, events);
    handle(world, events, count);
    world->quiet_rounds = world->network.bytes == before ? world->quiet_rounds + 1 : 0;
    sim_operator_check(world, &world->operator);
    check_turns(world);
    uint64_t next_us = now_us + (world->quiet_rounds > 50 ? SIM_TICK_US : ROUND_US);
    for (int i = 0; i < world->worker_count; i++) {
        if (next_us / SIM_TICK_US != now_us / SIM_TICK_US)
            (void)pool_tick(&world->workers[i].pool, next_us);
        world->workers[i].pool.now_us = next_us;
    }
    return is_alive;
}

/* --- one seed ------------------------------------------------------------------------------ */

/* The pool is one of all threads, or of some. */
static void
share_pool(struct sim_world *world, struct pool_route *route)
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
prepare(struct sim_world *world, uint64_t seed, uint64_t cut_at)
{
    static const size_t chunks[] = {4, 30, 300, 5000}, rooms[] = {20, 100, 1000, 100000};

    world->random = world->seed = seed;
    struct pool_config *config = sim_config_make(&world->random, world->keys);
    struct pool_route *route = &config->routes.items[0];
    world->has_no_blocks = route->mode == DECK_POOL_STATEMENT;
    if (world->plant == SIM_PLANT_BLOCK && world->has_no_blocks)
        route->mode = DECK_POOL_TRANSACTION;
    world->operator.is_there = sim_one_in(&world->random, 2);
    world->operator.left =(unsigned) sim_below(&world->random, 12);
    world->operator.max = world->operator.size = route->max;
    world->worker_count = sim_one_in(&world->random, 2) ? 1 + (int)sim_below(&world->random, 3) : 1;
    share_pool(world, route);
    world->network.random = sim_random(&world->random);
    world->network.chunk = chunks[sim_below(&world->random, 4)];
    world->network.room = rooms[sim_below(&world->random, 4)];
    world->network.cut_at = cut_at;
    world->client_count = 1 + sim_below(&world->random, SIM_CLIENTS);
    world->lives = 2 * (unsigned)world->client_count;
    world->crash_odds = 300 + sim_below(&world->random, 3000);
    world->crashes_left = sim_one_in(&world->random, 2) ? 0 : 5;
    for (int i = 0; i < world->worker_count; i++)
        sim_worker_init(world, i, config);
    pool_config_drop(config);
}

/* How it stands, for a run that failed. */
static void
tell(const struct sim_world *world)
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
    struct sim_world *world = calloc(1, sizeof(*world));
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
        sim_worker_release(&world->workers[i]);
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
    static const char *const plants[SIM_PLANTS] = {
        "none",  "discard", "restore", "cancel", "row",   "listen", "turns",     "block",
        "proof", "prepare", "cursor",  "portal", "pause", "reload", "reconnect", "mode"};

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
                        " [--plant discard|restore|cancel|row|listen|turns|block|proof|"
                        "prepare|cursor|portal|pause|reload|reconnect|mode]\n");
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
