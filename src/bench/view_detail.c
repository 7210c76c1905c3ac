// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_VALUE = 400 }; /* characters of a parameter's value */

static void
set_text(json_t *view, const char *key, const char *chars)
{
    json_object_set_new(view, key, json_text(chars));
}

static json_t *
node_view(const struct bench_plan_node *node)
{
    json_t *view = json_object();
    json_t *details = json_array();
    char text[160];
    char rows[32];

    json_object_set_new(view, "depth", json_integer(node->depth > 24 ? 24 : node->depth));
    set_text(view, "title", node->title);
    snprintf(text, sizeof(text), "%s rows planned",
             bench_count(rows, (uint64_t)(node->rows_planned < 0 ? 0 : node->rows_planned)));
    if (node->rows >= 0) {
        char found[32];
        snprintf(text, sizeof(text), "%s rows (planned %s)%s",
                 bench_count(found, (uint64_t)node->rows), rows,
                 node->loops > 1 ? " in all loops" : "");
    }
    set_text(view, "rows", text);
    if (node->time_ms >= 0)
        set_text(view, "time", bench_duration(text, (uint64_t)(node->time_ms * 1e6)));
    if (node->buffers > 0) {
        snprintf(text, sizeof(text), "%s pages", bench_count(rows, (uint64_t)node->buffers));
        set_text(view, "pages", text);
    }
    for (size_t i = 0; i < node->details.count; i++)
        json_array_append_new(details, json_text(node->details.items[i]));
    json_object_set_new(view, "details", details);
    return view;
}

/* Whether this node is one more of its title than the other plan has. */
static bool
is_only_here(const struct bench_plan *plan, const struct bench_plan *other, size_t number)
{
    const char *title = plan->nodes.items[number].title;
    size_t here = 0;
    size_t there = 0;

    for (size_t i = 0; i <= number; i++)
        here += strcmp(plan->nodes.items[i].title, title) == 0;
    for (size_t i = 0; i < other->nodes.count; i++)
        there += strcmp(other->nodes.items[i].title, title) == 0;
    return other->nodes.count > 0 && here > there;
}

static json_t *
plan_view(const struct bench_side *side, const struct bench_plan *other)
{
    json_t *view = json_object();
    json_t *nodes = json_array();

    for (size_t i = 0; i < side->plan.nodes.count; i++) {
        json_t *node = node_view(&side->plan.nodes.items[i]);
        json_object_set_new(node, "is_other", json_boolean(is_only_here(&side->plan, other, i)));
        json_array_append_new(nodes, node);
    }
    json_object_set_new(view, "nodes", nodes);
    if (side->plan.fault != NULL)
        set_text(view, "fault", side->plan.fault);
    json_object_set_new(view, "is_measured", json_boolean(side->plan.is_measured));
    return view;
}

static json_t *
side_view(const struct bench_side *side)
{
    json_t *view = json_object();
    char text[32];

    set_text(view, "executions", bench_count(text, side->executions));
    set_text(view, "median", side->median_ns == 0 ? "–" : bench_duration(text, side->median_ns));
    set_text(view, "p95", side->p95_ns == 0 ? "–" : bench_duration(text, side->p95_ns));
    set_text(view, "max", side->max_ns == 0 ? "–" : bench_duration(text, side->max_ns));
    set_text(view, "cpu", side->cpu_ns < 0 ? "–" : bench_duration(text, (uint64_t)side->cpu_ns));
    json_object_set_new(view, "has_workers",
                        json_boolean(side->cpu_ns >= 0 && side->plan.has_workers));
    set_text(view, "pages",
             side->plan.is_measured && side->plan.buffers >= 0
                 ? bench_count(text, (uint64_t)side->plan.buffers)
                 : "–");
    set_text(view, "wal",
             bench_amount(text, side->plan.is_measured ? side->plan.wal_bytes : -1, "B"));
    set_text(view, "temp",
             bench_amount(text, side->plan.is_measured ? side->plan.temp_bytes : -1, "B"));
    json_object_set_new(view, "errors", json_integer((json_int_t)side->errors));
    if (side->errors > 0) {
        set_text(view, "error", side->first_error.message);
        set_text(view, "sqlstate", side->first_error.sqlstate);
    }
    return view;
}

