// SPDX-License-Identifier: MIT
/* What outlives a transaction: parameters, which follow a client from server to server, and what
 * cannot be carried, which pins it. The server is asked what there is; texts only say when to. */
#include "pool/pool.h"

#include "base/embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
    MESSAGE_BYTES = 4 * POOL_PARAMETERS_BYTES_MAX,
    STATEMENT_NAME_BYTES = 64,
    DEALLOCATE_BYTES = 16 + 2 * STATEMENT_NAME_BYTES,
};

struct pin {
    unsigned sign;
    const char *what; /* in the probe's answer */
    const char *name;
};

static const struct pin pins[] = {
    {POOL_SQL_LOCKS, "locks", "advisory locks of the session"},
    {POOL_SQL_LISTEN, "listen", "LISTEN"},
    {POOL_SQL_CURSORS, "cursors", "cursors WITH HOLD"},
    {POOL_SQL_TEMPORARY, "temporary", "temporary objects"},
    {POOL_SQL_STATEMENTS, "", "statements prepared by SQL"},
    {POOL_SQL_ROLE, "role", "SET SESSION AUTHORIZATION"},
    {POOL_SQL_LIBRARY, "", "LOAD"},
    {POOL_SQL_UNNAMED, "", "parameters that cannot be carried"},
};
enum { PIN_COUNT = sizeof(pins) / sizeof(pins[0]) };
#define TIMED_OUT "57014"
/* The server cannot be asked for these: they stay until the session ends, or DISCARD ALL. */
#define STICKY ((unsigned)(POOL_SQL_LIBRARY | POOL_SQL_UNNAMED))

const char *
pool_session_pins(unsigned signs, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < PIN_COUNT && length < size; i++) {
        if ((signs & pins[i].sign) != 0)
            length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "",
                                       pins[i].name);
    }
    return text;
}

/* --- messages of the pool's own ------------------------------------------------------------ */

static void
put_hex(struct wire_writer *writer, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        wire_put_byte(writer, (uint8_t)digits[(uint8_t)text[i] >> 4]);
        wire_put_byte(writer, (uint8_t)digits[(uint8_t)text[i] & 15]);
    }
}

/* Parse, Bind with parameters as text, Execute, Sync: all hidden. parameters: written already, each
 * with its length. */
static bool
send_statement(struct pool_server *server, const char *path, const struct wire_writer *parameters,
               unsigned parameter_count)
{
    static const uint8_t no_types[2] = {0, 0};
    struct pool *pool = server->pool;
    uint8_t *bytes = malloc((size_t)2 * MESSAGE_BYTES);
    struct wire_writer writer = wire_writer(bytes, bytes == NULL ? 0 : (size_t)2 * MESSAGE_BYTES);

    wire_put_parse(&writer, "", embedded_file(path)->text, no_types, sizeof(no_types));
    wire_begin(&writer, 'B');
    wire_put_bytes(&writer, "\0\0\0\0", 4); /* portal, statement, formats */
    wire_put_uint16(&writer, (uint16_t)parameter_count);
    wire_put_bytes(&writer, parameters->bytes, parameters->length);
    wire_put_uint16(&writer, 0);
    wire_end(&writer);
    wire_begin(&writer, 'E');
    wire_put_bytes(&writer, "\0\0\0\0\0", 5);
    wire_end(&writer);
    wire_put_empty(&writer, 'S');
    pool_statement_drop(&pool->statements, server->unnamed);
    server->unnamed = NULL;
    bool is_sent = bytes != NULL && !parameters->is_full &&
                   pool_server_owe(server, POOL_OWED_PARSE, true, 0) &&
                   pool_server_owe(server, POOL_OWED_BIND, true, 0) &&
                   pool_server_owe(server, POOL_OWED_EXECUTE, true, 0) &&
                   pool_server_owe(server, POOL_OWED_SYNC, true, 0) &&
                   pool_server_send(server, &writer);
    free(bytes);
    return is_sent;
}

