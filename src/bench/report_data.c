// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *const arm_names[BENCH_ARMS] = {"before", "after"};
static const char *const equality_names[] = {
    [BENCH_NOT_COMPARED] = "not compared",
    [BENCH_EQUAL] = "equal",
    [BENCH_OTHER_VALUES] = "other values",
    [BENCH_OTHER_ROWS] = "other number of rows",
};

/* --- results.json ------------------------------------------------------------------------- */

static json_t *
milliseconds(uint64_t duration_ns)
{
    return duration_ns == 0 ? json_null() : json_real((double)duration_ns / 1e6);
}

static json_t *
known(double value, double scale)
{
    return value < 0 ? json_null() : json_real(value * scale);
}

json_t *
bench_ratio_data(const struct bench_ratio *ratio)
{
    json_t *data = json_object();

    json_object_set_new(data, "times_faster",
                        ratio->value > 0 ? json_real(ratio->value) : json_null());
    json_object_set_new(data, "low", ratio->low > 0 ? json_real(ratio->low) : json_null());
    json_object_set_new(data, "high", ratio->high > 0 ? json_real(ratio->high) : json_null());
    json_object_set_new(data, "verdict", json_string(bench_verdict_name(ratio->verdict)));
    return data;
}

static json_t *
side_data(const struct bench_side *side)
{
    json_t *data = json_object();
    json_t *indexes = json_array();

    json_object_set_new(data, "executions", json_integer((json_int_t)side->executions));
    json_object_set_new(data, "errors", json_integer((json_int_t)side->errors));
    if (side->errors > 0) {
        json_object_set_new(data, "first_error", json_text(side->first_error.message));
        json_object_set_new(data, "sqlstate", json_text(side->first_error.sqlstate));
    }
    json_object_set_new(data, "median_ms", milliseconds(side->median_ns));
    json_object_set_new(data, "p95_ms", milliseconds(side->p95_ns));
    json_object_set_new(
        data, "p99_ms",
        milliseconds(side->latency == NULL ? 0 : histogram_percentile(side->latency, 0.99)));
    json_object_set_new(data, "max_ms", milliseconds(side->max_ns));
    json_object_set_new(data, "server_cpu_ms", known(side->cpu_ns, 1e-6));
    json_object_set_new(data, "pages_touched",
                        side->plan.is_measured ? known(side->plan.buffers, 1) : json_null());
    json_object_set_new(data, "wal_bytes",
                        side->plan.is_measured ? known(side->plan.wal_bytes, 1) : json_null());
    json_object_set_new(data, "temp_bytes",
                        side->plan.is_measured ? known(side->plan.temp_bytes, 1) : json_null());
    for (size_t i = 0; i < side->plan.indexes.count; i++)
        json_array_append_new(indexes, json_text(side->plan.indexes.items[i]));
    json_object_set_new(data, "indexes", indexes);
    return data;
}

static json_t *
pairs_data(const struct bench_query *query)
{
    json_t *pairs = json_array();

    for (size_t i = 0; i < query->pairs.count; i++) {
        const struct bench_pair *pair = &query->pairs.items[i];
        json_t *data = json_object();
        json_object_set_new(data, "pair", json_integer(pair->number));
        json_object_set_new(data, "first", json_string(arm_names[pair->first]));
        json_object_set_new(data, "again_ms", milliseconds(pair->again_ns));
        for (size_t arm = 0; arm < BENCH_ARMS; arm++)
            json_object_set_new(data, arm_names[arm],
                                json_pack("{s:I, s:o}", "executions",
                                          (json_int_t)pair->executions[arm], "median_ms",
                                          milliseconds(pair->median_ns[arm])));
        json_array_append_new(pairs, data);
    }
    return pairs;
}

static json_t *
query_data(const struct bench_query *query)
{
    json_t *data = json_object();

    json_object_set_new(data, "name", json_text(query->query->name));
    json_object_set_new(data, "class", json_text(query->query->class_name));
    json_object_set_new(data, "what", json_text(query->query->what));
    json_object_set_new(data, "sql", json_text(query->query->sql));
    if (query->query->before_sql != NULL)
        json_object_set_new(data, "sql_before", json_text(query->query->before_sql));
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        json_object_set_new(data, arm_names[arm], side_data(&query->sides[arm]));
    json_object_set_new(data, "ratio", bench_ratio_data(&query->ratio));
    json_object_set_new(data, "judged_by", json_string(bench_quantity_name(query->judged_by)));
    json_object_set_new(data, "without_waits_for_a_cpu", bench_ratio_data(&query->net));
    json_object_set_new(data, "server_cpu", bench_ratio_data(&query->cpu));
    json_object_set_new(data, "slices", json_integer((json_int_t)query->slices));
    json_object_set_new(data, "target_met",
                        query->has_target ? json_boolean(query->is_target_met) : json_null());
    json_object_set_new(data, "target_met_before",
                        query->has_target ? json_boolean(query->was_target_met) : json_null());
    json_object_set_new(
        data, "results",
        json_pack("{s:s, s:I, s:I, s:i, s:i}", "equality", equality_names[query->equality],
                  "compared", (json_int_t)query->compared, "differing",
                  (json_int_t)query->differing, "rows_before", query->rows[BENCH_BEFORE],
                  "rows_after", query->rows[BENCH_AFTER]));
    json_object_set_new(data, "pairs", pairs_data(query));
    return data;
}

