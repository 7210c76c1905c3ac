// SPDX-License-Identifier: MIT
/* The targets of an environment: each is a series of sums by minute and a formula that makes one
 * figure of them, for the last minute, hour and day. */
#include "watch/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { MINUTE_S = 60, NOW = 2, HOUR = 60, STEP = 5, SUMS_MAX = WATCH_WIDTH_MAX };

/* Pages a minute (5 MB): below, a share of hits says nothing of how fast anything is. */
static const double pages_floor = 600;
/* Tasks: of fewer, one that failed is not a share. */
static const double tasks_least = 20;
/* Of the minutes of a day, so many may miss the target. */
static const double budget_share = 0.01;

struct target {
    const char *name, *label, *unit;
    size_t width;
    bool is_low_bad, is_estimate;
    double floor; /* sums a minute; of fewer a short window says nothing. 0: of any */
    double least; /* sums in a window; one of fewer becomes an hour. 0: of any */
    double (*wanted)(const struct deck_targets *targets); /* 0: none */
    double (*figure)(const double *sums);
    const char *source;
};

static double
wanted_p95(const struct deck_targets *targets)
{
    return (double)targets->query_p95_ms;
}

static double
wanted_ai_task(const struct deck_targets *targets)
{
    return (double)targets->ai_task_ms;
}

static double
wanted_connections(const struct deck_targets *targets)
{
    return targets->connections_max;
}

static double
wanted_cache_hit(const struct deck_targets *targets)
{
    return targets->cache_hit;
}

static double
wanted_none(const struct deck_targets *targets)
{
    (void)targets;
    return 0;
}

static double
mean(const double *sums)
{
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

static double
share(const double *sums)
{
    return sums[0] + sums[1] > 0 ? sums[0] / (sums[0] + sums[1]) : NAN;
}

static double
p95(const double *sums)
{
    return watch_percentile(sums, 0.95);
}

static const struct target targets[WATCH_TARGETS] = {
    [WATCH_QUERY_P95] = {"query_p95", "query p95", "ms", WATCH_WIDTH_MAX, false, false, 0, 0,
                         wanted_p95, p95, "the pool's histograms"},
    [WATCH_QUERY_P95_ESTIMATE] = {"query_p95", "query p95 (estimate)", "ms", WATCH_WIDTH_MAX, false,
                                  true, 0, 0, wanted_p95, p95, "the mean time of each statement"},
    [WATCH_AI_TASK] = {"ai_task", "AI task p95", "ms", WATCH_WIDTH_MAX, false, false, 0, 0,
                       wanted_ai_task, p95, "table ai_tasks"},
    [WATCH_CACHE_HIT] = {"cache_hit", "cache hit", "share", 2, true, false, pages_floor, 0,
                         wanted_cache_hit, share, "pg_stat_database"},
    [WATCH_CONNECTIONS] = {"connections", "connections in use", "count", 2, false, false, 0, 0,
                           wanted_connections, mean, "pg_stat_activity"},
    [WATCH_QUERY_MEAN] = {"query_mean", "query mean", "ms", 2, false, false, 0, 0, wanted_none,
                          mean, "pg_stat_statements"},
    [WATCH_AI_TASK_ERRORS] = {"ai_task_errors", "AI task errors", "share", 2, false, false, 0,
                              tasks_least, wanted_none, share, "table ai_tasks"},
};

const char *const watch_target_keys[WATCH_TARGETS] = {
    [WATCH_QUERY_P95] = "query_p95",
    [WATCH_QUERY_P95_ESTIMATE] = "query_p95_estimate",
    [WATCH_AI_TASK] = "ai_task",
    [WATCH_CACHE_HIT] = "cache_hit",
    [WATCH_CONNECTIONS] = "connections",
    [WATCH_QUERY_MEAN] = "query_mean",
    [WATCH_AI_TASK_ERRORS] = "ai_task_errors",
};

struct watch_series *
watch_target_series(struct watch *watch, const struct deck *deck,
                    const struct deck_environment *environment, enum watch_target_name target)
{
    char name[512];

    snprintf(name, sizeof(name), "%s/%s/%s", deck->name, environment->name,
             watch_target_keys[target]);
    return watch_keep_series(watch, name, targets[target].width);
}

void
watch_target_add(struct watch *watch, const struct deck *deck,
                 const struct deck_environment *environment, enum watch_target_name name,
                 double now, const double *values)
{
    watch_series_add(watch_target_series(watch, deck, environment, name), now, values);
}

/* After each sample of a server: what each of its environments uses. */
void
watch_add_connections(struct watch_collector *collector, double now)
{
    const struct deck *deck = collector->server->deck;
    struct watch_generation *generation = collector->generation;

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        double values[] = {0, 1};
        if (environment->server != collector->server->server)
            continue;
        for (size_t j = 0; j < generation->collectors.count; j++) {
            const struct watch_collector *one = &generation->collectors.items[j];
            if (one->database->environment == environment)
                values[0] += one->sessions;
        }
        watch_target_add(collector->watch, deck, environment, WATCH_CONNECTIONS, now, values);
    }
}

