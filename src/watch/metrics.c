// SPDX-License-Identifier: MIT
/* What is known, in the text format of Prometheus. Series are bounded: by databases of the decks,
 * wait events (WATCH_EVENTS) and the costliest statements (METRIC_STATEMENTS), all else is one
 * "other". */
#include "watch/server_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { METRIC_STATEMENTS = 20, LABELS_MAX = 6 };
#define MS_S 1e-3

struct label {
    const char *name, *value; /* name NULL: the end */
};

static void
append(struct text *text, const char *name, const struct label *labels, double value)
{
    if (!isfinite(value))
        return;
    text_append(text, name);
    for (size_t i = 0; labels != NULL && labels[i].name != NULL; i++) {
        text_append(text, i == 0 ? "{" : ",");
        text_append_label(text, labels[i].name, labels[i].value == NULL ? "" : labels[i].value);
    }
    text_append(text, labels != NULL && labels[0].name != NULL ? "} " : " ");
    text_appendf(text, "%.15g\n", value);
}

static void
begin(struct text *text, const char *name, const char *type, const char *help)
{
    text_appendf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* --- servers -------------------------------------------------------------------------------- */

struct server_metric {
    const char *name, *type, *help;
    double (*value)(const struct watch_server *server);
};

static double
server_up(const struct watch_server *server)
{
    return server->leader != NULL;
}

#define SERVER_VALUE(function, expression)                                                         \
    static double function(const struct watch_server *server)                                      \
    {                                                                                              \
        return server->is_known ? (double)(expression) : NAN;                                      \
    }
SERVER_VALUE(server_recovery, server->is_in_recovery)
SERVER_VALUE(server_started, server->started_at)
SERVER_VALUE(server_connections_max, server->max_connections)
SERVER_VALUE(server_connections_reserved, server->reserved_connections)
SERVER_VALUE(server_sessions, server->sessions)
SERVER_VALUE(server_lag, server->is_in_recovery ? server->replay_lag_s : NAN)
SERVER_VALUE(server_xid, server->xid_age)
SERVER_VALUE(server_multixact, server->multixact_age)
SERVER_VALUE(server_oldest, server->oldest_transaction_s)
SERVER_VALUE(server_waiting, server->waiting_for_lock)

static const struct server_metric server_metrics[] = {
    {"pgdeck_server_up", "gauge", "Whether the server answers.", server_up},
    {"pgdeck_server_in_recovery", "gauge", "Whether it is a standby.", server_recovery},
    {"pgdeck_server_start_time_seconds", "gauge", "When it started.", server_started},
    {"pgdeck_server_connections_max", "gauge", "max_connections.", server_connections_max},
    {"pgdeck_server_connections_reserved", "gauge", "Of these, for superusers and reserved.",
     server_connections_reserved},
    {"pgdeck_server_sessions", "gauge", "Client sessions.", server_sessions},
    {"pgdeck_server_sessions_waiting_for_lock", "gauge", "Sessions that wait for a lock.",
     server_waiting},
    {"pgdeck_server_oldest_transaction_seconds", "gauge", "Age of the oldest transaction.",
     server_oldest},
    {"pgdeck_server_replay_lag_seconds", "gauge",
     "Age of what a standby replayed last; 0: all that there is.", server_lag},
    {"pgdeck_server_transaction_id_age", "gauge", "Of the oldest database; ends at 2^31.",
     server_xid},
    {"pgdeck_server_multixact_id_age", "gauge", "Of the oldest database; ends at 2^31.",
     server_multixact},
};

static void
append_servers(struct text *text, const struct watch_generation *generation)
{
    for (size_t i = 0; i < sizeof(server_metrics) / sizeof(server_metrics[0]); i++) {
        const struct server_metric *metric = &server_metrics[i];
        begin(text, metric->name, metric->type, metric->help);
        for (size_t j = 0; j < generation->servers.count; j++) {
            const struct watch_server *server = &generation->servers.items[j];
            append(text, metric->name,
                   (const struct label[]){{"deck", server->deck->name},
                                          {"server", server->server->name},
                                          {NULL, NULL}},
                   metric->value(server));
        }
    }
}

/* --- machines ------------------------------------------------------------------------------- */

static void
append_disks(struct text *text, const char *name, const struct watch_server *server, size_t offset)
{
    for (size_t i = 0; i < server->host.disk_count; i++) {
        const struct watch_disk *disk = &server->host.disks[i];
        if (disk->room.size_bytes > 0)
            append(text, name,
                   (const struct label[]){{"deck", server->deck->name},
                                          {"server", server->server->name},
                                          {"disk", disk->name},
                                          {NULL, NULL}},
                   *(const double *)(const void *)((const char *)&disk->room + offset));
    }
}

static void
append_host(struct text *text, const char *name, const struct watch_server *server, size_t offset)
{
    append(text, name,
           (const struct label[]){
               {"deck", server->deck->name}, {"server", server->server->name}, {NULL, NULL}},
           *(const double *)(const void *)((const char *)&server->host + offset));
}

static const struct {
    const char *name, *help;
    void (*append)(struct text *text, const char *name, const struct watch_server *server,
                   size_t offset);
    size_t offset; /* in struct watch_host or machine_room, a double */
} host_metrics[] = {
    {"pgdeck_host_cpu_share", "Busy, of all CPUs of the server's machine, where it is ours.",
     append_host, offsetof(struct watch_host, cpu)},
    {"pgdeck_host_iowait_share", "Of all CPUs, waiting for disks.", append_host,
     offsetof(struct watch_host, iowait)},
    {"pgdeck_host_steal_share", "Of all CPUs, taken by the hypervisor.", append_host,
     offsetof(struct watch_host, steal)},
    {"pgdeck_host_memory_bytes", "Memory of the machine.", append_host,
     offsetof(struct watch_host, memory_bytes)},
    {"pgdeck_host_memory_available_bytes", "Memory that can be had without swapping.", append_host,
     offsetof(struct watch_host, memory_available_bytes)},
    {"pgdeck_host_load", "Load average of a minute.", append_host,
     offsetof(struct watch_host, load)},
    {"pgdeck_host_disk_free_bytes", "Room left where the server keeps its files.", append_disks,
     offsetof(struct machine_room, free_bytes)},
    {"pgdeck_host_disk_size_bytes", "All room there.", append_disks,
     offsetof(struct machine_room, size_bytes)},
};

static void
append_hosts(struct text *text, const struct watch_generation *generation)
{
    for (size_t i = 0; i < sizeof(host_metrics) / sizeof(host_metrics[0]); i++) {
        begin(text, host_metrics[i].name, "gauge", host_metrics[i].help);
        for (size_t j = 0; j < generation->servers.count; j++) {
            const struct watch_server *server = &generation->servers.items[j];
            if (watch_has_host(server))
                host_metrics[i].append(text, host_metrics[i].name, server, host_metrics[i].offset);
        }
    }
}

/* --- load ----------------------------------------------------------------------------------- */

/* Mean sessions at work over the newest whole step. */
static void
append_load(struct text *text, const struct watch_generation *generation, double now)
{
    static const char name[] = "pgdeck_server_load_sessions";
    int64_t step = (int64_t)now / WATCH_STEP_S - 1;

    begin(text, name, "gauge", "Sessions at work by what they wait for, mean of 10 s.");
    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        const struct watch_load_step *at = &server->load->hour[(size_t)step % WATCH_STEPS];
        for (size_t j = 0; j < WATCH_EVENTS && at->step == step; j++) {
            if (server->load->events[j] != NULL)
                append(text, name,
                       (const struct label[]){{"deck", server->deck->name},
                                              {"server", server->server->name},
                                              {"event", server->load->events[j]},
                                              {NULL, NULL}},
                       (double)(at->sessions[j] / at->samples));
        }
    }
}

