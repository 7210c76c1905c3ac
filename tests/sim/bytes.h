/* What the simulated network is made of: bytes in order, and chance that a seed repeats. */
#pragma once
#include "wire/writer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct sim_bytes {
    uint8_t *items;
    size_t count, capacity;
};

static inline void
sim_bytes_reserve(struct sim_bytes *bytes, size_t count)
{
    if (bytes->count + count <= bytes->capacity)
        return;
    bytes->capacity = 2 * (bytes->count + count);
    bytes->items = realloc(bytes->items, bytes->capacity);
    if (bytes->items == NULL)
        abort();
}

static inline void
sim_bytes_add(struct sim_bytes *bytes, const void *from, size_t count)
{
    sim_bytes_reserve(bytes, count);
    if (count > 0)
        memcpy(bytes->items + bytes->count, from, count);
    bytes->count += count;
}

static inline void
sim_bytes_drop(struct sim_bytes *bytes, size_t count)
{
    bytes->count -= count;
    if (bytes->count > 0)
        memmove(bytes->items, bytes->items + count, bytes->count);
}

static inline void
sim_bytes_release(struct sim_bytes *bytes)
{
    free(bytes->items);
    *bytes = (struct sim_bytes){0};
}

/* A writer for at most count bytes behind what is there. */
static inline struct wire_writer
sim_bytes_begin(struct sim_bytes *bytes, size_t count)
{
    sim_bytes_reserve(bytes, count);
    return wire_writer(bytes->items + bytes->count, count);
}

static inline void
sim_bytes_end(struct sim_bytes *bytes, const struct wire_writer *writer)
{
    if (writer->is_full)
        abort();
    bytes->count += writer->length;
}

/* splitmix64 */
static inline uint64_t
sim_random(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

/* 0 .. limit - 1 */
static inline size_t
sim_below(uint64_t *state, size_t limit)
{
    return (size_t)(sim_random(state) % limit);
}

static inline bool
sim_one_in(uint64_t *state, size_t count)
{
    return sim_below(state, count) == 0;
}
