// SPDX-License-Identifier: MIT
#include "pool/config_auth.h"
#include "pool/config_tls.h"

#include "base/file.h"
#include "base/state.h"
#include "base/text.h"
#include "deck/loader.h"
#include "net/resolver.h"
#include "pool/pool.h"
#include "security/password.h"

#include <libpq-fe.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SALT_BYTES = 16, DEFAULT_PORT = 5432, DEFAULT_MAX = 20 };
#define DEFAULT_FOLDER "/var/run/postgresql"

void
pool_config_free(struct pool_config *config)
{
    pool_config_tls_release(config);
    arena_free(config->arena);
}

const struct pool_user *
pool_config_user(const struct pool_config *config, const char *name)
{
    for (size_t i = 0; i < config->users.count; i++) {
        if (strcmp(config->users.items[i].name, name) == 0)
            return &config->users.items[i];
    }
    return NULL;
}

bool
pool_route_is_for(const struct pool_route *route, const char *database, const char *user)
{
    bool is_one = strcmp(route->user, user) == 0;

    if (strcmp(route->database, database) != 0)
        return false;
    for (size_t i = 0; i < route->other_users.count && !is_one; i++)
        is_one = strcmp(route->other_users.items[i], user) == 0;
    return is_one;
}

const struct pool_route *
pool_config_route(const struct pool_config *config, const char *database, const char *user)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct pool_route *route = &config->routes.items[i];
        if (pool_route_is_for(route, database, user))
            return route;
    }
    return NULL;
}

static struct pool_config *
new_config(void)
{
    struct arena *arena = arena_new();
    struct pool_config *config = ARENA_NEW(arena, struct pool_config);

    config->arena = arena;
    config->references = 1;
    return config;
}

/* As many as there is room for: file:line:column: what. The first one's hint. */
static void
describe_faults(const struct deck_faults *faults, struct error *err)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < faults->list.count; i++) {
        const struct error *fault = &faults->list.items[i];
        text_appendf(&text, "%s%s:%d:%d: %s", i == 0 ? "" : "\n", fault->file, fault->line,
                     fault->column, fault->message);
    }
    error_detail(err, "%s", text_chars(&text));
    if (faults->list.items[0].hint[0] != '\0')
        error_hint(err, "%s", faults->list.items[0].hint);
}

/* Whether there are faults; they are told, by print or (NULL) in the error. */
static bool
has_faults(const char *path, const struct deck_faults *faults, pool_config_faults *print,
           struct error *err)
{
    if (faults->list.count == 0)
        return false;
    error_set(err, ERROR_DECK, "%s: %zu fault%s", path, faults->list.count,
              faults->list.count == 1 ? "" : "s");
    if (print != NULL)
        print(faults);
    else
        describe_faults(faults, err);
    return true;
}

/* --- common to both ------------------------------------------------------------------------ */

/* Keys with a salt of our own: what clients are let in by. */
static bool
make_keys(struct pool_user *user, struct error *err)
{
    uint8_t salt[SALT_BYTES];

    if (RAND_bytes(salt, sizeof(salt)) != 1)
        return error_set(err, ERROR_INTERNAL, "no random numbers");
    user->has_keys = wire_scram_keys_of_password(user->password, salt, sizeof(salt),
                                                 WIRE_SCRAM_ITERATIONS_MIN, &user->keys, err);
    return user->has_keys;
}

static bool
add_listener(struct pool_config *config, const char *host, struct error *err)
{
    struct net_address address;

    if (!net_address_find(config->arena, host, config->pooler.port, &address, err))
        return error_wrap(err, "cannot listen");
    if (!net_address_is_loopback(&address) && config->pooler.tls != DECK_TLS_REQUIRE) {
        error_set(err, ERROR_REFUSED, "the pool does not listen on %s without TLS", host);
        return error_hint(err, "Let pooler.tls be require, or listen on 127.0.0.1, ::1 or the unix "
                               "socket.");
    }
    *LIST_ADD(config->arena, &config->listen) = address;
    return true;
}