/* --- databases ------------------------------------------------------------------------------ */

struct database_metric {
    const char *name, *type, *help;
    size_t offset; /* in struct watch_collector, a double */
};
#define TOTAL(field) offsetof(struct watch_collector, totals.field)

static const struct database_metric database_metrics[] = {
    {"pgdeck_database_commits_total", "counter", "Transactions committed.", TOTAL(commits)},
    {"pgdeck_database_rollbacks_total", "counter", "Transactions rolled back.", TOTAL(rollbacks)},
    {"pgdeck_database_blocks_hit_total", "counter", "Blocks found in the cache.",
     TOTAL(blocks_hit)},
    {"pgdeck_database_blocks_read_total", "counter", "Blocks read.", TOTAL(blocks_read)},
    {"pgdeck_database_temp_files_total", "counter", "Temporary files.", TOTAL(temp_files)},
    {"pgdeck_database_temp_bytes_total", "counter", "Bytes of temporary files.", TOTAL(temp_bytes)},
    {"pgdeck_database_deadlocks_total", "counter", "Deadlocks.", TOTAL(deadlocks)},
    {"pgdeck_database_conflicts_total", "counter", "Queries cancelled by recovery.",
     TOTAL(conflicts)},
    {"pgdeck_database_rows_read_total", "counter", "Rows read by scans.", TOTAL(rows_read)},
    {"pgdeck_database_rows_inserted_total", "counter", "Rows inserted.", TOTAL(rows_inserted)},
    {"pgdeck_database_rows_updated_total", "counter", "Rows updated.", TOTAL(rows_updated)},
    {"pgdeck_database_rows_deleted_total", "counter", "Rows deleted.", TOTAL(rows_deleted)},
    {"pgdeck_database_checksum_failures_total", "counter", "Blocks with a wrong checksum.",
     TOTAL(checksum_failures)},
    {"pgdeck_database_transaction_id_age", "gauge", "Of its oldest row; ends at 2^31.",
     offsetof(struct watch_collector, xid_age)},
    {"pgdeck_database_sessions", "gauge", "Client sessions.",
     offsetof(struct watch_collector, sessions)},
    {"pgdeck_database_sessions_active", "gauge", "Client sessions at work.",
     offsetof(struct watch_collector, active)},
    {"pgdeck_database_sessions_idle_in_transaction", "gauge",
     "Client sessions with an open transaction, waiting for their client.",
     offsetof(struct watch_collector, idle_in_transaction)},
};

