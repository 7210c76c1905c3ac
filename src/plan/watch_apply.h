/* Looking after servers for a while after an apply: errors, the mean time of statements, requested
 * checkpoints, swap, each beside what it was before. */
#pragma once
#include "plan/watch_counts.h"

struct watch_options {
    int64_t duration_ms;
    bool has_restarted; /* caches are cold: the first tenth is not judged */
    void (*on_note)(void *sink, const char *line);
    void *sink;
};

struct watch_apply {
    struct arena *arena;
    const struct plan *plan;
    struct watch_server *servers; /* as plan->servers */
    struct watch_counts *before;
    const bool *touched; /* by the apply; the others are not looked at */
};

/* Counts what there is before the apply, on all servers of the plan. */
bool watch_apply_begin(struct arena *arena, const struct plan *plan, struct watch_apply *ret_watch,
                       struct error *err) MUST_CHECK;
/* Watches the servers that the apply touched, and tells what it sees ten times. ret_reason: what
 * got worse than the deck allows, twice in a row or over the whole time; NULL: nothing.
 * Errors: ERROR_INTERRUPTED. */
bool watch_apply_run(struct watch_apply *watch, const struct watch_options *options,
                     const bool *touched, const char **ret_reason, struct error *err) MUST_CHECK;