/* /metrics speaks no TLS, and tells no query: beyond loopback only networks that are named. */
static bool
add_metrics(struct pool_config *config, struct error *err)
{
    const struct deck_pooler *pooler = &config->pooler;
    const char *host = pooler->metrics_listen == NULL ? "127.0.0.1" : pooler->metrics_listen;

    if (pooler->metrics_port == 0)
        return true;
    if (!net_address_find(config->arena, host, pooler->metrics_port, &config->metrics, err))
        return error_wrap(err, "cannot serve metrics");
    for (size_t i = 0; i < pooler->metrics_allow.count; i++) {
        if (!net_network_read(pooler->metrics_allow.items[i],
                              LIST_ADD(config->arena, &config->metrics_allow), err))
            return false;
    }
    if (net_address_is_loopback(&config->metrics) || config->metrics_allow.count > 0)
        return true;
    error_set(err, ERROR_REFUSED, "metrics are not served on %s to everybody", host);
    return error_hint(err, "Let pooler.metrics_allow say which networks may read them.");
}

static bool
add_listeners(struct pool_config *config, struct error *err)
{
    struct deck_pooler *pooler = &config->pooler;
    const char *state;

    if (!pool_config_tls_clients(config, err) || !add_metrics(config, err))
        return false;
    if (pooler->listen.count == 0)
        *LIST_ADD(config->arena, &pooler->listen) = "127.0.0.1";
    config->socket_folder = pooler->socket_folder;
    if (config->socket_folder == NULL) {
        if (!state_folder(config->arena, &state, err))
            return false;
        config->socket_folder = arena_printf(config->arena, "%s/pool", state);
        if (!file_make_folder(config->socket_folder, 0755, err))
            return false;
    }
    if (!add_listener(config, config->socket_folder, err))
        return false;
    for (size_t i = 0; i < pooler->listen.count; i++) {
        if (!add_listener(config, pooler->listen.items[i], err))
            return false;
    }
    return true;
}

/* Nobody would get to a database of the console's name. */
static bool
check_names(const struct pool_config *config, struct error *err)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        const char *database = config->routes.items[i].database;
        if (pool_console_is_database(database))
            return error_set(err, ERROR_DECK,
                             "\"%s\" is the console's name: no database can have it", database);
    }
    return true;
}

/* Users and routes point to each other, and lists move while they grow. */
static void
connect_users(struct pool_config *config)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        struct pool_route *route = &config->routes.items[i];
        const char *name = route->login_name != NULL ? route->login_name : route->user;
        route->login = pool_config_user(config, name);
    }
}

/* --- from a deck --------------------------------------------------------------------------- */

static const char *
conninfo_value(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, name) == 0)
            return options->val;
    }
    return NULL;
}

static const char *
conninfo_copy(struct arena *arena, const PQconninfoOption *options, const char *name)
{
    const char *value = conninfo_value(options, name);

    return value == NULL || value[0] == '\0' ? NULL : arena_strdup(arena, value);
}

static bool
find_address(struct pool_config *config, const char *host, int port, struct pool_route *route,
             struct error *err)
{
    route->port = port;
    route->address_name = net_host_is_name(host) ? host : NULL;
    return net_address_find(config->arena, host, port, &route->address, err);
}

/* The host of the server's conninfo, and its TLS. wish: how to ask there. */
static bool
find_server(struct pool_config *config, const struct deck_server *server, struct pool_route *route,
            struct pool_auth_wish *wish, struct error *err)
{
    struct arena *arena = config->arena;
    struct pool_tls_wish *tls = ARENA_NEW(arena, struct pool_tls_wish);
    PQconninfoOption *options = PQconninfoParse(server->conninfo, NULL);

    if (options == NULL) /* the deck's reader has checked it */
        return error_set(err, ERROR_DECK, "the conninfo of server \"%s\" cannot be read",
                         server->name);
    const char *address = conninfo_copy(arena, options, "hostaddr");
    const char *port = conninfo_copy(arena, options, "port");
    *tls = (struct pool_tls_wish){.mode = conninfo_copy(arena, options, "sslmode"),
                                  .authorities = conninfo_copy(arena, options, "sslrootcert"),
                                  .certificate = conninfo_copy(arena, options, "sslcert"),
                                  .key = conninfo_copy(arena, options, "sslkey")};
    route->host = conninfo_copy(arena, options, "host");
    PQconninfoFree(options);
    if (route->host == NULL)
        route->host = address != NULL ? address : DEFAULT_FOLDER;
    *wish = (struct pool_auth_wish){.host = route->host,
                                    .host_address = address,
                                    .port = port == NULL ? DEFAULT_PORT : atoi(port),
                                    .tls = tls};
    address = address != NULL ? address : route->host;
    if (strchr(address, ',') != NULL)
        error_set(err, ERROR_DECK, "the pool cannot choose among the hosts of server \"%s\"",
                  server->name);
    else if (find_address(config, address, wish->port, route, err) &&
             pool_config_tls_server(config, tls, route, err))
        return true;
    return error_place(err, server->conninfo_place);
}

