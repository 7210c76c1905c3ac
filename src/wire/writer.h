/* Writes messages into bytes of a fixed size. What does not fit sets is_full, once for all: the
 * caller asks at the end, and nothing half-written is ever sent. One thread. */
#pragma once
#include "base/error.h"
#include "wire/message.h"

struct wire_writer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
    size_t message_at; /* where the length of the open message goes */
    bool is_full;
};

static inline struct wire_writer
wire_writer(uint8_t *bytes, size_t capacity)
{
    return (struct wire_writer){.bytes = bytes, .capacity = capacity};
}

/* Begins a message; type 0: one without a type (start-up). */
void wire_begin(struct wire_writer *writer, uint8_t type);
/* Ends it: its length is known now. */
void wire_end(struct wire_writer *writer);
void wire_put_bytes(struct wire_writer *writer, const void *bytes, size_t count);
void wire_put_byte(struct wire_writer *writer, uint8_t byte);
void wire_put_uint16(struct wire_writer *writer, uint16_t number);
void wire_put_uint32(struct wire_writer *writer, uint32_t number);
void wire_put_string(struct wire_writer *writer, const char *text); /* and its NUL */

/* Whole messages. */
void wire_put_ready(struct wire_writer *writer, char status); /* I, T or E */
void wire_put_parameter(struct wire_writer *writer, const char *name, const char *value);
void
wire_put_authentication(struct wire_writer *writer, uint32_t code, const void *data, size_t count);
void wire_put_key(struct wire_writer *writer, uint32_t process, uint32_t secret);
void wire_put_query(struct wire_writer *writer, const char *sql);
void wire_put_empty(struct wire_writer *writer, uint8_t type); /* no body: 1, 2, 3, n, S ... */
void wire_put_complete(struct wire_writer *writer, const char *tag);
/* RowDescription with columns of type text, or int8 where types has a q (NULL: none has), and a row
 * of them, as text (NULL: null). */
void wire_put_columns(struct wire_writer *writer, const char *const *names, const char *types,
                      size_t count);
void wire_put_row(struct wire_writer *writer, const char *const *values, size_t count);

/* ErrorResponse or NoticeResponse (severity NOTICE or WARNING) from err: message, detail and hint.
 * sqlstate: the error's own, else XX000. Always fits in WIRE_ERROR_BYTES. */
enum { WIRE_ERROR_BYTES = 4096 };
void wire_put_error(struct wire_writer *writer, const char *severity, const struct error *err);

/* What the pool wants to know of an ErrorResponse or NoticeResponse; empty texts for fields that
 * are not there. False when it does not hold together. Borrows from body. */
struct wire_error_fields {
    const char *severity, *sqlstate, *message, *detail, *hint, *routine;
};
bool
wire_read_error(const uint8_t *body, size_t count, struct wire_error_fields *ret_fields) MUST_CHECK;
