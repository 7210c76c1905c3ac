// SPDX-License-Identifier: MIT
/* Messages of a client that has a server: each goes on as it is, under another name, or not at
 * all; what the server will owe for it is noted at the same time, never later. */
#include "pool/pool.h"

#include <ctype.h>
#include <stdio.h>

struct message {
    struct pool_client *client;
    struct pool_server *server;
    const uint8_t *bytes; /* with the header */
    const uint8_t *body;
    size_t there; /* of the body */
    struct wire_header header;
    bool is_whole;
    bool is_waiting; /* to be handled again later */
};

static bool
fail(struct pool_client *client, const char *sqlstate, const char *text)
{
    struct error err;

    pool_fault(&err, sqlstate, "%s", text);
    pool_client_fail(client, &err);
    return false;
}

static bool
owe(struct message *message, enum pool_owed_kind kind)
{
    return pool_server_owe(message->server, kind, false, 0);
}

/* It hangs on answers that are owed, or on the rest of a message that nobody has asked for: false
 * when there are none, else it is handled again then. */
static bool
hold(struct message *message)
{
    if (message->server->owed.count == 0 && message->server->body_left == 0)
        return false;
    message->is_waiting = message->client->is_held = true;
    return true;
}

/* What the client's name is, or whether the server has that statement, is not certain: a group in
 * front may fail. */
static bool
is_unsure(const struct pool_server *server, const char *name)
{
    return pool_owed_is_unsure(&server->owed, pool_name_key(name), 0);
}

static bool
is_number_unsure(const struct pool_server *server, const struct pool_prepared *prepared)
{
    return prepared != NULL && pool_owed_is_unsure(&server->owed, 0, prepared->number);
}

/* Whether a Parse that comes to the server now would not be refused for a failed transaction. */
static bool
is_surely_alive(const struct pool_server *server)
{
    return server->status == 'I' ? !server->may_be_in_block
                                 : server->status == 'T' && !pool_owed_has_group(&server->owed);
}

/* As it is. What is not there yet follows (body_left). */
static void
forward(struct message *message)
{
    pool_link_forward(&message->server->link, &message->client->pool->buffers, message->bytes,
                      WIRE_HEADER_BYTES + message->there);
}

static void
put(struct pool_server *server, const void *bytes, size_t count)
{
    pool_link_put(&server->link, &server->pool->buffers, bytes, count);
}

/* A message made of: before, a name, and rest_bytes more, of which the caller sends some or all. */
static void
put_named(struct pool_server *server, uint8_t type, struct pool_sql_span before, const char *name,
          size_t rest_bytes)
{
    uint8_t header[WIRE_HEADER_BYTES];
    struct wire_writer writer = wire_writer(header, sizeof(header));

    wire_put_byte(&writer, type);
    wire_put_uint32(&writer, (uint32_t)(4 + before.length + strlen(name) + 1 + rest_bytes));
    put(server, header, sizeof(header));
    put(server, before.at, before.length);
    put(server, name, strlen(name) + 1);
}

static bool
is_renaming(const struct message *message)
{
    return message->client->mode != DECK_POOL_SESSION;
}

static void
set_unnamed(struct pool_server *server, struct pool_statement *statement)
{
    pool_statement_drop(&server->pool->statements, server->unnamed);
    server->unnamed = statement;
}

/* The client's unnamed statement becomes another: what is owed last will have made it so, and has
 * what it was before. */
static void
change_unnamed(struct pool_client *client, struct pool_statement *statement)
{
    pool_owed_mark(&client->server->owed, POOL_OWED_UNNAMED, pool_name_key(""), client->unnamed);
    client->unnamed = statement;
}

/* --- statements ---------------------------------------------------------------------------- */