static bool
add_login(struct pool_config *config, const char *deck, const char *role, struct error *err)
{
    const char *password;

    if (pool_config_user(config, role) != NULL)
        return true;
    if (!password_find(config->arena, deck, role, &password, err))
        return false;
    struct pool_user *user = LIST_ADD(config->arena, &config->users);
    *user = (struct pool_user){.name = role, .password = password};
    return password == NULL || make_keys(user, err);
}

/* How many databases of the environment share the service's pool. */
static int
database_count(const struct deck *deck, const struct deck_environment *environment,
               const char *service)
{
    int count = 0;

    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        for (size_t j = 0; database->environment == environment && j < database->services.count;
             j++)
            count += strcmp(database->services.items[j], service) == 0;
    }
    return count;
}

/* As pg_hba.conf has it: the host itself gets in besides. */
static bool
read_allow(const struct deck_environment *environment, struct arena *arena,
           struct pool_route *route, struct error *err)
{
    static const char *const own[] = {"127.0.0.1/32", "::1/128"};

    if (environment->allow.count == 0)
        return true;
    for (size_t i = 0; i < environment->allow.count; i++) {
        if (!net_network_read(environment->allow.items[i], LIST_ADD(arena, &route->allow), err))
            return false;
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (!net_network_read(own[i], LIST_ADD(arena, &route->allow), err))
            return false;
    }
    return true;
}

/* Logins of the deck's list that come by the service's pool: as themselves, with servers of their
 * own, and proved by what the server knows of them. */
static bool
add_login_routes(struct pool_config *config, const struct deck *deck, const struct deck_pool *pool,
                 struct pool_route service, struct pool_auth_wish *wish, struct error *err)
{
    int shares = pool->max / service.max;

    if (pool->login_max < shares) {
        error_set(err, ERROR_DECK, "login_max of pool \"%s\" is %d for %d databases", pool->service,
                  pool->login_max, shares);
        return error_place(err, pool->place);
    }
    for (size_t i = 0; i < pool->logins.count; i++) {
        const char *login = pool->logins.items[i];
        if (pool_config_route(config, service.database, login) != NULL)
            continue; /* by another service's pool */
        if (!add_login(config, deck->name, login, err) ||
            !add_login(config, deck->name, wish->asker, err))
            return false;
        struct pool_route *route = LIST_ADD(config->arena, &config->routes);
        *route = service;
        route->user = login;
        route->login_name = NULL;
        route->min = 0;
        route->max = pool->login_max / shares;
        route->threads = 0;
        memset(&route->other_users, 0, sizeof(route->other_users));
        if (!pool_config_auth(config, wish, route, err))
            return error_place(err, pool->place);
    }
    return true;
}

static bool
add_route(struct pool_config *config, const struct deck *deck, const struct deck_database *database,
          const char *service, struct error *err)
{
    struct arena *arena = config->arena;
    const struct deck_environment *environment = database->environment;
    const struct deck_pool *pool = deck_find_pool(environment, service);
    const char *role = deck_login_role(arena, environment, service);

    if (pool == NULL) /* the service connects by itself */
        return true;
    int shares = database_count(deck, environment, service);
    if (pool->max < shares) {
        error_set(err, ERROR_DECK, "pool \"%s\" has %d connections for %d databases", service,
                  pool->max, shares);
        return error_place(err, pool->place);
    }
    struct password_logins logins;
    if (!password_logins(arena, deck->name, role, &logins, err))
        return false;
    for (size_t i = 0; i < 2; i++) {
        if ((i == 0 || logins.is_known[i]) && !add_login(config, deck->name, logins.names[i], err))
            return false;
    }
    struct pool_route *route = LIST_ADD(arena, &config->routes);
    *route = (struct pool_route){
        .database = database->name,
        .user = role,
        .login_name = logins.names[logins.current],
        .server_database = database->name,
        .service = service,
        .environment = environment->name,
        .min = pool->min / shares,
        .max = pool->max / shares,
        .threads = pool->threads,
        .mode = pool->mode,
        .reset = pool->reset,
        .on_session_state = pool->on_session_state,
        .query_timeout_ms = pool->query_timeout_ms,
        .target_p95_ms = environment->targets.query_p95_ms,
        .has_tls_required = environment->has_tls_required,
        .auth = pool->auth,
        .has_auto_prepare = pool->has_auto_prepare,
    };
    if (logins.is_known[1]) /* the service's other login */
        *LIST_ADD(arena, &route->other_users) = logins.names[1];
    struct pool_auth_wish wish;
    if (!find_server(config, environment->server, route, &wish, err))
        return false;
    if (!pool_config_auth(config, &wish, route, err))
        return error_place(err, pool->place);
    if (!read_allow(environment, arena, route, err))
        return false;
    wish.asker = deck_pool_asker(arena, environment);
    return pool->logins.count == 0 || add_login_routes(config, deck, pool, *route, &wish, err);
}

