// SPDX-License-Identifier: MIT
#include "pool/outage.h"
#include "pool/pool.h"
#include "pool/query.h"
#include "pool/where.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum { INSPECTED_BYTES_MAX = 8192 };

bool
pool_server_is_open(const struct pool_server *server)
{
    return server->state != POOL_SERVER_CLOSED;
}

/* --- beginning and end --------------------------------------------------------------------- */

bool
pool_server_start(struct pool_group *group, struct error *err)
{
    struct pool *pool = group->pool;
    struct pool_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return pool_fault(err, "53200", "out of memory");
    server->object.kind = POOL_OWNER_SERVER;
    server->pool = pool;
    server->group = group;
    server->share = group->share;
    server->epoch = group->epoch;
    server->link.stream.owner = server;
    server->link.stream.descriptor = -1;
    server->status = 'I';
    server->serial = pool_new_serial(pool);
    server->created_us = server->since_us = pool->now_us;
    server->deadline_us = pool->now_us + (uint64_t)pool->config->pooler.connect_timeout_ms * 1000;
    server->prepared.capacity = (uint32_t)pool->config->pooler.prepared_statements;
    (void)pool->driver->random(pool->driver, &server->prepared.tag, sizeof(server->prepared.tag));
    server->is_by_local = group->has_local;
    server->address_turn = group->address_turn;
    struct net_address address = pool_where(group);
    bool is_begun =
        pool->driver->connect(pool->driver, group->has_local ? &group->local_address : &address,
                              &server->link.stream, err);
    if (!is_begun && group->has_local) {
        memcpy(err->sqlstate, "08001", sizeof(err->sqlstate));
        pool_local_failed(server, err);
        server->is_by_local = false;
        is_begun = pool->driver->connect(pool->driver, &address, &server->link.stream, err);
    }
    server->address = server->is_by_local ? group->proven_address : address;
    server->address.display = NULL; /* the configuration's, which may go */
    if (!is_begun) {
        memcpy(err->sqlstate, "08001", sizeof(err->sqlstate));
        free(server);
        return false;
    }
    server->session = pool_parameters_keep(pool->no_parameters);
    server->reported = pool_parameters_keep(pool->no_parameters);
    pool_list_append(&group->servers, &server->node);
    group->server_count++;
    group->connecting_count++;
    return true;
}

static void
forget(struct pool_server *server)
{
    struct pool *pool = server->pool;

    pool_cancel_forget(server);
    pool_link_close(&server->link, &pool->buffers);
    for (; server->owed.count > 0; pool_owed_remove(&server->owed)) {
        struct pool_owed owed = pool_owed_first(&server->owed);
        pool_server_confirm(server, &owed);
    }
    pool_owed_release(&server->owed);
    pool_prepared_clear(&server->prepared, &pool->statements);
    pool_statement_drop(&pool->statements, server->unnamed);
    pool_parameters_drop(&pool->parameters, server->session);
    pool_parameters_drop(&pool->parameters, server->reported);
    pool_parameters_drop(&pool->parameters, server->next_session);
    if (server->scram != NULL)
        OPENSSL_clear_free(server->scram, sizeof(*server->scram));
    free(server->retry.bytes);
    free(server->retry.answer);
    for (size_t i = 0; i < server->found_count; i++)
        free((char *)server->found[i].name);
    pool_list_append(&pool->dead, &server->object.dead);
}

