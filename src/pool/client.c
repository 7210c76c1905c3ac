// SPDX-License-Identifier: MIT
#include "pool/pool.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { FIRST_KNOCK_US = 100000, LAST_DOUBLING = 8, KNOCK_BYTES = 512 };

struct pool_client *
pool_client_new(struct pool *pool, const struct sockaddr_storage *address)
{
    struct pool_client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    client->object.kind = POOL_OWNER_CLIENT;
    client->pool = pool;
    client->address = *address;
    client->link.stream.owner = client;
    client->link.stream.descriptor = -1;
    client->link.stream.user = (uid_t)-1;
    client->state = POOL_CLIENT_STARTUP;
    client->serial = pool_new_serial(pool);
    client->since_us = pool->now_us;
    client->deadline_us = pool->now_us + (uint64_t)pool->config->pooler.login_timeout_ms * 1000;
    client->startup = pool_parameters_keep(pool->no_parameters);
    client->session = pool_parameters_keep(pool->no_parameters);
    client->reported = pool_parameters_keep(pool->no_parameters);
    pool_list_append(&pool->clients, &client->node);
    atomic_fetch_add(&pool->driver->shared->client_count, 1);
    return client;
}

bool
pool_client_is_open(const struct pool_client *client)
{
    return client->state != POOL_CLIENT_CLOSED && client->state != POOL_CLIENT_CLOSING;
}

void
pool_client_flush(struct pool_client *client)
{
    if (client->state != POOL_CLIENT_CLOSED &&
        !pool_link_flush(&client->link, &client->pool->buffers))
        pool_client_close(client);
}

void
pool_client_put_ready(struct pool_client *client, char status)
{
    uint8_t bytes[8];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_ready(&writer, status);
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
}