static bool
put_statement(struct pool_server *server, const struct pool_statement *statement, const char *name,
              uint32_t number)
{
    size_t bytes = statement->text_bytes + statement->types_bytes;

    put_named(server, 'P', (struct pool_sql_span){"", 0}, name, bytes);
    put(server, statement->text, bytes);
    if (!pool_server_owe(server, POOL_OWED_PARSE, true, number))
        return false;
    if (number == POOL_OWED_UNNAMED)
        pool_owed_mark(&server->owed, 0, pool_name_key(""), NULL);
    return true;
}

/* The server forgets the statement of that number; 0: nothing. */
static bool
close_prepared(struct pool_server *server, uint32_t number)
{
    char name[POOL_PREPARED_NAME_BYTES];

    if (number == 0 || number == POOL_OWED_UNNAMED)
        return true;
    pool_prepared_name(&server->prepared, number, name);
    put_named(server, 'C', (struct pool_sql_span){"S", 1}, name, 0);
    return pool_server_owe(server, POOL_OWED_CLOSE, true, number);
}

/* Makes sure that the server has the statement; ret_name: how it is called there. */
static bool
ensure(struct pool_server *server, struct pool_statement *statement,
       char ret_name[POOL_PREPARED_NAME_BYTES], uint32_t *ret_number)
{
    struct pool *pool = server->pool;
    struct pool_prepared *prepared = pool_prepared_find(&server->prepared, statement);
    uint32_t evicted = 0;

    *ret_number = prepared == NULL ? 0 : prepared->number;
    if (prepared != NULL) {
        pool_prepared_name(&server->prepared, prepared->number, ret_name);
        return true;
    }
    prepared = pool_prepared_add(&server->prepared, &pool->statements, statement, &evicted);
    if (prepared == NULL)
        return false;
    bool is_fine = close_prepared(server, evicted) && close_prepared(server, server->retry.stale);
    server->retry.stale = 0;
    if (!is_fine)
        return false;
    *ret_number = prepared->number;
    pool_prepared_name(&server->prepared, prepared->number, ret_name);
    return put_statement(server, statement, ret_name, prepared->number);
}

/* auto_prepare: whether the client's unnamed statement is one that the servers keep; not where the
 * same text could mean something else, by another search_path or temporary objects. */
static bool
can_keep(const struct pool_client *client, const struct pool_server *server,
         const struct pool_statement *statement)
{
    return server->group->route->has_auto_prepare &&
           (statement->sql.signs & ~(unsigned)POOL_SQL_BLOCK) == 0 && client->pins == 0 &&
           pool_parameters_find(client->session, "search_path") == NULL;
}

struct server_name {
    const char *text;
    const struct pool_statement *statement; /* NULL: none of the client's */
    uint32_t number;                        /* 0: not one of the pool's */
    char buffer[POOL_PREPARED_NAME_BYTES];
};

/* What comes of a statement that is bound or described. */
static void
note_bound(struct message *message, const struct pool_sql *sql)
{
    struct pool_client *client = message->client;

    pool_session_note(client, sql);
    client->is_forget_bound |= (sql->signs & POOL_SQL_FORGET) != 0;
    message->server->may_be_in_block |= (sql->signs & POOL_SQL_BLOCK) != 0;
}

/* What is owed last is the answer to that query. */
static void
note_query(struct message *message, uint64_t hash)
{
    struct pool_owed *last = pool_owed_last(&message->server->owed);

    if (last != NULL)
        last->query = hash;
}

/* The server has no unnamed statement. */
static bool
close_unnamed(struct pool_server *server)
{
    put_named(server, 'C', (struct pool_sql_span){"S", 1}, "", 0);
    return pool_server_owe(server, POOL_OWED_CLOSE, true, 0);
}

/* The name by which the server knows the client's statement, which it has then. A name that the
 * client does not have is sent on, so that the server says so; but never as one of the pool's. */