static double
figure_of(const struct target *target, const struct watch_series *series, int64_t from, int64_t to)
{
    double sums[SUMS_MAX];

    return watch_series_sum(series, from, to, sums) ? target->figure(sums) : NAN;
}

/* Of all that was counted; NAN: not measured. */
static double
count_of(const struct target *target, const struct watch_series *series, int64_t from, int64_t to)
{
    double sums[SUMS_MAX], total = 0;

    if (!watch_series_sum(series, from, to, sums))
        return NAN;
    for (size_t i = 0; i < target->width; i++)
        total += sums[i];
    return total;
}

static int64_t
widen(const struct target *target, const struct watch_series *series, int64_t from, int64_t to)
{
    bool is_short = target->least > 0 && count_of(target, series, from, to) < target->least;

    return is_short ? to - HOUR : from;
}

/* Whether it was measured, but too little to say anything of these minutes. */
static bool
is_idle(const struct target *target, const struct watch_series *series, int64_t from, int64_t to)
{
    if (target->floor <= 0 && target->least <= 0)
        return false;
    double count = count_of(target, series, widen(target, series, from, to), to);
    return count < target->least || count < target->floor * (double)(to - from);
}

/* NAN where it is idle, too: for windows of minutes. */
static double
short_figure_of(const struct target *target, const struct watch_series *series, int64_t from,
                int64_t to)
{
    return is_idle(target, series, from, to)
               ? NAN
               : figure_of(target, series, widen(target, series, from, to), to);
}

/* The share that is left of the minutes that may miss; NAN: nothing is known. */
static double
budget_left(const struct target *target, const struct watch_series *series, double wanted,
            int64_t newest)
{
    double missed = 0, known = 0;

    for (int64_t minute = newest - WATCH_MINUTES + 1; minute <= newest; minute++) {
        double value = short_figure_of(target, series, minute - 1, minute);
        if (isnan(value))
            continue;
        known++;
        missed += target->is_low_bad ? value < wanted : value > wanted;
    }
    return known > 0 ? 1 - missed / (budget_share * WATCH_MINUTES) : NAN;
}

static json_t *
target_of(struct watch *watch, const struct deck *deck, const struct deck_environment *environment,
          enum watch_target_name name, double now)
{
    const struct target *target = &targets[name];
    const struct watch_series *series = watch_target_series(watch, deck, environment, name);
    int64_t minute = (int64_t)now / MINUTE_S;
    double wanted = target->wanted(&environment->targets);
    json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:s, s:b}", "name", target->name, "label",
                            target->label, "unit", target->unit, "is_low_bad", target->is_low_bad,
                            "source", target->source, "is_estimate", target->is_estimate);
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"target", wanted > 0 ? wanted : NAN},
        {"now", short_figure_of(target, series, minute - NOW, minute)},
        {"measured", short_figure_of(target, series, minute - 2, minute - 1)},
        {"measured_at", (double)minute * MINUTE_S},
        {"hour", figure_of(target, series, minute - HOUR, minute)},
        {"day", figure_of(target, series, minute - WATCH_MINUTES, minute)},
        {"budget_left", wanted > 0 ? budget_left(target, series, wanted, minute) : NAN},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        json_object_set_new(one, figures[i].name, watch_number(figures[i].value));
    json_object_set_new(one, "is_idle",
                        json_boolean(is_idle(target, series, minute - 2, minute - 1)));
    return one;
}