void
pool_server_close(struct pool_server *server, const struct error *reason)
{
    struct pool_group *group = server->group;
    struct pool_client *client = server->client;
    bool is_setup = server->state == POOL_SERVER_SETUP && !server->is_restart_due;
    bool is_new = server->state <= POOL_SERVER_LOGIN;
    /* The client has part of a message: an error behind it would be read as the rest. */
    bool is_cut = server->body_left > 0 && !server->is_body_hidden;

    if (server->state == POOL_SERVER_CLOSED)
        return;
    if (server->state == POOL_SERVER_LEAVING)
        pool_share_arrived(server);
    server->state = POOL_SERVER_CLOSED;
    pool_list_remove(&server->node);
    pool_group_leave_idle(server);
    group->server_count--;
    pool_share_unreserve(group->share, group->pool->driver);
    group->connecting_count -= is_new;
    server->client = NULL;
    if (client != NULL) {
        client->server = NULL;
        /* What was forwarded so far goes out before the bytes do. */
        if (pool_client_is_open(client))
            pool_client_flush(client);
    }
    forget(server);
    if (reason != NULL && is_new && server->is_by_local)
        pool_local_failed(server, reason); /* the next one goes by TCP, at once */
    else if (reason != NULL && is_new)
        pool_group_failed(group, reason, server->created_us, server->address_turn);
    if (client != NULL && pool_client_is_open(client)) {
        if (is_setup && !server->is_failed && reason != NULL)
            pool_group_want(client); /* nothing of it was sent yet */
        else if (server->has_told_end || is_cut)
            pool_client_close(client);
        else
            pool_client_fail(client, reason);
    }
    pool_group_serve(group);
}

static void
broken(struct pool_server *server, const char *message)
{
    struct error err;

    pool_fault(&err, "08P01", "%s", message);
    pool_log(server->pool, "server of \"%s\" in \"%s\": %s", server->group->route->user,
             server->group->route->database, message);
    server->is_broken = true;
    pool_server_close(server, &err);
}

/* --- what it is sent ----------------------------------------------------------------------- */

bool
pool_server_owe(struct pool_server *server, enum pool_owed_kind kind, bool is_hidden,
                uint32_t statement)
{
    if (kind >= POOL_OWED_PARSE && kind <= POOL_OWED_CLOSE)
        server->is_unsynced = true;
    else if (kind == POOL_OWED_SYNC || kind == POOL_OWED_QUERY || kind == POOL_OWED_CALL)
        server->is_unsynced = false;
    if (server->owed.count == 0) {
        server->query_us = server->pool->now_us;
        pool_query_mark(server);
    }
    return pool_owed_add(
        &server->owed,
        (struct pool_owed){.kind = (uint8_t)kind, .is_hidden = is_hidden, .statement = statement});
}

void
pool_server_reveal(struct pool_server *server, uint32_t name, uint32_t key)
{
    pool_owed_last(&server->owed)->is_hidden = false;
    pool_owed_mark(&server->owed, name, key, NULL);
}

void
pool_server_confirm(struct pool_server *server, const struct pool_owed *owed)
{
    if (owed->name == POOL_OWED_UNNAMED)
        pool_statement_drop(&server->pool->statements, owed->before);
    else
        pool_name_free(&server->pool->statements, owed->before);
}

bool
pool_server_send(struct pool_server *server, const struct wire_writer *writer)
{
    if (writer->is_full)
        return false;
    pool_link_put(&server->link, &server->pool->buffers, writer->bytes, writer->length);
    return pool_link_flush(&server->link, &server->pool->buffers);
}

void
pool_server_settle(struct pool_server *server)
{
    struct pool_client *client = server->client;
    uint8_t bytes[8];

    while (server->body_left == 0) { /* else the client would read it as the rest of a message */
        struct pool_owed first = pool_owed_first(&server->owed);
        uint8_t kind = first.kind;
        if (kind == POOL_OWED_COPY_END) {
            if (server->copy == POOL_COPY_IN)
                return;
        } else if (kind == POOL_OWED_LOCAL_PARSE || kind == POOL_OWED_LOCAL_CLOSE) {
            struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
            wire_put_empty(&writer, kind == POOL_OWED_LOCAL_PARSE ? '1' : '3');
            if (client != NULL)
                pool_link_put(&client->link, &server->pool->buffers, bytes, writer.length);
        } else {
            return;
        }
        pool_server_confirm(server, &first);
        pool_owed_remove(&server->owed);
    }
}

/* --- what it says -------------------------------------------------------------------------- */

/* The client's unnamed statement is what it was before that message, unless a later one changes
 * it: then that is what it was before the later one. */