static bool
server_name(struct message *message, const char *name, struct server_name *ret_name)
{
    struct pool_client *client = message->client;
    struct pool_server *server = message->server;
    struct pool_statement *statement =
        name[0] == '\0' ? client->unnamed : pool_names_find(&client->names, name);
    struct pool_prepared *prepared =
        statement == NULL ? NULL : pool_prepared_find(&server->prepared, statement);

    ret_name->text = name;
    ret_name->number = 0;
    ret_name->statement = statement;
    if (is_unsure(server, name) && hold(message))
        return false;
    bool is_kept = name[0] == '\0' && prepared != NULL && can_keep(client, server, statement) &&
                   !is_number_unsure(server, prepared);
    if (name[0] != '\0' && is_number_unsure(server, prepared) && hold(message))
        return false;
    if (statement != NULL)
        note_bound(message, &statement->sql);
    if ((name[0] != '\0' && statement != NULL) || is_kept) {
        ret_name->text = ret_name->buffer;
        return ensure(server, statement, ret_name->buffer, &ret_name->number);
    }
    if (name[0] != '\0') { /* prepared by SQL, if there is one */
        note_bound(message, &(struct pool_sql){.signs = POOL_SQL_EXECUTES});
        if (strncmp(name, POOL_PREPARED_PREFIX, strlen(POOL_PREPARED_PREFIX)) == 0)
            ret_name->text = "_pgdeck";
        return true;
    }
    if (statement == server->unnamed && statement != NULL)
        return true;
    set_unnamed(server, statement == NULL ? NULL : pool_statement_keep(statement));
    if (statement == NULL) /* its own was never there or is closed; another's is no answer */
        return close_unnamed(server);
    return put_statement(server, statement, "", POOL_OWED_UNNAMED);
}

/* A statement that the client may not have: an error, and it goes on, where nothing else is under
 * way. False always. */
static bool
refuse(struct message *message, const struct error *err)
{
    struct pool_client *client = message->client;
    struct pool_server *server = message->server;

    if (message->header.type != 'Q' || server->owed.count > 0 || server->status != 'I') {
        pool_client_fail(client, err);
        return false;
    }
    pool_client_put_error(client, "ERROR", err);
    pool_client_put_ready(client, 'I');
    pool_link_consume(&client->link, WIRE_HEADER_BYTES + message->there);
    client->body_left = message->header.body_bytes - (uint32_t)message->there;
    client->is_body_dropped = true;
    pool_group_checkin(server, false);
    return false;
}

static bool
refuse_name(struct message *message)
{
    struct error err;

    pool_fault(&err, "42602", "names of prepared statements with \"%s\" are the pool's own",
               POOL_PREPARED_PREFIX);
    return refuse(message, &err);
}

static bool
refuse_state(struct message *message, unsigned pins)
{
    char text[256];
    struct error err;

    pool_fault(&err, "0A000", "this pool does not carry session state: %s",
               pool_session_pins(pins, text, sizeof(text)));
    error_hint(&err, "Its on_session_state is \"refuse\"; use a pool with mode: session.");
    return refuse(message, &err);
}

/* on_session_state: refuse, and names of the pool's own. False: the client has been told. */
static bool
is_permitted(struct message *message, const struct pool_sql *sql)
{
    unsigned pins = sql->signs & POOL_SQL_PINS & ~(unsigned)POOL_SQL_STATEMENTS; /* are carried */

    if (!is_renaming(message))
        return true;
    if ((sql->signs & POOL_SQL_RESERVED) != 0)
        return refuse_name(message);
    if (pins != 0 && message->server->group->route->on_session_state == DECK_POOL_REFUSE)
        return refuse_state(message, pins);
    return true;
}

/* One that comes often is prepared by a name of the pool's own, and kept. */
static bool
parse_unnamed(struct message *message, struct pool_statement *statement)
{
    struct pool_server *server = message->server;
    struct pool_prepared *prepared = pool_prepared_find(&server->prepared, statement);
    char name[POOL_PREPARED_NAME_BYTES];
    uint32_t number;
    bool is_fine;

    if (!can_keep(message->client, server, statement) || !is_surely_alive(server) ||
        is_number_unsure(server, prepared) ||
        (prepared == NULL && !pool_seen_often(&server->group->seen, statement))) {
        set_unnamed(server, pool_statement_keep(statement));
        forward(message);
        is_fine = pool_server_owe(server, POOL_OWED_PARSE, false, POOL_OWED_UNNAMED);
    } else if (prepared != NULL) {
        is_fine = owe(message, POOL_OWED_LOCAL_PARSE);
    } else if ((is_fine = ensure(server, statement, name, &number))) {
        pool_server_reveal(server, 0, 0);
    }
    if (!is_fine) {
        pool_statement_drop(&server->pool->statements, statement);
        return false;
    }
    change_unnamed(message->client, statement);
    pool_server_settle(server);
    return true;
}

