// SPDX-License-Identifier: MIT
/* What is kept in the databases: samples of pg_stat_statements by the monitoring's own function,
 * and the figures of the targets, a batch of ten minutes a row. These are written by one database
 * of each environment; while none can, the day that is in memory is the buffer. */
#include "watch/document.h"

#include "pg/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 10,
    MINUTE_S = 60,
    BATCH_S = BATCH * MINUTE_S,
    SETTLED_S = 5,
    BATCHES_MAX = WATCH_MINUTES / BATCH - 1
};

struct kept { /* of one environment */
    bool was_recalled;
    int64_t written; /* batches up to this one (exclusive); time / (BATCH minutes) */
    double written_at;
};

/* The load of a server is kept by the first of its databases that can, under the events' names. */
static const char load_prefix[] = "load ";

static void *
kept_new(void)
{
    struct kept *kept = calloc(1, sizeof(*kept));

    if (kept == NULL)
        abort();
    return kept;
}

static struct kept *
kept_of(struct watch *watch, const struct deck *deck, const struct deck_environment *environment)
{
    char name[512];

    snprintf(name, sizeof(name), "%s/%s/kept", deck->name, environment->name);
    return watch_keep(watch, name, kept_new, free);
}

static struct kept *
kept_by(const struct watch_collector *collector)
{
    return kept_of(collector->watch, collector->server->deck, collector->database->environment);
}

static bool
can_write(const struct watch_collector *collector)
{
    return collector->is_reachable && collector->has_targets;
}

/* The first database of the environment that can. */
static bool
is_writer(const struct watch_collector *collector)
{
    const struct watch_generation *generation = collector->generation;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *one = &generation->collectors.items[i];
        if (one->database->environment == collector->database->environment && can_write(one))
            return one == collector;
    }
    return false;
}

/* The same, of all databases of the server. */
static bool
is_writer_of_server(const struct watch_collector *collector)
{
    const struct watch_generation *generation = collector->generation;

    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *one = &generation->collectors.items[i];
        if (one->server == collector->server && can_write(one))
            return one == collector;
    }
    return false;
}

static int64_t
newest_batch(double now)
{
    return ((int64_t)now - SETTLED_S) / BATCH_S;
}

/* --- recall ---------------------------------------------------------------------------------- */

bool
watch_wants_recall(const struct watch_collector *collector)
{
    return is_writer(collector) && !kept_by(collector)->was_recalled;
}

static void
recall(struct watch_series *series, int64_t batch, const char *sums)
{
    double values[WATCH_WIDTH_MAX];
    char *end;

    for (int64_t minute = batch * BATCH; minute < (batch + 1) * BATCH; minute++) {
        bool is_known = *sums != '*' && *sums != '\0';
        for (size_t i = 0; i < series->width; i++) {
            values[i] = *sums == '*' ? 0 : strtod(sums, &end);
            sums = *sums == '*' ? sums + 1 : end;
            sums += *sums == ' ';
        }
        if (is_known)
            watch_series_fill(series, minute, values);
    }
}

/* Of the time before this process began: what it sees itself is not there twice. */
static void
recall_load(const struct watch_collector *collector, const char *events, const char *sums,
            int64_t batch)
{
    int64_t until = (int64_t)collector->watch->started_at / WATCH_DAY_STEP_S * WATCH_DAY_STEP_S;

    if (batch * BATCH_S >= until)
        return;
    if (until > (batch + 1) * BATCH_S)
        until = (batch + 1) * BATCH_S;
    watch_load_recall(collector->server->load, events, sums, batch * BATCH_S, until);
}

void
watch_read_recall(struct watch_collector *collector, const PGresult *result, double now)
{
    struct kept *kept = kept_by(collector);

    (void)now;
    kept->was_recalled = true;
    kept->written = (int64_t)collector->watch->started_at / BATCH_S;
    for (int row = 0; row < PQntuples(result); row++) {
        int64_t batch = (int64_t)watch_value(result, row, "at") / BATCH_S;
        const char *name = pg_value(result, row, "name"), *sums = pg_value(result, row, "sums");
        if (strncmp(name, load_prefix, strlen(load_prefix)) == 0)
            recall_load(collector, name + strlen(load_prefix), sums, batch);
        for (int i = 0; i < WATCH_TARGETS; i++) {
            if (strcmp(name, watch_target_keys[i]) == 0)
                recall(watch_target_series(collector->watch, collector->server->deck,
                                           collector->database->environment,
                                           (enum watch_target_name)i),
                       batch, sums);
        }
    }
}

/* --- remember -------------------------------------------------------------------------------- */

bool
watch_wants_remember(const struct watch_collector *collector)
{
    const struct kept *kept = kept_by(collector);

    return is_writer(collector) && kept->was_recalled && kept->written < newest_batch(watch_now());
}

static bool
append_batch(struct text *text, const struct watch_series *series, int64_t batch)
{
    bool is_known = false;

    text_append(text, "{");
    for (int64_t minute = batch * BATCH; minute < (batch + 1) * BATCH; minute++) {
        const double *sums = watch_series_minute(series, minute);
        is_known |= sums != NULL;
        for (size_t i = 0; i < series->width; i++) {
            text_append(text, minute == batch * BATCH && i == 0 ? "" : ",");
            if (sums == NULL)
                text_append(text, "NULL");
            else
                text_appendf(text, "%.6g", sums[i]);
        }
    }
    text_append(text, "}");
    return is_known;
}

