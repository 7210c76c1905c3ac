/* Building an index without stopping readers and writers; on a partitioned table one partition
 * after the other. Looks first at what is there, so that it continues after a kill. */
#pragma once
#include "change/change.h"
#include "index/room.h"
#include <stdint.h>

struct index_build { /* struct change's argument */
    const char *schema, *table, *name;
    const char *canonical; /* as in struct index_wanted */
    bool is_own_name;      /* pgdeck's: what else is there under this name may go */
    int lock_wait_ms;
    int64_t give_up_ms, max_block_ms;
    struct index_room room;
};

extern const struct change_procedure index_build_procedure;

/* What an index is called on a partition of its table, where pgdeck builds it. is_second: where the
 * first name is of a part of the index that this one is to replace, as it is after each other
 * replacement (the index itself gets its name back, its parts keep theirs). */
const char *
index_part_name(struct arena *arena, const char *table, const char *name, bool is_second);

/* CREATE INDEX CONCURRENTLY of PostgreSQL 14.0 to 14.3 can leave rows out. version: 140002. */
bool index_is_build_unsafe(int version);
