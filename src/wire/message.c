// SPDX-License-Identifier: MIT
#include "wire/message.h"

/* Lengths of the bodies by type (PostgreSQL documentation, "Message Formats"). max 0 and min 0:
 * exactly empty; a type without a row does not exist. */
struct body_limit {
    bool is_known;
    uint32_t min;
    uint32_t max;
};

static const struct body_limit from_client[256] = {
    ['B'] = {true, 8, WIRE_BODY_BYTES_MAX},      /* Bind */
    ['C'] = {true, 2, WIRE_NAMED_BYTES_MAX},     /* Close */
    ['d'] = {true, 0, WIRE_BODY_BYTES_MAX},      /* CopyData */
    ['c'] = {true, 0, 0},                        /* CopyDone */
    ['f'] = {true, 1, WIRE_NAMED_BYTES_MAX},     /* CopyFail */
    ['D'] = {true, 2, WIRE_NAMED_BYTES_MAX},     /* Describe */
    ['E'] = {true, 5, WIRE_NAMED_BYTES_MAX},     /* Execute */
    ['F'] = {true, 10, WIRE_BODY_BYTES_MAX},     /* FunctionCall */
    ['H'] = {true, 0, 0},                        /* Flush */
    ['P'] = {true, 4, WIRE_BODY_BYTES_MAX},      /* Parse */
    ['p'] = {true, 1, WIRE_NAMED_BYTES_MAX - 1}, /* password and SASL messages */
    ['Q'] = {true, 1, WIRE_BODY_BYTES_MAX},      /* Query */
    ['S'] = {true, 0, 0},                        /* Sync */
    ['X'] = {true, 0, 0},                        /* Terminate */
};

static const struct body_limit from_server[256] = {
    ['R'] = {true, 4, WIRE_NAMED_BYTES_MAX},   /* Authentication... */
    ['K'] = {true, 8, 4 + WIRE_KEY_BYTES_MAX}, /* BackendKeyData */
    ['2'] = {true, 0, 0},                      /* BindComplete */
    ['3'] = {true, 0, 0},                      /* CloseComplete */
    ['C'] = {true, 1, WIRE_NAMED_BYTES_MAX},   /* CommandComplete */
    ['d'] = {true, 0, WIRE_BODY_BYTES_MAX},    /* CopyData */
    ['c'] = {true, 0, 0},                      /* CopyDone */
    ['G'] = {true, 3, 3 + 2 * UINT16_MAX},     /* CopyInResponse */
    ['H'] = {true, 3, 3 + 2 * UINT16_MAX},     /* CopyOutResponse */
    ['D'] = {true, 2, WIRE_BODY_BYTES_MAX},    /* DataRow */
    ['I'] = {true, 0, 0},                      /* EmptyQueryResponse */
    ['E'] = {true, 1, WIRE_BODY_BYTES_MAX},    /* ErrorResponse */
    ['V'] = {true, 4, WIRE_BODY_BYTES_MAX},    /* FunctionCallResponse */
    ['v'] = {true, 8, WIRE_NAMED_BYTES_MAX},   /* NegotiateProtocolVersion */
    ['n'] = {true, 0, 0},                      /* NoData */
    ['N'] = {true, 1, WIRE_BODY_BYTES_MAX},    /* NoticeResponse */
    ['A'] = {true, 6, WIRE_NAMED_BYTES_MAX},   /* NotificationResponse */
    ['t'] = {true, 2, 2 + 4 * UINT16_MAX},     /* ParameterDescription */
    ['S'] = {true, 2, WIRE_NAMED_BYTES_MAX},   /* ParameterStatus */
    ['1'] = {true, 0, 0},                      /* ParseComplete */
    ['s'] = {true, 0, 0},                      /* PortalSuspended */
    ['Z'] = {true, 1, 1},                      /* ReadyForQuery */
    ['T'] = {true, 2, WIRE_BODY_BYTES_MAX},    /* RowDescription */
};

enum wire_result
wire_read_header(const uint8_t *bytes, size_t count, enum wire_direction direction,
                 struct wire_header *ret_header)
{
    const struct body_limit *limits = direction == WIRE_FROM_CLIENT ? from_client : from_server;

    if (count == 0)
        return WIRE_MORE;
    const struct body_limit *limit = &limits[bytes[0]];
    if (!limit->is_known)
        return WIRE_BAD;
    if (count < WIRE_HEADER_BYTES)
        return WIRE_MORE;
    uint32_t length = wire_uint32(bytes + 1); /* counts itself */
    if (length < 4 || length - 4 < limit->min || length - 4 > limit->max)
        return WIRE_BAD;
    *ret_header = (struct wire_header){bytes[0], length - 4};
    return WIRE_WHOLE;
}
