// SPDX-License-Identifier: MIT
#include "workload/query.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A query file of any text: read whole, or refused with a message. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *text = arena_alloc(arena, size + 1);
    struct workload_query query;
    struct error err;

    memcpy(text, data, size);
    text[size] = '\0';
    if (workload_read_query(arena, "query.sql", text, &query, &err))
        assert(query.name[0] != '\0' && query.sql[0] != '\0');
    else
        assert(err.message[0] != '\0');
    arena_free(arena);
    return 0;
}
