/* Whether what the deck wants fits into its server: connections and expected memory (errors);
 * worst-case memory is for a warning. */
#pragma once
#include "settings/input.h"

/* All pools of the server, reserved and pgdeck's own, against max_connections as it will be, and
 * each environment's pools against its own limit. max_connections: 0 when unknown. */
bool settings_check_connections(const struct settings_input *input, int max_connections,
                                struct error *err) MUST_CHECK;

struct settings_memory {
    /* Shared memory, one work_mem for each connection that works at once, autovacuum and parallel
     * workers. */
    int64_t expected_bytes;
    const char *expected_terms; /* "shared_buffers 2GB + ..." */
    /* All connections at once, each with several sorts and hashes that use the multiplier, and
     * with temporary tables. */
    int64_t worst_bytes;
    const char *worst_terms;
};
/* False: the deck does not say enough. */
bool settings_memory_read(const struct settings_input *input, struct settings_memory *ret_memory);
/* Whether expected memory fits; presets, and figures that the deck sets itself, are let through. */
bool settings_check_memory(const struct settings_input *input, struct error *err) MUST_CHECK;
