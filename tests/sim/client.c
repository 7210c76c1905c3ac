// SPDX-License-Identifier: MIT
#include "sim/client.h"

#include "wire/startup.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES = 512, PIPELINE_MAX = 4, COPIED = 5 };

static void
fault(struct sim_client *client, const char *format, ...)
{
    va_list arguments;

    if (client->fault[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(client->fault, sizeof(client->fault), format, arguments);
    va_end(arguments);
}

void
sim_client_init(struct sim_client *client, uint64_t *random, unsigned number)
{
    *client = (struct sim_client){.random = random, .left = 4 + (unsigned)sim_below(random, 20)};
    snprintf(client->name, sizeof(client->name), "c%u", number);
    sim_session_init(&client->direct, 0, SIM_PLANT_NONE);
}

void
sim_client_release(struct sim_client *client)
{
    sim_session_release(&client->direct);
    sim_login_release(&client->login);
    sim_bytes_release(&client->got);
}

void
sim_client_start(struct sim_client *client)
{
    struct wire_startup_parameter parameters[2];
    struct wire_writer writer = sim_bytes_begin(&client->connection->to_pool, MESSAGE_BYTES);
    size_t count = 0;

    if (sim_one_in(client->random, 2)) {
        snprintf(client->start, SIM_NAME, "%s.start", client->name);
        parameters[count++] = (struct wire_startup_parameter){"app.start", client->start};
        sim_session_start(&client->direct, SIM_START, client->start);
    }
    if (sim_one_in(client->random, 2)) {
        snprintf(client->application, SIM_NAME, "%s.application", client->name);
        parameters[count++] =
            (struct wire_startup_parameter){"application_name", client->application};
        sim_session_start(&client->direct, SIM_APPLICATION, client->application);
    }
    snprintf(client->direct.told, SIM_NAME, "%s", client->application);
    snprintf(client->direct_told, SIM_NAME, "%s", client->application);
    wire_put_startup(&writer, client->user_name, "sim", parameters, count);
    sim_bytes_end(&client->connection->to_pool, &writer);
}

/* --- what it sends ------------------------------------------------------------------------- */

/* The same bytes to the pool and to the session of its own. */
static void
send_message(struct sim_client *client, const struct wire_writer *writer)
{
    if (writer->is_full)
        abort();
    sim_bytes_add(&client->connection->to_pool, writer->bytes, writer->length);
    sim_bytes_add(&client->direct.in, writer->bytes, writer->length);
    sim_session_run(&client->direct);
    if (client->direct.fault != NULL)
        fault(client, "the client itself sends %s", client->direct.fault);
}

static void
query(struct sim_client *client, const char *sql)
{
    uint8_t bytes[MESSAGE_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_query(&writer, sql);
    client->syncs++;
    send_message(client, &writer);
}

static void
send_empty(struct sim_client *client, uint8_t type)
{
    uint8_t bytes[8];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_put_empty(&writer, type);
    client->syncs += type == 'S';
    send_message(client, &writer);
}

/* About statements prepared by SQL, or cursors: what is there more often than what is not. All
 * clients use the same few names. */
static void
pick_named(struct sim_client *client, char sql[SIM_SQL])
{
    const struct sim_session *direct = &client->direct;
    const char *cursor = sim_one_in(client->random, 2) ? "k1" : "k2";
    const char *statement = sim_one_in(client->random, 2) ? "q1" : "q2";
    size_t what = sim_below(client->random, 12);

    if (what < 3)
        snprintf(sql, SIM_SQL, "prepare %s as %s '%s.%u'", statement, what == 0 ? "rows" : "select",
                 client->name, client->requests);
    else if (what < 6)
        snprintf(sql, SIM_SQL, "execute %s", statement);
    else if (what == 6)
        snprintf(sql, SIM_SQL, "deallocate %s", sim_one_in(client->random, 3) ? "all" : statement);
    else if (direct->cursor_count == 0 || what == 7)
        snprintf(sql, SIM_SQL, "declare %s cursor %sfor rows '%s.%u'", cursor,
                 direct->is_block && sim_one_in(client->random, 2) ? "" : "with hold ",
                 client->name, client->requests);
    else if (what == 8)
        snprintf(sql, SIM_SQL, "close %s", cursor);
    else
        snprintf(sql, SIM_SQL, "fetch %zu from %s", 1 + sim_below(client->random, 5), cursor);
}

/* A text by chance that leaves the protocol as it is: no COPY, nothing slow. */
static void
pick_sql(struct sim_client *client, char sql[SIM_SQL])
{
    const struct sim_state *state = &client->direct.state;
    const char *name = client->name;
    unsigned number = ++client->requests;
    size_t what = sim_below(client->random, 30);

    if (what >= 25)
        pick_named(client, sql);
    else if (what < 4)
        snprintf(sql, SIM_SQL, "select '%s.%u'", name, number);
    else if (what == 4)
        snprintf(sql, SIM_SQL, "rows '%s.%u'", name, number);
    else if (what == 5)
        snprintf(sql, SIM_SQL, "notice '%s.%u'", name, number);
    else if (what == 6)
        snprintf(sql, SIM_SQL, "fail '%s.%u'", name, number);
    else if (what < 10)
        snprintf(sql, SIM_SQL, "%s",
                 !client->direct.is_block        ? "begin"
                 : sim_one_in(client->random, 3) ? "rollback"
                                                 : "commit");
    else if (what < 14)
        snprintf(sql, SIM_SQL, "set %s = '%s.%u'",
                 what == 10   ? "work_mem"
                 : what == 11 ? "application_name"
                              : "app.who",
                 name, number);
    else if (what == 14)
        snprintf(sql, SIM_SQL, "reset %s", sim_one_in(client->random, 2) ? "work_mem" : "app.who");
    else if (what == 15 && state->temp_count < SIM_TEMPS)
        snprintf(sql, SIM_SQL, "create temp table %s_%u", name, number);
    else if (what <= 17 && state->temp_count > 0)
        snprintf(sql, SIM_SQL, "drop table %s", state->temps[0]);
    else if (what == 22)
        snprintf(sql, SIM_SQL, "listen %s", name);
    else if (what == 23)
        snprintf(sql, SIM_SQL, "notify %s", name);
    else if (what == 24)
        snprintf(sql, SIM_SQL, "unlisten *");
    else if (what == 18 && client->direct.locks == 0)
        snprintf(sql, SIM_SQL, "select pg_advisory_lock('%s.%u')", name, number);
    else if (client->direct.locks > 0)
        snprintf(sql, SIM_SQL, "select pg_advisory_unlock_all()");
    else
        snprintf(sql, SIM_SQL, "copy t to stdout '%s.%u'", name, number);
}

static void
put_parse(struct sim_client *client, const char *name, const char *sql)
{
    uint8_t bytes[MESSAGE_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_begin(&writer, 'P');
    wire_put_string(&writer, name);
    wire_put_string(&writer, sql);
    wire_put_uint16(&writer, 0);
    wire_end(&writer);
    send_message(client, &writer);
}

static void
put_bind(struct sim_client *client, const char *portal, const char *name)
{
    uint8_t bytes[MESSAGE_BYTES];
    char value[SIM_NAME];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    int length = snprintf(value, sizeof(value), "%s.bound", client->name);
    wire_begin(&writer, 'B');
    wire_put_string(&writer, portal);
    wire_put_string(&writer, name);
    wire_put_uint16(&writer, 0);
    wire_put_uint16(&writer, 1);
    wire_put_uint32(&writer, (uint32_t)length);
    wire_put_bytes(&writer, value, (size_t)length);
    wire_put_uint16(&writer, 0);
    wire_end(&writer);
    send_message(client, &writer);
}

static void
put_target(struct sim_client *client, uint8_t type, char kind, const char *name)
{
    uint8_t bytes[MESSAGE_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_begin(&writer, type);
    wire_put_byte(&writer, (uint8_t)kind);
    wire_put_string(&writer, name);
    wire_end(&writer);
    send_message(client, &writer);
}

static void
put_execute(struct sim_client *client, const char *portal, unsigned limit)
{
    uint8_t bytes[MESSAGE_BYTES];
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));

    wire_begin(&writer, 'E');
    wire_put_string(&writer, portal);
    wire_put_uint32(&writer, limit);
    wire_end(&writer);
    send_message(client, &writer);
}

/* All at once, or some rows and then some more. */
static void
bind_and_execute(struct sim_client *client, const char *name)
{
    const char *portal = sim_one_in(client->random, 6) ? "p" : "";
    bool is_in_parts = sim_one_in(client->random, 6);

    put_bind(client, portal, name);
    if (sim_one_in(client->random, 3))
        put_target(client, 'D', 'P', portal);
    if (is_in_parts)
        put_execute(client, portal, 1 + (unsigned)sim_below(client->random, 6));
    if (is_in_parts && sim_one_in(client->random, 3))
        return;
    put_execute(client, portal, 0);
    if (portal[0] != '\0')
        put_target(client, 'C', 'P', portal);
}

/* Parse, Bind, Describe, Execute of several statements, some of them from before; then Sync. */
static void
pipeline(struct sim_client *client)
{
    static const char *const names[] = {"", "s1", "s2", "s3"};
    size_t count = 1 + sim_below(client->random, PIPELINE_MAX);
    char sql[SIM_SQL];

    for (size_t i = 0; i < count; i++) {
        const char *name = names[sim_below(client->random, 4)];
        if (name[0] == '\0' || sim_one_in(client->random, 2)) {
            pick_sql(client, sql);
            /* A text that others have too; DEALLOCATE by name is not carried within Parse. */
            if (sim_one_in(client->random, 3) || strncmp(sql, "deallocate q", 12) == 0)
                snprintf(sql, sizeof(sql), "select 'all'");
            put_parse(client, name, sql);
        }
        if (sim_one_in(client->random, 6))
            put_target(client, 'D', 'S', name);
        bind_and_execute(client, name);
        if (sim_one_in(client->random, 8))
            send_empty(client, 'H');
    }
    send_empty(client, 'S');
}

static void
close_statement(struct sim_client *client)
{
    put_target(client, 'C', 'S', sim_one_in(client->random, 2) ? "s1" : "s2");
    send_empty(client, 'S');
}

static void
copy_in(struct sim_client *client)
{
    uint8_t bytes[MESSAGE_BYTES];
    bool is_failed = sim_one_in(client->random, 4);

    for (int i = 0; i < COPIED; i++) {
        struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
        wire_begin(&writer, 'd');
        wire_put_bytes(&writer, client->direct.token, strlen(client->direct.token));
        wire_end(&writer);
        send_message(client, &writer);
    }
    struct wire_writer writer = wire_writer(bytes, sizeof(bytes));
    wire_begin(&writer, is_failed ? 'f' : 'c');
    if (is_failed)
        wire_put_string(&writer, client->name);
    wire_end(&writer);
    send_message(client, &writer);
    client->is_copy_due = false;
}

static void
leave(struct sim_client *client)
{
    struct sim_connection *connection = client->connection;
    size_t way = sim_below(client->random, 4);

    client->state = SIM_LEAVING;
    if (way == 0) { /* in the middle of a message */
        uint8_t bytes[] = {'Q', 0, 0, 0, 40, 's', 'e', 'l'};
        sim_bytes_add(&connection->to_pool, bytes, sizeof(bytes));
    } else if (way == 1 && !client->direct.is_copying) { /* something is still to be answered */
        query(client, "rows 'last'");
    } else if (way == 2) {
        struct wire_writer writer = sim_bytes_begin(&connection->to_pool, 8);
        wire_put_empty(&writer, 'X');
        sim_bytes_end(&connection->to_pool, &writer);
    }
    sim_network_end(connection, way == 3);
}

static void
send_group(struct sim_client *client)
{
    size_t what = sim_below(client->random, 16);
    bool is_quiet = client->syncs == 0;
    char sql[SIM_SQL];

    client->left--;
    if (what < 6) {
        pipeline(client);
    } else if (what == 6) {
        close_statement(client);
    } else if (what == 7 && is_quiet) {
        snprintf(sql, sizeof(sql), "slow '%s.%u'", client->name, ++client->requests);
        query(client, sql);
        client->wants_cancel = sim_one_in(client->random, 2);
    } else if (what == 8 && is_quiet) {
        snprintf(sql, sizeof(sql), "copy t from stdin '%s.%u'", client->name, ++client->requests);
        query(client, sql);
    } else {
        pick_sql(client, sql);
        query(client, sql);
    }
}

void
sim_client_go_on(struct sim_client *client)
{
    if (client->state != SIM_RUNNING || client->cancel != NULL)
        return;
    if (client->is_copy_due) {
        copy_in(client);
    } else if (client->left == 0) {
        if (client->syncs == 0 || sim_one_in(client->random, 3))
            leave(client);
    } else if (!client->direct.is_slow && !client->direct.is_copying &&
               client->syncs < PIPELINE_MAX &&
               (client->syncs == 0 || sim_one_in(client->random, 4))) {
        send_group(client);
    }
}

/* --- what it gets -------------------------------------------------------------------------- */

static void
read_parameter(struct sim_client *client, const uint8_t *body, size_t count, char told[SIM_NAME])
{
    struct wire_cursor cursor = wire_cursor(body, count);
    const char *name = wire_get_string(&cursor);
    const char *value = wire_get_string(&cursor);

    if (name == NULL || value == NULL)
        fault(client, "a malformed parameter");
    else if (strcmp(name, "application_name") == 0)
        snprintf(told, SIM_NAME, "%s", value);
}

static void
take_login(struct sim_client *client, uint8_t type, const uint8_t *body, size_t count)
{
    struct wire_cursor cursor = wire_cursor(body, count);

    if (type == 'S') {
        read_parameter(client, body, count, client->told);
    } else if (type == 'K') {
        client->process = wire_get_uint32(&cursor);
        client->secret = wire_get_uint32(&cursor);
    } else if (type == 'R') {
        if (!sim_login_answer(&client->login, client->keys, body, count,
                              &client->connection->to_pool))
            fault(client, "an exchange of SCRAM that does not hold together");
    } else if (type == 'Z') {
        if (client->is_refused)
            fault(client, "it is in, with a wrong password");
        if (strcmp(client->told, client->application) != 0)
            fault(client, "application_name is \"%s\" after the login", client->told);
        client->state = SIM_RUNNING;
    } else {
        fault(client, "message %c within the login", type);
    }
}

/* The next message of the session of its own, without what it is told of parameters. */
static bool
next_direct(struct sim_client *client, struct wire_header *ret_header)
{
    struct sim_bytes *out = &client->direct.out;

    for (;;) {
        if (wire_read_header(out->items, out->count, WIRE_FROM_SERVER, ret_header) != WIRE_WHOLE)
            return false;
        if (ret_header->type != 'S')
            return true;
        read_parameter(client, out->items + WIRE_HEADER_BYTES, ret_header->body_bytes,
                       client->direct_told);
        sim_bytes_drop(out, WIRE_HEADER_BYTES + ret_header->body_bytes);
    }
}

/* A message as text: what cannot be printed is a dot. */
static const char *
printable(const uint8_t *bytes, size_t count, char text[200])
{
    size_t length = count < 199 ? count : 199;

    for (size_t i = 0; i < length; i++)
        text[i] = bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : '.';
    text[length] = '\0';
    return text;
}

static void
compare(struct sim_client *client, uint8_t type, const uint8_t *bytes, size_t count)
{
    struct sim_bytes *out = &client->direct.out;
    struct wire_header expected;
    char text[200], expected_text[200];

    if (client->direct.is_slow && !next_direct(client, &expected))
        sim_session_end_slow(&client->direct, type == 'E' && client->has_cancelled);
    if (!next_direct(client, &expected)) {
        fault(client, "nothing was owed, but came: %s", printable(bytes, count, text));
        return;
    }
    size_t whole = WIRE_HEADER_BYTES + expected.body_bytes;
    if (whole != count || memcmp(bytes, out->items, whole) != 0) {
        fault(client, "owed: %s\n    came: %s", printable(out->items, whole, expected_text),
              printable(bytes, count, text));
        return;
    }
    sim_bytes_drop(out, whole);
    if (type == 'G')
        client->is_copy_due = true;
    if (type == 'Z' && strcmp(client->told, client->direct_told) != 0)
        fault(client, "application_name: owed \"%s\", told \"%s\"", client->direct_told,
              client->told);
    client->syncs -= type == 'Z';
    client->has_block = type == 'Z' && bytes[WIRE_HEADER_BYTES] != 'I' && client->syncs == 0;
}

/* What another session has sent to its channel. */
static bool
is_notified(struct sim_client *client, const uint8_t *body, size_t count)
{
    struct wire_cursor cursor = wire_cursor(body, count);

    (void)wire_get_uint32(&cursor);
    const char *channel = wire_get_string(&cursor);
    const char *text = wire_get_string(&cursor);
    if (text == NULL || strcmp(channel, client->name) != 0)
        fault(client, "a notification of channel %s", channel == NULL ? "?" : channel);
    return text != NULL && strcmp(text, "another") == 0;
}

/* Whether it is no fault that the pool ends the client with this. */
static bool
is_owed_end(const struct sim_client *client, const struct wire_error_fields *fields)
{
    return client->is_excused ||
           (client->has_no_blocks && strcmp(fields->sqlstate, "0A000") == 0) ||
           (client->is_refused && client->state == SIM_LOGGING_IN &&
            strcmp(fields->sqlstate, "28P01") == 0) ||
           (client->may_find_nobody && client->state == SIM_LOGGING_IN &&
            strcmp(fields->sqlstate, "08001") == 0);
}

static void
take_message(struct sim_client *client, uint8_t type, const uint8_t *bytes, size_t count)
{
    const uint8_t *body = bytes + WIRE_HEADER_BYTES;
    size_t body_bytes = count - WIRE_HEADER_BYTES;
    struct wire_error_fields fields;

    if (type == 'E' && wire_read_error(body, body_bytes, &fields) &&
        strcmp(fields.severity, "FATAL") == 0) {
        if (!is_owed_end(client, &fields))
            fault(client, "FATAL %s: %s", fields.sqlstate, fields.message);
        client->state = SIM_LEAVING;
        sim_network_end(client->connection, false);
    } else if (client->state == SIM_LOGGING_IN) {
        take_login(client, type, body, body_bytes);
    } else if (type == 'S') {
        read_parameter(client, body, body_bytes, client->told);
    } else if (type != 'A' || !is_notified(client, body, body_bytes)) {
        if (client->has_no_blocks && client->has_block)
            fault(client, "a transaction goes on in statement pooling");
        compare(client, type, bytes, count);
    }
}

void
sim_client_take(struct sim_client *client, const uint8_t *bytes, size_t count)
{
    struct wire_header header;

    sim_bytes_add(&client->got, bytes, count);
    while (client->fault[0] == '\0' && client->state < SIM_LEAVING) {
        const uint8_t *got = client->got.items;
        enum wire_result result =
            wire_read_header(got, client->got.count, WIRE_FROM_SERVER, &header);
        if (result == WIRE_BAD)
            fault(client, "what is no message");
        size_t whole = WIRE_HEADER_BYTES + header.body_bytes;
        if (result != WIRE_WHOLE || client->got.count < whole)
            return;
        take_message(client, header.type, got, whole);
        sim_bytes_drop(&client->got, whole);
    }
}

void
sim_client_lose(struct sim_client *client)
{
    if (client->state < SIM_LEAVING && !client->is_excused)
        fault(client, "the pool closed the connection");
    if (!client->connection->has_ended)
        sim_network_end(client->connection, false);
    client->state = SIM_GONE;
}