/* By the pool where it has measured anything in the last hour. */
static bool
has_pool(struct watch *watch, const struct deck *deck, const struct deck_environment *environment,
         double now)
{
    int64_t minute = (int64_t)now / MINUTE_S;

    return !isnan(figure_of(&targets[WATCH_QUERY_P95],
                            watch_target_series(watch, deck, environment, WATCH_QUERY_P95),
                            minute - HOUR, minute));
}

json_t *
watch_targets(struct watch *watch, const struct deck *deck,
              const struct deck_environment *environment, double now)
{
    json_t *list = json_array();
    int without =
        has_pool(watch, deck, environment, now) ? WATCH_QUERY_P95_ESTIMATE : WATCH_QUERY_P95;

    for (int i = 0; i < WATCH_TARGETS; i++) {
        if (i != without)
            json_array_append_new(
                list, target_of(watch, deck, environment, (enum watch_target_name)i, now));
    }
    return list;
}

/* --- an environment's day -----------------------------------------------------------------------
 */

const char *
watch_environment_id(const struct deck *deck, const struct deck_environment *environment,
                     char ret_id[WATCH_ID_BYTES])
{
    snprintf(ret_id, WATCH_ID_BYTES, "%016llx",
             (unsigned long long)XXH3_64bits_withSeed(environment->name, strlen(environment->name),
                                                      XXH3_64bits(deck->name, strlen(deck->name))));
    return ret_id;
}

static json_t *
day_of(const struct target *target, const struct watch_series *series, int64_t until)
{
    json_t *values = json_array();

    for (int64_t minute = until - WATCH_MINUTES; minute < until; minute += STEP)
        json_array_append_new(values,
                              watch_number(figure_of(target, series, minute, minute + STEP)));
    return values;
}

static void
put_environment(struct watch *watch, const struct deck *deck,
                const struct deck_environment *environment, double now)
{
    json_t *targets_now = watch_targets(watch, deck, environment, now);
    int64_t until = (int64_t)now / MINUTE_S / STEP * STEP + STEP;
    bool by_pool = has_pool(watch, deck, environment, now);
    size_t at = 0;
    char id[WATCH_ID_BYTES], name[64];

    for (int i = 0; i < WATCH_TARGETS; i++) {
        if (i == (by_pool ? WATCH_QUERY_P95_ESTIMATE : WATCH_QUERY_P95))
            continue;
        const struct watch_series *series =
            watch_target_series(watch, deck, environment, (enum watch_target_name)i);
        json_t *one = json_array_get(targets_now, at++);
        json_object_set_new(one, "values", day_of(&targets[i], series, until));
        if (i == WATCH_CONNECTIONS && environment->max_connections > 0)
            json_object_set_new(one, "limit", json_integer(environment->max_connections));
    }
    snprintf(name, sizeof(name), "environment/%s", watch_environment_id(deck, environment, id));
    watch_board_put_json(watch->board, name,
                         json_pack("{s:f, s:o, s:o, s:o, s:i, s:I, s:o}", "at", now, "deck",
                                   watch_json(deck->name), "environment",
                                   watch_json(environment->name), "server",
                                   watch_json(environment->server->name), "step_s", STEP * MINUTE_S,
                                   "until", (json_int_t)until * MINUTE_S, "targets", targets_now));
}

void
watch_publish_environments(struct watch *watch, double now)
{
    const struct watch_decks *decks = &watch->generation->decks;

    for (size_t i = 0; i < decks->list.count; i++) {
        const struct deck *deck = decks->list.items[i];
        for (size_t j = 0; j < deck->environments.count; j++)
            put_environment(watch, deck, &deck->environments.items[j], now);
    }
    watch_board_drop(watch->board, "environment/", now - MINUTE_S * STEP);
}
