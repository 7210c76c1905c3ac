// SPDX-License-Identifier: MIT
#include "bench/history.h"

#include "base/file.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *
text_of(struct arena *arena, const json_t *value, const char *key)
{
    const char *text = json_string_value(json_object_get(value, key));

    return text == NULL ? NULL : arena_strdup(arena, text);
}

static double
number_of(const json_t *value, const char *key)
{
    return json_number_value(json_object_get(value, key)); /* 0 for null and what is not there */
}

static double
share_of(double failed, double done)
{
    return failed > 0 ? failed / (failed + done) : 0;
}

/* --- one run -------------------------------------------------------------------------------- */

static void
read_queries(struct arena *arena, const json_t *data, struct bench_record *record)
{
    const json_t *queries = json_object_get(data, "queries");

    for (size_t i = 0; i < json_array_size(queries); i++) {
        const json_t *query = json_array_get(queries, i);
        const json_t *after = json_object_get(query, "after");
        const char *name = text_of(arena, query, "name");
        struct bench_figures *figures = LIST_ADD(arena, &record->figures);
        figures->work = name == NULL ? "?" : name;
        figures->p50_ms = number_of(after, "median_ms");
        figures->p95_ms = number_of(after, "p95_ms");
        figures->p99_ms = number_of(after, "p99_ms");
        figures->failed = share_of(number_of(after, "errors"), number_of(after, "executions"));
    }
}

static void
read_works(struct arena *arena, const json_t *suite, struct bench_record *record)
{
    const json_t *works = json_object_get(suite, "works");

    for (size_t i = 0; i < json_array_size(works); i++) {
        const json_t *work = json_array_get(works, i);
        const json_t *after = json_object_get(work, "after");
        const json_t *latency = json_object_get(after, "response");
        const char *name = text_of(arena, work, "name");
        struct bench_figures *figures = LIST_ADD(arena, &record->figures);
        if (!json_is_object(latency))
            latency = json_object_get(after, "service");
        figures->work = name == NULL ? "?" : name;
        figures->p50_ms = number_of(latency, "p50_ms");
        figures->p95_ms = number_of(latency, "p95_ms");
        figures->p99_ms = number_of(latency, "p99_ms");
        figures->rate = number_of(after, "per_second");
        figures->failed = share_of(number_of(after, "failed"), number_of(after, "done"));
    }
}

/* --- what it was made under ----------------------------------------------------------------- */

static void
add_condition(struct arena *arena, struct bench_record *record, const char *name, bool is_measured,
              const json_t *value)
{
    struct bench_condition one = {
        .name = name, .number = json_number_value(value), .is_measured = is_measured};

    if (json_is_string(value))
        one.text = arena_strdup(arena, json_string_value(value));
    else if (!json_is_number(value))
        return;
    *LIST_ADD(arena, &record->conditions) = one;
}

static void
read_conditions(struct arena *arena, const json_t *data, struct bench_record *record)
{
    static const struct {
        const char *name, *of, *part, *key;
        bool is_measured;
    } fields[] = {
        {"pgdeck", NULL, NULL, "pgdeck", false},
        {"PostgreSQL", "where", "after", "version", false},
        {"bytes of the database", "where", "after", "size_bytes", true},
        {"CPU", "where", "machine", "cpu", false},
        {"CPUs", "where", "machine", "cpus", false},
        {"memory", "where", "machine", "memory_bytes", true},
        {"seed", NULL, NULL, "seed", false},
        {"block-ms", NULL, NULL, "block_ms", false},
        {"rate", NULL, NULL, "rate", false},
        {"clients", NULL, NULL, "clients", false},
        {"scale", NULL, NULL, "scale", false},
        {"workers", NULL, NULL, "workers", false},
        {"run-ms", NULL, NULL, "run_ms", false},
    };
    const json_t *suites = json_object_get(data, "suites");

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const json_t *from = data;
        if (fields[i].of != NULL)
            from = json_object_get(json_object_get(data, fields[i].of), fields[i].part);
        add_condition(arena, record, fields[i].name, fields[i].is_measured,
                      json_object_get(from, fields[i].key));
    }
    for (size_t i = 0; i < json_array_size(suites); i++) {
        const json_t *suite = json_array_get(suites, i);
        const char *name = text_of(arena, suite, "name");
        add_condition(arena, record,
                      arena_printf(arena, "arrivals a second (%s)", name == NULL ? "?" : name),
                      true, json_object_get(suite, "arrivals_per_second"));
        record->lost += number_of(json_object_get(suite, "tasks_lost"), "after");
        record->doubled += number_of(json_object_get(suite, "tasks_done_twice"), "after");
    }
}

