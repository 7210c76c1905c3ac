// SPDX-License-Identifier: MIT
/* Reads what pg_stat_statements counts, and puts up the costliest statements. */
#include "watch/server_log.h"

#include "pg/script.h"
#include "workload/fingerprint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void
watch_read_probe(struct watch_collector *collector, const PGresult *result, double now)
{
    const char *schema = pg_value(result, 0, "statements_schema");

    (void)now;
    snprintf(collector->statements_schema, sizeof(collector->statements_schema), "%s",
             schema == NULL ? "" : schema);
    collector->may_read_log = pg_bool(result, 0, "may_read_log");
    collector->has_stats_since = pg_bool(result, 0, "has_stats_since");
    collector->has_history = pg_bool(result, 0, "has_history");
    collector->has_recorder = pg_bool(result, 0, "has_recorder");
    collector->has_targets = pg_bool(result, 0, "has_targets");
    collector->has_ai_tasks = pg_bool(result, 0, "has_ai_tasks");
    collector->has_growth = pg_bool(result, 0, "has_growth");
    collector->may_record_growth = pg_bool(result, 0, "may_record_growth");
    collector->is_probed = true;
}

bool
watch_has_history(const struct watch_collector *collector)
{
    return collector->has_history && collector->server->statements->reading > 0;
}

const char *
watch_statements_sql(const struct watch_collector *collector, struct arena *arena)
{
    return pg_script(
        arena, "watch/sql/statements.sql",
        PG_VARIABLES(
            {"schema", collector->statements_schema},
            {"since", collector->has_stats_since ? "extract(epoch FROM s.stats_since)" : "0"}));
}

const char *
watch_texts_sql(const struct watch_collector *collector, struct arena *arena)
{
    return pg_script(arena, "watch/sql/texts.sql",
                     PG_VARIABLES({"schema", collector->statements_schema}));
}

/* --- reading -------------------------------------------------------------------------------- */

static struct watch_statement_key
key_of(const PGresult *result, int row)
{
    return (struct watch_statement_key){
        .database_oid = (uint32_t)pg_integer(result, row, "database_oid"),
        .role_oid = (uint32_t)pg_integer(result, row, "role_oid"),
        .query_id = pg_integer(result, row, "query_id"),
    };
}

static void
count_delta(struct watch_collector *collector, const struct watch_delta *delta, double now)
{
    const struct watch_collector *database =
        watch_find_database(collector, delta->statement->key.database_oid);
    double counts[WATCH_WIDTH_MAX] = {0};

    if (database == NULL)
        return;
    const struct deck_environment *environment = database->database->environment;
    const struct deck *deck = collector->server->deck;
    counts[watch_bucket(delta->work.ms / delta->work.calls)] = delta->work.calls;
    watch_target_add(collector->watch, deck, environment, WATCH_QUERY_P95_ESTIMATE, now, counts);
    watch_target_add(collector->watch, deck, environment, WATCH_QUERY_MEAN, now,
                     (const double[]){delta->work.ms, delta->work.calls});
}

void
watch_read_statements(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_statements *statements = collector->server->statements;
    struct watch_delta delta;

    watch_statements_begin(statements);
    for (int row = 0; row < PQntuples(result); row++) {
        struct watch_statement_key key = key_of(result, row);
        struct watch_work counters = {
            .calls = watch_value(result, row, "calls"),
            .ms = watch_value(result, row, "ms"),
            .rows = watch_value(result, row, "rows"),
            .hits = watch_value(result, row, "hits"),
            .reads = watch_value(result, row, "reads"),
            .squares = watch_value(result, row, "squares"),
        };
        if (watch_statements_add(statements, &key, watch_value(result, row, "counted_since"),
                                 &counters, now, &delta) &&
            watch_statement_counts(&delta, pg_bool(result, row, "is_by_own_role")))
            count_delta(collector, &delta, now);
    }
    watch_statements_end(statements, now);
}