static void
append_database(struct text *text, const char *name, const struct watch_collector *collector,
                double value)
{
    append(text, name,
           (const struct label[]){{"deck", collector->server->deck->name},
                                  {"environment", collector->database->environment->name},
                                  {"server", collector->server->server->name},
                                  {"database", collector->database->name},
                                  {NULL, NULL}},
           value);
}

static void
append_databases(struct text *text, const struct watch_generation *generation)
{
    static const char up[] = "pgdeck_database_up";

    begin(text, up, "gauge", "Whether the database answers.");
    for (size_t i = 0; i < generation->collectors.count; i++)
        append_database(text, up, &generation->collectors.items[i],
                        generation->collectors.items[i].is_reachable);
    for (size_t i = 0; i < sizeof(database_metrics) / sizeof(database_metrics[0]); i++) {
        const struct database_metric *metric = &database_metrics[i];
        begin(text, metric->name, metric->type, metric->help);
        for (size_t j = 0; j < generation->collectors.count; j++) {
            const struct watch_collector *collector = &generation->collectors.items[j];
            const double *value =
                (const double *)(const void *)((const char *)collector + metric->offset);
            if (collector->has_counters)
                append_database(text, metric->name, collector, *value);
        }
    }
}

/* --- targets -------------------------------------------------------------------------------- */

static void
append_target(struct text *text, const char *name, const char *key, const json_t *environment,
              const json_t *target)
{
    const json_t *value = json_object_get(target, key);

    if (!json_is_number(value))
        return;
    append(text, name,
           (const struct label[]){
               {"deck", json_string_value(json_object_get(environment, "deck"))},
               {"environment", json_string_value(json_object_get(environment, "environment"))},
               {"target", json_string_value(json_object_get(target, "name"))},
               {"estimate", json_is_true(json_object_get(target, "is_estimate")) ? "yes" : "no"},
               {NULL, NULL}},
           json_number_value(value));
}

static void
append_targets(struct text *text, const json_t *overview)
{
    static const struct {
        const char *name, *help, *key;
    } metrics[] = {
        {"pgdeck_target_value", "Newest value: ms, sessions or a share.", "now"},
        {"pgdeck_target_hour", "Over the last hour.", "hour"},
        {"pgdeck_target_goal", "What the deck wants.", "target"},
        {"pgdeck_target_budget_left", "Share left of the minutes of a day that may miss it.",
         "budget_left"},
    };
    size_t at, target_at;
    json_t *environment, *target;

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        begin(text, metrics[i].name, "gauge", metrics[i].help);
        json_array_foreach(json_object_get(overview, "environments"), at, environment)
        {
            json_array_foreach(json_object_get(environment, "targets"), target_at, target)
            {
                append_target(text, metrics[i].name, metrics[i].key, environment, target);
            }
        }
    }
}