static bool
is_alike(const struct bench_condition *one, const struct bench_condition *other)
{
    const double near = one->is_measured ? 0.02 : 0;

    if (one->text != NULL && other->text != NULL)
        return strcmp(one->text, other->text) == 0;
    return fabs(one->number - other->number) <= near * fmax(one->number, other->number);
}

static const char *
condition_text(struct arena *arena, const struct bench_condition *one)
{
    return one->text != NULL ? one->text : arena_printf(arena, "%.10g", one->number);
}

struct bench_differences
bench_record_differences(struct arena *arena, const struct bench_record *older,
                         const struct bench_record *newer)
{
    struct bench_differences found = {0};

    for (size_t i = 0; i < older->conditions.count; i++) {
        const struct bench_condition *one = &older->conditions.items[i];
        for (size_t j = 0; j < newer->conditions.count; j++) {
            const struct bench_condition *other = &newer->conditions.items[j];
            if (strcmp(one->name, other->name) != 0 || is_alike(one, other))
                continue;
            *LIST_ADD(arena, &found.list) =
                arena_printf(arena, "%s %s and %s", one->name, condition_text(arena, one),
                             condition_text(arena, other));
        }
    }
    return found;
}

/* -------------------------------------------------------------------------------------------- */

static void
read_data(struct arena *arena, const json_t *data, struct bench_record *record)
{
    const json_t *total = json_object_get(data, "total");
    const json_t *suites = json_object_get(data, "suites");

    record->started = text_of(arena, data, "started");
    record->database = text_of(arena, data, "database");
    record->command = text_of(arena, data, "command");
    record->stopped = text_of(arena, data, "stopped");
    record->pgdeck = text_of(arena, data, "pgdeck");
    record->times = number_of(total, "times_faster");
    record->low = number_of(total, "low");
    record->high = number_of(total, "high");
    read_conditions(arena, data, record);
    read_queries(arena, data, record);
    for (size_t i = 0; i < json_array_size(suites); i++)
        read_works(arena, json_array_get(suites, i), record);
}

bool
bench_record_read(struct arena *arena, const char *path, struct bench_record *ret_record,
                  struct error *err)
{
    const char *inside = arena_printf(arena, "%s/results.json", path);
    const char *file = file_exists(inside) ? inside : path;
    json_error_t fault;
    char *text;
    size_t length;

    if (!file_read(arena, file, &text, &length, err))
        return error_hint(err, "A run is named by its folder or its results.json.");
    json_t *data = json_loadb(text, length, 0, &fault);
    *ret_record = (struct bench_record){.folder = arena_strdup(arena, path)};
    if (json_is_object(data))
        read_data(arena, data, ret_record);
    bool is_run = ret_record->started != NULL && ret_record->database != NULL;
    if (!is_run && data == NULL)
        error_set(err, ERROR_FILE, "\"%s\" is no JSON: line %d: %s", file, fault.line, fault.text);
    else if (!is_run)
        error_set(err, ERROR_FILE, "\"%s\" is not a run of pgdeck bench", file);
    json_decref(data);
    return is_run;
}

/* --- all runs ------------------------------------------------------------------------------- */

static int
by_start(const void *left, const void *right)
{
    const struct bench_record *a = left;
    const struct bench_record *b = right;

    return strcmp(a->started, b->started);
}