/* The client has that name already. The server is to say so, if that is what it says of the text:
 * it gets the statement twice by one name. */
static bool
parse_taken(struct message *message, const struct wire_parse *parsed,
            struct pool_statement *statement)
{
    struct pool_server *server = message->server;
    size_t rest = parsed->types_bytes + strlen(parsed->sql) + 1;
    char name[POOL_PREPARED_NAME_BYTES];
    uint32_t number;

    if (is_number_unsure(server, pool_prepared_find(&server->prepared, statement)) && hold(message))
        return true;
    if (!ensure(server, statement, name, &number))
        return false;
    put_named(server, 'P', (struct pool_sql_span){"", 0}, name, rest);
    put(server, parsed->sql, rest);
    return owe(message, POOL_OWED_PARSE);
}

/* A new name for a statement, of which this takes over the reference. */
static bool
parse_named(struct message *message, const char *client_name, struct pool_statement *statement)
{
    struct pool_client *client = message->client;
    struct pool_server *server = message->server;
    struct pool_statement_table *table = &client->pool->statements;
    struct pool_prepared *prepared = pool_prepared_find(&server->prepared, statement);
    char name[POOL_PREPARED_NAME_BYTES];
    uint32_t number, key = pool_name_key(client_name);
    bool is_fine;

    if (is_number_unsure(server, prepared) && hold(message)) {
        pool_statement_drop(table, statement);
        return true;
    }
    uint32_t client_number = pool_names_add(&client->names, table, client_name, statement);
    if (client_number == 0)
        return false;
    if (prepared == NULL) {
        is_fine = ensure(server, statement, name, &number);
        if (is_fine)
            pool_server_reveal(server, client_number, key);
        return is_fine;
    }
    if (is_surely_alive(server)) {
        is_fine = owe(message, POOL_OWED_LOCAL_PARSE);
    } else { /* whether it may is for the server to say */
        set_unnamed(server, pool_statement_keep(statement));
        is_fine = put_statement(server, statement, "", POOL_OWED_UNNAMED);
        pool_owed_last(&server->owed)->is_hidden = false;
    }
    if (is_fine)
        pool_owed_mark(&server->owed, client_number, key, NULL);
    pool_server_settle(server);
    return is_fine;
}

static bool
parse(struct message *message)
{
    struct pool_client *client = message->client;
    struct pool *pool = client->pool;
    struct wire_parse parsed;
    bool is_read = message->is_whole && wire_read_parse(message->body, message->there, &parsed);
    bool is_streamed = !message->is_whole && !is_renaming(message);

    if (!is_read && !is_streamed)
        return fail(client, "08P01", "malformed Parse message");
    if (is_streamed || !is_renaming(message)) {
        forward(message);
        return owe(message, POOL_OWED_PARSE);
    }
    if (parsed.name[0] != '\0' && is_unsure(message->server, parsed.name) && hold(message))
        return true;
    struct pool_statement *statement =
        pool_statement_make(&pool->statements, &parsed, client->reported->has_backslashes);
    if (statement == NULL)
        return false;
    if (!is_permitted(message, &statement->sql)) {
        pool_statement_drop(&pool->statements, statement);
        return false;
    }
    if (parsed.name[0] == '\0')
        return parse_unnamed(message, statement);
    if (pool_names_find(&client->names, parsed.name) == NULL)
        return parse_named(message, parsed.name, statement);
    bool is_fine = parse_taken(message, &parsed, statement);
    pool_statement_drop(&pool->statements, statement);
    return is_fine;
}