static void
undo_unnamed(struct pool_server *server, struct pool_statement *before)
{
    struct pool_owed *next = pool_owed_next_unnamed(&server->owed);
    struct pool_statement *replaced = before;

    if (next != NULL) {
        replaced = next->before;
        next->before = before;
    } else if (server->client != NULL) {
        replaced = server->client->unnamed;
        server->client->unnamed = before;
    }
    pool_statement_drop(&server->pool->statements, replaced);
}

/* The client never had the name of that number, nor closed it. */
static void
undo_name(struct pool_server *server, uint32_t number)
{
    struct pool_statement_table *table = &server->pool->statements;
    struct pool_owed *owed;

    pool_names_undo(&server->client->names, table, number);
    for (uint32_t i = 1; (owed = pool_owed_at(&server->owed, i)) != NULL; i++) {
        struct pool_name *closed = owed->kind == POOL_OWED_LOCAL_CLOSE ? owed->before : NULL;
        if (closed == NULL || owed->name == POOL_OWED_UNNAMED || closed->number != number)
            continue;
        pool_name_free(table, closed);
        owed->before = NULL;
    }
}

struct undoing {
    struct pool_server *server;
    bool is_behind; /* the one that failed */
};

/* A message that the server has left out after an error, or that failed: the first. */
static void
undo(void *context, const struct pool_owed *owed)
{
    struct undoing *undoing = context;
    struct pool_server *server = undoing->server;
    struct pool_client *client = server->client;
    struct pool *pool = server->pool;
    void *before = owed->before;

    if (!undoing->is_behind && owed->name == POOL_OWED_UNNAMED) { /* it is gone, there too */
        pool_statement_drop(&pool->statements, before);
        before = NULL;
    }
    undoing->is_behind = true;
    if (owed->name == POOL_OWED_UNNAMED)
        undo_unnamed(server, before);
    else if (before != NULL && client != NULL)
        pool_names_attach(&client->names, &pool->statements, before);
    else if (before != NULL)
        pool_name_free(&pool->statements, before);
    else if (owed->name != 0 && client != NULL)
        undo_name(server, owed->name);
    if (owed->kind == POOL_OWED_CLOSE && owed->statement != 0)
        server->retry.stale = owed->statement; /* it still has it */
    if (owed->kind != POOL_OWED_PARSE)
        return;
    if (owed->statement == POOL_OWED_UNNAMED) {
        pool_statement_drop(&pool->statements, server->unnamed);
        server->unnamed = NULL;
    } else if (owed->statement != 0) {
        pool_prepared_remove(&server->prepared, &pool->statements, owed->statement);
    }
}

static bool
is_busy_hidden(const struct pool_server *server)
{
    return server->state == POOL_SERVER_SETUP || server->state == POOL_SERVER_PROBING ||
           server->state == POOL_SERVER_DRAINING;
}

/* What is wrong is that the server's statement is not what the pool takes it for: its plan no
 * longer fits, or a function has deallocated it. */
static bool
is_about_statement(const struct pool_owed *first, const struct wire_error_fields *fields)
{
    if (strcmp(fields->sqlstate, "26000") == 0)
        return (first->kind == POOL_OWED_BIND || first->kind == POOL_OWED_DESCRIBE_STATEMENT) &&
               first->statement != 0 && first->statement != POOL_OWED_UNNAMED;
    return strcmp(fields->sqlstate, "0A000") == 0 &&
           strcmp(fields->routine, "RevalidateCachedQuery") == 0;
}