static bool
is_wanted(const struct deck_database *database, const char *environment)
{
    return environment == NULL || strcmp(database->environment->name, environment) == 0;
}

struct pool_config *
pool_config_of_deck(const char *path, const char *environment, const char *const *sets,
                    size_t set_count, pool_config_faults *print, struct error *err)
{
    struct pool_config *config = new_config();
    struct deck_faults faults = {0};
    const struct deck *deck = deck_load(config->arena, path, sets, set_count, &faults);

    if (deck == NULL) {
        has_faults(path, &faults, print, err);
        goto fail;
    }
    config->pooler = deck->pooler;
    config->is_of_deck = true;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        for (size_t j = 0; is_wanted(database, environment) && j < database->services.count; j++) {
            if (!add_route(config, deck, database, database->services.items[j], err))
                goto fail;
        }
    }
    if (config->routes.count == 0) {
        error_set(err, ERROR_DECK, "the deck has no pools%s%s",
                  environment == NULL ? "" : " in environment ",
                  environment == NULL ? "" : environment);
        goto fail;
    }
    if (!check_names(config, err) || !pool_config_stats(config, err))
        goto fail;
    connect_users(config);
    if (add_listeners(config, err))
        return config;
fail:
    pool_config_free(config);
    return NULL;
}

/* --- from a file of its own ---------------------------------------------------------------- */

struct file_database {
    const char *name;
    struct place place;
    const char *host, *database, *login;
    struct pool_tls_wish tls;
    int port, min, max, threads;
    int64_t query_timeout_ms;
    enum deck_pool_mode mode;
    enum deck_pool_reset reset;
    enum deck_pool_state on_session_state;
    enum deck_auth auth;
    bool has_auto_prepare;
    const char *auth_user, *auth_query;
    LIST_OF(const char *) allow;
    LIST_OF(const char *) users;
};

struct file_user {
    const char *name;
    struct place place;
    const char *password_file, *password_env, *verifier;
    bool is_admin;
    LIST_OF(const char *) allow;
};

struct file_root {
    struct deck_pooler pooler;
    LIST_OF(struct file_database) databases;
    LIST_OF(struct file_user) users;
};

#define DATABASE(field) offsetof(struct file_database, field)
static const struct deck_key database_keys[] = {
    {.name = "host", .type = KEY_TEXT, .offset = DATABASE(host)},
    {.name = "port", .type = KEY_COUNT, .offset = DATABASE(port), .min = 1, .max = 65535},
    {.name = "database", .type = KEY_NAME, .offset = DATABASE(database)},
    {.name = "login", .type = KEY_NAME, .offset = DATABASE(login)},
    {.name = "sslmode", .type = KEY_TEXT, .offset = DATABASE(tls.mode)},
    {.name = "sslrootcert", .type = KEY_TEXT, .offset = DATABASE(tls.authorities)},
    {.name = "sslcert", .type = KEY_FILE, .offset = DATABASE(tls.certificate)},
    {.name = "sslkey", .type = KEY_FILE, .offset = DATABASE(tls.key)},
    {.name = "users", .type = KEY_NAMES, .offset = DATABASE(users), .is_required = true},
    {.name = "min", .type = KEY_COUNT, .offset = DATABASE(min), .max = 100000},
    {.name = "max", .type = KEY_COUNT, .offset = DATABASE(max), .min = 1, .max = 100000},
    {.name = "threads", .type = KEY_COUNT, .offset = DATABASE(threads), .min = 1, .max = 64},
    {.name = "query_timeout", .type = KEY_DURATION, .offset = DATABASE(query_timeout_ms)},
    {.name = "mode", .type = KEY_CHOICE, .offset = DATABASE(mode), .words = deck_pool_mode_words},
    {.name = "reset",
     .type = KEY_CHOICE,
     .offset = DATABASE(reset),
     .words = deck_pool_reset_words},
    {.name = "on_session_state",
     .type = KEY_CHOICE,
     .offset = DATABASE(on_session_state),
     .words = deck_pool_state_words},
    {.name = "auth", .type = KEY_CHOICE, .offset = DATABASE(auth), .words = deck_pool_auth_words},
    {.name = "auto_prepare", .type = KEY_FLAG, .offset = DATABASE(has_auto_prepare)},
    {.name = "auth_user", .type = KEY_NAME, .offset = DATABASE(auth_user)},
    {.name = "auth_query", .type = KEY_TEXT, .offset = DATABASE(auth_query)},
    {.name = "allow", .type = KEY_NETWORKS, .offset = DATABASE(allow)},
};
static const struct file_database database_defaults = {
    .host = DEFAULT_FOLDER, .port = DEFAULT_PORT, .max = DEFAULT_MAX};
