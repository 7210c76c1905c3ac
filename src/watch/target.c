// SPDX-License-Identifier: MIT
/* The targets of an environment: each is a series of sums by minute and a formula that makes one
 * figure of them, for the last minute, hour and day. */
#include "watch/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MINUTE_S = 60, HOUR = 60, SUMS_MAX = WATCH_WIDTH_MAX };

/* Of the minutes of a day, so many may miss the target. */
static const double budget_share = 0.01;

struct target {
    const char *name, *label, *unit;
    size_t width;
    bool is_low_bad;
    double (*wanted)(const struct deck_targets *targets); /* 0: none */
    double (*figure)(const double *sums);
    const char *source;
};

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
mean(const double *sums)
{
    return sums[1] > 0 ? sums[0] / sums[1] : NAN;
}

static double
share(const double *sums)
{
    return sums[0] + sums[1] > 0 ? sums[0] / (sums[0] + sums[1]) : NAN;
}

static const struct target targets[] = {
    {"connections", "connections in use", "count", 2, false, wanted_connections, mean,
     "pg_stat_activity"},
    {"cache_hit", "cache hit", "share", 2, true, wanted_cache_hit, share, "pg_stat_database"},
};
enum { TARGET_COUNT = sizeof(targets) / sizeof(targets[0]) };

static struct watch_series *
series_of(struct watch *watch, const struct deck *deck, const struct deck_environment *environment,
          const struct target *target)
{
    char name[512];

    snprintf(name, sizeof(name), "%s/%s/%s", deck->name, environment->name, target->name);
    return watch_keep_series(watch, name, target->width);
}

void
watch_add_cache(struct watch_collector *database, double now, double hits, double reads)
{
    const double values[] = {hits, reads};

    watch_series_add(series_of(database->watch, database->server->deck,
                               database->database->environment, &targets[1]),
                     now, values);
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
        watch_series_add(series_of(collector->watch, deck, environment, &targets[0]), now, values);
    }
}

static double
figure_of(const struct target *target, const struct watch_series *series, int64_t from, int64_t to)
{
    double sums[SUMS_MAX];

    return watch_series_sum(series, from, to, sums) ? target->figure(sums) : NAN;
}

/* The share that is left of the minutes that may miss; NAN: nothing is known. */
static double
budget_left(const struct target *target, const struct watch_series *series, double wanted,
            int64_t newest)
{
    double missed = 0, known = 0;

    for (int64_t minute = newest - WATCH_MINUTES + 1; minute <= newest; minute++) {
        double value = figure_of(target, series, minute - 1, minute);
        if (isnan(value))
            continue;
        known++;
        missed += target->is_low_bad ? value < wanted : value > wanted;
    }
    return known > 0 ? 1 - missed / (budget_share * WATCH_MINUTES) : NAN;
}

json_t *
watch_targets(struct watch *watch, const struct deck *deck,
              const struct deck_environment *environment, double now)
{
    json_t *list = json_array();
    int64_t minute = (int64_t)now / MINUTE_S;

    for (size_t i = 0; i < TARGET_COUNT; i++) {
        const struct target *target = &targets[i];
        const struct watch_series *series = series_of(watch, deck, environment, target);
        double wanted = target->wanted(&environment->targets);
        json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:s, s:b}", "name", target->name, "label",
                                target->label, "unit", target->unit, "is_low_bad",
                                target->is_low_bad, "source", target->source, "is_estimate", false);
        json_object_set_new(one, "target", wanted > 0 ? json_real(wanted) : json_null());
        json_object_set_new(one, "now",
                            watch_number(figure_of(target, series, minute - 2, minute)));
        json_object_set_new(one, "hour",
                            watch_number(figure_of(target, series, minute - HOUR, minute)));
        json_object_set_new(
            one, "day", watch_number(figure_of(target, series, minute - WATCH_MINUTES, minute)));
        json_object_set_new(
            one, "budget_left",
            watch_number(wanted > 0 ? budget_left(target, series, wanted, minute) : NAN));
        json_array_append_new(list, one);
    }
    return list;
}
