/* Apply: runs a plan's changes in order, each journalled. The caller holds the servers' locks. */
#pragma once
#include "plan/plan.h"

struct apply_options {
    bool has_restart; /* --restart: restarts are done */
    bool has_drop;    /* --drop: destructive changes are done */
    bool has_revoke;  /* --revoke: rights that the deck does not give are taken away */
    bool goes_on;     /* past changes that fail, each told to on_failure */
    void (*on_failure)(void *sink, const struct change *change, const struct error *err);
    /* Told of each change before it runs (index from 1), and of what it says meanwhile. */
    void (*on_change)(void *sink, size_t index, size_t count, const struct change *change);
    void (*on_progress)(void *sink, const char *line);
    void (*on_note)(void *sink, const char *line); /* a sentence that stays on the screen */
    void *sink;
    PGconn *const *locks; /* one a server, as in plan->servers */
};

struct apply_outcome {
    size_t done;
    size_t failed;       /* with goes_on; of those that stand apart */
    size_t skipped;      /* those whose flag (--restart, --drop, --revoke) was not given */
    const bool *touched; /* by plan->servers: something was done there; in the plan's arena */
    bool is_begun;       /* false: refused before anything was touched */
    bool is_resumed;     /* an apply that did not reach its end was continued */
};

/* Stops at the first change that fails, unless it stands apart; ret_outcome is set in any case.
 * Errors: the change's. */
bool plan_apply(const struct plan *plan, const struct apply_options *options,
                struct apply_outcome *ret_outcome, struct error *err) MUST_CHECK;
