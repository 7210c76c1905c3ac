// SPDX-License-Identifier: MIT
/* Who does or waits for what, each second: the load of a server by wait event. */
#include "watch/document.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
watch_load_new(void)
{
    struct watch_load *load = calloc(1, sizeof(*load));

    if (load == NULL || (load->events[0] = strdup("CPU")) == NULL ||
        (load->events[WATCH_EVENTS - 1] = strdup("other")) == NULL)
        abort();
    return load;
}

void
watch_load_free(void *value)
{
    struct watch_load *load = value;

    for (size_t i = 0; i < WATCH_EVENTS; i++)
        free(load->events[i]);
    free(load);
}

static double
column_sum(const struct watch_load *load, size_t event)
{
    double sum = 0;

    for (size_t i = 0; i < WATCH_STEPS; i++)
        sum += load->hour[i].sessions[event];
    return sum;
}

/* Columns nobody was seen in for an hour are free again, once there is no other. */
static size_t
free_column(struct watch_load *load)
{
    for (size_t i = 1; i < WATCH_EVENTS - 1; i++) {
        if (load->events[i] == NULL)
            return i;
    }
    for (size_t i = 1; i < WATCH_EVENTS - 1; i++) {
        if (column_sum(load, i) > 0)
            continue;
        for (size_t j = 0; j < WATCH_DAY_STEPS; j++) {
            load->day[j].sessions[WATCH_EVENTS - 1] += load->day[j].sessions[i];
            load->day[j].sessions[i] = 0;
        }
        return i;
    }
    return WATCH_EVENTS - 1;
}

static size_t
find_column(struct watch_load *load, const char *event)
{
    for (size_t i = 0; i < WATCH_EVENTS; i++) {
        if (load->events[i] != NULL && strcmp(load->events[i], event) == 0)
            return i;
    }
    size_t column = free_column(load);
    if (column == WATCH_EVENTS - 1)
        return column;
    free(load->events[column]);
    load->events[column] = strdup(event);
    if (load->events[column] == NULL)
        abort();
    return column;
}

static void
add_step(struct watch_load_step *steps, size_t count, int64_t step, const float *sessions)
{
    struct watch_load_step *at = &steps[(size_t)step % count];

    if (at->step != step)
        *at = (struct watch_load_step){.step = step};
    at->samples++;
    for (size_t i = 0; i < WATCH_EVENTS; i++)
        at->sessions[i] += sessions[i];
}

static void
sample_statement(const struct watch_server *server, const PGresult *result, int row, double now)
{
    const struct watch_statement_key key = {
        .database_oid = (uint32_t)pg_integer(result, row, "database_oid"),
        .role_oid = (uint32_t)watch_value(result, row, "role_oid"),
        .query_id = pg_integer(result, row, "query_id"),
    };
    struct watch_statement *statement = watch_statements_find(server->statements, &key);
    const char *type = pg_value(result, row, "wait_type");
    const char *application = pg_value(result, row, "application");
    struct watch_sample sample = {
        .at = now,
        .runs_s = watch_value(result, row, "query_s"),
        .sessions = (int)pg_integer(result, row, "sessions"),
        .pid = (int)watch_value(result, row, "pid"),
    };

    if (statement == NULL)
        return;
    if (type != NULL)
        snprintf(sample.event, sizeof(sample.event), "%s:%s", type,
                 pg_value(result, row, "wait_event"));
    snprintf(sample.application, sizeof(sample.application), "%s",
             application == NULL ? "" : application);
    watch_statement_sample(statement, &sample);
}