static void
take_error(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct wire_error_fields fields;

    server->group->statistics.errors++;
    if (!wire_read_error(body, count, &fields))
        fields =
            (struct wire_error_fields){"ERROR", "", "malformed error from the server", "", "", ""};
    pool_measure_error(server->group->measures, fields.sqlstate);
    struct pool_owed first = pool_owed_first(&server->owed);
    if (first.query != 0)
        pool_query_error(pool_queries_find(server->group->measures->queries, first.query),
                         fields.sqlstate);
    if (first.query != 0 && first.kind != POOL_OWED_QUERY)
        pool_query_end(server, first.query);
    if (is_about_statement(&first,
                           &fields)) { /* made anew: now, or when the statement is used next */
        server->retry.stale = first.statement;
        pool_prepared_remove(&server->prepared, &server->pool->statements, server->retry.stale);
        pool_statement_drop(&server->pool->statements, server->unnamed);
        server->unnamed = NULL;
        if (pool_retry_begin(server))
            return;
    }
    server->has_told_end |=
        strcmp(fields.severity, "FATAL") == 0 || strcmp(fields.severity, "PANIC") == 0;
    if (!is_busy_hidden(server))
        return;
    if (first.kind == POOL_OWED_QUERY && first.statement != 0 && !server->has_told_end) {
        pool_session_refused(server, first.statement);
        return;
    }
    /* Ended by another client's settings, or for a restart: this one gets another server. */
    if (server->state == POOL_SERVER_SETUP && server->has_told_end &&
        (server->is_discard_due || server->session != server->pool->no_parameters))
        return;
    server->is_failed = true;
    char sqlstate[6];
    snprintf(sqlstate, sizeof(sqlstate), "%s", fields.sqlstate);
    pool_fault(&server->failure, "XX000", "%s", fields.message);
    memcpy(server->failure.sqlstate, sqlstate, strlen(sqlstate) == 5 ? sizeof(sqlstate) : 0);
    error_detail(&server->failure, "%s", fields.detail);
    error_hint(&server->failure, "%s", fields.hint);
}

static void
take_tag(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct pool_client *client = server->client;
    struct pool *pool = server->pool;
    bool is_all = count == sizeof("DEALLOCATE ALL") && memcmp(body, "DEALLOCATE ALL", count) == 0;
    bool is_discard = count == sizeof("DISCARD ALL") && memcmp(body, "DISCARD ALL", count) == 0;

    bool may_reset = (count == sizeof("RESET") && memcmp(body, "RESET", count) == 0) ||
                     (count == sizeof("SET") && memcmp(body, "SET", count) == 0); /* TO DEFAULT */

    if (may_reset && client != NULL)
        server->is_restart_due |= client->startup->count > 0 && client->mode == DECK_POOL_SESSION;
    if (!is_all && !is_discard)
        return;
    pool_prepared_clear(&server->prepared, &pool->statements);
    if (client == NULL)
        return;
    pool_names_clear(&client->names, &pool->statements);
    server->is_restore_due |= is_discard && client->mode == DECK_POOL_SESSION;
    if (is_discard)
        client->pins &= ~(unsigned)(POOL_SQL_UNNAMED | POOL_SQL_STATEMENTS);
}

bool
pool_server_take_parameter(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct pool *pool = server->pool;
    struct pool_client *client = server->client;
    const char *name, *value;

    if (!wire_read_parameter(body, count, &name, &value))
        return false;
    const struct pool_parameters *set =
        pool_parameters_with(&pool->parameters, server->reported, name, value);
    if (set == NULL)
        return false;
    pool_parameters_move(&pool->parameters, &server->reported, set);
    if (client == NULL || server->state != POOL_SERVER_ACTIVE)
        return true;
    set = pool_parameters_with(&pool->parameters, client->reported, name, value);
    if (set != NULL)
        pool_parameters_move(&pool->parameters, &client->reported, set);
    return set != NULL;
}

/* How much of a message must be there before it is handled, from its header. */
static size_t
wanted_of(const struct pool_server *server, const struct wire_header *header)
{
    size_t whole = WIRE_HEADER_BYTES + header->body_bytes;

    if (server->state <= POOL_SERVER_LOGIN)
        return whole;
    switch (header->type) {
    case 'S':
    case 'R':
    case 'K':
    case 'Z':
        return whole;
    case 'E':
    case 'C':
    case 't':
        return header->body_bytes <= INSPECTED_BYTES_MAX ? whole : WIRE_HEADER_BYTES;
    case 'D':
        return server->state == POOL_SERVER_PROBING ? whole : WIRE_HEADER_BYTES;
    default:
        return WIRE_HEADER_BYTES;
    }
}

/* It is ready again: the query, or the group of messages, is over, and the next one begins. */
static void
note_time(struct pool_server *server)
{
    uint64_t duration_us = server->pool->now_us - server->query_us;

    server->group->statistics.query_us += duration_us;
    pool_measure(&server->group->measures->query, duration_us);
    server->query_us = server->pool->now_us;
}

