// SPDX-License-Identifier: MIT
#include "pool/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- buffers ------------------------------------------------------------------------------ */

bool
pool_buffers_init(struct pool_buffers *buffers, size_t limit, uint32_t size_bytes)
{
    *buffers = (struct pool_buffers){.limit = limit, .size_bytes = size_bytes};
    buffers->items = calloc(limit, sizeof(*buffers->items));
    return buffers->items != NULL;
}

void
pool_buffers_release(struct pool_buffers *buffers)
{
    while (buffers->count > 0)
        free(buffers->items[--buffers->count]);
    free(buffers->items);
    *buffers = (struct pool_buffers){0};
}

static bool
take(struct pool_buffers *buffers, struct pool_buffer *buffer)
{
    uint8_t *bytes =
        buffers->count > 0 ? buffers->items[--buffers->count] : malloc(buffers->size_bytes);

    if (bytes == NULL)
        return false;
    *buffer = (struct pool_buffer){bytes, 0, 0, buffers->size_bytes};
    buffers->taken++;
    return true;
}

static void
give(struct pool_buffers *buffers, struct pool_buffer *buffer)
{
    if (buffer->bytes == NULL)
        return;
    if (buffer->capacity == buffers->size_bytes && buffers->count < buffers->limit)
        buffers->items[buffers->count++] = buffer->bytes;
    else
        free(buffer->bytes);
    *buffer = (struct pool_buffer){0};
    buffers->taken--;
}

/* Room for needed bytes from start on, and for at least one more than there are. */
static bool
make_room(struct pool_buffers *buffers, struct pool_buffer *buffer, size_t needed)
{
    if (buffer->bytes == NULL && !take(buffers, buffer))
        return false;
    uint32_t used = buffer->end - buffer->start;
    if (needed <= used)
        needed = used + 1;
    if (needed <= buffer->capacity - buffer->start)
        return true;
    memmove(buffer->bytes, buffer->bytes + buffer->start, used);
    buffer->start = 0;
    buffer->end = used;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = (uint32_t)capacity;
    return true;
}

/* --- reading ------------------------------------------------------------------------------ */

enum pool_fill
pool_link_fill(struct pool_link *link, struct pool_buffers *buffers, size_t needed)
{
    struct net_stream *stream = &link->stream;

    if (!stream->is_readable) {
        pool_link_settle(link, buffers); /* a connection that waits holds none */
        return POOL_FILL_NONE;
    }
    if (!make_room(buffers, &link->in, needed))
        return POOL_FILL_ERROR;
    size_t room = link->in.capacity - link->in.end;
    ssize_t count = stream->transport->receive(stream, link->in.bytes + link->in.end, room);
    if (count > 0) {
        link->in.end += (uint32_t)count;
        link->received_bytes += (uint64_t)count;
        /* A short read has emptied the socket; what comes later is a new event. */
        if ((size_t)count < room && !stream->has_ended)
            stream->is_readable = false;
        return POOL_FILL_SOME;
    }
    if (count < 0 && errno == EINTR)
        return POOL_FILL_SOME;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        stream->is_readable = false;
        pool_link_settle(link, buffers);
        return POOL_FILL_NONE;
    }
    return count == 0 ? POOL_FILL_END : POOL_FILL_ERROR;
}

void
pool_link_settle(struct pool_link *link, struct pool_buffers *buffers)
{
    if (link->in.start == link->in.end)
        give(buffers, &link->in);
}

bool
pool_link_put_back(struct pool_link *link, struct pool_buffers *buffers, const void *bytes,
                   size_t count)
{
    struct pool_buffer *in = &link->in;
    uint32_t used = in->end - in->start;

    if (!make_room(buffers, in, used + count))
        return false;
    memmove(in->bytes + in->start + count, in->bytes + in->start, used);
    memcpy(in->bytes + in->start, bytes, count);
    in->end += (uint32_t)count;
    return true;
}

