// SPDX-License-Identifier: MIT
#include "wire/extended.h"

bool
wire_read_parse(const uint8_t *body, size_t count, struct wire_parse *ret_parse)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    struct wire_parse parse = {0};

    parse.name = wire_get_string(&cursor);
    parse.sql = wire_get_string(&cursor);
    parse.types = cursor.at;
    uint16_t types = wire_get_uint16(&cursor);
    wire_get_bytes(&cursor, (size_t)types * 4);
    if (!wire_is_read(&cursor))
        return false;
    parse.types_bytes = 2 + (size_t)types * 4;
    *ret_parse = parse;
    return true;
}

static void
skip_formats(struct wire_cursor *cursor)
{
    uint16_t count = wire_get_uint16(cursor);

    wire_get_bytes(cursor, (size_t)count * 2);
}

/* Formats, values, formats of the result. */
static bool
is_bind_whole(struct wire_cursor cursor)
{
    skip_formats(&cursor);
    uint16_t values = wire_get_uint16(&cursor);
    for (unsigned i = 0; i < values && !cursor.is_bad; i++) {
        uint32_t length = wire_get_uint32(&cursor);
        if (length != UINT32_MAX) /* -1: null; no other negative length */
            wire_get_bytes(&cursor, length);
    }
    skip_formats(&cursor);
    return wire_is_read(&cursor);
}

bool
wire_read_bind(const uint8_t *body, size_t count, bool is_whole, struct wire_bind *ret_bind)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    struct wire_bind bind = {0};

    bind.portal = wire_get_string(&cursor);
    bind.statement = wire_get_string(&cursor);
    if (cursor.is_bad || (is_whole && !is_bind_whole(cursor)))
        return false;
    bind.names_bytes = (size_t)(cursor.at - body);
    *ret_bind = bind;
    return true;
}

bool
wire_read_target(const uint8_t *body, size_t count, struct wire_target *ret_target)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    struct wire_target target = {.kind = (char)wire_get_byte(&cursor)};

    target.name = wire_get_string(&cursor);
    if (!wire_is_read(&cursor) || (target.kind != 'S' && target.kind != 'P'))
        return false;
    *ret_target = target;
    return true;
}

bool
wire_read_execute(const uint8_t *body, size_t count, const char **ret_portal)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    const char *portal = wire_get_string(&cursor);

    wire_get_uint32(&cursor);
    if (!wire_is_read(&cursor))
        return false;
    *ret_portal = portal;
    return true;
}

void
wire_put_parse(struct wire_writer *writer, const char *name, const char *sql, const uint8_t *types,
               size_t types_bytes)
{
    wire_begin(writer, 'P');
    wire_put_string(writer, name);
    wire_put_string(writer, sql);
    wire_put_bytes(writer, types, types_bytes);
    wire_end(writer);
}

void
wire_put_target(struct wire_writer *writer, uint8_t type, char kind, const char *name)
{
    wire_begin(writer, type);
    wire_put_byte(writer, (uint8_t)kind);
    wire_put_string(writer, name);
    wire_end(writer);
}

void
wire_put_bind_head(struct wire_writer *writer, const struct wire_bind *bind, uint32_t body_bytes,
                   const char *statement)
{
    uint32_t rest = body_bytes - (uint32_t)bind->names_bytes;
    uint32_t names = (uint32_t)(strlen(bind->portal) + 1 + strlen(statement) + 1);

    wire_put_byte(writer, 'B');
    wire_put_uint32(writer, 4 + names + rest);
    wire_put_string(writer, bind->portal);
    wire_put_string(writer, statement);
}

bool
wire_read_parameter(const uint8_t *body, size_t count, const char **ret_name,
                    const char **ret_value)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    const char *name = wire_get_string(&cursor);
    const char *value = wire_get_string(&cursor);

    if (!wire_is_read(&cursor))
        return false;
    *ret_name = name;
    *ret_value = value;
    return true;
}
