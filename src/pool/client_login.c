// SPDX-License-Identifier: MIT
#include "pool/known.h"
#include "pool/pool.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { AUTH_OK = 0, AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };

static void
fail(struct pool_client *client, const char *sqlstate, const char *message)
{
    struct error err;

    pool_fault(&err, sqlstate, "%s", message);
    pool_client_fail(client, &err);
}

/* --- parameters of the start-up ------------------------------------------------------------ */

/* A pool's servers are logged in already: these would change who they are or load code. */
static const char *const refused_parameters[] = {
    "role",
    "session_authorization",
    "session_preload_libraries",
    "local_preload_libraries",
    "shared_preload_libraries",
    NULL,
};

struct startup_parameters {
    struct pool_parameter items[POOL_PARAMETERS_MAX];
    size_t count;
};

static bool
add_parameter(struct startup_parameters *list, const char *name, const char *value,
              struct error *err)
{
    for (size_t i = 0; refused_parameters[i] != NULL; i++) {
        if (strcasecmp(name, refused_parameters[i]) == 0)
            return pool_fault(err, "42501",
                              "parameter \"%s\" cannot be given at the start of a "
                              "pooled connection",
                              name);
    }
    if (name[0] == POOL_PARAMETER_STATEMENT) /* no parameter's, but it would be taken for more */
        return pool_fault(err, "42602", "invalid parameter name");
    if (list->count == POOL_PARAMETERS_MAX)
        return pool_fault(err, "54000", "too many parameters");
    list->items[list->count++] = (struct pool_parameter){name, value};
    return true;
}

/* The next word of options, in place; a backslash takes the next letter as it is. NULL: none. */
static char *
next_word(char **at)
{
    char *in = *at;

    while (*in == ' ' || *in == '\t')
        in++;
    if (*in == '\0')
        return NULL;
    char *word = in, *out = in;
    while (*in != '\0' && *in != ' ' && *in != '\t') {
        if (*in == '\\' && in[1] != '\0')
            in++;
        *out++ = *in++;
    }
    *at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return word;
}

/* -c name=value, -cname=value, --name=value; text is where they are read into, as long as a
 * start-up. */
static bool
read_options(const char *given, char text[WIRE_STARTUP_BYTES_MAX], struct startup_parameters *list,
             struct error *err)
{
    char *options = text;

    snprintf(text, WIRE_STARTUP_BYTES_MAX, "%s", given);
    for (char *word; (word = next_word(&options)) != NULL;) {
        bool is_long = strncmp(word, "--", 2) == 0;
        if (!is_long && strncmp(word, "-c", 2) != 0)
            return pool_fault(err, "0A000", "the option \"%s\" cannot be given through the pool",
                              word);
        char *setting = word + 2;
        if (!is_long && *setting == '\0' && (setting = next_word(&options)) == NULL)
            return pool_fault(err, "42601", "the option -c has no parameter");
        char *equals = strchr(setting, '=');
        if (equals == NULL)
            return pool_fault(err, "42601", "the option \"%s\" has no value", setting);
        *equals = '\0';
        for (char *dash = setting; is_long && (dash = strchr(dash, '-')) != NULL;)
            *dash = '_';
        if (!add_parameter(list, setting, equals + 1, err))
            return false;
    }
    return true;
}

/* The session is the list's and the start-up's other parameters. */
static bool
keep_parameters(struct pool_client *client, const struct wire_startup *startup,
                struct startup_parameters *list, struct error *err)
{
    for (size_t i = 0; i < startup->parameter_count; i++) {
        const struct wire_startup_parameter *one = &startup->parameters[i];
        if (strcasecmp(one->name, "replication") == 0) {
            if (strcasecmp(one->value, "false") == 0 || strcasecmp(one->value, "off") == 0 ||
                strcmp(one->value, "0") == 0 || strcasecmp(one->value, "no") == 0)
                continue;
            return pool_fault(err, "0A000", "replication connections cannot go through the pool");
        }
        if (!add_parameter(list, one->name, one->value, err))
            return false;
    }
    struct pool *pool = client->pool;
    const struct pool_parameters *set =
        pool_parameters_make(&pool->parameters, list->items, list->count);
    if (set == NULL)
        return pool_fault(err, "54000", "the parameters of the start-up are too long");
    pool_parameters_move(&pool->parameters, &client->startup, set);
    pool_parameters_move(&pool->parameters, &client->session, pool_parameters_keep(set));
    return true;
}

