// SPDX-License-Identifier: MIT
#include "wire/writer.h"

enum { OID_INT8 = 20, OID_TEXT = 25, INT8_BYTES = 8 };

void
wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t count)
{
    if (writer->is_full || count > writer->capacity - writer->length) {
        writer->is_full = true;
        return;
    }
    if (count > 0)
        memcpy(writer->bytes + writer->length, bytes, count);
    writer->length += count;
}

void
wire_put_byte(struct wire_writer *writer, uint8_t byte)
{
    wire_put_bytes(writer, &byte, 1);
}

void
wire_put_uint16(struct wire_writer *writer, uint16_t number)
{
    uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};

    wire_put_bytes(writer, bytes, sizeof(bytes));
}

static void
encode_uint32(uint8_t bytes[4], uint32_t number)
{
    bytes[0] = (uint8_t)(number >> 24);
    bytes[1] = (uint8_t)(number >> 16);
    bytes[2] = (uint8_t)(number >> 8);
    bytes[3] = (uint8_t)number;
}

void
wire_put_uint32(struct wire_writer *writer, uint32_t number)
{
    uint8_t bytes[4];

    encode_uint32(bytes, number);
    wire_put_bytes(writer, bytes, sizeof(bytes));
}

void
wire_put_string(struct wire_writer *writer, const char *text)
{
    wire_put_bytes(writer, text, strlen(text) + 1);
}

void
wire_begin(struct wire_writer *writer, uint8_t type)
{
    if (type != 0)
        wire_put_byte(writer, type);
    writer->message_at = writer->length;
    wire_put_uint32(writer, 0);
}

void
wire_end(struct wire_writer *writer)
{
    if (!writer->is_full)
        encode_uint32(writer->bytes + writer->message_at,
                      (uint32_t)(writer->length - writer->message_at));
}

/* --- whole messages ----------------------------------------------------------------------- */

void
wire_put_ready(struct wire_writer *writer, char status)
{
    wire_begin(writer, 'Z');
    wire_put_byte(writer, (uint8_t)status);
    wire_end(writer);
}

void
wire_put_parameter(struct wire_writer *writer, const char *name, const char *value)
{
    wire_begin(writer, 'S');
    wire_put_string(writer, name);
    wire_put_string(writer, value);
    wire_end(writer);
}

void
wire_put_authentication(struct wire_writer *writer, uint32_t code, const void *data, size_t count)
{
    wire_begin(writer, 'R');
    wire_put_uint32(writer, code);
    wire_put_bytes(writer, data, count);
    wire_end(writer);
}

void
wire_put_key(struct wire_writer *writer, uint32_t process, uint32_t secret)
{
    wire_begin(writer, 'K');
    wire_put_uint32(writer, process);
    wire_put_uint32(writer, secret);
    wire_end(writer);
}

void
wire_put_query(struct wire_writer *writer, const char *sql)
{
    wire_begin(writer, 'Q');
    wire_put_string(writer, sql);
    wire_end(writer);
}

void
wire_put_empty(struct wire_writer *writer, uint8_t type)
{
    wire_begin(writer, type);
    wire_end(writer);
}

void
wire_put_complete(struct wire_writer *writer, const char *tag)
{
    wire_begin(writer, 'C');
    wire_put_string(writer, tag);
    wire_end(writer);
}

void
wire_put_columns(struct wire_writer *writer, const char *const *names, const char *types,
                 size_t count)
{
    wire_begin(writer, 'T');
    wire_put_uint16(writer, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        bool is_number = types != NULL && types[i] == 'q';
        wire_put_string(writer, names[i]);
        wire_put_uint32(writer, 0); /* of no table */
        wire_put_uint16(writer, 0);
        wire_put_uint32(writer, is_number ? OID_INT8 : OID_TEXT);
        wire_put_uint16(writer, is_number ? INT8_BYTES : UINT16_MAX); /* -1: of any length */
        wire_put_uint32(writer, UINT32_MAX);
        wire_put_uint16(writer, 0); /* as text */
    }
    wire_end(writer);
}

void
wire_put_row(struct wire_writer *writer, const char *const *values, size_t count)
{
    wire_begin(writer, 'D');
    wire_put_uint16(writer, (uint16_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t length = values[i] == NULL ? 0 : strlen(values[i]);
        wire_put_uint32(writer, values[i] == NULL ? UINT32_MAX : (uint32_t)length);
        wire_put_bytes(writer, values[i], length);
    }
    wire_end(writer);
}

/* --- errors ------------------------------------------------------------------------------- */

static void
put_field(struct wire_writer *writer, char field, const char *text)
{
    if (text[0] == '\0')
        return;
    wire_put_byte(writer, (uint8_t)field);
    wire_put_string(writer, text);
}

void
wire_put_error(struct wire_writer *writer, const char *severity, const struct error *err)
{
    bool is_notice = strcmp(severity, "NOTICE") == 0 || strcmp(severity, "WARNING") == 0;

    wire_begin(writer, is_notice ? 'N' : 'E');
    put_field(writer, 'S', severity);
    put_field(writer, 'V', severity);
    put_field(writer, 'C', err->sqlstate[0] == '\0' ? "XX000" : err->sqlstate);
    put_field(writer, 'M', err->message);
    put_field(writer, 'D', err->detail);
    put_field(writer, 'H', err->hint);
    wire_put_byte(writer, 0);
    wire_end(writer);
}

bool
wire_read_error(const uint8_t *body, size_t count, struct wire_error_fields *ret_fields)
{
    struct wire_cursor cursor = wire_cursor(body, count);
    struct wire_error_fields fields = {"", "", "", "", "", ""};

    for (uint8_t field; (field = wire_get_byte(&cursor)) != 0;) {
        const char *text = wire_get_string(&cursor);
        const char **target = field == 'V'   ? &fields.severity
                              : field == 'C' ? &fields.sqlstate
                              : field == 'M' ? &fields.message
                              : field == 'D' ? &fields.detail
                              : field == 'H' ? &fields.hint
                              : field == 'R' ? &fields.routine
                                             : NULL;
        if (text == NULL)
            return false;
        if (target != NULL)
            *target = text;
    }
    *ret_fields = fields;
    return wire_is_read(&cursor);
}
