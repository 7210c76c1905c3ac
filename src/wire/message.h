/* The frame of protocol messages: a type, a length, a body. Knows which types there are in each
 * direction and how long each may be, so that a length is never believed. No I/O, no state. */
#pragma once
#include "wire/cursor.h"

enum {
    WIRE_HEADER_BYTES = 5,
    WIRE_STARTUP_BYTES_MAX = 10000,          /* as PostgreSQL */
    WIRE_BODY_BYTES_MAX = (1 << 30) - 1 - 4, /* PostgreSQL's largest message */
    WIRE_NAMED_BYTES_MAX = 1 << 16,          /* messages that hold little more than a name */
    WIRE_KEY_BYTES_MAX = 256,                /* cancel key of protocol 3.2 */
};

enum wire_direction { WIRE_FROM_CLIENT, WIRE_FROM_SERVER };

enum wire_result {
    WIRE_WHOLE, /* it is all there */
    WIRE_MORE,  /* more bytes are needed */
    WIRE_BAD,   /* never will be a message */
};

struct wire_header {
    uint8_t type;
    uint32_t body_bytes;
};

/* Reads a header. WIRE_BAD: no such type in this direction, or a length that it cannot have. */
enum wire_result wire_read_header(const uint8_t *bytes, size_t count, enum wire_direction direction,
                                  struct wire_header *ret_header);
