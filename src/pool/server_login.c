// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum { AUTH_OK = 0, AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12 };

static void
fail(struct pool_server *server, const struct error *err)
{
    pool_server_close(server, err);
}

static void
refuse(struct pool_server *server, const char *message, const char *hint)
{
    struct error err;

    pool_fault(&err, "08P01", "%s", message);
    if (hint != NULL)
        error_hint(&err, "%s", hint);
    fail(server, &err);
}

static void
send_sasl(struct pool_server *server, const char *mechanism, const char *message)
{
    uint8_t bytes[WIRE_SCRAM_MESSAGE_BYTES_MAX + 64];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_begin(&writer, 'p');
    if (mechanism != NULL) {
        wire_put_string(&writer, mechanism);
        wire_put_uint32(&writer, (uint32_t)strlen(message));
    }
    wire_put_bytes(&writer, message, strlen(message));
    wire_end(&writer);
    pool_server_send(server, &writer);
}

/* A list of names, each with its NUL, ended by an empty one. */
static bool
has_mechanism(struct wire_cursor cursor)
{
    for (const char *name; (name = wire_get_string(&cursor)) != NULL && name[0] != '\0';) {
        if (strcmp(name, WIRE_SCRAM_MECHANISM) == 0)
            return true;
    }
    return false;
}

static void
start_scram(struct pool_server *server, struct wire_cursor cursor)
{
    struct pool *pool = server->pool;
    struct pool_group *group = server->group;
    char first[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    uint8_t nonce[18];

    if (!has_mechanism(cursor)) {
        refuse(server, "the server offers no SCRAM-SHA-256", NULL);
        return;
    }
    if (group->route->login->password == NULL && !group->has_keys) {
        struct error err;
        pool_fault(&err, "28P01", "no password is known for user \"%s\"",
                   group->route->login->name);
        error_hint(&err, "With only a verifier, servers can be logged in after the first client.");
        fail(server, &err);
        return;
    }
    server->scram = calloc(1, sizeof(*server->scram));
    if (server->scram == NULL || !pool->driver->random(pool->driver, nonce, sizeof(nonce))) {
        refuse(server, "out of memory", NULL);
        return;
    }
    wire_scram_client_first(server->scram, nonce, first);
    send_sasl(server, WIRE_SCRAM_MECHANISM, first);
}

/* The group's keys, if they are for this salt; else made from the password, once. */
static bool
find_keys(struct pool_group *group, const struct wire_scram_keys *wanted, struct error *err)
{
    const char *password = group->route->login->password;

    if (group->has_keys && group->keys.iterations == wanted->iterations &&
        group->keys.salt_bytes == wanted->salt_bytes &&
        memcmp(group->keys.salt, wanted->salt, wanted->salt_bytes) == 0)
        return true;
    if (password == NULL) {
        group->has_keys = false;
        return pool_fault(err, "28P01", "the verifier of user \"%s\" is not the server's",
                          group->route->login->name);
    }
    group->has_keys = wire_scram_keys_of_password(password, wanted->salt, wanted->salt_bytes,
                                                  wanted->iterations, &group->keys, err);
    return group->has_keys;
}

static void
continue_scram(struct pool_server *server, struct wire_cursor cursor)
{
    struct wire_scram_keys wanted;
    char final[WIRE_SCRAM_MESSAGE_BYTES_MAX];
    struct error err;

    if (!wire_scram_read_server_first(server->scram, (const char *)cursor.at, wire_left(&cursor),
                                      &wanted, &err) ||
        !find_keys(server->group, &wanted, &err)) {
        fail(server, &err);
        return;
    }
    wire_scram_client_final(server->scram, &server->group->keys, final);
    send_sasl(server, NULL, final);
}

static void
end_scram(struct pool_server *server, struct wire_cursor cursor)
{
    struct error err;

    if (wire_scram_read_server_final(server->scram, (const char *)cursor.at, wire_left(&cursor),
                                     &err))
        server->is_scram_done = true;
    else
        fail(server, &err);
}

/* Where there is a password, a server elsewhere must prove that it knows it too. */
static bool
is_trusted(const struct pool_server *server)
{
    const struct pool_route *route = server->group->route;

    return server->is_scram_done || route->login->password == NULL || route->address.is_local ||
           server->is_by_local || (route->is_server_proven && net_tls_is_on(&server->link.stream));
}

static void
authenticate(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    uint32_t code = wire_get_uint32(&cursor);

    if (code == AUTH_SASL && server->scram == NULL) {
        start_scram(server, cursor);
    } else if (code == AUTH_SASL_CONTINUE && server->scram != NULL) {
        continue_scram(server, cursor);
    } else if (code == AUTH_SASL_FINAL && server->scram != NULL) {
        end_scram(server, cursor);
    } else if (code == AUTH_OK && wire_is_read(&cursor)) {
        if (server->scram != NULL && !server->is_scram_done)
            refuse(server, "the server ended the login without proving itself", NULL);
        else if (!is_trusted(server))
            refuse(server, "the server did not ask for the password",
                   "Let its pg_hba.conf ask for scram-sha-256, or give no password.");
        else
            server->is_authenticated = true;
    } else {
        refuse(server, "the server asks for a way of authentication that is not SCRAM-SHA-256",
               "Set password_encryption to scram-sha-256 there and the password anew.");
    }
}

static void
take_error(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct wire_error_fields fields;
    struct error err;

    if (!wire_read_error(body, count, &fields)) {
        refuse(server, "the server sent a malformed error", NULL);
        return;
    }
    pool_fault(&err, strlen(fields.sqlstate) == 5 ? fields.sqlstate : "08001", "%s",
               fields.message);
    error_detail(&err, "%s", fields.detail);
    error_hint(&err, "%s", fields.hint);
    fail(server, &err);
}

static void
ready(struct pool_server *server)
{
    struct pool_group *group = server->group;

    if (server->scram != NULL)
        OPENSSL_clear_free(server->scram, sizeof(*server->scram));
    server->scram = NULL;
    group->connecting_count--;
    group->failures = 0;
    group->has_served = true;
    group->connect_after_us = 0;
    server->deadline_us = 0;
    pool_local_look(server);
    server->state = POOL_SERVER_DRAINING; /* free once all that it said is read */
}

void
pool_server_login_message(struct pool_server *server, uint8_t type, const uint8_t *body,
                          size_t count)
{
    if (type == 'E') {
        take_error(server, body, count);
    } else if (type == 'R' && !server->is_authenticated) {
        authenticate(server, body, count);
    } else if (type == 'N') {
        return;
    } else if (!server->is_authenticated) {
        refuse(server, "the server sent something else before the login", NULL);
    } else if (type == 'S') {
        if (!pool_server_take_parameter(server, body, count))
            refuse(server, "the server sent a parameter that cannot be taken", NULL);
    } else if (type == 'K') {
        server->key_bytes = count;
        memcpy(server->key, body, count);
    } else if (type == 'Z' && body[0] == 'I') {
        ready(server);
    } else {
        refuse(server, "the server sent something else at the login", NULL);
    }
}
