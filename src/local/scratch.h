/* A scratch data directory beside a live server: to see what its own programs say of a
 * configuration before it gets it. Nobody can connect; it dies with pgdeck. Main thread. */
#pragma once
#include "base/arena.h"
#include "base/process.h"

struct local_scratch {
    struct arena *arena;
    const char *program; /* postgres; initdb is beside it */
    const char *folder, *data, *log;
    struct process_user user;
    bool has_cluster; /* initdb has run */
};

/* Makes its folder, of that user's, in the state folder; what a killed pgdeck left there goes.
 * name: tells servers of this host apart. */
bool local_scratch_make(struct arena *arena, const char *name, const char *program,
                        const struct process_user *user, struct local_scratch *ret_scratch,
                        struct error *err) MUST_CHECK;
void local_scratch_remove(const struct local_scratch *scratch);

/* Writes its postgresql.conf. */
bool local_scratch_configure(const struct local_scratch *scratch, const char *text,
                             struct error *err) MUST_CHECK;
/* initdb, not synced, if it has not run yet; wal_segment_mb: as the live server's. */
bool
local_scratch_fill(struct local_scratch *scratch, int wal_segment_mb, struct error *err) MUST_CHECK;
/* postgres -C name: the value, or ERROR_REFUSED with what the program says as detail. Values that
 * are computed at start need local_scratch_fill before. */
bool local_scratch_value(const struct local_scratch *scratch, const char *name,
                         const char **ret_value, struct error *err) MUST_CHECK;
/* Starts it on a socket of its own until it would take connections, and stops it. ERROR_REFUSED
 * with the end of its log as detail. */
bool local_scratch_try(const struct local_scratch *scratch, struct error *err) MUST_CHECK;