static void
find_below(struct arena *arena, const char *folder, int depth, struct bench_records *records)
{
    DIR *entries = opendir(folder);

    for (struct dirent *entry = entries == NULL ? NULL : readdir(entries); entry != NULL;
         entry = readdir(entries)) {
        const char *path = arena_printf(arena, "%s/%s", folder, entry->d_name);
        struct bench_record record;
        struct error ignored;
        if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        if (!file_exists(arena_printf(arena, "%s/results.json", path))) {
            if (depth > 0)
                find_below(arena, path, depth - 1, records);
            continue;
        }
        if (bench_record_read(arena, path, &record, &ignored))
            *LIST_ADD(arena, &records->list) = record;
    }
    if (entries != NULL)
        closedir(entries);
}

void
bench_records_find(struct arena *arena, const char *folder, struct bench_records *ret_records)
{
    *ret_records = (struct bench_records){0};
    find_below(arena, folder, 1, ret_records);
    if (ret_records->list.count > 1)
        qsort(ret_records->list.items, ret_records->list.count, sizeof(struct bench_record),
              by_start);
}

/* --- the gate ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
    char sign; /* of what is worse */
} metrics[] = {
    {"p50", offsetof(struct bench_figures, p50_ms), '+'},
    {"p95", offsetof(struct bench_figures, p95_ms), '+'},
    {"p99", offsetof(struct bench_figures, p99_ms), '+'},
    {"rate", offsetof(struct bench_figures, rate), '-'},
};
enum { METRICS = sizeof(metrics) / sizeof(metrics[0]) };

bool
bench_gate_read(struct arena *arena, const char *text, struct bench_gate *ret_gate,
                struct error *err)
{
    size_t length = strcspn(text, ":");

    for (size_t i = 0; i < METRICS && text[length] == ':'; i++) {
        char *end;
        if (strlen(metrics[i].name) != length || strncmp(metrics[i].name, text, length) != 0 ||
            text[length + 1] != metrics[i].sign)
            continue;
        double percent = strtod(text + length + 2, &end);
        if (end == text + length + 2 || strcmp(end, "%") != 0 || !(percent > 0 && percent < 1e6))
            continue;
        *ret_gate = (struct bench_gate){
            .text = arena_strdup(arena, text), .metric = metrics[i].name, .limit = percent / 100};
        return true;
    }
    error_set(err, ERROR_USAGE, "--gate: \"%s\" is not a gate", text);
    return error_hint(err, "p50, p95 and p99 may grow, a rate may fall: p95:+5%%, rate:-5%%.");
}

static size_t
metric_of(const struct bench_gate *gate)
{
    size_t i = 0;

    while (strcmp(metrics[i].name, gate->metric) != 0)
        i++;
    return i;
}

static double
value_of(const struct bench_figures *figures, size_t metric)
{
    double value;

    memcpy(&value, (const char *)figures + metrics[metric].offset, sizeof(value));
    return value;
}

const struct bench_figures *
bench_record_find(const struct bench_record *record, const char *work)
{
    for (size_t i = 0; i < record->figures.count; i++) {
        if (strcmp(record->figures.items[i].work, work) == 0)
            return &record->figures.items[i];
    }
    return NULL;
}

void
bench_gate_apply(struct arena *arena, const struct bench_gate *gate,
                 const struct bench_record *older, const struct bench_record *newer,
                 struct bench_changes *ret_changes)
{
    size_t metric = metric_of(gate);

    *ret_changes = (struct bench_changes){0};
    for (size_t i = 0; i < older->figures.count; i++) {
        const struct bench_figures *one = &older->figures.items[i];
        const struct bench_figures *other = bench_record_find(newer, one->work);
        struct bench_change change = {.work = one->work, .before = value_of(one, metric)};
        if (change.before <= 0)
            continue;
        change.after = other == NULL ? 0 : value_of(other, metric);
        change.is_missing = change.after <= 0;
        if (!change.is_missing)
            change.share = metrics[metric].sign == '+' ? change.after / change.before - 1
                                                       : 1 - change.after / change.before;
        change.failed = other == NULL ? 0 : other->failed;
        change.is_failing = change.failed > one->failed;
        change.is_over = change.is_missing || change.is_failing || change.share > gate->limit;
        ret_changes->over += change.is_over;
        *LIST_ADD(arena, &ret_changes->list) = change;
    }
}
