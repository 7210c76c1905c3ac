// SPDX-License-Identifier: MIT
#include "sim/config.h"

#include "sim/bytes.h"

struct pool_config *
sim_config_make(uint64_t *random, const struct wire_scram_keys *keys)
{
    static const int64_t buffer_bytes[] = {64, 256, 4096};
    struct arena *arena = arena_new();
    struct pool_config *config = ARENA_NEW(arena, struct pool_config);
    bool has_others = sim_one_in(random, 3), has_scram = sim_one_in(random, 2);

    *LIST_ADD(arena, &config->users) = (struct pool_user){
        .name = "sim", .keys = *keys, .has_keys = true, .password = has_others ? "sim" : NULL};
    *LIST_ADD(arena, &config->users) =
        (struct pool_user){.name = "other", .keys = *keys, .has_keys = true};
    config->arena = arena;
    config->references = 1;
    config->pooler.max_clients = 1000;
    config->pooler.query_wait_timeout_ms = config->pooler.login_timeout_ms = INT32_MAX;
    config->pooler.connect_timeout_ms = INT32_MAX;
    config->pooler.prepared_statements = 2 + (int)sim_below(random, 20);
    config->pooler.buffer_bytes = buffer_bytes[sim_below(random, 3)];
    config->pooler.recycle_ms = sim_one_in(random, 4) ? 1000 : 0;
    *LIST_ADD(arena, &config->routes) = (struct pool_route){
        .database = "sim",
        .user = "sim",
        .server_database = "sim",
        .service = "",
        .environment = "",
        .host = "sim",
        .tls_identity = "",
        .address = {.is_local = true, .display = "sim"},
        .login = &config->users.items[0],
        .max = 1 + (int)sim_below(random, 3),
        .mode = sim_one_in(random, 4)   ? DECK_POOL_SESSION
                : sim_one_in(random, 5) ? DECK_POOL_STATEMENT
                                        : DECK_POOL_TRANSACTION,
        .reset = has_others || sim_one_in(random, 3) ? DECK_POOL_FULL : DECK_POOL_TRACKED,
        .auth = has_scram ? DECK_AUTH_SCRAM : DECK_AUTH_PEER,
        .peer = SIM_PEER_USER,
        .has_auto_prepare = sim_one_in(random, 2),
    };
    if (has_others)
        *LIST_ADD(arena, &config->routes.items[0].other_users) = "other";
    return config;
}

struct pool_config *
sim_config_again(const struct pool_config *old, uint64_t *random)
{
    struct arena *arena = arena_new();
    struct pool_config *config = ARENA_NEW(arena, struct pool_config);

    config->arena = arena;
    config->references = 1;
    config->pooler = old->pooler;
    config->pooler.prepared_statements = 2 + (int)sim_below(random, 20);
    for (size_t i = 0; i < old->users.count; i++)
        *LIST_ADD(arena, &config->users) = old->users.items[i];
    struct pool_route *route = LIST_ADD(arena, &config->routes);
    *route = old->routes.items[0];
    route->login = &config->users.items[0];
    route->max = 1 + (int)sim_below(random, 3);
    route->has_auto_prepare = sim_one_in(random, 2);
    if (route->mode != DECK_POOL_STATEMENT && sim_one_in(random, 3))
        route->mode = sim_one_in(random, 2) ? DECK_POOL_SESSION : DECK_POOL_TRANSACTION;
    if (route->other_users.count == 0)
        route->reset = sim_one_in(random, 3) ? DECK_POOL_FULL : DECK_POOL_TRACKED;
    memset(&route->other_users, 0, sizeof(route->other_users));
    if (old->routes.items[0].other_users.count > 0)
        *LIST_ADD(arena, &route->other_users) = "other";
    /* As another server: those that are there are replaced. With a verifier only, none can be
     * logged in to before the next client has come. */
    bool can_move = route->login->password != NULL || route->auth != DECK_AUTH_SCRAM;
    if (can_move && sim_one_in(random, 4))
        route->host = strcmp(route->host, "sim") == 0 ? "sim2" : "sim";
    return config;
}