static bool
is_of_deck(const struct watch_collector *collector, const struct watch_statement *statement)
{
    return watch_find_database((struct watch_collector *)collector, statement->key.database_oid) !=
           NULL;
}

/* Whose text is asked for; more than once where two roles ran it. */
struct lacking {
    int64_t *items;
    size_t count, capacity;
};

static struct lacking
list_lacking(const struct watch_collector *collector, struct arena *arena)
{
    struct watch_statements *statements = collector->server->statements;
    struct watch_statement *top[WATCH_TOP];
    struct watch_hour hour;
    size_t count = watch_statements_top(statements, watch_now(), top, &hour);
    struct lacking list = {0};

    for (size_t i = 0; i < count; i++) {
        if (top[i]->query == NULL && is_of_deck(collector, top[i]))
            *LIST_ADD(arena, &list) = top[i]->key.query_id;
    }
    for (size_t i = 0; i < statements->capacity; i++) {
        if (statements->table[i].held.calls > 0)
            *LIST_ADD(arena, &list) = statements->table[i].key.query_id;
    }
    return list;
}

bool
watch_lacks_texts(const struct watch_collector *collector)
{
    AUTO_ARENA arena = arena_new();

    return list_lacking(collector, arena).count > 0;
}

int
watch_texts_parameters(struct watch_collector *collector, struct arena *arena,
                       const char *ret_parameters[WATCH_PARAMETERS_MAX])
{
    struct lacking list = list_lacking(collector, arena);
    const char **ids = arena_alloc(arena, (list.count + 1) * sizeof(*ids));

    for (size_t i = 0; i < list.count; i++)
        ids[i] = arena_printf(arena, "%lld", (long long)list.items[i]);
    ret_parameters[0] = pg_text_array(arena, ids, list.count);
    return 1;
}

static void
replace(char **text, const char *with)
{
    free(*text);
    *text = strdup(with == NULL ? "" : with);
    if (*text == NULL)
        abort();
}

static void
settle(struct watch_collector *collector, struct watch_statement *statement, const char *query,
       double now)
{
    struct watch_delta delta;

    if (watch_statement_settle(statement, query, &delta))
        count_delta(collector, &delta, now);
}

void
watch_read_texts(struct watch_collector *collector, const PGresult *result, double now)
{
    struct watch_statements *statements = collector->server->statements;

    for (int row = 0; row < PQntuples(result); row++) {
        struct watch_statement_key key = key_of(result, row);
        struct watch_statement *statement = watch_statements_find(statements, &key);
        const char *query = pg_value(result, row, "query");
        if (statement == NULL)
            continue;
        settle(collector, statement, query, now);
        if (statement->day == NULL)
            continue; /* only of those that are shown */
        replace(&statement->query, query);
        statement->fingerprint = query == NULL ? 0 : workload_fingerprint(query);
        replace(&statement->role, pg_value(result, row, "role"));
    }
    for (size_t i = 0; i < statements->capacity; i++) { /* evicted before it could be asked for */
        if (statements->table[i].held.calls > 0)
            settle(collector, &statements->table[i], NULL, now);
    }
}

void
watch_read_yesterday(struct watch_collector *collector, const PGresult *result, double now)
{
    (void)now;
    for (int row = 0; row < PQntuples(result); row++) {
        struct watch_statement_key key = {
            .database_oid = collector->oid,
            .role_oid = (uint32_t)pg_integer(result, row, "role_oid"),
            .query_id = pg_integer(result, row, "query_id"),
        };
        struct watch_statement *statement =
            watch_statements_find(collector->server->statements, &key);
        if (statement != NULL)
            statement->yesterday_ms = watch_value(result, row, "mean_ms");
    }
}

/* --- documents ------------------------------------------------------------------------------ */