static const struct deck_table database_table = {
    .what = "database",
    .keys = database_keys,
    .count = sizeof(database_keys) / sizeof(database_keys[0]),
    .item_bytes = sizeof(struct file_database),
    .name_offset = DATABASE(name),
    .place_offset = DATABASE(place),
    .defaults = &database_defaults,
};

#define USER(field) offsetof(struct file_user, field)
static const struct deck_key user_keys[] = {
    {.name = "password_file", .type = KEY_FILE, .offset = USER(password_file)},
    {.name = "password_env", .type = KEY_TEXT, .offset = USER(password_env)},
    {.name = "verifier", .type = KEY_TEXT, .offset = USER(verifier)},
    {.name = "admin", .type = KEY_FLAG, .offset = USER(is_admin)},
    {.name = "allow", .type = KEY_NETWORKS, .offset = USER(allow)},
};
static const struct deck_table user_table = {
    .what = "user",
    .keys = user_keys,
    .count = sizeof(user_keys) / sizeof(user_keys[0]),
    .item_bytes = sizeof(struct file_user),
    .name_offset = USER(name),
    .place_offset = USER(place),
};

#define ROOT(field) offsetof(struct file_root, field)
static const struct deck_key root_keys[] = {
    {.name = "pooler", .type = KEY_MAPPING, .offset = ROOT(pooler), .table = &deck_pooler_table},
    {.name = "databases",
     .type = KEY_MAP,
     .offset = ROOT(databases),
     .is_required = true,
     .table = &database_table},
    {.name = "users",
     .type = KEY_MAP,
     .offset = ROOT(users),
     .is_required = true,
     .table = &user_table},
};
static const struct deck_table root_table = {
    .what = "pool file",
    .keys = root_keys,
    .count = sizeof(root_keys) / sizeof(root_keys[0]),
};

/* The first line of a file that nobody else may read. */
static bool
read_password(struct arena *arena, const char *path, const char **ret_password, struct error *err)
{
    char *text;
    size_t length;

    if (!file_read_secret(arena, path, &text, &length, err))
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    *ret_password = text;
    return true;
}

static bool
add_file_user(struct pool_config *config, const struct file_user *from, struct error *err)
{
    struct pool_user *user = LIST_ADD(config->arena, &config->users);
    int ways =
        (from->password_file != NULL) + (from->password_env != NULL) + (from->verifier != NULL);

    *user = (struct pool_user){.name = from->name, .is_admin = from->is_admin};
    for (size_t i = 0; i < from->allow.count; i++) {
        if (!net_network_read(from->allow.items[i], LIST_ADD(config->arena, &user->allow), err))
            return error_place(err, from->place);
    }
    if (ways > 1) {
        error_set(err, ERROR_DECK,
                  "user \"%s\" can have only one of password_file, password_env and verifier",
                  from->name);
        return error_place(err, from->place);
    }
    if (ways == 0)
        return true;
    if (from->password_file != NULL &&
        !read_password(config->arena, from->password_file, &user->password, err))
        return error_place(err, from->place);
    if (from->password_env != NULL) {
        const char *value = getenv(from->password_env);
        if (value == NULL || value[0] == '\0') {
            error_set(err, ERROR_DECK, "the environment has no %s", from->password_env);
            return error_place(err, from->place);
        }
        user->password = arena_strdup(config->arena, value);
    }
    if (from->verifier == NULL)
        return make_keys(user, err);
    user->has_keys = wire_scram_read_verifier(from->verifier, &user->keys);
    if (user->has_keys)
        return true;
    error_set(err, ERROR_DECK, "the verifier of user \"%s\" is not one of SCRAM-SHA-256",
              from->name);
    return error_place(err, from->place);
}