static void
count_row(struct watch_collector *collector, const PGresult *result, int row, float *sessions)
{
    struct watch_server *server = collector->server;
    struct watch_collector *database =
        watch_find_database(collector, (unsigned)pg_integer(result, row, "database_oid"));
    const char *state = pg_value(result, row, "state");
    const char *type = pg_value(result, row, "wait_type");
    bool is_active = state != NULL && strcmp(state, "active") == 0;
    double count = watch_value(result, row, "sessions");
    char event[128];

    if (is_active) {
        snprintf(event, sizeof(event), "%s:%s", type == NULL ? "" : type,
                 type == NULL ? "" : pg_value(result, row, "wait_event"));
        sessions[type == NULL ? 0 : find_column(server->load, event)] += (float)count;
    }
    if (!pg_bool(result, row, "is_client"))
        return;
    bool is_idle_in = state != NULL && strncmp(state, "idle in", strlen("idle in")) == 0;
    server->sessions += count;
    server->active += is_active ? count : 0;
    server->idle_in_transaction += is_idle_in ? count : 0;
    server->waiting_for_lock += type != NULL && strcmp(type, "Lock") == 0 ? count : 0;
    double oldest_s = watch_value(result, row, "transaction_s");
    if (oldest_s > server->oldest_transaction_s)
        server->oldest_transaction_s = oldest_s;
    if (database != NULL) {
        database->sessions += count;
        database->active += is_active ? count : 0;
        database->idle_in_transaction += is_idle_in ? count : 0;
    }
}

/* Where the role sees only that there are sessions: none at work is not what is known. */
static void
forget_states(struct watch_collector *collector)
{
    struct watch_generation *generation = collector->generation;
    struct watch_server *server = collector->server;

    server->active = server->idle_in_transaction = NAN;
    server->waiting_for_lock = server->oldest_transaction_s = NAN;
    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *one = &generation->collectors.items[i];
        if (one->server == server)
            one->active = one->idle_in_transaction = NAN;
    }
}

void
watch_read_activity(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_generation *generation = collector->generation;
    struct watch_server *server = collector->server;
    float sessions[WATCH_EVENTS] = {0};

    server->sessions = server->active = server->idle_in_transaction = 0;
    server->waiting_for_lock = server->oldest_transaction_s = 0;
    for (size_t i = 0; i < generation->collectors.count; i++) {
        struct watch_collector *one = &generation->collectors.items[i];
        if (one->server == server)
            one->sessions = one->active = one->idle_in_transaction = 0;
    }
    for (int row = 0; row < PQntuples(result); row++) {
        count_row(collector, result, row, sessions);
        if (pg_value(result, row, "query_id") != NULL)
            sample_statement(server, result, row, now);
    }
    server->sampled_at = now;
    if (server->grant_sql[0] != '\0') {
        forget_states(collector);
    } else {
        add_step(server->load->hour, WATCH_STEPS, (int64_t)now / WATCH_STEP_S, sessions);
        add_step(server->load->day, WATCH_DAY_STEPS, (int64_t)now / WATCH_DAY_STEP_S, sessions);
    }
    watch_add_connections(collector, now);
}

/* --- history --------------------------------------------------------------------------------- */

static const char between[] = ", "; /* names of events */

/* Whether somebody looked in that step of the day and saw such sessions; of CPU also none. */
static bool
has_samples(const struct watch_load *load, int64_t step, size_t event)
{
    const struct watch_load_step *at = &load->day[(size_t)step % WATCH_DAY_STEPS];

    return at->step == step && at->samples > 0 && (event == 0 || at->sessions[event] > 0);
}

bool
watch_load_append(const struct watch_load *load, int64_t from, int64_t until,
                  struct text *ret_events, struct text *ret_sums)
{
    int64_t first = from / WATCH_DAY_STEP_S, end = until / WATCH_DAY_STEP_S;
    bool is_seen[WATCH_EVENTS] = {false};

    for (size_t i = 0; i < WATCH_EVENTS; i++) {
        for (int64_t step = first; step < end; step++)
            is_seen[i] |= has_samples(load, step, i);
        if (is_seen[i])
            text_appendf(ret_events, "%s%s", i == 0 ? "" : between, load->events[i]);
    }
    for (int64_t step = first; step < end; step++) {
        const struct watch_load_step *at = &load->day[(size_t)step % WATCH_DAY_STEPS];
        bool is_known = has_samples(load, step, 0);
        text_append(ret_sums, step == first ? "{" : ",");
        text_appendf(ret_sums, "%.6g", is_known ? (double)at->samples : 0);
        for (size_t i = 0; i < WATCH_EVENTS; i++) {
            if (is_seen[i])
                text_appendf(ret_sums, ",%.6g", is_known ? (double)at->sessions[i] : 0);
        }
    }
    text_append(ret_sums, "}");
    return is_seen[0];
}

