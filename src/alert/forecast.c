// SPDX-License-Identifier: MIT
#include "alert/evaluate.h"

#include <math.h>
#include <string.h>
#include <time.h>

static const char name[] = "runs_out";
static const double S_MS = 1000;

static const char *
text_at(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static double
number_at(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool
is_same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

/* One alert for each database, and one for each server's disks. */
static struct alert_finding *
finding_of(struct arena *arena, const json_t *one, struct alert_findings *findings, size_t first)
{
    const char *server = text_at(one, "server"), *database = text_at(one, "database");

    for (size_t i = first; i < findings->list.count; i++) {
        struct alert_finding *finding = &findings->list.items[i];
        if (is_same(finding->server, server) && is_same(finding->database, database))
            return finding;
    }
    struct alert_finding *added = LIST_ADD(arena, &findings->list);
    *added = (struct alert_finding){
        .name = name,
        .server = server,
        .environment = text_at(one, "environment"),
        .database = database,
        .value = NAN,
        .warning = NAN,
        .critical = NAN,
        .message = "nothing runs out soon",
        .measured_ms = (int64_t)(number_at(one, "measured_at") * S_MS),
    };
    return added;
}

static const char *
moment_of(struct arena *arena, double at)
{
    time_t seconds = (time_t)at;
    struct tm parts;
    char text[64];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
    return arena_strdup(arena, text);
}

static void
set_level(struct arena *arena, struct alert_finding *finding, const json_t *one,
          const struct alert_levels *levels, double left_ms)
{
    const char *kind = text_at(one, "kind"), *what = text_at(one, "name");

    finding->value = left_ms;
    finding->warning = levels->warning;
    finding->critical = levels->critical;
    finding->unit = levels->unit;
    finding->level = left_ms <= levels->critical  ? ALERT_CRITICAL
                     : left_ms <= levels->warning ? ALERT_WARNING
                                                  : ALERT_NONE;
    finding->message = arena_printf(arena,
                                    "%s %s: used up on %s at this rate (%.6g left, %.6g a "
                                    "day)",
                                    kind == NULL ? "" : kind, what == NULL ? "" : what,
                                    moment_of(arena, number_at(one, "runs_out_at")),
                                    number_at(one, "room"), number_at(one, "a_day"));
    finding->fix_sql = text_at(one, "fix_sql");
    if (finding->fix_sql == NULL && finding->level != ALERT_NONE)
        finding->fix_sql = alert_fix(arena, name);
}

void
alert_evaluate_forecasts(struct arena *arena, const struct deck *deck, const json_t *forecasts,
                         struct alert_findings *ret_findings)
{
    const size_t first = ret_findings->list.count;
    struct alert_levels levels;
    size_t at;
    const json_t *one;

    if (!alert_levels_of(deck, name, &levels))
        return;
    json_array_foreach(json_object_get(forecasts, "forecasts"), at, one)
    {
        const char *of_deck = text_at(one, "deck"), *outlook = text_at(one, "outlook");
        if (of_deck == NULL || outlook == NULL || strcmp(of_deck, deck->name) != 0 ||
            strcmp(outlook, "too little history") == 0)
            continue;
        struct alert_finding *finding = finding_of(arena, one, ret_findings, first);
        double left_ms = (number_at(one, "runs_out_at") - number_at(one, "measured_at")) * S_MS;
        if (isfinite(left_ms) && (isnan(finding->value) || left_ms < finding->value))
            set_level(arena, finding, one, &levels, left_ms);
    }
}
