/* Whether what the deck wants fits into its server: connections (an error) and memory (a note
 * with the arithmetic). */
#pragma once
#include "settings/input.h"

/* All pools of the server, reserved and pgdeck's own, against max_connections as it will be, and
 * each environment's pools against its own limit. max_connections: 0 when unknown. */
bool settings_check_connections(const struct settings_input *input, int max_connections,
                                struct error *err) MUST_CHECK;

struct settings_memory {
    int64_t expected_bytes;
    const char *arithmetic; /* "shared_buffers 2GB + ..." */
};
/* Shared memory, one work_mem for each connection that works at once, autovacuum and parallel
 * workers. False: the deck does not say enough. */
bool
settings_expected_memory(const struct settings_input *input, struct settings_memory *ret_memory);
