// SPDX-License-Identifier: MIT
#include "wire/startup.h"

enum {
    CODE_CANCEL = 1234 << 16 | 5678,
    CODE_SSL = 1234 << 16 | 5679,
    CODE_GSS = 1234 << 16 | 5680,
    NAME_BYTES_MAX = 63, /* PostgreSQL truncates longer names; here they are refused */
};

static enum wire_result
bad(struct error *err, const char *sqlstate, const char *message)
{
    error_set(err, ERROR_INTERNAL, "%s", message);
    memcpy(err->sqlstate, sqlstate, sizeof(err->sqlstate));
    return WIRE_BAD;
}

static enum wire_result
read_cancel(struct wire_cursor cursor, struct wire_startup *startup, struct error *err)
{
    startup->kind = WIRE_CANCEL;
    startup->key_bytes = wire_left(&cursor);
    startup->key = wire_get_bytes(&cursor, startup->key_bytes);
    if (startup->key_bytes < 8 || startup->key_bytes > 4 + WIRE_KEY_BYTES_MAX)
        return bad(err, "08P01", "invalid length of cancel request");
    return WIRE_WHOLE;
}

static bool
add_parameter(struct wire_startup_parameter *list, size_t *count, const char *name,
              const char *value)
{
    if (*count == WIRE_STARTUP_PARAMETERS_MAX)
        return false;
    list[(*count)++] = (struct wire_startup_parameter){name, value};
    return true;
}

/* False: there are too many. */
static bool
take_parameter(struct wire_startup *startup, const char *name, const char *value)
{
    if (strcmp(name, "user") == 0) {
        startup->user = value;
    } else if (strcmp(name, "database") == 0) {
        startup->database = value;
    } else if (strcmp(name, "options") == 0) {
        startup->options = value;
    } else if (strncmp(name, "_pq_.", 5) == 0) {
        return add_parameter(startup->protocol_options, &startup->protocol_option_count, name,
                             value);
    } else {
        return add_parameter(startup->parameters, &startup->parameter_count, name, value);
    }
    return true;
}

static enum wire_result
read_parameters(struct wire_cursor cursor, struct wire_startup *startup, struct error *err)
{
    startup->kind = WIRE_STARTUP;
    startup->options = "";
    for (;;) {
        const char *name = wire_get_string(&cursor);
        if (name == NULL || (name[0] == '\0' && cursor.at != cursor.end))
            return bad(err, "08P01",
                       "invalid startup packet layout: expected terminator as last "
                       "byte");
        if (name[0] == '\0')
            break;
        const char *value = wire_get_string(&cursor);
        if (value == NULL)
            return bad(err, "08P01", "invalid startup packet layout: parameter without a value");
        if (!take_parameter(startup, name, value))
            return bad(err, "08P01", "too many parameters in the startup packet");
    }
    if (startup->user == NULL || startup->user[0] == '\0')
        return bad(err, "28000", "no PostgreSQL user name specified in startup packet");
    if (startup->database == NULL || startup->database[0] == '\0')
        startup->database = startup->user;
    if (strlen(startup->user) > NAME_BYTES_MAX || strlen(startup->database) > NAME_BYTES_MAX)
        return bad(err, "28000", "the name of the user or the database is longer than 63 bytes");
    return WIRE_WHOLE;
}

enum wire_result
wire_read_startup(const uint8_t *bytes, size_t count, struct wire_startup *ret_startup,
                  size_t *ret_bytes, struct error *err)
{
    if (count < 4)
        return WIRE_MORE;
    uint32_t length = wire_uint32(bytes);
    if (length < 8 || length > WIRE_STARTUP_BYTES_MAX)
        return bad(err, "08P01", "invalid length of startup packet");
    if (count < length)
        return WIRE_MORE;

    struct wire_cursor cursor = wire_cursor(bytes + 4, length - 4);
    uint32_t code = wire_get_uint32(&cursor);
    *ret_startup = (struct wire_startup){0};
    *ret_bytes = length;
    if (code == CODE_CANCEL)
        return read_cancel(cursor, ret_startup, err);
    if (code == CODE_SSL || code == CODE_GSS) {
        ret_startup->kind = code == CODE_SSL ? WIRE_SSL_REQUEST : WIRE_GSS_REQUEST;
        return length == 8 ? WIRE_WHOLE : bad(err, "08P01", "invalid length of encryption request");
    }
    if (code >> 16 != 3) {
        bad(err, "0A000", "unsupported frontend protocol");
        error_detail(err, "The client asks for %u.%u; there is 3.0.", code >> 16, code & 0xffff);
        return WIRE_BAD;
    }
    ret_startup->minor = code & 0xffff;
    return read_parameters(cursor, ret_startup, err);
}

void
wire_put_startup(struct wire_writer *writer, const char *user, const char *database,
                 const struct wire_startup_parameter *parameters, size_t count)
{
    wire_begin(writer, 0);
    wire_put_uint32(writer, WIRE_PROTOCOL_3_0);
    wire_put_string(writer, "user");
    wire_put_string(writer, user);
    wire_put_string(writer, "database");
    wire_put_string(writer, database);
    for (size_t i = 0; i < count; i++) {
        wire_put_string(writer, parameters[i].name);
        wire_put_string(writer, parameters[i].value);
    }
    wire_put_byte(writer, 0);
    wire_end(writer);
}

void
wire_put_ssl_request(struct wire_writer *writer)
{
    wire_begin(writer, 0);
    wire_put_uint32(writer, CODE_SSL);
    wire_end(writer);
}

void
wire_put_cancel(struct wire_writer *writer, const uint8_t *key, size_t key_bytes)
{
    wire_begin(writer, 0);
    wire_put_uint32(writer, CODE_CANCEL);
    wire_put_bytes(writer, key, key_bytes);
    wire_end(writer);
}

void
wire_put_negotiation(struct wire_writer *writer, const struct wire_startup *startup)
{
    wire_begin(writer, 'v');
    wire_put_uint32(writer, WIRE_PROTOCOL_3_0);
    wire_put_uint32(writer, (uint32_t)startup->protocol_option_count);
    for (size_t i = 0; i < startup->protocol_option_count; i++)
        wire_put_string(writer, startup->protocol_options[i].name);
    wire_end(writer);
}