static void
begin_bound(struct message *message, const struct pool_statement *statement)
{
    message->client->bound_query = statement == NULL ? 0 : statement->sql.hash;
    if (statement != NULL)
        pool_query_begin(message->server, statement->sql.hash, statement->text,
                         statement->text_bytes - 1);
}

static bool
bind_portal(struct message *message)
{
    struct wire_bind names;
    struct server_name name;

    if (!wire_read_bind(message->body, message->there, message->is_whole, &names))
        return fail(message->client, "08P01", "malformed Bind message");
    if (!is_renaming(message)) {
        forward(message);
        return owe(message, POOL_OWED_BIND);
    }
    if (!server_name(message, names.statement, &name))
        return message->is_waiting;
    begin_bound(message, name.statement);
    if (name.text == names.statement) {
        forward(message);
        bool is_owed = owe(message, POOL_OWED_BIND);
        note_query(message, message->client->bound_query);
        return is_owed;
    }
    struct pool_sql_span portal = {names.portal, strlen(names.portal) + 1};
    put_named(message->server, 'B', portal, name.text,
              message->header.body_bytes - names.names_bytes);
    put(message->server, message->body + names.names_bytes, message->there - names.names_bytes);
    bool is_owed = pool_server_owe(message->server, POOL_OWED_BIND, false, name.number);
    note_query(message, message->client->bound_query);
    return is_owed;
}

static bool
describe(struct message *message)
{
    struct wire_target target;
    struct server_name name;

    if (!wire_read_target(message->body, message->there, &target))
        return fail(message->client, "08P01", "malformed Describe message");
    if (target.kind == 'P' || !is_renaming(message)) {
        forward(message);
        return owe(message,
                   target.kind == 'P' ? POOL_OWED_DESCRIBE_PORTAL : POOL_OWED_DESCRIBE_STATEMENT);
    }
    if (!server_name(message, target.name, &name))
        return message->is_waiting;
    put_named(message->server, 'D', (struct pool_sql_span){"S", 1}, name.text, 0);
    return pool_server_owe(message->server, POOL_OWED_DESCRIBE_STATEMENT, false, name.number);
}

static bool
close_target(struct message *message)
{
    struct pool_client *client = message->client;
    struct wire_target target;

    if (!wire_read_target(message->body, message->there, &target))
        return fail(client, "08P01", "malformed Close message");
    if (target.kind == 'P' || !is_renaming(message)) {
        forward(message);
        return owe(message, POOL_OWED_CLOSE);
    }
    if (target.name[0] != '\0' && is_unsure(message->server, target.name) && hold(message))
        return true;
    if (pool_names_find(&client->names, target.name) == NULL &&
        pool_parameters_have_statement(client->session, target.name)) { /* prepared by SQL */
        client->signs |= POOL_SQL_STATEMENTS;
        forward(message);
        return owe(message, POOL_OWED_CLOSE);
    }
    if (!owe(message, POOL_OWED_LOCAL_CLOSE)) /* the server keeps it for others */
        return false;
    if (target.name[0] == '\0')
        change_unnamed(client, NULL);
    else
        pool_owed_mark(&message->server->owed, 0, pool_name_key(target.name),
                       pool_names_detach(&client->names, target.name));
    pool_server_settle(message->server);
    return true;
}

static bool
execute(struct message *message)
{
    const char *portal;

    if (!wire_read_execute(message->body, message->there, &portal))
        return fail(message->client, "08P01", "malformed Execute message");
    message->server->group->statistics.queries++;
    message->server->is_forgetting |= message->client->is_forget_bound;
    forward(message);
    bool is_owed = owe(message, POOL_OWED_EXECUTE);
    note_query(message, message->client->bound_query);
    return is_owed;
}

/* --- the rest ------------------------------------------------------------------------------ */