/* Of the pool where most of its calls go through one, else an estimate. */
static double
p95_of(const struct watch_statement *statement, const struct watch_work *work, double now,
       bool *ret_is_estimate)
{
    double counted = 0, p95_ms = NAN;

    if (statement->day != NULL && statement->day->times != NULL)
        p95_ms = watch_times_p95(statement->day->times, now, WATCH_SLOTS, &counted);
    *ret_is_estimate = counted * 2 < work->calls || isnan(p95_ms);
    return *ret_is_estimate ? watch_work_p95(work->calls, work->ms, work->squares) : p95_ms;
}

static json_t *
statement_of(struct watch_server *server, const struct watch_collector *database,
             const struct watch_statement *statement, const struct watch_work *all, double now)
{
    struct watch_work work = watch_statement_hour(statement, now);
    char id[32], query_id[32];
    bool is_estimate;

    snprintf(query_id, sizeof(query_id), "%lld", (long long)statement->key.query_id);
    snprintf(id, sizeof(id), "%016llx",
             (unsigned long long)(XXH3_64bits(&statement->key, sizeof(statement->key)) ^
                                  XXH3_64bits(server->server->name, strlen(server->server->name)) ^
                                  XXH3_64bits(server->deck->name, strlen(server->deck->name))));
    json_t *one = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o}", "id", id, "query_id", query_id, "database",
        database == NULL ? json_null() : watch_json(database->database->name), "environment",
        database == NULL ? json_null() : watch_json(database->database->environment->name), "role",
        watch_json(statement->role), "query", watch_json(statement->query));
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"calls", work.calls},
        {"rows", work.rows},
        {"total_ms", work.ms},
        {"mean_ms", work.ms / work.calls},
        {"p95_ms", p95_of(statement, &work, now, &is_estimate)},
        {"share", work.ms / all->ms},
        {"cache_hit", work.hits / (work.hits + work.reads)},
        {"mean_ms_yesterday", statement->yesterday_ms > 0 ? statement->yesterday_ms : NAN},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_object_set_new(one, numbers[i].name, watch_number(numbers[i].value));
    json_object_set_new(one, "p95_is_estimate", json_boolean(is_estimate));
    return one;
}

static json_t *
series_of(const struct watch_statement *statement, double now)
{
    json_t *calls = json_array(), *means = json_array(), *p95s = json_array(),
           *measured = json_array();
    int64_t newest = (int64_t)now / WATCH_SLOT_S;
    const struct watch_day *day = statement->day;

    for (int64_t step = newest - WATCH_DAY_SLOTS + 1; step <= newest; step++) {
        size_t slot = (size_t)(step % WATCH_DAY_SLOTS);
        bool is_known = day != NULL && day->steps[slot] == step && day->calls[slot] > 0;
        double count = is_known ? (double)day->calls[slot] : NAN;
        double ms = is_known ? (double)day->ms[slot] : NAN;
        json_array_append_new(calls, watch_number(count));
        json_array_append_new(means, watch_number(ms / count));
        json_array_append_new(
            p95s,
            watch_number(is_known ? watch_work_p95(count, ms, (double)day->squares[slot]) : NAN));
        json_array_append_new(measured,
                              watch_number(watch_statement_measured_p95(statement, step)));
    }
    return json_pack("{s:i, s:I, s:o, s:o, s:o, s:o}", "step_s", (int)WATCH_SLOT_S, "until",
                     (json_int_t)(newest + 1) * WATCH_SLOT_S, "calls", calls, "mean_ms", means,
                     "p95_ms", p95s, "p95_measured_ms", measured);
}

/* The newest last. */
static json_t *
samples_of(const struct watch_statement *statement, const struct watch_collector *database)
{
    const struct watch_day *day = statement->day;
    json_t *samples = json_array();
    size_t count = day == NULL ? 0 : day->sample_count;

    for (size_t i = count > WATCH_SAMPLES ? count - WATCH_SAMPLES : 0; i < count; i++) {
        const struct watch_sample *sample = &day->samples[i % WATCH_SAMPLES];
        json_array_append_new(
            samples,
            json_pack("{s:f, s:f, s:i, s:o, s:o, s:o, s:o}", "at", sample->at, "runs_s",
                      sample->runs_s, "sessions", sample->sessions, "event",
                      watch_json(sample->event[0] == '\0' ? "CPU" : sample->event), "application",
                      watch_json(sample->application), "role", watch_json(statement->role),
                      "database", watch_json(database->database->name)));
    }
    return samples;
}