static void
begin(struct pool_server *server, enum pool_server_state state)
{
    server->state = state;
    server->is_failed = false;
    server->deadline_us = server->pool->now_us + (uint64_t)POOL_DRAIN_TIMEOUT_MS * 1000;
}

static void
cannot_send(struct pool_server *server)
{
    struct error err;

    pool_fault(&err, "08006", "the server closed the connection");
    pool_server_close(server, &err);
}

/* --- statements prepared by SQL ------------------------------------------------------------- */

/* A query of the pool's own. statement: 1 and where in the client's session what it prepares is,
 * POOL_OWED_UNNAMED when it deallocates one. */
static bool
put_query(struct pool_server *server, const char *text, uint32_t statement)
{
    struct pool *pool = server->pool;
    uint8_t header[WIRE_HEADER_BYTES];
    struct wire_writer writer = wire_writer(header, sizeof(header));
    size_t bytes = strlen(text) + 1;

    wire_put_byte(&writer, 'Q');
    wire_put_uint32(&writer, (uint32_t)(4 + bytes));
    pool_link_put(&server->link, &pool->buffers, header, sizeof(header));
    pool_link_put(&server->link, &pool->buffers, text, bytes);
    pool_statement_drop(&pool->statements, server->unnamed);
    server->unnamed = NULL;
    return pool_server_owe(server, POOL_OWED_QUERY, true, statement);
}

/* RESET first: it waits for no snapshot, and DISCARD ALL is to be done under the server's own
 * settings. */
static bool
send_discard(struct pool_server *server)
{
    return put_query(server, "RESET ALL", 0) && put_query(server, "DISCARD ALL", 0) &&
           pool_link_flush(&server->link, &server->pool->buffers);
}

/* What follows up to COMMIT is not done as the session's settings have it: a DEFERRABLE transaction
 * would wait for a snapshot. */
#define OPEN_BLOCK "BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE"
#define SHIELD                                                                                     \
    "; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"

static bool
is_in_the_way(const struct pool_parameters *set)
{
    return pool_parameters_find(set, "default_transaction_deferrable") != NULL ||
           pool_parameters_find(set, "statement_timeout") != NULL;
}

static bool
deallocate(struct pool_server *server, const char *name)
{
    char text[DEALLOCATE_BYTES] = "DEALLOCATE \"";
    size_t length = strlen(text);

    for (; *name != '\0' && length + 4 < sizeof(text); name++) {
        if (*name == '"')
            text[length++] = '"';
        text[length++] = *name;
    }
    text[length++] = '"';
    text[length] = '\0';
    return put_query(server, text, POOL_OWED_UNNAMED);
}

/* Whether the set has that statement, made by the same text. */
static bool
has_same(const struct pool_parameters *set, const struct pool_parameter *one)
{
    const char *value = pool_parameters_find(set, one->name);

    return value != NULL && strcmp(value, one->value) == 0;
}

static bool
drop_statements(struct pool_server *server, const struct pool_parameters *from,
                const struct pool_parameters *to)
{
    for (unsigned i = 0; i < from->count; i++) {
        const struct pool_parameter *one = &from->items[i];
        if (pool_parameter_is_statement(one) && !has_same(to, one) &&
            !deallocate(server, one->name + 1))
            return false;
    }
    return true;
}

static bool
make_statements(struct pool_server *server, const struct pool_parameters *from,
                const struct pool_parameters *to)
{
    for (unsigned i = 0; i < to->count; i++) {
        const struct pool_parameter *one = &to->items[i];
        if (pool_parameter_is_statement(one) && !has_same(from, one) &&
            !put_query(server, one->value, i + 1))
            return false;
    }
    return true;
}

void
pool_session_refused(struct pool_server *server, uint32_t statement)
{
    struct pool *pool = server->pool;
    struct pool_parameter items[POOL_PARAMETERS_MAX];
    size_t count = 0;

    if (statement == POOL_OWED_UNNAMED || server->state != POOL_SERVER_SETUP)
        return;
    const char *name = server->client->session->items[statement - 1].name;
    for (unsigned i = 0; i < server->next_session->count; i++) {
        if (strcmp(server->next_session->items[i].name, name) != 0)
            items[count++] = server->next_session->items[i];
    }
    const struct pool_parameters *set = pool_parameters_make(&pool->parameters, items, count);
    if (set == NULL)
        server->is_failed = true;
    else
        pool_parameters_move(&pool->parameters, &server->next_session, set);
}