static bool
take_parameters(struct pool_client *client, const struct wire_startup *startup, struct error *err)
{
    struct startup_parameters list = {.count = 0};

    if (startup->options[0] != '\0') {
        char text[WIRE_STARTUP_BYTES_MAX]; /* large: only for those who have options */
        return read_options(startup->options, text, &list, err) &&
               keep_parameters(client, startup, &list, err);
    }
    return keep_parameters(client, startup, &list, err);
}

/* --- authentication ------------------------------------------------------------------------ */

static void
put_authentication(struct pool_client *client, uint32_t code, const void *data, size_t count)
{
    uint8_t bytes[WIRE_SCRAM_MESSAGE_BYTES_MAX + 16];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_authentication(&writer, code, data, count);
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
}

static bool
is_among(const struct pool_client *client, const struct net_network *networks, size_t count)
{
    bool is_among = client->link.stream.is_local || count == 0;

    for (size_t i = 0; i < count; i++)
        is_among |= net_network_has(&networks[i], &client->address);
    return is_among;
}

/* Both the user and the database, group NULL: or the console, must allow its address. */
static bool
is_allowed(const struct pool_client *client, const struct pool_group *group)
{
    const struct pool_user *user = pool_config_user(client->pool->config, client->user_name);

    return (user == NULL || is_among(client, user->allow.items, user->allow.count)) &&
           (group == NULL ||
            is_among(client, group->route->allow.items, group->route->allow.count));
}

/* What one may do on the console by who is at the other end of the unix socket: all, for the user
 * that the daemon runs as, and root; look, for one of stats_users by that name. */
static enum pool_right
without_password(const struct pool_client *client)
{
    uid_t uid = client->link.stream.user;

    if (uid == (uid_t)-1)
        return POOL_RIGHT_NONE;
    if (uid == 0 || uid == geteuid())
        return POOL_RIGHT_ADMIN;
    const struct pool_user *user = pool_config_user(client->pool->config, client->user_name);
    return user != NULL && user->is_stats && user->stats_uid == uid ? POOL_RIGHT_STATS
                                                                    : POOL_RIGHT_NONE;
}

/* Where the client wants to go; false: it may not, and has been told. */
static bool
find_route(struct pool_client *client, const struct wire_startup *startup)
{
    struct pool *pool = client->pool;
    struct pool_group *group = pool_group_find(pool, startup->database, startup->user);

    if (!is_allowed(client, group)) {
        fail(client, "28000", "this address is not allowed to connect");
        return false;
    }
    if (pool_console_is_database(startup->database))
        return true;
    if (group == NULL || group->is_removed)
        return true; /* told after the password, so that names cannot be guessed */
    struct net_address address = {.storage = client->address,
                                  .is_local = client->link.stream.is_local};
    if (group->route->has_tls_required && !net_address_is_loopback(&address) &&
        !net_tls_is_on(&client->link.stream)) {
        fail(client, "28000", "this environment requires TLS");
        return false;
    }
    if (!pool_waiting_join(group, client)) {
        fail(client, "53200", "out of memory");
        return false;
    }
    client->group = group;
    client->mode = group->route->mode;
    group->client_count++;
    return true;
}

static bool
start_scram(struct pool_client *client)
{
    static const char mechanisms[] = WIRE_SCRAM_MECHANISM "\0"; /* a list, ended by a NUL more */

    client->scram = pool_scram_take(client->pool);
    if (client->scram == NULL) {
        fail(client, "53200", "out of memory");
        return false;
    }
    put_authentication(client, AUTH_SASL, mechanisms, sizeof(mechanisms));
    client->state = POOL_CLIENT_FIRST;
    return true;
}

