// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct block {
    struct block *next;
    size_t used;
    size_t size;
    _Alignas(ALIGNMENT) char data[];
};

struct arena {
    struct block *blocks;
};

static void *
allocate_or_die(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);

    if (memory == NULL) {
        fputs("pgdeck: error: out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct arena *
arena_new(void)
{
    return allocate_or_die(sizeof(struct arena));
}

void
arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *block = arena->blocks; block != NULL;) {
        struct block *next = block->next;
        ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
        free(block);
        block = next;
    }
    free(arena);
}

void *
arena_alloc(struct arena *arena, size_t size_bytes)
{
    size_t rounded = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct block *block = arena->blocks;

    assert(rounded >= size_bytes);
    if (block == NULL || block->size - block->used < rounded) {
        size_t size = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        block = allocate_or_die(sizeof(*block) + size);
        block->size = size;
        ASAN_POISON_MEMORY_REGION(block->data, size);
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(memory, size_bytes);
    return memory;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *
arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void
arena_list_grow(struct arena *arena, void **items, size_t count, size_t *capacity,
                size_t item_bytes)
{
    if (count < *capacity)
        return;
    size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = arena_alloc(arena, wanted * item_bytes);
    if (count > 0)
        memcpy(grown, *items, count * item_bytes);
    *items = grown;
    *capacity = wanted;
}
