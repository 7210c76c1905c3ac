// SPDX-License-Identifier: MIT
/* How long AI tasks took, by the deck's own table of them, where there is one. */
#include "watch/state.h"

#include <string.h>

enum { LONGEST_LOOK_S = 600, SETTLED_S = 2 };

bool
watch_has_ai_tasks(const struct watch_collector *collector)
{
    return collector->has_ai_tasks;
}

/* From where the look before ended; what ended in the last moment may not be committed yet. */
int
watch_ai_parameters(struct watch_collector *collector, struct arena *arena,
                    const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    enum { FIRST_LOOK_S = 60 };
    AUTO_TEXT bounds = {0};
    double until = watch_now() - SETTLED_S;

    for (size_t i = 0; i < watch_bound_count; i++)
        text_appendf(&bounds, "%s%g", i == 0 ? "{" : ",", watch_bounds_ms[i]);
    text_append(&bounds, "}");
    collector->ai_since =
        collector->ai_until > until - LONGEST_LOOK_S ? collector->ai_until : until - FIRST_LOOK_S;
    collector->ai_until = until;
    ret_parameters[0] = arena_strdup(arena, text_chars(&bounds));
    ret_parameters[1] = arena_printf(arena, "%.6f", collector->ai_since);
    ret_parameters[2] = arena_printf(arena, "%.6f", collector->ai_until);
    return 3;
}

void
watch_read_ai_tasks(struct watch_collector *collector, const PGresult *result, double now)
{
    const struct deck *deck = collector->server->deck;
    const struct deck_environment *environment = collector->database->environment;
    double counts[WATCH_WIDTH_MAX] = {0}, errors[2] = {0};

    for (int row = 0; row < PQntuples(result); row++) {
        size_t bucket = (size_t)pg_integer(result, row, "bucket");
        double done = watch_value(result, row, "done"), failed = watch_value(result, row, "failed");
        if (bucket <= watch_bound_count)
            counts[bucket] += done;
        errors[0] += failed;
        errors[1] += done;
    }
    watch_target_add(collector->watch, deck, environment, WATCH_AI_TASK, now, counts);
    watch_target_add(collector->watch, deck, environment, WATCH_AI_TASK_ERRORS, now, errors);
}