/* Without a password: by certificate, or by who is at the other end of the unix socket. */
static bool
is_known_by_itself(struct pool_client *client)
{
    const struct pool_route *route = client->group->route;
    const struct net_stream *stream = &client->link.stream;
    bool is_known = route->peer != (uid_t)-1 && stream->user == route->peer;
    char name[256];
    struct error err;

    if (route->auth == DECK_AUTH_CERT)
        is_known = net_tls_peer_name(stream, name, sizeof(name)) && strcmp(name, route->user) == 0;
    if (is_known)
        return true;
    pool_fault(&err, "28000", "%s authentication failed for user \"%s\"",
               route->auth == DECK_AUTH_CERT ? "certificate" : "peer", route->user);
    if (route->auth == DECK_AUTH_CERT)
        error_hint(&err, "The common name of the client's certificate must be the user's.");
    pool_client_fail(client, &err);
    return false;
}

static bool
authenticate(struct pool_client *client)
{
    bool is_console = pool_console_is_database(client->database_name);

    if (is_console ? without_password(client) == POOL_RIGHT_NONE
                   : client->group == NULL || client->group->route->auth == DECK_AUTH_SCRAM)
        return start_scram(client);
    if (!is_console && !is_known_by_itself(client))
        return false;
    client->right = is_console ? without_password(client) : POOL_RIGHT_NONE;
    put_authentication(client, AUTH_OK, NULL, 0);
    pool_client_welcome(client);
    return true;
}

/* A newer minor protocol, or options of it: told what there is. */
static void
negotiate(struct pool_client *client, const struct wire_startup *startup)
{
    uint8_t bytes[WIRE_STARTUP_BYTES_MAX];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_negotiation(&writer, startup);
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
}

static bool
take_startup(struct pool_client *client, const struct wire_startup *startup)
{
    struct pool *pool = client->pool;
    struct error err;

    snprintf(client->user_name, sizeof(client->user_name), "%s", startup->user);
    snprintf(client->database_name, sizeof(client->database_name), "%s", startup->database);
    if (pool->config->pooler.tls == DECK_TLS_REQUIRE && !client->link.stream.is_local &&
        !net_tls_is_on(&client->link.stream)) {
        pool_fault(&err, "28000", "the pool requires TLS");
        error_hint(&err, "Connect with sslmode=require or, better, verify-full.");
        pool_client_fail(client, &err);
        return false;
    }
    if (pool->is_stopping && !pool_console_is_database(startup->database)) {
        fail(client, "57P03", "pgdeck pool is shutting down");
        return false;
    }
    if (atomic_load(&pool->driver->shared->client_count) > pool->config->pooler.max_clients) {
        fail(client, "53300", "sorry, too many clients already");
        return false;
    }
    if (!take_parameters(client, startup, &err)) {
        pool_client_fail(client, &err);
        return false;
    }
    if (startup->minor > 0 || startup->protocol_option_count > 0)
        negotiate(client, startup);
    return find_route(client, startup) && authenticate(client);
}

/* From here on it speaks TLS; first_bytes were read already. */
static bool
start_tls(struct pool_client *client, size_t first_bytes)
{
    struct pool_link *link = &client->link;

    if (!net_tls_accept(client->pool->config->tls, &link->stream, pool_link_bytes(link),
                        first_bytes)) {
        fail(client, "53200", "out of memory");
        return false;
    }
    pool_link_consume(link, first_bytes);
    client->wanted = 1;
    return true;
}

/* A request for encryption: granted or not, by one byte, behind which nothing was sent yet. */
static bool
answer_request(struct pool_client *client, enum wire_startup_kind kind, size_t count)
{
    struct pool_link *link = &client->link;
    bool is_ssl = kind == WIRE_SSL_REQUEST;
    bool is_first = is_ssl ? !client->has_asked_ssl : !client->has_asked_gss;
    bool is_granted = is_ssl && client->pool->config->tls != NULL && !link->stream.is_local;

    if (pool_link_unread(link) > count || !is_first || net_tls_is_on(&link->stream)) {
        fail(client, "08P01", "unexpected data after the request for encryption");
        return false;
    }
    client->has_asked_ssl |= is_ssl;
    client->has_asked_gss |= !is_ssl;
    pool_link_consume(link, count);
    pool_link_put(link, &client->pool->buffers, is_granted ? "S" : "N", 1);
    if (!is_granted)
        return true;
    if (!pool_link_flush(link, &client->pool->buffers) || pool_link_is_stuck(link)) {
        pool_client_close(client); /* it cannot take one byte */
        return false;
    }
    return start_tls(client, 0);
}