/* --- set-up -------------------------------------------------------------------------------- */

/* Names and values that make one set of parameters another, in hex: what pool_restore.sql takes. */
struct changes {
    struct wire_writer names, values;
    unsigned count;
};

static void
add_change(struct changes *changes, const char *name, const char *value)
{
    if (changes->count++ > 0) {
        wire_put_byte(&changes->names, ',');
        wire_put_byte(&changes->values, ',');
    }
    put_hex(&changes->names, name, strlen(name));
    wire_put_byte(&changes->values, value == NULL ? 'r' : 'v');
    if (value != NULL)
        put_hex(&changes->values, value, strlen(value));
}

/* The role goes first when it is reset and last when it is set: it may not be allowed the rest. */
static void
find_changes(struct changes *changes, const struct pool_parameters *from,
             const struct pool_parameters *to)
{
    const char *old_role = pool_parameters_find(from, "role");
    const char *new_role = pool_parameters_find(to, "role");

    if (old_role != NULL)
        add_change(changes, "role", NULL);
    for (unsigned i = 0; i < from->count; i++) {
        const char *name = from->items[i].name;
        if (!pool_parameter_is_statement(&from->items[i]) && strcasecmp(name, "role") != 0 &&
            pool_parameters_find(to, name) == NULL)
            add_change(changes, name, NULL);
    }
    for (unsigned i = 0; i < to->count; i++) {
        const struct pool_parameter *one = &to->items[i];
        const char *old = pool_parameters_find(from, one->name);
        if (!pool_parameter_is_statement(one) && strcasecmp(one->name, "role") != 0 &&
            (old == NULL || strcmp(old, one->value) != 0))
            add_change(changes, one->name, one->value);
    }
    if (new_role != NULL)
        add_change(changes, "role", new_role);
}

static void
put_text(struct wire_writer *writer, const void *text, size_t length)
{
    wire_put_uint32(writer, (uint32_t)length);
    wire_put_bytes(writer, text, length);
}

/* By that statement, of its two parameters. */
static bool
send_changes(struct pool_server *server, const char *path, const struct pool_parameters *from,
             const struct pool_parameters *to)
{
    uint8_t *bytes = malloc((size_t)4 * MESSAGE_BYTES);

    if (bytes == NULL)
        return false;
    struct changes changes = {.names = wire_writer(bytes, MESSAGE_BYTES),
                              .values = wire_writer(bytes + MESSAGE_BYTES, MESSAGE_BYTES)};
    struct wire_writer parameters =
        wire_writer(bytes + (ptrdiff_t)2 * MESSAGE_BYTES, MESSAGE_BYTES);
    find_changes(&changes, from, to);
    put_text(&parameters, changes.names.bytes, changes.names.length);
    put_text(&parameters, changes.values.bytes, changes.values.length);
    parameters.is_full |= changes.names.is_full || changes.values.is_full;
    bool is_sent = changes.count == 0 || send_statement(server, path, &parameters, 2);
    free(bytes);
    return is_sent;
}

bool
pool_session_setup(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_client *client = server->client;

    if (!server->is_discard_due && server->session == client->session)
        return true;
    begin(server, POOL_SERVER_SETUP);
    pool_parameters_move(&pool->parameters, &server->next_session,
                         pool_parameters_keep(client->session));
    const struct pool_parameters *from =
        server->is_discard_due ? pool->no_parameters : server->session;
    bool is_shielded = is_in_the_way(from);
    bool is_sent = (!server->is_discard_due || send_discard(server)) &&
                   (!is_shielded || put_query(server, OPEN_BLOCK SHIELD, 0)) &&
                   send_changes(server, "pool/sql/pool_restore.sql", from, client->session) &&
                   (!is_shielded || put_query(server, "COMMIT", 0)) &&
                   drop_statements(server, from, client->session) &&
                   make_statements(server, from, client->session) &&
                   pool_link_flush(&server->link, &pool->buffers);
    if (!is_sent) {
        cannot_send(server);
        return false;
    }
    if (server->owed.count > 0)
        return false;
    /* Sets that differ only in the case of names. */
    pool_parameters_move(&pool->parameters, &server->session,
                         pool_parameters_keep(client->session));
    server->deadline_us = 0;
    return true;
}

