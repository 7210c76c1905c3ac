/* Reads the fields of one message. Every read checks what is left; none allocates. After a read
 * that does not fit is_bad stays set and reads give 0 or NULL, so that a parser may read all of
 * its fields and ask once. Borrowed bytes; one thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire_cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
};

static inline struct wire_cursor
wire_cursor(const uint8_t *bytes, size_t count)
{
    return (struct wire_cursor){bytes, bytes + count, false};
}

static inline size_t
wire_left(const struct wire_cursor *cursor)
{
    return cursor->is_bad ? 0 : (size_t)(cursor->end - cursor->at);
}

static inline const uint8_t *
wire_get_bytes(struct wire_cursor *cursor, size_t count)
{
    if (cursor->is_bad || count > wire_left(cursor)) {
        cursor->is_bad = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += count;
    return bytes;
}

static inline uint8_t
wire_get_byte(struct wire_cursor *cursor)
{
    const uint8_t *bytes = wire_get_bytes(cursor, 1);

    return bytes == NULL ? 0 : bytes[0];
}

static inline uint16_t
wire_get_uint16(struct wire_cursor *cursor)
{
    const uint8_t *bytes = wire_get_bytes(cursor, 2);

    return bytes == NULL ? 0 : (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t
wire_uint32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint32_t
wire_get_uint32(struct wire_cursor *cursor)
{
    const uint8_t *bytes = wire_get_bytes(cursor, 4);

    return bytes == NULL ? 0 : wire_uint32(bytes);
}

/* A text that ends with NUL; NULL when there is no NUL. */
static inline const char *
wire_get_string(struct wire_cursor *cursor)
{
    size_t left = wire_left(cursor);
    const uint8_t *nul = left == 0 ? NULL : memchr(cursor->at, '\0', left);

    if (nul == NULL) {
        cursor->is_bad = true;
        return NULL;
    }
    const char *text = (const char *)cursor->at;
    cursor->at = nul + 1;
    return text;
}

/* Whether all was read, and all of it fitted: a message ends exactly at its length. */
static inline bool
wire_is_read(const struct wire_cursor *cursor)
{
    return !cursor->is_bad && cursor->at == cursor->end;
}