struct rows {
    LIST_OF(const char *) at, name, sums;
};

static void
add_row(struct arena *arena, struct rows *rows, int64_t batch, const char *name,
        const struct text *sums)
{
    *LIST_ADD(arena, &rows->at) = arena_printf(arena, "%lld", (long long)batch * BATCH_S);
    *LIST_ADD(arena, &rows->name) = name;
    *LIST_ADD(arena, &rows->sums) = arena_strdup(arena, text_chars(sums));
}

static void
add_targets(const struct watch_collector *collector, struct arena *arena, int64_t batch,
            struct rows *rows)
{
    for (int i = 0; i < WATCH_TARGETS; i++) {
        AUTO_TEXT sums = {0};
        const struct watch_series *series =
            watch_target_series(collector->watch, collector->server->deck,
                                collector->database->environment, (enum watch_target_name)i);
        if (append_batch(&sums, series, batch))
            add_row(arena, rows, batch, watch_target_keys[i], &sums);
    }
}

static void
add_load(const struct watch_collector *collector, struct arena *arena, int64_t batch,
         struct rows *rows)
{
    AUTO_TEXT name = {0};
    AUTO_TEXT sums = {0};

    text_append(&name, load_prefix);
    if (watch_load_append(collector->server->load, batch * BATCH_S, (batch + 1) * BATCH_S, &name,
                          &sums))
        add_row(arena, rows, batch, arena_strdup(arena, text_chars(&name)), &sums);
}

int
watch_remember_parameters(struct watch_collector *collector, struct arena *arena,
                          const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    const struct kept *kept = kept_by(collector);
    struct rows rows = {0};
    int64_t newest = newest_batch(watch_now());
    int64_t oldest = kept->written > newest - BATCHES_MAX ? kept->written : newest - BATCHES_MAX;

    for (int64_t batch = oldest; batch < newest; batch++) {
        add_targets(collector, arena, batch, &rows);
        if (is_writer_of_server(collector))
            add_load(collector, arena, batch, &rows);
    }
    collector->remembering = newest;
    ret_parameters[0] = pg_text_array(arena, rows.at.items, rows.at.count);
    ret_parameters[1] = pg_text_array(arena, rows.name.items, rows.name.count);
    ret_parameters[2] = pg_text_array(arena, rows.sums.items, rows.sums.count);
    return 3;
}

void
watch_read_remember(struct watch_collector *collector, const PGresult *result, double now)
{
    struct kept *kept = kept_by(collector);

    (void)result;
    kept->written = collector->remembering;
    kept->written_at = now;
}

/* --- record ---------------------------------------------------------------------------------- */

bool
watch_wants_record(const struct watch_collector *collector)
{
    return collector->has_recorder;
}

int
watch_record_parameters(struct watch_collector *collector, struct arena *arena,
                        const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    ret_parameters[0] = arena_printf(arena, "%g", collector->server->deck->watch.history_ms / 2e3);
    return 1;
}

void
watch_read_record(struct watch_collector *collector, const PGresult *result, double now)
{
    collector->recorded_at = now;
    snprintf(collector->record_said, sizeof(collector->record_said), "%.250s",
             PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
}

/* --- the document ---------------------------------------------------------------------------- */

static json_t *
database_of(const struct watch_collector *collector)
{
    const char *problem = NULL;

    if (!collector->is_probed)
        problem = collector->is_reachable ? NULL : collector->error;
    else if (!collector->has_recorder)
        problem =
            "monitoring.record_performance_metrics() is not there (pgdeck apply makes it), or "
            "this is a standby";
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "deck",
                     watch_json(collector->server->deck->name), "environment",
                     watch_json(collector->database->environment->name), "database",
                     watch_json(collector->database->name), "recorded_at",
                     collector->recorded_at > 0 ? json_real(collector->recorded_at) : json_null(),
                     "said", watch_json(collector->record_said), "problem", watch_json(problem));
}

static json_t *
environment_of(struct watch *watch, const struct deck *deck,
               const struct deck_environment *environment, double now)
{
    const struct kept *kept = kept_of(watch, deck, environment);
    int64_t waiting = kept->was_recalled ? newest_batch(now) - kept->written : 0;

    return json_pack("{s:o, s:o, s:o, s:I}", "deck", watch_json(deck->name), "environment",
                     watch_json(environment->name), "written_at",
                     kept->written_at > 0 ? json_real(kept->written_at) : json_null(),
                     "buffered_minutes",
                     (json_int_t)(waiting < BATCHES_MAX ? waiting : BATCHES_MAX) * BATCH);
}

json_t *
watch_history_document(struct watch *watch, double now)
{
    const struct watch_generation *generation = watch->generation;
    json_t *databases = json_array(), *environments = json_array();

    for (size_t i = 0; i < generation->collectors.count; i++)
        json_array_append_new(databases, database_of(&generation->collectors.items[i]));
    for (size_t i = 0; i < generation->decks.list.count; i++) {
        const struct deck *deck = generation->decks.list.items[i];
        for (size_t j = 0; j < deck->environments.count; j++)
            json_array_append_new(environments,
                                  environment_of(watch, deck, &deck->environments.items[j], now));
    }
    return json_pack("{s:f, s:o, s:o}", "at", now, "databases", databases, "environments",
                     environments);
}
