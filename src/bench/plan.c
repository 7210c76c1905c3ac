// SPDX-License-Identifier: MIT
#include "bench/plan.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>

enum { MAX_DEPTH = 64, BLOCK_BYTES = 8192 };

static const char *
text_of(const json_t *node, const char *key)
{
    return json_string_value(json_object_get(node, key));
}

static double
number_of(const json_t *node, const char *key)
{
    const json_t *value = json_object_get(node, key);

    return json_is_number(value) ? json_number_value(value) : -1;
}

/* As EXPLAIN's text form begins a line: "Parallel Index Only Scan using i on t a". */
static const char *
title_of(struct arena *arena, const json_t *node)
{
    AUTO_TEXT title = {0};
    const char *type = text_of(node, "Node Type");
    const char *join = text_of(node, "Join Type");
    const char *strategy = text_of(node, "Strategy");
    const char *relation = text_of(node, "Relation Name");
    const char *alias = text_of(node, "Alias");

    if (json_is_true(json_object_get(node, "Parallel Aware")))
        text_append(&title, "Parallel ");
    if (strategy != NULL && strcmp(strategy, "Hashed") == 0)
        text_append(&title, "Hash ");
    if (strategy != NULL && strcmp(strategy, "Sorted") == 0)
        text_append(&title, "Group ");
    text_append(&title, type == NULL ? "?" : type);
    if (join != NULL && strcmp(join, "Inner") != 0)
        text_appendf(&title, " (%s)", join);
    if (text_of(node, "Index Name") != NULL)
        text_appendf(&title, " using %s", text_of(node, "Index Name"));
    if (relation != NULL)
        text_appendf(&title, " on %s", relation);
    if (alias != NULL && relation != NULL && strcmp(alias, relation) != 0)
        text_appendf(&title, " %s", alias);
    return arena_strdup(arena, text_chars(&title));
}

static const char *
value_of(struct arena *arena, const json_t *value)
{
    AUTO_TEXT text = {0};

    if (json_is_string(value))
        return arena_strdup(arena, json_string_value(value));
    if (json_is_integer(value))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value))
        return arena_printf(arena, "%g", json_real_value(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *item = json_string_value(json_array_get(value, i));
        text_appendf(&text, "%s%s", i == 0 ? "" : ", ", item == NULL ? "?" : item);
    }
    return arena_strdup(arena, text_chars(&text));
}

static void
add_details(struct arena *arena, const json_t *node, struct bench_plan_node *plan_node)
{
    static const char *const keys[] = {
        "Index Cond",
        "Recheck Cond",
        "Hash Cond",
        "Merge Cond",
        "Join Filter",
        "Filter",
        "One-Time Filter",
        "Group Key",
        "Sort Key",
        "Presorted Key",
        "Sort Method",
        "Sort Space Used",
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
        "Rows Removed by Join Filter",
        "Heap Fetches",
        "Exact Heap Blocks",
        "Lossy Heap Blocks",
        "Workers Planned",
        "Workers Launched",
        "Subplans Removed",
        "Hash Batches",
        "HashAgg Batches",
        "Disk Usage",
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const json_t *value = json_object_get(node, keys[i]);
        bool is_batches = strstr(keys[i], "Batches") != NULL; /* one: nothing was spilled */
        if (value == NULL || (json_is_number(value) && json_number_value(value) <= is_batches))
            continue;
        *LIST_ADD(arena, &plan_node->details) =
            arena_printf(arena, "%s: %s%s", keys[i], value_of(arena, value),
                         strcmp(keys[i], "Sort Space Used") == 0 ? " kB" : "");
    }
}

static double
buffers_of(const json_t *node)
{
    static const char *const keys[] = {"Shared Hit Blocks", "Shared Read Blocks",
                                       "Local Hit Blocks",  "Local Read Blocks",
                                       "Temp Read Blocks",  "Temp Written Blocks"};
    double sum = 0;

    if (number_of(node, keys[0]) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        double value = number_of(node, keys[i]);
        sum += value > 0 ? value : 0;
    }
    return sum;
}

static void
add_index(struct arena *arena, struct bench_plan *plan, const json_t *node)
{
    const char *name = text_of(node, "Index Name");

    if (name == NULL)
        return;
    for (size_t i = 0; i < plan->indexes.count; i++) {
        if (strcmp(plan->indexes.items[i], name) == 0)
            return;
    }
    *LIST_ADD(arena, &plan->indexes) = arena_strdup(arena, name);
}

static void
add_node(struct arena *arena, struct bench_plan *plan, const json_t *node, int depth)
{
    struct bench_plan_node *added = LIST_ADD(arena, &plan->nodes);
    double loops = number_of(node, "Actual Loops");
    double rows = number_of(node, "Actual Rows");
    double time_ms = number_of(node, "Actual Total Time");
    const char *subplan = text_of(node, "Subplan Name");

    added->depth = depth;
    added->title = title_of(arena, node);
    if (subplan != NULL)
        added->title = arena_printf(arena, "%s: %s", subplan, added->title);
    added->rows_planned = number_of(node, "Plan Rows");
    added->loops = loops;
    added->rows = rows < 0 || loops < 0 ? -1 : rows * loops;
    added->time_ms = time_ms < 0 || loops < 0 ? -1 : time_ms * loops;
    added->buffers = buffers_of(node);
    add_details(arena, node, added);
    add_index(arena, plan, node);
    plan->has_workers = plan->has_workers || number_of(node, "Workers Planned") > 0;
    const json_t *children = json_object_get(node, "Plans");
    for (size_t i = 0; i < json_array_size(children) && depth < MAX_DEPTH; i++)
        add_node(arena, plan, json_array_get(children, i), depth + 1);
}

bool
bench_plan_read(struct arena *arena, const char *json, struct bench_plan *ret_plan,
                struct error *err)
{
    struct bench_plan plan = {0};
    json_error_t fault;
    json_t *root = json_loads(json, 0, &fault);
    const json_t *explained = json_array_get(root, 0);
    const json_t *node = json_object_get(explained, "Plan");

    if (!json_is_object(node)) {
        error_set(err, ERROR_INTERNAL, "plan in an unknown form: %s",
                  root == NULL ? fault.text : "no member \"Plan\"");
        json_decref(root);
        return false;
    }
    add_node(arena, &plan, node, 0);
    plan.planning_ms = number_of(explained, "Planning Time");
    plan.execution_ms = number_of(explained, "Execution Time");
    plan.is_measured = plan.execution_ms >= 0;
    plan.buffers = plan.nodes.items[0].buffers;
    plan.wal_bytes = number_of(node, "WAL Bytes");
    double temp_blocks = number_of(node, "Temp Written Blocks");
    plan.temp_bytes = temp_blocks < 0 ? -1 : temp_blocks * BLOCK_BYTES;
    json_decref(root);
    *ret_plan = plan;
    return true;
}