/* Direct TLS: the client begins with its hello, and must ask for the protocol. */
static bool
is_direct(const struct pool_client *client)
{
    enum { TLS_HANDSHAKE = 22 };
    const struct net_stream *stream = &client->link.stream;

    return pool_link_unread(&client->link) > 0 &&
           pool_link_bytes(&client->link)[0] == TLS_HANDSHAKE && !net_tls_is_on(stream) &&
           !client->has_asked_ssl && client->pool->config->tls != NULL && !stream->is_local;
}

/* The first packet, of which there may be several: requests for encryption come before. */
static bool
startup_step(struct pool_client *client)
{
    struct wire_startup startup;
    struct pool_link *link = &client->link;
    struct error err;
    size_t count = 0;

    if (is_direct(client)) {
        client->is_tls_direct = true;
        return start_tls(client, pool_link_unread(link));
    }
    if (client->is_tls_direct && pool_link_unread(link) > 0 &&
        !net_tls_has_protocol(&link->stream)) {
        fail(client, "08P01", "direct TLS without the protocol postgresql");
        return false;
    }
    client->wanted = WIRE_STARTUP_BYTES_MAX;
    switch (
        wire_read_startup(pool_link_bytes(link), pool_link_unread(link), &startup, &count, &err)) {
    case WIRE_MORE:
        client->wanted = pool_link_unread(link) < 4 ? 4 : wire_uint32(pool_link_bytes(link));
        return false;
    case WIRE_BAD:
        pool_client_fail(client, &err);
        return false;
    case WIRE_WHOLE:
        break;
    }
    if (pool_client_move(client, &startup))
        return false;
    if (startup.kind == WIRE_CANCEL) {
        pool_cancel_request(client->pool, startup.key, startup.key_bytes);
        pool_client_close(client);
        return false;
    }
    if (startup.kind != WIRE_STARTUP)
        return answer_request(client, startup.kind, count);
    bool is_taken = take_startup(client, &startup); /* its texts are in the buffer */
    if (is_taken)
        pool_link_consume(link, count);
    return is_taken;
}

/* The keys of a user; of one that is not there, or may not log in, keys that never fit. */
static void
find_keys(struct pool_client *client, struct wire_scram_keys *ret_keys)
{
    const struct pool_user *user = pool_config_user(client->pool->config, client->user_name);
    bool is_fit = user != NULL && user->has_keys &&
                  (client->group != NULL || pool_console_is_database(client->database_name));

    if (client->found != NULL)
        *ret_keys = *client->found;
    else if (is_fit)
        *ret_keys = user->keys;
    else
        wire_scram_mock_keys(client->pool->driver->shared->mock_secret, client->user_name,
                             ret_keys);
}

/* SASLInitialResponse: mechanism, length, the first message. */
static bool
take_first(struct pool_client *client, const uint8_t *body, size_t count, struct error *err)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    const char *mechanism = wire_get_string(&cursor);
    uint32_t length = wire_get_uint32(&cursor);
    const uint8_t *message = wire_get_bytes(&cursor, length);
    struct wire_scram_keys keys;
    uint8_t nonce[18];

    if (!wire_is_read(&cursor))
        return pool_fault(err, "08P01", "malformed SASL message");
    if (strcmp(mechanism, WIRE_SCRAM_MECHANISM) != 0)
        return pool_fault(err, "08P01", "the client selected an invalid SASL mechanism");
    if (!client->pool->driver->random(client->pool->driver, nonce, sizeof(nonce)))
        return pool_fault(err, "XX000", "no random numbers");
    find_keys(client, &keys);
    bool is_taken =
        wire_scram_server_first(client->scram, &keys, nonce, (const char *)message, length, err);
    OPENSSL_cleanse(&keys, sizeof(keys));
    if (!is_taken)
        return false;
    put_authentication(client, AUTH_SASL_CONTINUE, client->scram->server_first,
                       strlen(client->scram->server_first));
    client->state = POOL_CLIENT_FINAL;
    return true;
}