/* The columns of events by their names; returns how many. */
static size_t
find_columns(struct watch_load *load, const char *events, size_t ret_columns[WATCH_EVENTS])
{
    size_t count = 0;

    while (*events != '\0' && count < WATCH_EVENTS) {
        const char *end = strstr(events, between);
        size_t length = end == NULL ? strlen(events) : (size_t)(end - events);
        char *event = strndup(events, length);
        if (event == NULL)
            abort();
        ret_columns[count++] = find_column(load, event);
        free(event);
        events += length + (end == NULL ? 0 : strlen(between));
    }
    return count;
}

void
watch_load_recall(struct watch_load *load, const char *events, const char *sums, int64_t from,
                  int64_t until)
{
    size_t columns[WATCH_EVENTS];
    size_t count = find_columns(load, events, columns);

    for (int64_t step = from / WATCH_DAY_STEP_S; step < until / WATCH_DAY_STEP_S; step++) {
        struct watch_load_step *at = &load->day[(size_t)step % WATCH_DAY_STEPS];
        char *end;
        double samples = strtod(sums, &end);
        bool is_known = end != sums && samples > 0 && at->step < step;
        sums = end;
        if (is_known)
            *at = (struct watch_load_step){.step = step, .samples = (float)samples};
        for (size_t i = 0; i < count; i++) {
            double sessions = strtod(sums, &end);
            if (is_known)
                at->sessions[columns[i]] += (float)sessions;
            sums = end;
        }
    }
}

/* --- the document ---------------------------------------------------------------------------- */

static json_t *
steps_of(const struct watch_load *load, const struct watch_load_step *steps, size_t count,
         int64_t newest)
{
    json_t *events = json_array();

    for (size_t event = 0; event < WATCH_EVENTS; event++) {
        if (load->events[event] == NULL)
            continue;
        json_t *values = json_array();
        for (int64_t step = newest - (int64_t)count + 1; step <= newest; step++) {
            const struct watch_load_step *at = &steps[(size_t)step % count];
            bool is_known = at->step == step && at->samples > 0;
            json_array_append_new(values,
                                  is_known ? json_real((double)(at->sessions[event] / at->samples))
                                           : json_null());
        }
        json_array_append_new(
            events,
            json_pack("{s:o, s:o}", "event", watch_json(load->events[event]), "sessions", values));
    }
    return events;
}

static json_t *
load_of(const struct watch_load *load, double now)
{
    int64_t hour = (int64_t)now / WATCH_STEP_S, day = (int64_t)now / WATCH_DAY_STEP_S;

    return json_pack("{s:{s:i, s:I, s:o}, s:{s:i, s:I, s:o}}", "hour", "step_s", (int)WATCH_STEP_S,
                     "until", (json_int_t)(hour + 1) * WATCH_STEP_S, "events",
                     steps_of(load, load->hour, WATCH_STEPS, hour), "day", "step_s",
                     (int)WATCH_DAY_STEP_S, "until", (json_int_t)(day + 1) * WATCH_DAY_STEP_S,
                     "events", steps_of(load, load->day, WATCH_DAY_STEPS, day));
}

json_t *
watch_load_document(struct watch *watch, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        json_t *one = load_of(server->load, now);
        json_object_set_new(one, "deck", watch_json(server->deck->name));
        json_object_set_new(one, "server", watch_json(server->server->name));
        json_object_set_new(one, "cores",
                            server->cores > 0 ? json_integer(server->cores) : json_null());
        json_array_append_new(list, one);
    }
    return json_pack("{s:f, s:o}", "at", now, "servers", list);
}
