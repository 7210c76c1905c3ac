// SPDX-License-Identifier: MIT
#include "advise/input.h"

#include <string.h>

void
advise_input_snapshot(struct advise *run, const struct advise_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->statements.count; i++) {
        const struct advise_counter *counter = &snapshot->statements.items[i];
        advise_add(run, &(struct advise_statement){.text = counter->sql,
                                                   .source = "pg_stat_statements",
                                                   .calls = counter->calls,
                                                   .total_ms = counter->total_ms,
                                                   .rows = counter->rows,
                                                   .is_counted = true});
    }
    if (snapshot->hidden > 0)
        advise_note(run,
                    "%zu statements of other roles are left out, which this role may not read: "
                    "GRANT pg_read_all_stats to it.",
                    snapshot->hidden);
    if (snapshot->utilities > 0)
        advise_note(run, "Not looked at: %zu utility statements (VACUUM, SET, COPY and the like).",
                    snapshot->utilities);
    if (snapshot->beyond > 0)
        advise_note(run, "Not looked at: %zu statements that took less time than the first %zu.",
                    snapshot->beyond, snapshot->statements.count);
}