/* --- sending ------------------------------------------------------------------------------ */

static void
append(struct pool_link *link, struct pool_buffers *buffers, const void *bytes, size_t count)
{
    struct pool_buffer *out = &link->out;

    if (count == 0 || link->is_broken)
        return;
    if (!make_room(buffers, out, out->end - out->start + count)) {
        link->is_broken = true;
        return;
    }
    memcpy(out->bytes + out->end, bytes, count);
    out->end += (uint32_t)count;
}

static void
spill(struct pool_link *link, struct pool_buffers *buffers)
{
    append(link, buffers, link->run, link->run_bytes);
    link->run = NULL;
    link->run_bytes = 0;
}

void
pool_link_put(struct pool_link *link, struct pool_buffers *buffers, const void *bytes, size_t count)
{
    spill(link, buffers);
    append(link, buffers, bytes, count);
}

struct wire_writer
pool_link_begin(struct pool_link *link, struct pool_buffers *buffers, size_t count)
{
    struct pool_buffer *out = &link->out;

    spill(link, buffers);
    link->is_broken = link->is_broken || !make_room(buffers, out, out->end - out->start + count);
    return link->is_broken ? wire_writer(NULL, 0) : wire_writer(out->bytes + out->end, count);
}

void
pool_link_end(struct pool_link *link, struct pool_buffers *buffers,
              const struct wire_writer *writer)
{
    link->is_broken |= writer->is_full;
    link->out.end += writer->is_full ? 0 : (uint32_t)writer->length;
    if (link->out.start == link->out.end)
        give(buffers, &link->out);
}

void
pool_link_forward(struct pool_link *link, struct pool_buffers *buffers, const uint8_t *bytes,
                  size_t count)
{
    if (link->run_bytes > 0 && link->run + link->run_bytes != bytes)
        spill(link, buffers);
    if (link->run_bytes == 0)
        link->run = bytes;
    link->run_bytes += count;
}

/* How many were taken; -1: broken. */
static ssize_t
send_some(struct pool_link *link, const uint8_t *bytes, size_t count)
{
    struct net_stream *stream = &link->stream;
    ssize_t sent;

    do {
        sent = stream->transport->send(stream, bytes, count);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (sent > 0)
        link->sent_bytes += (uint64_t)sent;
    return sent;
}

bool
pool_link_flush(struct pool_link *link, struct pool_buffers *buffers)
{
    struct pool_buffer *out = &link->out;

    if (out->bytes == NULL && link->run_bytes > 0 && !link->is_broken) {
        ssize_t sent = send_some(link, link->run, link->run_bytes);
        link->is_broken |= sent < 0;
        link->run += sent < 0 ? 0 : sent;
        link->run_bytes -= sent < 0 ? 0 : (size_t)sent;
        spill(link, buffers); /* what is left */
    } else if (!link->is_broken) {
        spill(link, buffers);
        if (out->bytes != NULL) {
            ssize_t sent = send_some(link, out->bytes + out->start, out->end - out->start);
            link->is_broken |= sent < 0;
            out->start += sent < 0 ? 0 : (uint32_t)sent;
            if (out->start == out->end)
                give(buffers, out);
        }
    }
    link->run = NULL;
    link->run_bytes = 0;
    link->is_stuck = out->bytes != NULL;
    if (!link->is_broken && link->stream.wants_write != (out->bytes != NULL))
        link->stream.transport->want_write(&link->stream, out->bytes != NULL);
    return !link->is_broken;
}

void
pool_link_close(struct pool_link *link, struct pool_buffers *buffers)
{
    link->run = NULL;
    link->run_bytes = 0;
    give(buffers, &link->in);
    give(buffers, &link->out);
    if (link->stream.transport != NULL && link->stream.descriptor >= 0)
        link->stream.transport->close(&link->stream);
    link->stream.descriptor = -1;
    link->is_broken = true;
}