static bool
take_final(struct pool_client *client, const uint8_t *body, size_t count, struct error *err)
{
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    const struct pool_user *user = pool_config_user(client->pool->config, client->user_name);

    if (!wire_scram_server_final(client->scram, (const char *)body, count, final, err)) {
        if (strcmp(err->sqlstate, "28P01") == 0)
            pool_fault(err, "28P01", "password authentication failed for user \"%s\"",
                       client->user_name);
        return false;
    }
    if (user == NULL || (client->group == NULL && !pool_console_is_database(client->database_name)))
        return pool_fault(err, "28P01", "password authentication failed for user \"%s\"",
                          client->user_name);
    /* The proof gave away the key that logs in where the same verifier is stored. */
    if (client->group != NULL && client->group->route->login == user && user->password == NULL) {
        client->group->keys = client->scram->keys;
        client->group->has_keys = true;
    }
    client->right = user->is_admin   ? POOL_RIGHT_ADMIN
                    : user->is_stats ? POOL_RIGHT_STATS
                                     : POOL_RIGHT_NONE;
    put_authentication(client, AUTH_SASL_FINAL, final, strlen(final));
    put_authentication(client, AUTH_OK, NULL, 0);
    pool_scram_drop(client->pool, client->scram);
    client->scram = NULL;
    pool_client_welcome(client);
    return true;
}

/* --- verifiers that servers know ----------------------------------------------------------- */

static bool
needs_lookup(const struct pool_client *client)
{
    return client->state == POOL_CLIENT_FIRST && client->found == NULL && client->group != NULL &&
           client->group->route->auth_conninfo != NULL;
}

/* It waits, with its first message unread. */
static bool
look_up(struct pool_client *client)
{
    const struct pool_route *route = client->group->route;
    struct pool_driver *driver = client->pool->driver;
    const struct pool_lookup_question question = {client->serial, route->auth_conninfo,
                                                  route->auth_query, client->user_name};

    client->state = POOL_CLIENT_LOOKUP;
    if (driver->look_up == NULL || !driver->look_up(driver, &question))
        fail(client, "53300", "too many logins are being looked up");
    return false;
}

void
pool_client_found(struct pool *pool, const struct pool_lookup_answer *answer)
{
    struct pool_client *client = NULL;

    POOL_EACH(node, &pool->clients)
    {
        struct pool_client *one = POOL_ENTRY(node, struct pool_client, node);
        if (one->serial == answer->client && one->state == POOL_CLIENT_LOOKUP)
            client = one;
    }
    if (client == NULL) /* has gone */
        return;
    if (answer->fault[0] != '\0') {
        pool_log(pool, "cannot ask for the verifier of \"%s\": %s", client->user_name,
                 answer->fault);
        fail(client, "08001", "the server cannot be asked for the user's password");
        return;
    }
    client->found = calloc(1, sizeof(*client->found));
    if (client->found == NULL) {
        fail(client, "53200", "out of memory");
        return;
    }
    if (!wire_scram_read_verifier(answer->verifier, client->found))
        wire_scram_mock_keys(pool->driver->shared->mock_secret, client->user_name, client->found);
    client->state = POOL_CLIENT_FIRST;
    pool_client_process(client);
}

