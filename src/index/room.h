/* Whether there is room for an index before it is built: where pgdeck runs on the server's host and
 * the size can be guessed. */
#pragma once
#include "change/change.h"
#include <stdatomic.h>
#include <stdint.h>

struct index_room {
    const char *data_directory;     /* NULL: elsewhere, nothing is checked */
    _Atomic int64_t *claimed_bytes; /* by all builds that run; shared by those of a server */
};

/* Claims what the index on that table will take; index_room_release gives it back. Errors:
 * ERROR_DISK_FULL. */
bool index_room_claim(struct change_execution *execution, const struct index_room *room,
                      const char *schema, const char *table, const char *canonical,
                      int64_t *ret_claimed_bytes, struct error *err) MUST_CHECK;
void index_room_release(const struct index_room *room, int64_t claimed_bytes);