void
pool_session_restart(struct pool_server *server)
{
    struct pool *pool = server->pool;

    begin(server, POOL_SERVER_SETUP);
    pool_parameters_move(&pool->parameters, &server->next_session,
                         pool_parameters_keep(server->session));
    if (!send_changes(server, "pool/sql/pool_startup.sql", pool->no_parameters,
                      server->client->startup))
        cannot_send(server);
}

static void
discarded(struct pool_server *server)
{
    struct pool *pool = server->pool;

    server->is_discard_due = server->is_opaque = false;
    pool_prepared_clear(&server->prepared, &pool->statements);
    pool_statement_drop(&pool->statements, server->unnamed);
    server->unnamed = NULL;
    pool_parameters_move(&pool->parameters, &server->session,
                         pool_parameters_keep(pool->no_parameters));
}

static void
setup_done(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_client *client = server->client;
    bool is_used = server->is_discard_due || server->session != pool->no_parameters;

    if (server->is_failed) {
        error_detail(&server->failure, "The pool could not give the session its parameters.");
        /* By another client's settings: this one gets another server, as if this were lost. */
        if (is_used && strcmp(server->failure.sqlstate, TIMED_OUT) == 0)
            server->is_failed = false;
        pool_server_close(server, &server->failure);
        return;
    }
    if (server->is_discard_due)
        discarded(server);
    pool_parameters_move(&pool->parameters, &server->session,
                         pool_parameters_keep(server->next_session));
    server->deadline_us = 0;
    server->is_restart_due = false;
    pool_group_start(server);
    pool_client_process(client);
}

/* --- probe --------------------------------------------------------------------------------- */

/* EXECUTE does what was prepared, whichever it was. */
static void
note_executed(struct pool_client *client)
{
    const struct pool_parameters *session = client->session;
    struct pool_sql sql;

    if ((client->pins & POOL_SQL_STATEMENTS) != 0) /* it has some that were not looked at */
        client->signs |= POOL_SQL_OPAQUE;
    for (unsigned i = 0; i < session->count && session->signs != 0; i++) {
        if (!pool_parameter_is_statement(&session->items[i]))
            continue;
        pool_sql_scan(session->items[i].value, strlen(session->items[i].value), false, &sql);
        sql.signs &= ~(unsigned)(POOL_SQL_STATEMENTS | POOL_SQL_EXECUTES);
        pool_session_note(client, &sql);
    }
}

void
pool_session_note(struct pool_client *client, const struct pool_sql *sql)
{
    const unsigned unheard = POOL_SQL_FORGET | POOL_SQL_BLOCK | POOL_SQL_EXECUTES;
    unsigned signs = sql->signs & ~unheard;
    size_t used = client->custom == NULL ? 0 : strlen(client->custom);

    if (client->group == NULL || client->mode == DECK_POOL_SESSION)
        return;
    if ((sql->signs & (POOL_SQL_RELEASE | POOL_SQL_FORGET)) != 0 &&
        pool_parameters_have_statement(client->session, NULL))
        signs |= POOL_SQL_STATEMENTS;
    if ((sql->signs & POOL_SQL_EXECUTES) != 0)
        note_executed(client);
    if (client->pins == 0)
        signs &= ~(unsigned)POOL_SQL_RELEASE;
    if (sql->name_count > 0 && client->custom == NULL)
        client->custom = calloc(1, POOL_CUSTOM_BYTES_MAX);
    for (size_t i = 0; i < sql->name_count; i++) {
        if (client->custom == NULL ||
            used + 2 + 2 * sql->names[i].length >= POOL_CUSTOM_BYTES_MAX) {
            signs |= POOL_SQL_UNNAMED;
            break;
        }
        struct wire_writer writer =
            wire_writer((uint8_t *)client->custom + used, POOL_CUSTOM_BYTES_MAX - used - 1);
        if (used > 0)
            wire_put_byte(&writer, ',');
        put_hex(&writer, sql->names[i].at, sql->names[i].length);
        used += writer.length;
        client->custom[used] = '\0';
    }
    client->signs |= signs;
}