/* --- forecasts ------------------------------------------------------------------------------ */

static void
append_forecasts(struct text *text, const json_t *forecasts)
{
    static const char name[] = "pgdeck_runs_out_time_seconds";
    size_t at;
    json_t *one;

    begin(text, name, "gauge", "When it is used up at this rate, where its history can tell.");
    json_array_foreach(json_object_get(forecasts, "forecasts"), at, one)
    {
        const json_t *runs_out_at = json_object_get(one, "runs_out_at");
        if (json_is_number(runs_out_at))
            append(text, name,
                   (const struct label[]){
                       {"deck", json_string_value(json_object_get(one, "deck"))},
                       {"server", json_string_value(json_object_get(one, "server"))},
                       {"environment", json_string_value(json_object_get(one, "environment"))},
                       {"database", json_string_value(json_object_get(one, "database"))},
                       {"kind", json_string_value(json_object_get(one, "kind"))},
                       {"name", json_string_value(json_object_get(one, "name"))},
                       {NULL, NULL}},
                   json_number_value(runs_out_at));
    }
}

/* --- alerts --------------------------------------------------------------------------------- */

/* Whether both are of the same deck, name and level. */
static bool
is_alike(const json_t *alert, const json_t *other)
{
    static const char *const keys[] = {"deck", "name", "level"};
    bool is_same = true;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        is_same &= json_equal(json_object_get(alert, keys[i]), json_object_get(other, keys[i]));
    return is_same;
}

static void
append_firing(struct text *text, const json_t *alerts)
{
    static const char name[] = "pgdeck_alerts_firing";

    begin(text, name, "gauge", "Open alerts by name and severity, silenced ones too.");
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        const json_t *alert = json_array_get(alerts, i);
        int count = 0;
        bool is_first = true;
        for (size_t j = 0; j < json_array_size(alerts); j++) {
            bool is_counted = is_alike(alert, json_array_get(alerts, j));
            count += is_counted;
            is_first &= j >= i || !is_counted;
        }
        if (is_first)
            append(text, name,
                   (const struct label[]){
                       {"deck", json_string_value(json_object_get(alert, "deck"))},
                       {"alert", json_string_value(json_object_get(alert, "name"))},
                       {"severity", json_string_value(json_object_get(alert, "level"))},
                       {NULL, NULL}},
                   count);
    }
}

static void
append_alerts(struct text *text, const struct watch *watch)
{
    static const struct {
        const char *name, *type, *help, *key;
    } metrics[] = {
        {"pgdeck_notify_target_failing", "gauge", "Whether a target cannot be told of alerts.",
         "is_failing"},
        {"pgdeck_notifications_sent_total", "counter", "Messages that a target took.", "sent"},
        {"pgdeck_notifications_failed_total", "counter", "Attempts to tell a target that failed.",
         "failed"},
    };
    const struct watch_document *document = watch_board_get(watch->board, "alerts");
    json_t *alerts =
        document == NULL ? NULL : json_loadb(document->text, document->length, 0, NULL);
    size_t at;
    json_t *target;

    watch_document_release(watch->board, document);
    append_firing(text, json_object_get(alerts, "alerts"));
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        begin(text, metrics[i].name, metrics[i].type, metrics[i].help);
        json_array_foreach(json_object_get(alerts, "targets"), at, target)
        {
            const json_t *value = json_object_get(target, metrics[i].key);
            append(text, metrics[i].name,
                   (const struct label[]){
                       {"deck", json_string_value(json_object_get(target, "deck"))},
                       {"target", json_string_value(json_object_get(target, "name"))},
                       {NULL, NULL}},
                   json_is_number(value) ? json_number_value(value) : json_is_true(value));
        }
    }
    json_decref(alerts);
}

/* --- statements ----------------------------------------------------------------------------- */

static void
append_statement(struct text *text, const char *name, const struct watch_server *server,
                 const struct watch_statement *statement, double value)
{
    char id[32];
    const struct watch_collector *database =
        server->leader == NULL || statement == NULL
            ? NULL
            : watch_find_database(server->leader, statement->key.database_oid);

    snprintf(id, sizeof(id), "%lld", statement == NULL ? 0LL : (long long)statement->key.query_id);
    append(text, name,
           (const struct label[]){
               {"deck", server->deck->name},
               {"server", server->server->name},
               {"database", database == NULL ? "" : database->database->name},
               {"role", statement == NULL || statement->role == NULL ? "" : statement->role},
               {"query_id", statement == NULL ? "other" : id},
               {NULL, NULL}},
           value);
}

