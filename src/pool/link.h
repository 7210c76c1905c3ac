/* One end of the pool: a stream with what was read and not handled, and what is to be sent. Buffers
 * are taken only while there is something in them, so that an idle connection has none. What is
 * forwarded whole is sent from where it was read, without a copy. One worker's thread. */
#pragma once
#include "net/stream.h"
#include "wire/writer.h"
#include <stdint.h>

struct pool_buffer {
    uint8_t *bytes; /* NULL: none taken */
    uint32_t start, end, capacity;
};

struct pool_buffers { /* of a worker: those that are free, one size */
    uint8_t **items;
    size_t count, limit;
    uint32_t size_bytes;
    size_t taken;
};

struct pool_link {
    struct net_stream stream;
    struct pool_buffer in, out;
    const uint8_t *run; /* bytes of another link's in, to be sent behind out */
    size_t run_bytes;
    bool is_broken; /* cannot be sent to any more, or no memory */
    bool is_stuck;  /* the other side did not take all of the last flush */
    uint64_t received_bytes, sent_bytes;
};

enum pool_fill {
    POOL_FILL_SOME,  /* more bytes than before */
    POOL_FILL_NONE,  /* nothing to be read now */
    POOL_FILL_END,   /* the other side has closed */
    POOL_FILL_ERROR, /* or no memory */
};

bool pool_buffers_init(struct pool_buffers *buffers, size_t limit, uint32_t size_bytes);
void pool_buffers_release(struct pool_buffers *buffers);

static inline size_t
pool_link_unread(const struct pool_link *link)
{
    return link->in.end - link->in.start;
}
static inline const uint8_t *
pool_link_bytes(const struct pool_link *link)
{
    return link->in.bytes + link->in.start;
}
/* Reads once; makes room for needed bytes in all, from the start of what is there. */
enum pool_fill pool_link_fill(struct pool_link *link, struct pool_buffers *buffers, size_t needed);
/* count bytes of in are done with; their memory stays as it is until pool_link_settle. */
static inline void
pool_link_consume(struct pool_link *link, size_t count)
{
    link->in.start += (uint32_t)count;
}
/* Bytes that were consumed are unread again, in front. False: no memory. */
bool pool_link_put_back(struct pool_link *link, struct pool_buffers *buffers, const void *bytes,
                        size_t count);
/* Gives in's buffer back when nothing is left in it. Not while a run points into it. */
void pool_link_settle(struct pool_link *link, struct pool_buffers *buffers);

/* Adds bytes to what is sent: a copy. */
void pool_link_put(struct pool_link *link, struct pool_buffers *buffers, const void *bytes,
                   size_t count);
/* A writer for at most count bytes, which go out behind what is there; without memory it is full,
 * and the link broken. Nothing else may be done with the link before pool_link_end. */
struct wire_writer
pool_link_begin(struct pool_link *link, struct pool_buffers *buffers, size_t count);
void pool_link_end(struct pool_link *link, struct pool_buffers *buffers,
                   const struct wire_writer *writer);
/* Adds bytes that stay where they are until the next pool_link_flush. */
void pool_link_forward(struct pool_link *link, struct pool_buffers *buffers, const uint8_t *bytes,
                       size_t count);
/* Sends; what the other side does not take now is kept, and its taking more wanted. False: broken.
 */
bool pool_link_flush(struct pool_link *link, struct pool_buffers *buffers);
static inline bool
pool_link_is_stuck(const struct pool_link *link)
{
    return link->is_stuck;
}
/* Whether so much waits for the next flush that it is due. */
enum { POOL_LINK_FLUSH_BYTES = 1 << 17 };
static inline bool
pool_link_is_full(const struct pool_link *link)
{
    return link->is_stuck || link->out.end - link->out.start > POOL_LINK_FLUSH_BYTES;
}
void pool_link_close(struct pool_link *link, struct pool_buffers *buffers);
