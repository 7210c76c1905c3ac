// SPDX-License-Identifier: MIT
#include "watch/plans.h"

#include "watch/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PLAN_MAX = 16 * 1024 };

static uint64_t
shape_of(const char *plan)
{
    AUTO_TEXT text = {0};

    for (const char *at = plan; *at != '\0'; at++) {
        if ((*at < '0' || *at > '9') && *at != '.')
            text_append_bytes(&text, at, 1);
    }
    return XXH3_64bits(text_chars(&text), text.length);
}

void
watch_plans_add(struct watch_plans *plans, const char *text, double ms, double now)
{
    struct watch_plan added = {.shape = shape_of(text), .since = now, .at = now, .ms = ms};
    size_t at = 0;

    while (at < plans->count && plans->list[at].shape != added.shape)
        at++;
    if (at < plans->count) {
        added.runs = plans->list[at].runs;
        added.since = plans->list[at].since;
    } else if (plans->count == WATCH_PLANS) {
        at = 0;
    }
    if (at < plans->count) {
        free(plans->list[at].text);
        plans->count--;
        memmove(&plans->list[at], &plans->list[at + 1],
                (plans->count - at) * sizeof(plans->list[0]));
    }
    added.runs++;
    added.text = strndup(text, PLAN_MAX);
    if (added.text == NULL)
        abort();
    plans->list[plans->count++] = added;
}

void
watch_plans_release(struct watch_plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        free(plans->list[i].text);
    plans->count = 0;
}

void
watch_plans_append(json_t *list, const struct watch_plans *plans, const char *source)
{
    for (size_t i = plans->count; i > 0; i--) {
        const struct watch_plan *plan = &plans->list[i - 1];
        json_array_append_new(list, json_pack("{s:f, s:f, s:s, s:o, s:f, s:o}", "at", plan->at,
                                              "since", plan->since, "source", source, "duration_ms",
                                              watch_number(plan->ms), "runs", plan->runs, "plan",
                                              watch_json(plan->text)));
    }
}