/* DEALLOCATE of a statement that the client has prepared by the protocol: the server knows it by
 * another name, and keeps it for others. True: done, or to be done once nothing is owed. */
static bool
deallocate(struct message *message, const struct pool_sql *sql)
{
    struct pool_client *client = message->client;
    char name[64];
    size_t length = sql->prepared.length;
    uint8_t bytes[32];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    if (!message->is_whole || sql->prepared.at == NULL || !sql->is_deallocate ||
        length >= sizeof(name))
        return false;
    bool is_quoted = sql->prepared.at[0] == '"';
    snprintf(name, sizeof(name), "%.*s", (int)(is_quoted ? length - 2 : length),
             sql->prepared.at + is_quoted);
    for (char *at = name; !is_quoted && *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    bool is_its = is_unsure(message->server, name) || pool_names_find(&client->names, name) != NULL;
    if (!is_its || hold(message))
        return is_its;
    if (message->server->status == 'E') /* it says so */
        return false;
    pool_names_remove(&client->names, &client->pool->statements, name);
    pool_statement_drop(&client->pool->statements, client->unnamed); /* as by any query */
    client->unnamed = NULL;
    wire_put_complete(&writer, "DEALLOCATE");
    wire_put_ready(&writer, message->server->status);
    pool_link_put(&client->link, &client->pool->buffers, bytes, writer.length);
    pool_link_consume(&client->link, WIRE_HEADER_BYTES + message->there);
    pool_group_checkin(message->server, false);
    return true;
}

static bool
query(struct message *message)
{
    struct pool_client *client = message->client;
    struct pool_server *server = message->server;
    struct pool_sql sql;

    if (message->is_whole &&
        memchr(message->body, '\0', message->there) != message->body + message->there - 1)
        return fail(client, "08P01", "malformed Query message");
    pool_sql_scan((const char *)message->body, message->there - message->is_whole,
                  client->reported->has_backslashes, &sql);
    if (is_renaming(message)) {
        if (!message->is_whole)
            sql.signs |= POOL_SQL_OPAQUE;
        if (!is_permitted(message, &sql))
            return true;
        if (deallocate(message, &sql))
            return true;
        pool_session_note(client, &sql);
        server->is_forgetting |= (sql.signs & POOL_SQL_FORGET) != 0;
        server->may_be_in_block |= !message->is_whole || (sql.signs & POOL_SQL_BLOCK) != 0;
    }
    server->group->statistics.queries++;
    forward(message);
    if (!owe(message, POOL_OWED_QUERY))
        return false;
    pool_query_begin(server, sql.hash, (const char *)message->body,
                     message->there - message->is_whole);
    note_query(message, sql.hash);
    if (is_renaming(message)) { /* as the server does */
        set_unnamed(server, NULL);
        change_unnamed(client, NULL);
    }
    return true;
}

static bool
call(struct message *message)
{
    struct pool_sql sql = {.signs = POOL_SQL_OPAQUE};

    pool_session_note(message->client, &sql); /* a function by its number: who knows which */
    message->server->group->statistics.queries++;
    forward(message);
    return owe(message, POOL_OWED_CALL);
}

static bool
end_group(struct message *message)
{
    /* Within COPY IN the server passes over it, and owes nothing. If the COPY has just failed
     * there, the client's next Sync, behind its CopyDone, is the one that counts. */
    if (message->server->copy == POOL_COPY_IN &&
        !pool_owed_has(&message->server->owed, POOL_OWED_COPY_END))
        return true;
    forward(message);
    return owe(message, POOL_OWED_SYNC);
}

static bool
as_it_is(struct message *message)
{
    forward(message);
    return true;
}

static bool
copy_end(struct message *message)
{
    forward(message);
    bool is_noted = owe(message, POOL_OWED_COPY_END);
    pool_server_settle(message->server);
    return is_noted;
}

static bool
terminate(struct message *message)
{
    if (!hold(message)) /* it may still listen to what it has asked for */
        pool_client_close(message->client);
    return true;
}

/* What is done with a message, and how much of it must be there first. */
struct handler {
    uint32_t gather_bytes;                   /* 0: only the header; UINT32_MAX: all of it */
    bool (*handle)(struct message *message); /* false: no memory, unless the client is told */
};

static const struct handler handlers[256] = {
    ['P'] = {UINT32_MAX, parse},
    ['B'] = {POOL_GATHER_BYTES_MAX, bind_portal},
    ['D'] = {UINT32_MAX, describe},
    ['C'] = {UINT32_MAX, close_target},
    ['E'] = {UINT32_MAX, execute},
    ['S'] = {0, end_group},
    ['H'] = {0, as_it_is},
    ['Q'] = {POOL_GATHER_BYTES_MAX, query},
    ['F'] = {0, call},
    ['d'] = {0, as_it_is},
    ['c'] = {0, copy_end},
    ['f'] = {UINT32_MAX, copy_end},
    ['X'] = {0, terminate},
};

/* The next message, as far as its handler wants it; false: more bytes, or the client is told. */
static bool
next_message(struct pool_client *client, struct message *ret_message)
{
    const uint8_t *bytes = pool_link_bytes(&client->link);
    size_t unread = pool_link_unread(&client->link);
    struct wire_header header;

    client->wanted = WIRE_HEADER_BYTES;
    enum wire_result result = wire_read_header(bytes, unread, WIRE_FROM_CLIENT, &header);
    if (result == WIRE_MORE)
        return false;
    if (result == WIRE_BAD || handlers[header.type].handle == NULL)
        return fail(client, "08P01", "invalid message from the client");
    uint32_t gather = handlers[header.type].gather_bytes;
    if (header.type == 'P' && client->mode == DECK_POOL_SESSION)
        gather = POOL_GATHER_BYTES_MAX; /* it goes on as it is */
    else if (header.type == 'P' && header.body_bytes > POOL_PARSE_BYTES_MAX)
        return fail(client, "54000", "the text of a statement to be prepared is too long");
    if (gather > header.body_bytes)
        gather = header.body_bytes;
    client->wanted = WIRE_HEADER_BYTES + gather;
    if (unread < client->wanted)
        return false;
    size_t there = unread - WIRE_HEADER_BYTES;
    *ret_message = (struct message){
        .client = client,
        .server = client->server,
        .bytes = bytes,
        .body = bytes + WIRE_HEADER_BYTES,
        .there = there < header.body_bytes ? there : header.body_bytes,
        .header = header,
        .is_whole = there >= header.body_bytes,
    };
    return true;
}

bool
pool_client_forward_step(struct pool_client *client)
{
    struct message message;

    if (!next_message(client, &message))
        return false;
    struct pool_server *server = message.server;
    size_t unread = pool_link_unread(&client->link);
    bool is_left_out =
        server->owed.is_skipping && message.header.type != 'S' && message.header.type != 'X';
    bool is_start =
        is_renaming(&message) &&
        pool_retry_note(server, message.header.type, message.is_whole ? message.bytes : NULL,
                        WIRE_HEADER_BYTES + message.there);
    client->is_held = false;
    if (server->is_forgetting && strchr("PBDCQ", message.header.type) != NULL)
        (void)hold(&message);
    if (!is_left_out && !message.is_waiting && !handlers[message.header.type].handle(&message)) {
        if (pool_client_is_open(client))
            fail(client, "53200", "out of memory");
        return false;
    }
    if (message.is_waiting)
        pool_retry_forget(&server->retry);
    if (!pool_client_is_open(client) || message.is_waiting)
        return false;
    server->is_flush_sent = false; /* not behind this one */
    if (is_start)
        pool_retry_mark(server);
    if (pool_link_unread(&client->link) != unread) /* the handler has seen to it */
        return true;
    pool_link_consume(&client->link, WIRE_HEADER_BYTES + message.there);
    client->body_left = message.header.body_bytes - (uint32_t)message.there;
    client->is_body_dropped = is_left_out;
    return true;
}