static json_t *
server_data(const struct bench_server *server)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "version",
                     json_text(server->version), "database", json_text(server->database),
                     "reached_by", json_text(server->reached_by), "size_bytes",
                     (json_int_t)server->size_bytes, "tables", (json_int_t)server->tables,
                     "partitions", (json_int_t)server->partitions, "indexes",
                     (json_int_t)server->indexes, "index_bytes", (json_int_t)server->index_bytes,
                     "tables_without_statistics", (json_int_t)server->tables_without_statistics);
}

static json_t *
setting_data(const struct bench_setting *setting)
{
    return json_pack("{s:o, s:o, s:o}", "name", json_text(setting->name), "before",
                     json_text(setting->values[BENCH_BEFORE]), "after",
                     json_text(setting->values[BENCH_AFTER]));
}

static json_t *
environment_data(const struct bench_results *results)
{
    const struct bench_machine *machine = &results->machine;
    json_t *settings = json_array();
    json_t *objects = json_array();
    json_t *data = json_object();

    for (size_t i = 0; i < results->settings.count; i++) {
        const struct bench_setting *setting = &results->settings.items[i];
        json_array_append_new(settings, setting_data(setting));
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        json_object_set_new(data, arm_names[arm], server_data(&results->servers[arm]));
    json_object_set_new(data, "settings_that_differ", settings);
    for (size_t i = 0; i < results->objects.count; i++)
        json_array_append_new(objects, setting_data(&results->objects.items[i]));
    json_object_set_new(data, "objects_that_differ", objects);
    json_object_set_new(data, "machine",
                        json_pack("{s:s, s:i, s:I, s:s, s:s, s:f, s:f}", "cpu", machine->cpu,
                                  "cpus", machine->cpus, "memory_bytes",
                                  (json_int_t)machine->memory_bytes, "system", machine->system,
                                  "kernel", machine->kernel, "load_before", machine->load_before,
                                  "steal", machine->steal));
    return data;
}

json_t *
bench_data(const struct bench_results *results)
{
    const struct bench_options *options = results->options;
    json_t *data = json_object();
    json_t *queries = json_array();
    json_t *suites = json_array();
    json_t *limits = json_array();
    char stamp[32];

    for (size_t i = 0; i < results->queries.count; i++)
        json_array_append_new(queries, query_data(&results->queries.items[i]));
    json_object_set_new(data, "pgdeck", json_text(PGDECK_VERSION));
    json_object_set_new(data, "command", json_text(options->command));
    json_object_set_new(data, "started", json_text(bench_time(stamp, results->started)));
    json_object_set_new(data, "duration_s", json_real(results->duration_s));
    json_object_set_new(data, "stopped",
                        results->stopped.code == ERROR_NONE ? json_null()
                                                            : json_text(results->stopped.message));
    json_object_set_new(data, "database", json_text(options->database));
    json_object_set_new(data, "environment",
                        options->environment == NULL ? json_null()
                                                     : json_text(options->environment));
    json_object_set_new(data, "target_p95_ms",
                        options->target_p95_ms == 0
                            ? json_null()
                            : json_integer((json_int_t)options->target_p95_ms));
    json_object_set_new(data, "pairs", json_integer(options->pairs));
    json_object_set_new(data, "block_ms", json_integer(options->block_ms));
    json_object_set_new(data, "seed", json_integer((json_int_t)options->seed));
    json_object_set_new(data, "rate", json_integer(options->rate));
    json_object_set_new(data, "clients", json_integer(options->clients));
    json_object_set_new(data, "scale", json_integer(options->scale));
    json_object_set_new(data, "workers", json_integer(options->workers));
    json_object_set_new(data, "run_ms", json_integer(options->run_ms));
    json_object_set_new(data, "total", bench_ratio_data(&results->total));
    json_object_set_new(data, "total_of_server_cpu", bench_ratio_data(&results->cpu_total));
    json_object_set_new(data, "noise", json_real(results->noise));
    json_object_set_new(data, "noise_without_waits", json_real(results->net_noise));
    json_object_set_new(data, "noise_of_cpu", json_real(results->cpu_noise));
    json_object_set_new(data, "noise_is_measured", json_boolean(results->has_noise_run));
    json_object_set_new(data, "on_same_cpu", json_boolean(results->pairs_apart == 0));
    json_object_set_new(data, "queries_compared", json_integer((json_int_t)results->compared));
    json_object_set_new(data, "worst",
                        results->worst == NULL ? json_null()
                                               : json_text(results->worst->query->name));
    json_object_set_new(data, "errors", json_integer((json_int_t)results->errors));
    json_object_set_new(data, "queries", queries);
    for (size_t i = 0; i < results->suites.count; i++)
        json_array_append_new(suites, bench_suite_data(results->suites.items[i]));
    json_object_set_new(data, "suites", suites);
    for (size_t i = 0; i < results->limits.count; i++)
        json_array_append_new(limits, json_text(results->limits.items[i]));
    json_object_set_new(data, "limits", limits);
    json_object_set_new(data, "samples", bench_samples_data(results));
    json_object_set_new(data, "where", environment_data(results));
    return data;
}

char *
bench_json(const struct bench_results *results)
{
    json_t *data = bench_data(results);
    char *text = json_dumps(data, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    json_decref(data);
    return text;
}

/* --- results.csv, log.txt ----------------------------------------------------------------- */

/* RFC 4180; a leading sign that spreadsheets take for a formula gets an apostrophe. */
void
bench_put_csv_text(struct text *out, const char *value)
{
    text_append(out, strchr("=+-@\t", value[0]) != NULL && value[0] != '\0' ? "\"'" : "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"')
            text_append(out, "\"");
        text_append_bytes(out, value, 1);
    }
    text_append(out, "\"");
}

void
bench_put_csv_number(struct text *out, double value)
{
    if (value > 0)
        text_appendf(out, ",%.6g", value);
    else
        text_append(out, ",");
}

/* A 0 that was measured is one; below 0 it was not. */
static void
put_csv_known(struct text *out, double value)
{
    text_append(out, ",");
    if (value >= 0)
        text_appendf(out, "%.0f", value);
}

void
bench_put_csv(struct text *out, const struct bench_results *results)
{
    text_append(out, "query,class,arm,executions,errors,median_ms,p95_ms,max_ms,server_cpu_ms,"
                     "pages_touched,wal_bytes,temp_bytes,times_faster,times_faster_low,times_"
                     "faster_high,target_met,verdict,judged_by\r\n");
    for (size_t i = 0; i < results->queries.count * BENCH_ARMS; i++) {
        const struct bench_query *query = &results->queries.items[i / BENCH_ARMS];
        const struct bench_side *side = &query->sides[i % BENCH_ARMS];
        bool is_after = i % BENCH_ARMS == BENCH_AFTER;
        bench_put_csv_text(out, query->query->name);
        text_append(out, ",");
        bench_put_csv_text(out, query->query->class_name);
        text_appendf(out, ",%s,%" PRIu64 ",%" PRIu64, arm_names[i % BENCH_ARMS], side->executions,
                     side->errors);
        bench_put_csv_number(out, (double)side->median_ns / 1e6);
        bench_put_csv_number(out, (double)side->p95_ns / 1e6);
        bench_put_csv_number(out, (double)side->max_ns / 1e6);
        bench_put_csv_number(out, side->cpu_ns / 1e6);
        put_csv_known(out, side->plan.is_measured ? side->plan.buffers : -1);
        put_csv_known(out, side->plan.is_measured ? side->plan.wal_bytes : -1);
        put_csv_known(out, side->plan.is_measured ? side->plan.temp_bytes : -1);
        bench_put_csv_number(out, is_after ? query->ratio.value : 0);
        bench_put_csv_number(out, is_after ? query->ratio.low : 0);
        bench_put_csv_number(out, is_after ? query->ratio.high : 0);
        bool is_met = is_after ? query->is_target_met : query->was_target_met;
        text_append(out, !query->has_target ? "," : is_met ? ",yes" : ",no");
        bool is_judged = is_after && query->ratio.value > 0;
        text_appendf(out, ",%s,%s\r\n", is_judged ? bench_verdict_name(query->ratio.verdict) : "",
                     is_judged ? bench_quantity_name(query->judged_by) : "");
    }
}

static void
put_plan(struct text *out, const struct bench_plan *plan)
{
    if (plan->fault != NULL)
        text_appendf(out, "  no plan: %s\n", plan->fault);
    for (size_t i = 0; i < plan->nodes.count; i++) {
        const struct bench_plan_node *node = &plan->nodes.items[i];
        text_appendf(out, "  %*s%s  (rows %.0f planned", node->depth * 2, "", node->title,
                     node->rows_planned);
        if (node->rows >= 0)
            text_appendf(out, ", %.0f found, %.3f ms", node->rows, node->time_ms);
        text_append(out, ")\n");
        for (size_t j = 0; j < node->details.count; j++)
            text_appendf(out, "  %*s  %s\n", node->depth * 2, "", node->details.items[j]);
    }
}

void
bench_put_log(struct text *out, const struct bench_results *results)
{
    for (size_t i = 0; i < results->log.count; i++)
        text_appendf(out, "%s\n", results->log.items[i]);
    for (size_t i = 0; i < results->queries.count * BENCH_ARMS; i++) {
        const struct bench_query *query = &results->queries.items[i / BENCH_ARMS];
        const struct bench_plan *plan = &query->sides[i % BENCH_ARMS].plan;
        if (plan->fault == NULL && plan->nodes.count == 0)
            continue;
        text_appendf(out, "\nplan of %s, %s\n", query->query->name, arm_names[i % BENCH_ARMS]);
        put_plan(out, plan);
    }
}