/* What the server is known to be, it is. */
static void
all_is_answered(struct pool_server *server)
{
    server->is_forgetting = false;
    if (server->is_unsynced) /* status is that of the last Sync */
        return;
    server->may_be_in_block = false;
    if (server->client != NULL && server->status == 'I')
        server->client->is_forget_bound = false;
}

/* Looks at a message. False: the connection is closed. ret_is_hidden: not for the client. */
static bool
inspect(struct pool_server *server, const struct wire_header *header, const uint8_t *body,
        bool is_whole, bool *ret_is_hidden)
{
    struct pool_owed first = pool_owed_first(&server->owed);
    size_t count = header->body_bytes;

    *ret_is_hidden = first.is_hidden || server->client == NULL || is_busy_hidden(server);
    if (header->type == 'E') {
        if (first.kind == POOL_OWED_NOTHING && !server->owed.is_skipping)
            server->has_told_end = true; /* out of the blue: it will close */
        *ret_is_hidden = server->client == NULL || is_busy_hidden(server);
        server->copy = POOL_COPY_NONE;
        take_error(server, body, is_whole ? count : 0);
        struct undoing undoing = {.server = server};
        if (first.kind != POOL_OWED_NOTHING)
            pool_owed_fail(&server->owed, undo, &undoing);
        if (server->retry.is_due) {
            *ret_is_hidden = true;
            pool_owed_hide(&server->owed);
        } else if (!*ret_is_hidden) {
            pool_retry_tell(server);
        }
        return true;
    }
    enum pool_answer answer = pool_owed_answer(&server->owed, header->type, &server->copy);
    if (answer == POOL_ANSWER_BAD) {
        broken(server, "it sent what was not asked for");
        return false;
    }
    if (answer != POOL_ANSWER_ASYNC && !*ret_is_hidden)
        *ret_is_hidden =
            !pool_retry_answer(server, header->type, is_whole ? body - WIRE_HEADER_BYTES : NULL,
                               WIRE_HEADER_BYTES + count);
    if (answer == POOL_ANSWER_ASYNC) {
        /* While it is asked what the session holds, the session is its client's: so is what it
         * listens to. */
        bool is_news = header->type == 'A' && server->state == POOL_SERVER_PROBING;
        *ret_is_hidden = server->client == NULL || (is_busy_hidden(server) && !is_news);
        if (header->type == 'S' && !pool_server_take_parameter(server, body, count)) {
            broken(server, "it sent a parameter that cannot be taken");
            return false;
        }
        return true;
    }
    if (header->type == 'G' && !pool_owed_start_copy(&server->owed)) {
        broken(server, "its client sent something else within a COPY");
        return false;
    }
    if (header->type == 'G' && first.kind == POOL_OWED_EXECUTE) /* Syncs before it went by */
        server->is_unsynced = !pool_owed_has(&server->owed, POOL_OWED_SYNC);
    if (header->type == 'C' && is_whole && !first.is_hidden)
        take_tag(server, body, count);
    if (header->type == 'D' && server->state == POOL_SERVER_PROBING &&
        !pool_session_row(server, body, count))
        server->is_failed = true;
    if (header->type == 'Z') {
        server->status = (char)body[0];
        if (server->status != 'I' && server->status != 'T' && server->status != 'E') {
            broken(server, "it sent a transaction status that there is not");
            return false;
        }
    }
    if (header->type == 'Z' && !first.is_hidden && server->state == POOL_SERVER_ACTIVE)
        note_time(server);
    if (answer == POOL_ANSWER_WHOLE) {
        if (first.query != 0 && first.kind != POOL_OWED_BIND)
            pool_query_end(server, first.query);
        pool_server_confirm(server, &first);
        pool_owed_remove(&server->owed);
    }
    if (server->owed.count == 0)
        all_is_answered(server);
    return true;
}