static json_t *
parameters_view(const struct bench_query *query)
{
    json_t *view = json_array();

    for (size_t i = 0; i < query->query->parameters.count; i++) {
        const struct workload_parameter *parameter = &query->query->parameters.items[i];
        const char *value = query->tuple_count == 0 ? NULL : query->tuples[0][i];
        AUTO_TEXT shown = {0};
        json_t *row = json_object();
        if (value == NULL)
            value = "null";
        size_t length = strlen(value);
        size_t cut = length;
        if (length > SHOWN_VALUE) {
            cut = SHOWN_VALUE;
            while (cut > 0 && ((unsigned char)value[cut] & 0xc0) == 0x80)
                cut--;
        }
        text_append_bytes(&shown, value, cut);
        text_append(&shown, cut < length ? " …" : "");
        json_object_set_new(row, "number", json_integer((json_int_t)i + 1));
        set_text(row, "name", parameter->name);
        set_text(row, "type", parameter->type);
        set_text(row, "value", text_chars(&shown));
        set_text(row, "candidates", parameter->candidates);
        json_array_append_new(view, row);
    }
    return view;
}

/* The indexes that the query's file says it needs, and whether the plan after reads them. */
static json_t *
uses_view(const struct bench_query *query)
{
    json_t *view = json_array();
    const struct bench_plan *plan = &query->sides[BENCH_AFTER].plan;

    for (size_t i = 0; i < query->query->uses.count && plan->nodes.count > 0; i++) {
        const char *name = query->query->uses.items[i];
        bool is_used = false;
        for (size_t j = 0; j < plan->indexes.count; j++)
            is_used = is_used || strcmp(plan->indexes.items[j], name) == 0;
        json_array_append_new(view,
                              json_pack("{s:o, s:b}", "name", json_text(name), "is_used", is_used));
    }
    return view;
}

static void
set_equality(json_t *view, const struct bench_query *query)
{
    char text[256] = "not compared";
    const char *mood = query->equality == BENCH_EQUAL ? "good" : "warn";

    if (query->equality == BENCH_EQUAL)
        snprintf(text, sizeof(text), "equal on both servers in all executions compared: %zu",
                 query->compared);
    else if (query->equality == BENCH_OTHER_VALUES)
        snprintf(text, sizeof(text),
                 "%zu of %zu executions compared gave as many rows (%d), but "
                 "not the same values",
                 query->differing, query->compared, query->rows[BENCH_AFTER]);
    else if (query->equality == BENCH_OTHER_ROWS)
        snprintf(text, sizeof(text),
                 "%zu of %zu executions compared gave other rows, for example "
                 "%d before and %d after",
                 query->differing, query->compared, query->rows[BENCH_BEFORE],
                 query->rows[BENCH_AFTER]);
    set_text(view, "equality", text);
    set_text(view, "equality_mood", mood);
    json_object_set_new(view, "is_unequal", json_boolean(query->equality > BENCH_EQUAL));
}

/* "1.05x (1.03x to 1.07x)"; "": not known. */
static void
set_judged(json_t *view, const char *key, const struct bench_ratio *ratio)
{
    char text[128] = "";
    char value[32], low[32], high[32];

    if (ratio->low > 0)
        snprintf(text, sizeof(text), "%s (%s to %s)", bench_times(value, ratio->value),
                 bench_times(low, ratio->low), bench_times(high, ratio->high));
    set_text(view, key, text);
}

json_t *
bench_view_detail(const struct bench_query *query, size_t number)
{
    static const struct bench_ratio nothing;
    json_t *view = json_object();

    json_object_set_new(view, "id", json_integer((json_int_t)number));
    set_text(view, "name", query->query->name);
    set_text(view, "what", query->query->what);
    set_text(view, "sql", query->query->sql);
    bool is_other = query->query->before_sql != NULL;
    json_object_set_new(view, "has_other_before", json_boolean(is_other));
    set_text(view, "sql_before", is_other ? query->query->before_sql : "");
    bool is_by_medians = query->judged_by == BENCH_MEDIAN;
    set_judged(view, "judged", is_by_medians ? &nothing : bench_judged_ratio(query));
    set_text(view, "judged_by", bench_quantity_name(query->judged_by));
    set_judged(view, "net", &query->net);
    set_judged(view, "server_cpu", &query->cpu);
    json_object_set_new(view, "slices", json_integer((json_int_t)query->slices));
    json_object_set_new(view, "blocks", json_integer((json_int_t)query->pairs.count));
    json_object_set_new(view, "tuples_per_block",
                        json_integer((json_int_t)query->tuples_per_block));
    json_object_set_new(view, "has_parameters", json_boolean(query->query->parameters.count > 0));
    json_object_set_new(view, "side_before", side_view(&query->sides[BENCH_BEFORE]));
    json_object_set_new(view, "side_after", side_view(&query->sides[BENCH_AFTER]));
    json_object_set_new(view, "plan_before",
                        plan_view(&query->sides[BENCH_BEFORE], &query->sides[BENCH_AFTER].plan));
    json_object_set_new(view, "plan_after",
                        plan_view(&query->sides[BENCH_AFTER], &query->sides[BENCH_BEFORE].plan));
    json_object_set_new(view, "parameters", parameters_view(query));
    json_object_set_new(view, "uses", uses_view(query));
    set_equality(view, query);
    return view;
}