void
pool_client_put_error(struct pool_client *client, const char *severity, const struct error *err)
{
    uint8_t bytes[WIRE_ERROR_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_error(&writer, severity, err);
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
}

/* Out of every list of its group; its server goes by the check-in rule. */
static void
leave(struct pool_client *client)
{
    struct pool_group *group = client->group;
    struct pool_server *server = client->server;

    pool_waiting_remove(client);
    if (server != NULL)
        pool_group_checkin(server, true);
    if (group != NULL) {
        pool_share_note(group);
        group->client_count--;
        group->statistics.received_bytes += client->link.received_bytes;
        group->statistics.sent_bytes += client->link.sent_bytes;
    }
    client->group = NULL;
    client->server = NULL;
}

void
pool_client_fail(struct pool_client *client, const struct error *err)
{
    struct pool *pool = client->pool;
    char text[64];

    if (!pool_client_is_open(client) || client->is_moving) /* told where it is going */
        return;
    if (client->state <= POOL_CLIENT_LOGIN)
        pool_log(pool, "login of \"%s\" to \"%s\" from %s: %s", client->user_name,
                 client->database_name, net_address_text(&client->address, text, sizeof(text)),
                 err->message);
    const struct pool_server *server = client->server;
    if (server != NULL && server->body_left > 0 && !server->is_body_hidden) {
        pool_client_close(client); /* it has part of a message: the error would be its rest */
        return;
    }
    leave(client);
    client->link.run = NULL; /* of a server that it no longer has */
    client->link.run_bytes = 0;
    pool_client_put_error(client, "FATAL", err);
    client->state = POOL_CLIENT_CLOSING;
    client->deadline_us = pool->now_us + (uint64_t)POOL_CLOSING_TIMEOUT_MS * 1000;
    pool_client_flush(client);
}

void
pool_client_close(struct pool_client *client)
{
    struct pool *pool = client->pool;

    if (client->state == POOL_CLIENT_CLOSED)
        return;
    if (pool_client_is_open(client))
        leave(client);
    client->state = POOL_CLIENT_CLOSED;
    pool_link_close(&client->link, &pool->buffers);
    pool_list_remove(&client->node);
    atomic_fetch_sub(&pool->driver->shared->client_count, 1);
    pool_names_clear(&client->names, &pool->statements);
    pool_statement_drop(&pool->statements, client->unnamed);
    pool_parameters_drop(&pool->parameters, client->startup);
    pool_parameters_drop(&pool->parameters, client->session);
    pool_parameters_drop(&pool->parameters, client->reported);
    pool_scram_drop(pool, client->scram);
    if (client->found != NULL)
        OPENSSL_clear_free(client->found, sizeof(*client->found));
    free(client->custom);
    pool_list_append(&pool->dead, &client->object.dead);
}

/* --- without a server ---------------------------------------------------------------------- */

static void
protocol_fault(struct pool_client *client, const char *message)
{
    struct error err;

    pool_fault(&err, "08P01", "%s", message);
    pool_client_fail(client, &err);
}

/* Whether what is there has a message that the server would answer, whole or too long to be
 * gathered: only then a server is taken. Sets wanted. */
static bool
is_worth_a_server(struct pool_client *client)
{
    const uint8_t *bytes = pool_link_bytes(&client->link);
    size_t count = pool_link_unread(&client->link), at = 0;
    struct wire_header header;

    while (at < count) {
        enum wire_result result =
            wire_read_header(bytes + at, count - at, WIRE_FROM_CLIENT, &header);
        if (result == WIRE_BAD || (result == WIRE_WHOLE && header.type == 'p'))
            return true; /* forward_step says so */
        if (result == WIRE_MORE) {
            client->wanted = at + WIRE_HEADER_BYTES;
            return count >= POOL_GATHER_BYTES_MAX;
        }
        size_t end = at + WIRE_HEADER_BYTES + header.body_bytes;
        if (end > count) {
            size_t limit = header.type == 'P' ? POOL_PARSE_BYTES_MAX : POOL_GATHER_BYTES_MAX;
            client->wanted = end - at > limit ? at + limit : end;
            return count >= client->wanted || at >= POOL_GATHER_BYTES_MAX;
        }
        if (strchr("QFSHX", header.type) != NULL)
            return true;
        at = end;
    }
    client->wanted = count + 1;
    return count >= POOL_GATHER_BYTES_MAX;
}

/* The first message, when the pool can see to it by itself: nothing is owed and no transaction is
 * open, so Sync is answered, and what a server would pass over is passed over. */
static bool
handle_alone(struct pool_client *client, const struct wire_header *header)
{
    size_t count = WIRE_HEADER_BYTES + header->body_bytes;
    size_t unread = pool_link_unread(&client->link);

    if (header->type == 'X') {
        pool_client_close(client);
        return true;
    }
    if (strchr("SHdcf", header->type) == NULL && !client->is_skipping)
        return false;
    if (header->type == 'S') {
        pool_client_put_ready(client, 'I');
        client->is_skipping = false;
    }
    client->body_left = (uint32_t)(count > unread ? count - unread : 0);
    client->is_body_dropped = true;
    pool_link_consume(&client->link, count > unread ? unread : count);
    return true;
}

/* A client that has no server: false when it must wait, or more bytes are needed. */
static bool
idle_step(struct pool_client *client)
{
    struct wire_header header;
    enum wire_result result = wire_read_header(
        pool_link_bytes(&client->link), pool_link_unread(&client->link), WIRE_FROM_CLIENT, &header);

    client->wanted = WIRE_HEADER_BYTES;
    if (result == WIRE_MORE)
        return false;
    if (result == WIRE_BAD) {
        protocol_fault(client, "invalid message from the client");
        return false;
    }
    if (handle_alone(client, &header))
        return client->state != POOL_CLIENT_CLOSED;
    if (!is_worth_a_server(client))
        return false;
    pool_group_want(client);
    return client->state == POOL_CLIENT_ACTIVE;
}

/* The rest of a message whose front is handled already. */
static bool
body_step(struct pool_client *client)
{
    size_t unread = pool_link_unread(&client->link);
    size_t count = unread < client->body_left ? unread : client->body_left;

    client->wanted = 1;
    if (count == 0)
        return false;
    if (!client->is_body_dropped && client->server != NULL)
        pool_link_forward(&client->server->link, &client->pool->buffers,
                          pool_link_bytes(&client->link), count);
    pool_link_consume(&client->link, count);
    client->body_left -= (uint32_t)count;
    return true;
}

void
pool_client_give_up(struct pool_client *client, const struct error *err)
{
    struct wire_header header;
    size_t unread = pool_link_unread(&client->link);

    if (wire_read_header(pool_link_bytes(&client->link), unread, WIRE_FROM_CLIENT, &header) !=
        WIRE_WHOLE) {
        pool_client_fail(client, err);
        return;
    }
    if (client->server != NULL) /* which is being given the client's parameters */
        pool_group_checkin(client->server, true);
    else
        pool_waiting_remove(client);
    pool_share_note(client->group);
    client->state = POOL_CLIENT_IDLE;
    pool_client_put_error(client, "ERROR", err);
    client->is_skipping = header.type != 'Q' && header.type != 'F';
    if (!client->is_skipping) {
        size_t count = WIRE_HEADER_BYTES + header.body_bytes;
        pool_client_put_ready(client, 'I');
        pool_link_consume(&client->link, count > unread ? unread : count);
        client->body_left = (uint32_t)(count > unread ? count - unread : 0);
        client->is_body_dropped = true;
    }
    pool_client_flush(client);
    pool_client_process(client);
}

/* --- going on ------------------------------------------------------------------------------ */

/* What a client does with what it has read, by its state. NULL: it waits for something else. */
typedef bool step(struct pool_client *client);
static step *const steps[POOL_CLIENT_STATES] = {
    [POOL_CLIENT_STARTUP] = pool_client_login_step,  [POOL_CLIENT_FIRST] = pool_client_login_step,
    [POOL_CLIENT_FINAL] = pool_client_login_step,    [POOL_CLIENT_IDLE] = idle_step,
    [POOL_CLIENT_ACTIVE] = pool_client_forward_step, [POOL_CLIENT_CONSOLE] = pool_console_step,
};

/* Whether it can go on now: its server must be its own to use, and take what it is sent. */
static bool
can_step(const struct pool_client *client)
{
    const struct pool_server *server = client->server;

    if (steps[client->state] == NULL || client->is_moving)
        return false;
    if (client->state != POOL_CLIENT_ACTIVE)
        return !pool_link_is_full(&client->link) &&
               !(client->state == POOL_CLIENT_CONSOLE && client->is_held);
    return server->state == POOL_SERVER_ACTIVE && !pool_link_is_full(&server->link) &&
           !pool_owed_is_full(&server->owed) && !server->retry.is_due &&
           (!client->is_held || server->owed.count == 0);
}

static bool
step_once(struct pool_client *client)
{
    if (client->body_left > 0)
        return body_step(client);
    step *next = steps[client->state];
    return next != NULL && next(client);
}

/* No more fits into what is owed, or nothing more may be sent before it comes: the server may be
 * keeping its answers for a Sync that cannot be sent before. */
static void
ask_for_answers(struct pool_server *server)
{
    static const uint8_t flush[] = {'H', 0, 0, 0, 4};
    bool is_held = server->client->is_held && server->is_unsynced && server->owed.count > 0;

    if (!pool_owed_is_full(&server->owed) && !is_held) {
        server->is_flush_sent = false;
    } else if (!server->is_flush_sent) {
        server->is_flush_sent = true;
        pool_link_put(&server->link, &server->pool->buffers, flush, sizeof(flush));
    }
}

static void
lose_server(struct pool_server *server)
{
    struct error err;

    pool_fault(&err, "08006", "the server closed the connection");
    pool_server_close(server, &err);
}

static void
flush_server(struct pool_client *client)
{
    struct pool_server *server = client->server;

    if (server != NULL && server->state == POOL_SERVER_ACTIVE)
        ask_for_answers(server);
    if (server == NULL || !pool_server_is_open(server) ||
        pool_link_flush(&server->link, &client->pool->buffers))
        return;
    lose_server(server);
}

/* The server was not read while its client did not take what it got. */
static void
flush_client(struct pool_client *client)
{
    bool was_stuck = pool_link_is_stuck(&client->link);

    pool_client_flush(client);
    if (was_stuck && client->server != NULL && !pool_link_is_stuck(&client->link))
        pool_server_process(client->server);
}

/* Its next message waits for answers that the server has not, as its COPY goes on and nobody will
 * end it. */
static bool
is_stranded(const struct pool_client *client)
{
    const struct pool_server *server = client->server;

    return client->is_held && server != NULL && server->copy == POOL_COPY_IN &&
           !pool_owed_has(&server->owed, POOL_OWED_COPY_END);
}

/* It has sent all that it will (shutdown of its side), and waits for answers: it gets them. */
static bool
is_last_word(struct pool_client *client)
{
    const struct pool_server *server = client->server;

    if (client->state != POOL_CLIENT_ACTIVE || server->state != POOL_SERVER_ACTIVE ||
        server->owed.count == 0 || client->body_left > 0)
        return false;
    client->is_held = true; /* so that those are asked for that no Sync stands behind */
    return !is_stranded(client);
}

/* Only who waits for a server or has one is knocked at: of others their end is the end. */
static bool
has_gone(const struct pool_client *client)
{
    bool is_knocked_at =
        client->state == POOL_CLIENT_WAITING || client->state == POOL_CLIENT_ACTIVE;

    return client->link.stream.is_gone || is_stranded(client) ||
           (client->link.stream.has_ended && !is_knocked_at);
}

void
pool_client_knock(struct pool_client *client)
{
    const struct pool_server *server = client->server;
    bool is_within = server != NULL && server->body_left > 0 && !server->is_body_hidden;
    uint8_t bytes[KNOCK_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    if (client->pool->now_us < client->knock_us || client->reported->count == 0 || is_within ||
        (client->state != POOL_CLIENT_WAITING && client->state != POOL_CLIENT_ACTIVE))
        return;
    /* A network's reset may be long on its way. */
    client->knock_us = client->pool->now_us + ((uint64_t)FIRST_KNOCK_US << client->knocks);
    if (client->knocks < LAST_DOUBLING)
        client->knocks++;
    wire_put_parameter(&writer, client->reported->items[0].name, client->reported->items[0].value);
    if (writer.is_full)
        return;
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
    pool_client_flush(client);
}

/* Reads while it waits or is told why it must go: only whether it is still there. */
static void
discard(struct pool_client *client)
{
    struct pool *pool = client->pool;

    for (;;) {
        enum pool_fill fill = pool_link_fill(&client->link, &pool->buffers, 1);
        if (fill == POOL_FILL_END || fill == POOL_FILL_ERROR) {
            pool_client_close(client);
            return;
        }
        pool_link_consume(&client->link, pool_link_unread(&client->link));
        pool_link_settle(&client->link, &pool->buffers);
        if (fill == POOL_FILL_NONE)
            return;
    }
}

/* It has gone, or TLS with it failed. */
static void
lost(struct pool_client *client)
{
    const char *fault = net_tls_fault(&client->link.stream);
    char text[64];

    if (fault[0] != '\0')
        pool_log(client->pool, "TLS with the client at %s failed: %s",
                 net_address_text(&client->address, text, sizeof(text)), fault);
    pool_client_close(client);
}

void
pool_client_process(struct pool_client *client)
{
    struct pool *pool = client->pool;

    while (client->state != POOL_CLIENT_CLOSING && client->state != POOL_CLIENT_CLOSED) {
        bool is_hungry = false; /* for more bytes */
        while (!is_hungry && can_step(client))
            is_hungry = !step_once(client);
        if (client->is_moving)
            return;
        flush_server(client);
        if (pool_client_is_open(client))
            flush_client(client);
        if (!pool_client_is_open(client))
            break;
        if (client->state == POOL_CLIENT_ACTIVE && client->server->state == POOL_SERVER_ACTIVE &&
            client->server->owed.count == 0) {
            pool_group_checkin(client->server, false); /* all was answered by the pool itself */
            if (!pool_client_is_open(client))
                break;
        }
        if (has_gone(client) && !can_step(client)) {
            pool_client_close(client); /* nobody is there to wait, or for nothing */
            return;
        }
        if (!can_step(client))
            return;
        if (!is_hungry)
            continue;
        enum pool_fill fill = pool_link_fill(&client->link, &pool->buffers, client->wanted);
        if (fill == POOL_FILL_NONE)
            return;
        if (fill != POOL_FILL_SOME && !(fill == POOL_FILL_END && is_last_word(client))) {
            lost(client);
            return;
        }
    }
    if (client->state == POOL_CLIENT_CLOSING)
        discard(client);
}