/* The rest of a message, to where its front went. */
static bool
body_step(struct pool_server *server)
{
    size_t unread = pool_link_unread(&server->link);
    size_t count = unread < server->body_left ? unread : server->body_left;

    if (count == 0)
        return false;
    if (!server->is_body_hidden && server->client != NULL)
        pool_link_forward(&server->client->link, &server->pool->buffers,
                          pool_link_bytes(&server->link), count);
    pool_link_consume(&server->link, count);
    server->body_left -= (uint32_t)count;
    pool_server_settle(server);
    return true;
}

static void
send_startup(struct pool_server *server)
{
    const struct pool_route *route = server->group->route;
    uint8_t bytes[512];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    server->state = POOL_SERVER_LOGIN;
    wire_put_startup(&writer, route->login->name, route->server_database, NULL, 0);
    pool_link_put(&server->link, &server->pool->buffers, bytes, writer.length);
}

/* The answer to the request for TLS, one byte; what it sent behind it could be anyone's. */
static bool
take_tls_answer(struct pool_server *server)
{
    const struct pool_route *route = server->group->route;
    size_t unread = pool_link_unread(&server->link);
    struct error err;

    if (unread == 0)
        return false;
    bool is_granted = unread == 1 && pool_link_bytes(&server->link)[0] == 'S';
    pool_link_consume(&server->link, unread);
    pool_link_settle(&server->link, &server->pool->buffers);
    if (route->tls == NULL) /* lost at a reload */
        pool_fault(&err, "08006", "the server's TLS has changed");
    else if (!is_granted)
        pool_fault(&err, "28000", "the server at %s %s", route->address.display,
                   unread > 1 ? "sent more than its answer to the request for TLS"
                              : "does not offer TLS");
    else if (!net_tls_connect(route->tls, &server->link.stream, route->host))
        pool_fault(&err, "53200", "out of memory");
    else {
        send_startup(server);
        pool_server_writable(server);
        return pool_server_is_open(server);
    }
    pool_server_close(server, &err);
    return false;
}

/* One message; false: more bytes are needed (ret_wanted), or the connection is closed. */
static bool
step(struct pool_server *server, size_t *ret_wanted)
{
    const uint8_t *bytes = pool_link_bytes(&server->link);
    size_t unread = pool_link_unread(&server->link);
    struct wire_header header;
    bool is_hidden = true;

    *ret_wanted = WIRE_HEADER_BYTES;
    if (server->body_left > 0)
        return body_step(server);
    if (server->state == POOL_SERVER_ASKING)
        return take_tls_answer(server);
    enum wire_result result = wire_read_header(bytes, unread, WIRE_FROM_SERVER, &header);
    if (result == WIRE_MORE)
        return false;
    if (result == WIRE_BAD) {
        broken(server, "it sent what is no message");
        return false;
    }
    *ret_wanted = wanted_of(server, &header);
    if (*ret_wanted > POOL_GATHER_BYTES_MAX + WIRE_HEADER_BYTES) {
        broken(server, "it sent a message that is too long");
        return false;
    }
    if (unread < *ret_wanted)
        return false;
    size_t there = unread - WIRE_HEADER_BYTES;
    if (there > header.body_bytes)
        there = header.body_bytes;
    const uint8_t *body = bytes + WIRE_HEADER_BYTES;
    if (server->state <= POOL_SERVER_LOGIN)
        pool_server_login_message(server, header.type, body, header.body_bytes);
    else
        inspect(server, &header, body, there == header.body_bytes, &is_hidden);
    if (!pool_server_is_open(server))
        return false;
    if (!is_hidden && server->client != NULL)
        pool_link_forward(&server->client->link, &server->pool->buffers, bytes,
                          WIRE_HEADER_BYTES + there);
    pool_link_consume(&server->link, WIRE_HEADER_BYTES + there);
    server->body_left = header.body_bytes - (uint32_t)there;
    server->is_body_hidden = is_hidden;
    pool_server_settle(server);
    return true;
}

static void
flush_client(struct pool_server *server)
{
    if (server->client != NULL)
        pool_client_flush(server->client); /* may close it, which takes it away from here */
}

