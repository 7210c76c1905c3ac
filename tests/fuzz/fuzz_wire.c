// SPDX-License-Identifier: MIT
/* Every reader of messages, on any bytes: the first byte chooses who sends. */
#include "wire/extended.h"
#include "wire/startup.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_body(uint8_t type, const uint8_t *body, size_t count)
{
    struct wire_parse parse;
    struct wire_bind bind;
    struct wire_target target;
    struct wire_error_fields fields;
    const char *name, *value;

    if (type == 'P' && wire_read_parse(body, count, &parse)) {
        size_t size = count + 64;
        uint8_t *bytes = malloc(size);
        struct wire_writer writer = wire_writer(bytes, size);
        wire_put_parse(&writer, "other", parse.sql, parse.types, parse.types_bytes);
        assert(!writer.is_full && writer.length == 5 + count - strlen(parse.name) + 5);
        free(bytes);
    }
    if (type == 'B' && wire_read_bind(body, count, true, &bind))
        assert(bind.names_bytes <= count && wire_read_bind(body, count, false, &bind));
    if ((type == 'D' || type == 'C') && wire_read_target(body, count, &target))
        assert(strlen(target.name) == count - 2);
    if (type == 'E' && wire_read_execute(body, count, &name))
        assert(strlen(name) == count - 5);
    if (type == 'S' && wire_read_parameter(body, count, &name, &value))
        assert(strlen(name) + strlen(value) == count - 2);
    if ((type == 'E' || type == 'N') && wire_read_error(body, count, &fields))
        assert(strlen(fields.message) + strlen(fields.sqlstate) < count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire_startup startup;
    struct error err;
    size_t length = 0;

    if (size == 0)
        return 0;
    enum wire_direction direction = data[0] % 2 == 0 ? WIRE_FROM_CLIENT : WIRE_FROM_SERVER;
    const uint8_t *at = data + 1, *end = data + size;
    if (data[0] % 4 == 0) {
        if (wire_read_startup(at, (size_t)(end - at), &startup, &length, &err) != WIRE_WHOLE)
            return 0;
        assert(length <= (size_t)(end - at));
        at += length;
    }
    for (struct wire_header header;
         wire_read_header(at, (size_t)(end - at), direction, &header) == WIRE_WHOLE;) {
        at += WIRE_HEADER_BYTES;
        if (header.body_bytes > (size_t)(end - at))
            return 0;
        read_body(header.type, at, header.body_bytes);
        at += header.body_bytes;
    }
    return 0;
}