static void
put_query(struct watch *watch, const json_t *one, const struct watch_statement *statement,
          const struct watch_collector *database, double now)
{
    json_t *page = json_copy((json_t *)one);
    char name[64];

    snprintf(name, sizeof(name), "query/%s", json_string_value(json_object_get(one, "id")));
    json_object_set_new(page, "at", json_real(now));
    json_object_set_new(page, "series", series_of(statement, now));
    json_object_set_new(page, "samples", samples_of(statement, database));
    json_t *plans =
        watch_log_plans(database->server->log, statement->fingerprint, database->database->name);
    if (statement->day != NULL) {
        watch_plans_append(plans, &statement->day->plans, "EXPLAIN, for any values");
        if (statement->day->explain_fault[0] != '\0')
            json_object_set_new(page, "no_plan", watch_json(statement->day->explain_fault));
    }
    json_object_set_new(page, "plans", plans);
    json_object_set_new(
        page, "log",
        watch_log_runs(database->server->log, statement->fingerprint, database->database->name));
    watch_board_put_json(watch->board, name, page);
}

static const char *
problem_of(const struct watch_server *server)
{
    if (server->statements_leader != NULL)
        return NULL;
    return server->leader == NULL ? "the server cannot be reached"
                                  : "pg_stat_statements is in none of the databases, or not in "
                                    "shared_preload_libraries (pgdeck apply sees to both)";
}

/* What many did together, and their share of all. */
static json_t *
sum_of(size_t statements, double calls, double ms, double all_ms)
{
    return json_pack("{s:I, s:f, s:f, s:o}", "statements", (json_int_t)statements, "calls", calls,
                     "total_ms", ms, "share", watch_number(ms / all_ms));
}

static json_t *
queries_of(struct watch *watch, struct watch_server *server, double now)
{
    struct watch_statement *top[WATCH_TOP];
    struct watch_hour hour;
    size_t count = watch_statements_top(server->statements, now, top, &hour);
    struct watch_work all = hour.all, shown = hour.own;
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct watch_collector *database = NULL;
        if (server->leader != NULL)
            database = watch_find_database(server->leader, top[i]->key.database_oid);
        if (database == NULL)
            continue;
        json_t *one = statement_of(server, database, top[i], &all, now);
        put_query(watch, one, top[i], database, now);
        shown.calls += json_number_value(json_object_get(one, "calls"));
        shown.ms += json_number_value(json_object_get(one, "total_ms"));
        json_array_append_new(list, one);
    }
    size_t others = server->statements->count - json_array_size(list) - hour.own_statements;
    json_t *other = sum_of(others, all.calls - shown.calls, all.ms - shown.ms, all.ms);
    json_t *own = sum_of(hour.own_statements, hour.own.calls, hour.own.ms, all.ms);
    return json_pack("{s:o, s:o, s:i, s:o, s:f, s:o, s:o, s:o}", "deck",
                     watch_json(server->deck->name), "server", watch_json(server->server->name),
                     "window_s", (int)(WATCH_SLOTS * WATCH_SLOT_S), "problem",
                     watch_json(problem_of(server)), "total_ms", all.ms, "queries", list, "own",
                     own, "other", other);
}

void
watch_publish_queries(struct watch *watch, double now)
{
    struct watch_generation *generation = watch->generation;
    json_t *list = json_array();

    for (size_t i = 0; i < generation->servers.count; i++)
        json_array_append_new(list, queries_of(watch, &generation->servers.items[i], now));
    watch_board_put_json(watch->board, "queries",
                         json_pack("{s:f, s:o}", "at", now, "servers", list));
    watch_board_drop(watch->board, "query/", now - WATCH_SLOT_S);
}
