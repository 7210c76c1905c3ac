/* Memory of one operation (a command, a plan, a request): many allocations, one release.
 * Allocations are zeroed and never fail: out of memory ends the process with a message, as the
 * command line wants it. Not for the pool, which must survive that. One thread at a time. */
#pragma once
#include "base/error.h"
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
static inline void
arena_cleanup(struct arena **arena)
{
    arena_free(*arena);
}
#define AUTO_ARENA __attribute__((cleanup(arena_cleanup))) struct arena *

void *arena_alloc(struct arena *arena, size_t size_bytes);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((nonnull(2)));

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

/* A growing array in an arena: declare `LIST_OF(struct column) columns;` in a struct. Items move
 * when the list grows: keep indexes, not pointers, while adding. */
#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t capacity;                                                                           \
    }
/* Adds a zeroed item at the end and evaluates to a pointer to it. */
#define LIST_ADD(arena, list)                                                                      \
    (arena_list_grow((arena), (void **)&(list)->items, (list)->count, &(list)->capacity,           \
                     sizeof(*(list)->items)),                                                      \
     &(list)->items[(list)->count++])
void arena_list_grow(struct arena *arena, void **items, size_t count, size_t *capacity,
                     size_t item_bytes);
