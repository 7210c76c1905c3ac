// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "base/interrupt.h"

#include <string.h>

enum { MAX_RECOVERIES = 3, MAX_ATTEMPTS = 50, WAIT_MS = 200 };

/* A server that comes up again refuses for a while. */
static bool
open_again(struct advise *run, struct error *err)
{
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        PQfinish(run->planner);
        run->planner = NULL;
        error_clear(err);
        if (advise_open_planner(run, err))
            return true;
        if (err->code != ERROR_UNREACHABLE && err->code != ERROR_CONNECTION_LOST)
            return false;
        struct error interrupted = {0};
        if (!interrupt_sleep_ms(WAIT_MS, &interrupted)) {
            *err = interrupted;
            return false;
        }
    }
    return false;
}

bool
advise_recover(struct advise *run, const struct error *fault, struct error *err)
{
    if (fault->code != ERROR_CONNECTION_LOST || run->recoveries++ >= MAX_RECOVERIES) {
        *err = *fault;
        return false;
    }
    advise_note(run, "The connection was lost in the middle, and opened again: %s.",
                fault->message);
    if (!open_again(run, err))
        return error_wrap(err, "the connection was lost, and cannot be opened again");
    for (size_t i = 0; i < run->candidates.count; i++)
        run->candidates.items[i].live.count = 0;
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_statement *statement = &run->statements.items[i];
        if (statement->is_bound && statement->prepared != NULL && statement->problem == NULL &&
            !pg_prepare(run->planner, statement->prepared, statement->sql, 0, NULL, NULL, err))
            return false;
    }
    return true;
}