/* What the server is asked for: what may have come, and what is there and may have gone. */
static unsigned
asked_of(const struct pool_client *client)
{
    unsigned asked = client->signs & POOL_SQL_PINS;

    if ((client->signs & POOL_SQL_RELEASE) != 0)
        asked |= client->pins;
    if ((client->signs & POOL_SQL_PARAMETERS) != 0)
        asked |= POOL_SQL_PARAMETERS;
    if ((client->signs & POOL_SQL_CREATES) != 0)
        asked |= POOL_SQL_TEMPORARY;
    if ((client->signs & POOL_SQL_OPAQUE) != 0)
        asked |= POOL_SQL_OPAQUE_ASKS;
    return asked & ~STICKY;
}

static void
put_custom_names(struct wire_writer *writer, const struct pool_client *client)
{
    size_t at = writer->length;

    wire_put_uint32(writer, 0);
    size_t start = writer->length;
    if (client->custom != NULL)
        wire_put_bytes(writer, client->custom, strlen(client->custom));
    for (unsigned i = 0; i < client->session->count; i++) {
        const char *name = client->session->items[i].name;
        if (strchr(name, '.') == NULL || pool_parameter_is_statement(&client->session->items[i]))
            continue;
        if (writer->length > start)
            wire_put_byte(writer, ',');
        put_hex(writer, name, strlen(name));
    }
    struct wire_writer length = wire_writer(writer->bytes + at, 4);
    wire_put_uint32(&length, (uint32_t)(writer->length - start));
}

void
pool_session_probe(struct pool_server *server)
{
    struct pool_client *client = server->client;
    unsigned asked = asked_of(client);
    static const unsigned order[] = {POOL_SQL_LOCKS, POOL_SQL_LISTEN, POOL_SQL_CURSORS,
                                     POOL_SQL_TEMPORARY, POOL_SQL_STATEMENTS};
    const char *login = server->group->route->login->name;
    uint8_t *bytes = malloc(MESSAGE_BYTES);
    struct wire_writer parameters = wire_writer(bytes, bytes == NULL ? 0 : MESSAGE_BYTES);

    begin(server, POOL_SERVER_PROBING);
    for (size_t i = 0; i < server->found_count; i++)
        free((char *)server->found[i].name);
    server->found_count = 0;
    server->found_pins = 0;
    put_text(&parameters, (asked & POOL_SQL_PARAMETERS) != 0 ? "t" : "f", 1);
    put_custom_names(&parameters, client);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        put_text(&parameters, (asked & order[i]) != 0 ? "t" : "f", 1);
    put_text(&parameters, login, strlen(login));
    bool is_shielded = (asked & POOL_SQL_PARAMETERS) != 0 || is_in_the_way(client->session);
    bool is_sent = (!is_shielded || put_query(server, OPEN_BLOCK, 0)) &&
                   send_statement(server, "pool/sql/pool_probe.sql", &parameters, 8) &&
                   (!is_shielded || put_query(server, "COMMIT", 0)) &&
                   pool_link_flush(&server->link, &server->pool->buffers);
    free(bytes);
    if (!is_sent)
        cannot_send(server);
}

/* The text of a column; NULL for a null (is_bad: no such column). */
static const uint8_t *
column(struct wire_cursor *cursor, size_t *ret_length)
{
    uint32_t length = wire_get_uint32(cursor);

    *ret_length = length == UINT32_MAX ? 0 : length;
    return length == UINT32_MAX ? NULL : wire_get_bytes(cursor, length);
}