/* Of the last hour, so that the series stay bounded whichever statements come and go. */
static void
append_statements(struct text *text, const struct watch_generation *generation, double now)
{
    static const struct {
        const char *name, *help;
        bool is_time;
    } metrics[] = {
        {"pgdeck_statement_calls_hour", "Calls in the last hour; the costliest, and all others.",
         false},
        {"pgdeck_statement_seconds_hour", "Time spent in the last hour.", true},
    };
    struct watch_statement *top[WATCH_TOP];

    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        begin(text, metrics[i].name, "gauge", metrics[i].help);
        for (size_t j = 0; j < generation->servers.count; j++) {
            const struct watch_server *server = &generation->servers.items[j];
            struct watch_hour hour;
            size_t count = watch_statements_top(server->statements, now, top, &hour);
            struct watch_work other = hour.all;
            if (server->statements->reading < 2)
                continue;
            for (size_t k = 0; k < count && k < METRIC_STATEMENTS; k++) {
                struct watch_work work = watch_statement_hour(top[k], now);
                other.calls -= work.calls;
                other.ms -= work.ms;
                append_statement(text, metrics[i].name, server, top[k],
                                 metrics[i].is_time ? work.ms * MS_S : work.calls);
            }
            append_statement(text, metrics[i].name, server, NULL,
                             fmax(0, metrics[i].is_time ? other.ms * MS_S : other.calls));
        }
    }
}

/* --- the log -------------------------------------------------------------------------------- */

static void
append_log_errors(struct text *text, const struct watch_generation *generation)
{
    static const char name[] = "pgdeck_log_errors_total";

    begin(text, name, "counter", "Errors in the server's log since watch began.");
    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        for (size_t j = 0; j < server->log->error_count; j++)
            append(text, name,
                   (const struct label[]){{"deck", server->deck->name},
                                          {"server", server->server->name},
                                          {"sqlstate", server->log->errors[j].sqlstate},
                                          {NULL, NULL}},
                   server->log->errors[j].total);
    }
}

/* --- watch itself --------------------------------------------------------------------------- */

static void
append_self(struct text *text, struct watch *watch)
{
    struct rusage usage;
    const struct watch_generation *generation = watch->generation;
    static const char age[] = "pgdeck_watch_sample_time_seconds",
                      faults[] = "pgdeck_watch_not_measured";

    getrusage(RUSAGE_SELF, &usage);
    begin(text, "pgdeck_watch_start_time_seconds", "gauge", "When pgdeck watch started.");
    append(text, "pgdeck_watch_start_time_seconds", NULL, watch->started_at);
    begin(text, "pgdeck_watch_cpu_seconds_total", "counter", "CPU that pgdeck watch used.");
    append(text, "pgdeck_watch_cpu_seconds_total", NULL,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    begin(text, age, "gauge", "When the newest sample of a server was taken.");
    for (size_t i = 0; i < generation->servers.count; i++) {
        const struct watch_server *server = &generation->servers.items[i];
        append(text, age,
               (const struct label[]){
                   {"deck", server->deck->name}, {"server", server->server->name}, {NULL, NULL}},
               server->sampled_at > 0 ? server->sampled_at : NAN);
    }
    begin(text, faults, "gauge", "Questions that a database did not answer the last time.");
    for (size_t i = 0; i < generation->collectors.count; i++) {
        const struct watch_collector *collector = &generation->collectors.items[i];
        int count = 0;
        for (size_t j = 0; j < watch_task_count; j++)
            count += collector->faults[j][0] != '\0';
        append_database(text, faults, collector, count);
    }
}

void
watch_publish_metrics(struct watch *watch, const json_t *overview, const json_t *forecasts,
                      double now)
{
    AUTO_TEXT text = {0};

    append_servers(&text, watch->generation);
    append_hosts(&text, watch->generation);
    append_load(&text, watch->generation, now);
    append_databases(&text, watch->generation);
    append_targets(&text, overview);
    append_forecasts(&text, forecasts);
    append_alerts(&text, watch);
    append_statements(&text, watch->generation, now);
    append_log_errors(&text, watch->generation);
    append_self(&text, watch);
    watch_board_put_text(watch->board, "metrics", "text/plain; version=0.0.4; charset=utf-8",
                         &text);
}