static bool
scram_step(struct pool_client *client)
{
    struct pool_link *link = &client->link;
    const uint8_t *bytes = pool_link_bytes(link);
    struct wire_header header;
    struct error err;

    client->wanted = WIRE_HEADER_BYTES;
    enum wire_result result =
        wire_read_header(bytes, pool_link_unread(link), WIRE_FROM_CLIENT, &header);
    if (result == WIRE_MORE)
        return false;
    if (result == WIRE_BAD || header.type != 'p' ||
        header.body_bytes > 2 * WIRE_SCRAM_MESSAGE_BYTES_MAX) {
        if (result == WIRE_WHOLE && header.type == 'X')
            pool_client_close(client);
        else
            fail(client, "08P01", "expected a password message");
        return false;
    }
    client->wanted = WIRE_HEADER_BYTES + header.body_bytes;
    if (pool_link_unread(link) < client->wanted)
        return false;
    if (needs_lookup(client))
        return look_up(client);
    const uint8_t *body = bytes + WIRE_HEADER_BYTES;
    pool_link_consume(link, client->wanted);
    bool is_taken = client->state == POOL_CLIENT_FIRST
                        ? take_first(client, body, header.body_bytes, &err)
                        : take_final(client, body, header.body_bytes, &err);
    if (!is_taken)
        pool_client_fail(client, &err);
    return is_taken;
}

bool
pool_client_login_step(struct pool_client *client)
{
    return client->state == POOL_CLIENT_STARTUP ? startup_step(client) : scram_step(client);
}

/* --- welcome ------------------------------------------------------------------------------- */

static void
greet(struct pool_client *client)
{
    enum { KEY_AND_READY_BYTES = 32 };
    struct wire_writer writer =
        pool_link_begin(&client->link, &client->pool->buffers,
                        pool_parameters_wire_bytes(client->reported) + KEY_AND_READY_BYTES);

    for (unsigned i = 0; i < client->reported->count; i++)
        wire_put_parameter(&writer, client->reported->items[i].name,
                           client->reported->items[i].value);
    wire_put_key(&writer, client->process, client->secret);
    wire_put_ready(&writer, 'I');
    pool_link_end(&client->link, &client->pool->buffers, &writer);
    client->deadline_us = 0;
}

static void
refuse_disabled(struct pool_client *client)
{
    struct error err;

    pool_fault(&err, "57P03", "database \"%s\" is disabled", client->database_name);
    error_hint(&err, "ENABLE on the console of the pool lets clients in again.");
    pool_client_fail(client, &err);
}

void
pool_client_welcome(struct pool_client *client)
{
    struct pool *pool = client->pool;
    static const struct pool_parameter console[] = {
        {"server_version", PGDECK_VERSION " (pgdeck pool)"},
        {"client_encoding", "UTF8"},
        {"server_encoding", "UTF8"},
        {"DateStyle", "ISO, MDY"},
        {"standard_conforming_strings", "on"},
        {"integer_datetimes", "on"},
    };

    client->process = pool_client_process_number(client);
    if (client->secret == 0 &&
        !pool->driver->random(pool->driver, &client->secret, sizeof(client->secret))) {
        fail(client, "XX000", "no random numbers");
        return;
    }
    if (client->group == NULL) {
        const struct pool_parameters *set =
            pool_parameters_make(&pool->parameters, console, sizeof(console) / sizeof(console[0]));
        if (set != NULL)
            pool_parameters_move(&pool->parameters, &client->reported, set);
        client->state = POOL_CLIENT_CONSOLE;
        greet(client);
        return;
    }
    if (client->group->is_disabled) {
        refuse_disabled(client);
        return;
    }
    const struct pool_parameters *reported = pool_known_find(client->group, client->startup);
    if (reported != NULL) {
        pool_parameters_move(&pool->parameters, &client->reported, reported);
        client->state = POOL_CLIENT_IDLE;
        greet(client);
        return;
    }
    client->state = POOL_CLIENT_LOGIN;
    client->deadline_us = 0; /* from here on it waits for a server, as others do */
    pool_group_want(client);
}

/* The server has the client's parameters, and has told what it reports with them. */
void
pool_client_welcome_by(struct pool_client *client, const struct pool_server *server)
{
    struct pool *pool = client->pool;

    pool_known_add(client->group, client->startup, server->reported);
    pool_parameters_move(&pool->parameters, &client->reported,
                         pool_parameters_keep(server->reported));
    client->state = POOL_CLIENT_IDLE;
    greet(client);
}