static void
again(struct pool_server *server, struct pool_client *client)
{
    struct error err;

    if (pool_retry_end(server)) {
        pool_client_process(client);
        return;
    }
    pool_fault(&err, "53200", "out of memory");
    pool_client_fail(client, &err);
}

/* The server's own values are there again; the client's are those that it started with. */
static void
restore(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_client *client = server->client;

    server->is_restore_due = false;
    pool_parameters_move(&pool->parameters, &server->session,
                         pool_parameters_keep(pool->no_parameters));
    pool_parameters_move(&pool->parameters, &client->session,
                         pool_parameters_keep(client->startup));
    if (!pool_session_setup(server))
        return; /* goes on when it is done */
    pool_client_process(client);
}

/* All that was read is handled: what now. */
static void
conclude(struct pool_server *server)
{
    if (is_busy_hidden(server)) {
        if (server->owed.count == 0 && !server->link.stream.is_readable &&
            pool_link_unread(&server->link) == 0 && server->status == 'I')
            pool_session_done(server);
        return;
    }
    if (server->state != POOL_SERVER_ACTIVE)
        return;
    struct pool_client *client = server->client;
    if (server->owed.count == 0 && server->retry.is_due) {
        again(server, client);
        return;
    }
    if (server->is_restore_due && server->owed.count == 0 && server->status == 'I') {
        restore(server);
        return;
    }
    if (server->is_restart_due && server->owed.count == 0 && server->status == 'I' &&
        !server->is_unsynced) {
        pool_session_restart(server);
        return;
    }
    pool_group_checkin(server, false);
    if (client != NULL && (client->server == server || client->state == POOL_CLIENT_IDLE) &&
        (pool_link_unread(&client->link) > 0 || client->link.stream.is_readable))
        pool_client_process(client);
}

static void
lost(struct pool_server *server)
{
    const char *fault = net_tls_fault(&server->link.stream);
    struct error err;

    if (fault[0] != '\0')
        pool_fault(&err, "28000", "TLS with the server at %s failed: %s",
                   server->group->route->address.display, fault);
    else if (server->state <= POOL_SERVER_LOGIN && server->link.received_bytes == 0)
        pool_fault(&err, "08001", "cannot connect to the server at %s: it refused, or said nothing",
                   server->group->route->address.display);
    else
        pool_fault(&err, "08006", "the server closed the connection unexpectedly");
    pool_server_close(server, &err);
}

void
pool_server_process(struct pool_server *server)
{
    struct pool *pool = server->pool;
    size_t wanted = WIRE_HEADER_BYTES;

    for (;;) {
        while (step(server, &wanted))
            continue;
        if (pool_server_is_open(server))
            flush_client(server);
        if (!pool_server_is_open(server))
            return;
        if (server->client != NULL && pool_link_is_stuck(&server->client->link))
            return; /* goes on when the client has taken what it got */
        pool_link_settle(&server->link, &pool->buffers);
        enum pool_fill fill = pool_link_fill(&server->link, &pool->buffers, wanted);
        if (fill == POOL_FILL_NONE)
            break;
        if (fill != POOL_FILL_SOME) {
            lost(server);
            return;
        }
    }
    conclude(server);
}

void
pool_server_writable(struct pool_server *server)
{
    struct pool *pool = server->pool;
    uint8_t bytes[16];

    if (server->state == POOL_SERVER_CONNECTING && server->group->route->tls != NULL) {
        struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
        server->state = POOL_SERVER_ASKING;
        wire_put_ssl_request(&writer);
        pool_link_put(&server->link, &pool->buffers, bytes, writer.length);
    } else if (server->state == POOL_SERVER_CONNECTING && server->is_by_local &&
               !server->link.stream.has_ended && !pool_local_is_same(server)) {
        struct error err;
        pool_fault(&err, "08001", "another server listens there now");
        pool_server_close(server, &err);
        return;
    } else if (server->state == POOL_SERVER_CONNECTING) {
        send_startup(server);
    }
    if (!pool_link_flush(&server->link, &pool->buffers)) {
        lost(server);
        return;
    }
    if (server->client != NULL && !pool_link_is_stuck(&server->link))
        pool_client_process(server->client);
}