/* All users of the database share a pool, whose servers are logged in as one of their own. */
static bool
share_login(struct pool_config *config, const struct file_database *from, struct pool_route *route,
            struct error *err)
{
    const struct pool_user *login = pool_config_user(config, from->login);

    if (login == NULL || login->password == NULL)
        return error_set(err, ERROR_DECK, "login \"%s\" must be a user with a password",
                         from->login);
    if (from->auth != DECK_AUTH_SCRAM)
        return error_set(err, ERROR_DECK, "login goes with auth: scram only");
    route->login_name = from->login;
    route->reset = DECK_POOL_FULL;
    for (size_t i = 1; i < from->users.count; i++)
        *LIST_ADD(config->arena, &route->other_users) = from->users.items[i];
    return true;
}

static bool
add_file_route(struct pool_config *config, const struct file_database *from, const char *user,
               struct error *err)
{
    struct pool_route *route = LIST_ADD(config->arena, &config->routes);

    *route = (struct pool_route){
        .database = from->name,
        .user = user,
        .server_database = from->database == NULL ? from->name : from->database,
        .service = "",
        .environment = "",
        .min = from->min,
        .max = from->max,
        .threads = from->threads,
        .mode = from->mode,
        .reset = from->reset,
        .on_session_state = from->on_session_state,
        .query_timeout_ms = from->query_timeout_ms,
        .host = from->host,
        .auth = from->auth,
        .has_auto_prepare = from->has_auto_prepare,
    };
    if (from->login != NULL && !share_login(config, from, route, err))
        return error_place(err, from->place);
    if (strchr(from->host, ',') != NULL) {
        error_set(err, ERROR_DECK, "the pool cannot choose among the hosts of database \"%s\"",
                  from->name);
        return error_place(err, from->place);
    }
    for (size_t i = 0; i < from->allow.count; i++) {
        if (!net_network_read(from->allow.items[i], LIST_ADD(config->arena, &route->allow), err))
            return error_place(err, from->place);
    }
    const struct pool_auth_wish wish = {.asker = from->auth_user,
                                        .query = from->auth_query,
                                        .host = from->host,
                                        .port = from->port,
                                        .tls = &from->tls};
    return (find_address(config, from->host, from->port, route, err) &&
            pool_config_tls_server(config, &from->tls, route, err) &&
            pool_config_auth(config, &wish, route, err)) ||
           error_place(err, from->place);
}

static bool
take_file(struct pool_config *config, const struct file_root *root, struct error *err)
{
    config->pooler = root->pooler;
    for (size_t i = 0; i < root->users.count; i++) {
        if (!add_file_user(config, &root->users.items[i], err))
            return false;
    }
    for (size_t i = 0; i < root->databases.count; i++) {
        const struct file_database *database = &root->databases.items[i];
        if (database->min > database->max) {
            error_set(err, ERROR_DECK, "min is more than max");
            return error_place(err, database->place);
        }
        for (size_t j = 0; j < database->users.count; j++) {
            if (pool_config_user(config, database->users.items[j]) != NULL)
                continue;
            error_set(err, ERROR_DECK, "there is no user \"%s\"", database->users.items[j]);
            return error_place(err, database->place);
        }
        for (size_t j = 0; j < database->users.count; j++) {
            if ((j == 0 || database->login == NULL) &&
                !add_file_route(config, database, database->users.items[j], err))
                return false;
        }
    }
    if (!check_names(config, err) || !pool_config_stats(config, err))
        return false;
    connect_users(config);
    return add_listeners(config, err);
}

struct pool_config *
pool_config_of_file(const char *path, pool_config_faults *print, struct error *err)
{
    struct pool_config *config = new_config();
    struct deck_faults faults = {0};
    struct deck_loader loader = {.arena = config->arena, .faults = &faults};
    struct file_root root = {.pooler = deck_pooler_defaults};
    struct deck_node *node = deck_extend(&loader, path, NULL, 0);

    if (node != NULL)
        deck_read(&loader, &root_table, node, "", &root);
    deck_faults_settle(config->arena, &faults, loader.files.items, loader.files.count);
    if (!has_faults(path, &faults, print, err) && take_file(config, &root, err))
        return config;
    pool_config_free(config);
    return NULL;
}