static bool
add_found(struct pool_server *server, struct pool_sql_span name, struct pool_sql_span value)
{
    if (server->found_count == POOL_PARAMETERS_MAX) {
        server->found_pins |= POOL_SQL_UNNAMED;
        return true;
    }
    char *text = malloc(name.length + value.length + 2);
    if (text == NULL)
        return false;
    memcpy(text, name.at, name.length);
    text[name.length] = '\0';
    memcpy(text + name.length + 1, value.at, value.length);
    text[name.length + 1 + value.length] = '\0';
    struct pool_parameter *found = &server->found[server->found_count++];
    found->name = text;
    found->value = text + name.length + 1;
    return true;
}

/* A statement prepared by SQL: what made it is to be told from what it came with. */
static bool
add_statement(struct pool_server *server, struct pool_sql_span name, struct pool_sql_span text)
{
    bool has_backslashes = server->reported->has_backslashes;
    char key[1 + STATEMENT_NAME_BYTES] = {POOL_PARAMETER_STATEMENT};
    const size_t prefix = strlen(POOL_PREPARED_PREFIX);
    struct pool_sql_span statement;

    bool is_fine = text.at != NULL && name.length < STATEMENT_NAME_BYTES &&
                   server->found_count < POOL_PARAMETERS_MAX &&
                   (name.length < prefix || memcmp(name.at, POOL_PREPARED_PREFIX, prefix) != 0) &&
                   !(has_backslashes && memchr(text.at, '\\', text.length) != NULL) &&
                   pool_sql_find_prepare(text, has_backslashes, name, &statement);
    if (!is_fine) {
        server->found_pins |= POOL_SQL_STATEMENTS;
        return true;
    }
    memcpy(key + 1, name.at, name.length);
    return add_found(server, (struct pool_sql_span){key, 1 + name.length}, statement);
}

bool
pool_session_row(struct pool_server *server, const uint8_t *body, size_t count)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    uint16_t columns = wire_get_uint16(&cursor);
    struct pool_sql_span name, value;
    size_t what_length;
    const uint8_t *what = column(&cursor, &what_length);

    name.at = (const char *)column(&cursor, &name.length);
    value.at = (const char *)column(&cursor, &value.length);
    if (!wire_is_read(&cursor) || columns != 3 || what == NULL || name.at == NULL)
        return false;
    if (what_length == strlen("parameter") && memcmp(what, "parameter", what_length) == 0)
        return value.at != NULL && add_found(server, name, value);
    if (what_length == strlen("statement") && memcmp(what, "statement", what_length) == 0)
        return add_statement(server, name, value);
    for (size_t i = 0; i < PIN_COUNT; i++) {
        if (what_length == strlen(pins[i].what) && memcmp(what, pins[i].what, what_length) == 0)
            server->found_pins |= pins[i].sign;
    }
    return true;
}

/* Values in another encoding than UTF-8 cannot be given back as they were. */
static bool
can_carry(const struct pool_server *server, const struct pool_parameter *items, size_t count)
{
    const char *encoding = pool_parameters_find(server->reported, "client_encoding");

    if (encoding != NULL && strcmp(encoding, "UTF8") == 0)
        return true;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = items[i].value; *at != '\0'; at++) {
            if ((uint8_t)*at >= 128)
                return false;
        }
    }
    return true;
}

/* What is now so: first, if asked for parameters, then what the set has that was not asked for,
 * then what was found. NULL: too much, or what cannot be carried. */
static const struct pool_parameters *
merge(struct pool_server *server, const struct pool_parameters *first,
      const struct pool_parameters *set)
{
    const unsigned asked = asked_of(server->client);
    struct pool_parameter all[3 * POOL_PARAMETERS_MAX];
    size_t count = 0;

    for (unsigned i = 0; i < first->count && (asked & POOL_SQL_PARAMETERS) != 0; i++)
        all[count++] = first->items[i];
    for (unsigned i = 0; i < set->count; i++) {
        bool is_statement = pool_parameter_is_statement(&set->items[i]);
        if ((asked & (is_statement ? POOL_SQL_STATEMENTS : POOL_SQL_PARAMETERS)) == 0)
            all[count++] = set->items[i];
    }
    for (size_t i = 0; i < server->found_count; i++)
        all[count++] = server->found[i];
    if (!can_carry(server, all, count))
        return NULL;
    return pool_parameters_make(&server->pool->parameters, all, count);
}

