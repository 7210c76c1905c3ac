// SPDX-License-Identifier: MIT
#include "bench/history.h"
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_RUNS = 12, SPARK_WIDTH = 240, SPARK_HEIGHT = 40 };

static void
set_text(json_t *view, const char *key, const char *chars)
{
    json_object_set_new(view, key, json_text(chars));
}

/* --- what to do next ------------------------------------------------------------------------ */

static void
add(json_t *list, const char *what, const char *evidence, const char *command)
{
    json_t *item = json_object();

    set_text(item, "advice", what);
    set_text(item, "evidence", evidence);
    set_text(item, "advice_command", command);
    json_array_append_new(list, item);
}

static bool
has_spilled(const struct bench_plan *plan)
{
    static const char *const signs[] = {"Sort Method: external", "Hash Batches", "HashAgg Batches",
                                        "Disk Usage"};

    for (size_t i = 0; i < plan->nodes.count; i++) {
        const struct bench_plan_node *node = &plan->nodes.items[i];
        for (size_t j = 0; j < node->details.count * 4; j++) {
            const char *sign = signs[j % 4];
            if (strncmp(node->details.items[j / 4], sign, strlen(sign)) == 0)
                return true;
        }
    }
    return false;
}

static void
advise_query(json_t *list, const struct bench_results *results, const struct bench_query *query)
{
    const struct bench_side *after = &query->sides[BENCH_AFTER];
    AUTO_TEXT command = {0};
    AUTO_TEXT what = {0};
    AUTO_TEXT evidence = {0};
    char first[32];
    char second[32];

    text_append(&command, "pgdeck explain --analyze --database ");
    text_append_word(&command, results->options->database);
    text_append(&command, " ");
    text_append_word(&command, query->query->sql);
    if (query->has_target && !query->is_target_met) {
        text_appendf(&what, "%s misses its target", query->query->name);
        text_appendf(&evidence, "p95 %s, target %lld ms", bench_duration(first, after->p95_ns),
                     (long long)results->options->target_p95_ms);
        add(list, text_chars(&what), text_chars(&evidence), text_chars(&command));
    } else if (query->ratio.verdict == BENCH_WORSE) {
        text_appendf(&what, "%s got worse", query->query->name);
        text_appendf(&evidence, "%s (%s at least)", bench_times(first, query->ratio.value),
                     bench_times(second, query->ratio.high));
        add(list, text_chars(&what), text_chars(&evidence), text_chars(&command));
    }
    if (has_spilled(&after->plan)) {
        text_clear(&what);
        text_appendf(&what, "%s writes temporary files: it needs more work_mem, or less to sort",
                     query->query->name);
        add(list, text_chars(&what), "its plan after says so", "pgdeck tune");
    }
}

static void
advise_suites(json_t *list, const struct bench_results *results)
{
    for (size_t i = 0; i < results->suites.count; i++) {
        const struct bench_suite *suite = results->suites.items[i];
        for (size_t j = 0; j < suite->works.count; j++) {
            const struct bench_work *work = &suite->works.items[j];
            AUTO_TEXT what = {0};
            AUTO_TEXT evidence = {0};
            char value[32];
            char high[32];
            if (work->ratio.verdict != BENCH_WORSE)
                continue;
            text_appendf(&what, "%s got worse: look at the settings that differ", work->name);
            text_appendf(&evidence, "%s (%s at most)", bench_times(value, work->ratio.value),
                         bench_times(high, work->ratio.high));
            add(list, text_chars(&what), text_chars(&evidence), "pgdeck tune");
        }
    }
}

json_t *
bench_view_advice(const struct bench_results *results)
{
    json_t *list = json_array();
    char evidence[64];

    for (size_t i = 0; i < results->queries.count; i++)
        advise_query(list, results, &results->queries.items[i]);
    advise_suites(list, results);
    if (results->servers[BENCH_AFTER].tables_without_statistics > 0) {
        snprintf(evidence, sizeof(evidence), "%lld tables without statistics",
                 (long long)results->servers[BENCH_AFTER].tables_without_statistics);
        add(list, "the planner guesses", evidence, "vacuumdb --all --analyze-in-stages");
    }
    return list;
}

/* --- earlier runs --------------------------------------------------------------------------- */

static json_t *
run_view(const struct bench_record *record)
{
    json_t *view = json_object();
    char text[32];

    set_text(view, "run_started", record->started);
    set_text(view, "run_folder", record->folder);
    set_text(view, "run_times", record->times > 0 ? bench_times(text, record->times) : "–");
    set_text(view, "run_works", bench_count(text, record->figures.count));
    json_object_set_new(view, "run_stopped", json_boolean(record->stopped != NULL));
    return view;
}

/* The times of the runs as a line, the highest at the top. */
static void
put_spark(struct text *points, const double *times, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = times[i] > most ? times[i] : most;
    for (size_t i = 0; i < count && count > 1 && most > 0; i++)
        text_appendf(points, "%s%.1f,%.1f", i == 0 ? "" : " ",
                     4 + (SPARK_WIDTH - 8) * (double)i / (double)(count - 1),
                     SPARK_HEIGHT - 4 - (SPARK_HEIGHT - 8) * times[i] / most);
}

json_t *
bench_view_history(const struct bench_results *results, const char *folder)
{
    AUTO_ARENA arena = arena_new();
    AUTO_TEXT points = {0};
    struct bench_records records;
    json_t *runs = json_array();
    double times[SHOWN_RUNS + 1] = {0};
    size_t count = 0;
    const char *slash = strrchr(folder, '/');
    const char *parent =
        slash == NULL ? "." : arena_strndup(arena, folder, (size_t)(slash - folder));

    bench_records_find(arena, parent, &records);
    for (size_t i = 0; i < records.list.count; i++) {
        const struct bench_record *record = &records.list.items[i];
        if (strcmp(record->database, results->options->database) != 0 ||
            records.list.count - i > SHOWN_RUNS)
            continue;
        json_array_append_new(runs, run_view(record));
        if (record->times > 0)
            times[count++] = record->times;
    }
    times[count] = results->total.value;
    put_spark(&points, times, count + (results->total.value > 0));
    return json_pack("{s:o, s:s}", "runs", runs, "spark", text_chars(&points));
}