/* The session's parameters are what was found; the client's are those and what it started with. */
static bool
take_found(struct pool_server *server)
{
    struct pool *pool = server->pool;
    struct pool_client *client = server->client;
    const struct pool_parameters *of_server = merge(server, pool->no_parameters, server->session);
    const struct pool_parameters *of_client = merge(server, client->startup, client->session);
    bool is_fine = of_server != NULL && of_client != NULL;

    if (of_server != NULL)
        pool_parameters_move(&pool->parameters, &server->session, of_server);
    if (of_client != NULL)
        pool_parameters_move(&pool->parameters, &client->session, of_client);
    return is_fine;
}

/* Statements are not to be carried; false: there are none. */
static bool
leave_out_statements(struct pool_server *server)
{
    size_t kept = 0;

    for (size_t i = 0; i < server->found_count; i++) {
        if (pool_parameter_is_statement(&server->found[i]))
            free((char *)server->found[i].name);
        else
            server->found[kept++] = server->found[i];
    }
    bool has = kept < server->found_count;
    server->found_count = kept;
    server->found_pins |= has ? POOL_SQL_STATEMENTS : 0;
    return has;
}

static void
probe_done(struct pool_server *server)
{
    struct pool_client *client = server->client;
    unsigned asked = asked_of(client);
    unsigned sticky = (client->pins | client->signs) & STICKY;
    char text[256];
    struct error err;

    if (server->is_failed && strcmp(server->failure.sqlstate, TIMED_OUT) != 0) {
        error_detail(&server->failure, "The pool could not find out what the session holds.");
        pool_server_close(server, &server->failure);
        return;
    }
    if (server->is_failed) /* by the client's own statement_timeout: it stays here */
        sticky |= POOL_SQL_UNNAMED;
    else if ((asked & (POOL_SQL_PARAMETERS | POOL_SQL_STATEMENTS)) != 0 && !take_found(server) &&
             !(leave_out_statements(server) && take_found(server)))
        sticky |= POOL_SQL_UNNAMED;
    client->pins = (client->pins & ~asked) | server->found_pins | sticky;
    server->is_opaque |= (client->signs & POOL_SQL_OPAQUE) != 0;
    client->signs = 0;
    if (client->custom != NULL) /* those that have a value are in its session now */
        client->custom[0] = '\0';
    server->state = POOL_SERVER_ACTIVE;
    server->deadline_us = 0;
    if (client->pins != 0 && server->group->route->on_session_state == DECK_POOL_REFUSE) {
        pool_fault(&err, "0A000", "this pool does not carry session state: %s",
                   pool_session_pins(client->pins, text, sizeof(text)));
        pool_client_fail(client, &err);
        return;
    }
    pool_group_checkin(server, false);
    pool_client_process(client);
}

/* --- the end of what is hidden ------------------------------------------------------------- */

void
pool_session_reset(struct pool_server *server)
{
    begin(server, POOL_SERVER_DRAINING);
    server->is_resetting = true;
    server->is_discard_due = true;
    if (!send_discard(server))
        pool_server_close(server, NULL);
}

static void
drain_done(struct pool_server *server)
{
    if (server->cancels > 0)
        return;
    if (server->is_failed) {
        pool_server_close(server, NULL);
        return;
    }
    if (server->is_resetting)
        discarded(server);
    server->is_resetting = false;
    if (server->is_discard_due)
        pool_session_reset(server);
    else
        pool_group_take_back(server);
}

void
pool_session_done(struct pool_server *server)
{
    switch (server->state) {
    case POOL_SERVER_SETUP:
        setup_done(server);
        break;
    case POOL_SERVER_PROBING:
        probe_done(server);
        break;
    case POOL_SERVER_DRAINING:
        drain_done(server);
        break;
    default:
        break;
    }
}
