// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "bench/chart.h"
#include "bench/slice.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Widths of the drawings in assets/report.html, in their own units. */
enum { TIME_WIDTH = 240, RATIO_WIDTH = 180, MARGIN = 6 };

/* A logarithmic axis from 10^low to 10^high. */
struct axis {
    double low, high;
    int width;
};

static double
place_on(const struct axis *axis, double value)
{
    double inner = (double)(axis->width - 2 * MARGIN);
    double share = (log10(value) - axis->low) / (axis->high - axis->low);

    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return round((MARGIN + share * inner) * 10) / 10;
}

static void
widen(struct axis *axis, double value)
{
    if (value <= 0)
        return;
    axis->low = fmin(axis->low, log10(value));
    axis->high = fmax(axis->high, log10(value));
}

static void
round_out(struct axis *axis)
{
    axis->low = floor(axis->low + 1e-9);
    axis->high = ceil(axis->high - 1e-9);
    if (axis->high - axis->low < 1)
        axis->high = axis->low + 1;
}

/* The axes of all rows. */
struct axes {
    struct axis time; /* nanoseconds */
    struct axis ratio;
    double target_ns; /* 0: none */
};

static struct axes
find_axes(const struct bench_results *results)
{
    struct axes axes = {{INFINITY, -INFINITY, TIME_WIDTH},
                        {0, 0, RATIO_WIDTH},
                        (double)results->options->target_p95_ms * 1e6};

    widen(&axes.time, axes.target_ns);
    for (size_t i = 0; i < results->queries.count; i++) {
        const struct bench_query *query = &results->queries.items[i];
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            widen(&axes.time, (double)query->sides[arm].median_ns);
            widen(&axes.time, (double)query->sides[arm].p95_ns);
        }
        widen(&axes.ratio, query->ratio.value);
        widen(&axes.ratio, query->ratio.low);
        widen(&axes.ratio, query->ratio.high);
    }
    if (axes.time.low > axes.time.high)
        axes.time = (struct axis){6, 9, TIME_WIDTH};
    round_out(&axes.time);
    round_out(&axes.ratio);
    return axes;
}

static void
set_text(json_t *view, const char *key, const char *chars)
{
    json_object_set_new(view, key, json_text(chars));
}

/* Lines at the powers of ten, with labels where there is room. */
static json_t *
ticks_view(const struct axis *axis, bool is_time)
{
    json_t *ticks = json_array();
    int step = axis->high - axis->low > (is_time ? 4 : 3) ? 2 : 1;

    for (int power = (int)axis->low; power <= (int)axis->high; power++) {
        char label[32] = "";
        if (power % step == 0 && is_time) {
            bench_duration(label, (uint64_t)pow(10, power));
            char *point = strchr(label, '.'); /* "1.00 ms", "10.0 ms" */
            if (point != NULL)
                memmove(point, strchr(point, ' '), strlen(strchr(point, ' ')) + 1);
        } else if (power % step == 0) {
            snprintf(label, sizeof(label), "%g×", pow(10, power));
        }
        const char *anchor = power == (int)axis->low    ? "start"
                             : power == (int)axis->high ? "end"
                                                        : "middle";
        json_array_append_new(ticks,
                              json_pack("{s:f, s:s, s:s}", "x", place_on(axis, pow(10, power)),
                                        "label", label, "anchor", anchor));
    }
    return ticks;
}

/* A dot at the median and a line on to the 95th percentile. */
static json_t *
dot_view(const struct axis *axis, const struct bench_side *side)
{
    if (side->median_ns == 0)
        return json_null();
    return json_pack("{s:f, s:f}", "median", place_on(axis, (double)side->median_ns), "p95",
                     place_on(axis, (double)side->p95_ns));
}

/* The way from one dot to the other. */
static json_t *
move_view(const struct axis *axis, const struct bench_side *before, const struct bench_side *after)
{
    if (before->median_ns == 0 || after->median_ns == 0)
        return json_null();
    return json_pack("{s:f, s:f}", "from", place_on(axis, (double)before->median_ns), "to",
                     place_on(axis, (double)after->median_ns));
}

static json_t *
ratio_bar_view(const struct axis *axis, const struct bench_ratio *ratio)
{
    json_t *view = json_object();

    if (ratio->value <= 0)
        return view;
    json_object_set_new(view, "x", json_real(place_on(axis, ratio->value)));
    if (ratio->low <= 0)
        return view;
    json_object_set_new(view, "has_interval", json_true());
    double low = place_on(axis, ratio->low);
    json_object_set_new(view, "low", json_real(low));
    json_object_set_new(view, "length", json_real(place_on(axis, ratio->high) - low));
    return view;
}

const char *
bench_amount(char text[32], double value, const char *unit)
{
    if (value < 0)
        return "–";
    if (strcmp(unit, "ns") == 0)
        return bench_duration(text, (uint64_t)value);
    if (strcmp(unit, "B") == 0)
        return bench_size(text, (int64_t)value);
    snprintf(text, 32, value < 10 ? "%.1f" : "%.0f", value);
    return text;
}

static const char *
mood_of(enum bench_verdict verdict)
{
    static const char *const moods[] = {[BENCH_NO_VERDICT] = "plain",
                                        [BENCH_IMPROVED] = "good",
                                        [BENCH_WORSE] = "bad",
                                        [BENCH_NO_CHANGE] = "plain"};

    return moods[verdict];
}

void
bench_set_ratio(json_t *view, const struct bench_ratio *ratio)
{
    char value[32];
    char low[32];
    char high[32];
    char interval[80] = "";

    bench_times(value, ratio->value);
    if (ratio->low > 0)
        snprintf(interval, sizeof(interval), "%s to %s", bench_times(low, ratio->low),
                 bench_times(high, ratio->high));
    set_text(view, "times", value);
    set_text(view, "interval", interval);
    set_text(view, "mood", mood_of(ratio->verdict));
    set_text(view, "verdict", ratio->value > 0 ? bench_verdict_name(ratio->verdict) : "no result");
}

static void
set_durations(json_t *view, const struct bench_side *side)
{
    char text[32];

    set_text(view, "median", side->median_ns == 0 ? "–" : bench_duration(text, side->median_ns));
    set_text(view, "p95", side->p95_ns == 0 ? "–" : bench_duration(text, side->p95_ns));
}

static json_t *
query_view(const struct bench_query *query, size_t number, const struct axes *axes)
{
    json_t *view = bench_view_detail(query, number);
    const struct bench_side *before = &query->sides[BENCH_BEFORE];
    const struct bench_side *after = &query->sides[BENCH_AFTER];
    json_t *durations[BENCH_ARMS] = {json_object(), json_object()};

    set_durations(durations[BENCH_BEFORE], before);
    set_durations(durations[BENCH_AFTER], after);
    json_object_set_new(view, "before", durations[BENCH_BEFORE]);
    json_object_set_new(view, "after", durations[BENCH_AFTER]);
    json_object_set_new(view, "dot_before", dot_view(&axes->time, before));
    json_object_set_new(view, "dot_after", dot_view(&axes->time, after));
    json_object_set_new(view, "move", move_view(&axes->time, before, after));
    const struct histogram *latencies[BENCH_ARMS] = {before->latency, after->latency};
    const uint64_t counts[BENCH_ARMS] = {before->executions, after->executions};
    json_object_set_new(view, "curve",
                        bench_curve_view(latencies, counts, "Percentiles", axes->target_ns));
    json_object_set_new(view, "ratio_bar", ratio_bar_view(&axes->ratio, &query->ratio));
    bench_set_ratio(view, &query->ratio);
    json_object_set_new(view, "has_target", json_boolean(query->has_target));
    json_object_set_new(view, "is_met", json_boolean(query->is_target_met));
    json_object_set_new(view, "was_met", json_boolean(query->was_target_met));
    return view;
}

static json_t *
classes_view(const struct bench_results *results, const struct axes *axes)
{
    json_t *classes = json_array();

    for (size_t i = 0; i < results->classes.count; i++) {
        const struct bench_class *of = &results->classes.items[i];
        json_t *view = json_object();
        json_t *queries = json_array();
        set_text(view, "class", of->name);
        bench_set_ratio(view, &of->ratio);
        json_object_set_new(view, "several", json_boolean(of->query_count > 1));
        for (size_t j = 0; j < results->queries.count; j++) {
            const struct bench_query *query = &results->queries.items[j];
            if (strcmp(query->query->class_name, of->name) == 0)
                json_array_append_new(queries, query_view(query, j + 1, axes));
        }
        json_object_set_new(view, "queries", queries);
        json_array_append_new(classes, view);
    }
    return classes;
}

static json_t *
axes_view(const struct axes *axes)
{
    json_t *view = json_object();

    json_object_set_new(view, "time_ticks", ticks_view(&axes->time, true));
    json_object_set_new(view, "ratio_ticks", ticks_view(&axes->ratio, false));
    json_object_set_new(view, "one_x", json_real(place_on(&axes->ratio, 1)));
    if (axes->target_ns > 0)
        json_object_set_new(view, "target_line",
                            json_pack("{s:f}", "x", place_on(&axes->time, axes->target_ns)));
    return view;
}

/* --- cards and banners -------------------------------------------------------------------- */

static void
add_card(json_t *cards, const char *title, const char *value, const char *mood, const char *note)
{
    json_t *card = json_object();

    set_text(card, "title", title);
    set_text(card, "value", value);
    set_text(card, "mood", mood);
    set_text(card, "note", note);
    json_array_append_new(cards, card);
}

static void
add_ratio_cards(json_t *cards, const struct bench_results *results)
{
    char note[512];
    char value[32];
    char low[32];
    char high[32];
    const struct bench_ratio *total = &results->total;

    if (total->value <= 0) {
        add_card(cards, "Faster", "–", "bad", "nothing could be compared");
        return;
    }
    char whole[32] = "";
    if (results->compared < results->queries.count)
        snprintf(whole, sizeof(whole), "of %zu ", results->queries.count);
    snprintf(note, sizeof(note), "geometric mean of %zu %squeries; too few pairs for an interval",
             results->compared, whole);
    if (total->low > 0)
        snprintf(note, sizeof(note), "%s; geometric mean of %zu %squeries, 95 %% interval %s to %s",
                 bench_verdict_name(total->verdict), results->compared, whole,
                 bench_times(low, total->low), bench_times(high, total->high));
    add_card(cards, "Faster", bench_times(value, total->value), mood_of(total->verdict), note);
    const struct bench_ratio *worst = &results->worst->ratio;
    snprintf(note, sizeof(note), "%s: %s", results->worst->query->name,
             bench_verdict_name(worst->verdict));
    if (worst->low > 0)
        snprintf(note + strlen(note), sizeof(note) - strlen(note), " by %s",
                 bench_quantity_name(results->worst->judged_by));
    add_card(cards, "Smallest gain", bench_times(value, worst->value), mood_of(worst->verdict),
             note);
}

/* The suites' figures are not in the queries' mean: what got worse must be seen, too. */
static void
add_suite_cards(json_t *cards, const struct bench_results *results)
{
    char value[32];
    char note[512];

    for (size_t i = 0; i < results->suites.count; i++) {
        const struct bench_suite *suite = results->suites.items[i];
        const struct bench_work *worst = NULL;
        for (size_t j = 0; j < suite->works.count; j++) {
            const struct bench_work *work = &suite->works.items[j];
            if (work->ratio.value > 0 && (worst == NULL || work->ratio.value < worst->ratio.value))
                worst = work;
        }
        if (worst == NULL || suite->total.value <= 0)
            continue;
        char least[32];
        snprintf(note, sizeof(note), "%s; the least: %.200s, %s",
                 bench_verdict_name(suite->total.verdict), worst->name,
                 bench_times(least, worst->ratio.value));
        add_card(cards, suite->title == NULL ? suite->name : suite->title,
                 bench_times(value, suite->total.value), mood_of(suite->total.verdict), note);
    }
}

static void
add_target_card(json_t *cards, const struct bench_results *results)
{
    char value[64];
    char note[256];
    bool is_all = results->targets_met == results->targets;

    if (results->targets == 0) {
        add_card(cards, "Target", "–", "plain", "the environment sets no query_p95");
        return;
    }
    snprintf(value, sizeof(value), "%zu of %zu", results->targets_met, results->targets);
    snprintf(note, sizeof(note), "queries with p95 up to %lld ms; before: %zu",
             (long long)results->options->target_p95_ms, results->targets_before);
    add_card(cards, "Target met", value, is_all ? "good" : "bad", note);
}

static void
add_equality_card(json_t *cards, const struct bench_results *results)
{
    size_t compared = 0;
    size_t differing = 0;
    size_t never = 0;
    char note[256];

    for (size_t i = 0; i < results->queries.count; i++) {
        const struct bench_query *query = &results->queries.items[i];
        compared += query->compared;
        differing += query->differing > 0;
        never += query->compared == 0;
    }
    snprintf(note, sizeof(note), "%zu executions compared row by row%s", compared,
             never > 0 ? "; some queries could not be" : "");
    if (differing > 0)
        snprintf(note, sizeof(note), "%zu of %zu queries gave other rows: see their details",
                 differing, results->queries.count);
    add_card(cards, "Same results",
             differing > 0 ? "no"
             : never > 0   ? "partly"
                           : "yes",
             differing + never > 0 ? "warn" : "good", note);
}

static void
add_noise_card(json_t *cards, const struct bench_results *results)
{
    const struct bench_machine *machine = &results->machine;
    bool is_noisy = machine->steal > 0.01 || machine->load_before > 0.5 * machine->cpus;
    char note[256];

    snprintf(note, sizeof(note), "load %.2f on %d CPUs at the start, %.1f %% of CPU time stolen",
             machine->load_before, machine->cpus, machine->steal * 100);
    add_card(cards, "Machine", is_noisy ? "busy" : "quiet", is_noisy ? "warn" : "good", note);
}

static void
add_banners(json_t *banners, const struct bench_results *results)
{
    char text[1200];

    if (results->stopped.code != ERROR_NONE) {
        snprintf(text, sizeof(text),
                 "Stopped early: %s. This page shows what was measured until "
                 "then.",
                 results->stopped.message);
        json_array_append_new(banners,
                              json_pack("{s:s, s:o}", "mood", "bad", "text", json_text(text)));
    }
    if (results->errors > 0) {
        snprintf(text, sizeof(text),
                 "%llu executions failed. They are in no figure; the queries' "
                 "details show the errors.",
                 (unsigned long long)results->errors);
        json_array_append_new(banners,
                              json_pack("{s:s, s:o}", "mood", "bad", "text", json_text(text)));
    }
    for (size_t i = 0; i < results->limits.count; i++)
        json_array_append_new(banners, json_pack("{s:s, s:o}", "mood", "warn", "text",
                                                 json_text(results->limits.items[i])));
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (results->servers[arm].tables_without_statistics == 0)
            continue;
        snprintf(text, sizeof(text),
                 "%lld tables of \"%s\" have never been analysed: its plans "
                 "may be worse than they need be.",
                 (long long)results->servers[arm].tables_without_statistics,
                 results->options->arms[arm].label);
        json_array_append_new(banners,
                              json_pack("{s:s, s:o}", "mood", "warn", "text", json_text(text)));
    }
}

/* --- what differs ------------------------------------------------------------------------- */

static void
add_shape(json_t *rows, const char *name, const char *before, const char *after)
{
    json_t *row = json_object();

    set_text(row, "name", name);
    set_text(row, "before", before);
    set_text(row, "after", after);
    json_array_append_new(rows, row);
}

static json_t *
shape_view(const struct bench_results *results)
{
    const struct bench_server *before = &results->servers[BENCH_BEFORE];
    const struct bench_server *after = &results->servers[BENCH_AFTER];
    const struct {
        const char *name;
        int64_t values[BENCH_ARMS];
        bool is_size;
    } rows[] = {
        {"Tables", {before->tables, after->tables}, false},
        {"Partitions", {before->partitions, after->partitions}, false},
        {"Indexes", {before->indexes, after->indexes}, false},
        {"Size of the indexes", {before->index_bytes, after->index_bytes}, true},
        {"Size of the database", {before->size_bytes, after->size_bytes}, true},
    };
    json_t *view = json_array();
    char texts[BENCH_ARMS][32];

    add_shape(view, "PostgreSQL", before->version, after->version);
    add_shape(view, "Database", before->database, after->database);
    add_shape(view, "Reached by", before->reached_by, after->reached_by);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            if (rows[i].is_size)
                bench_size(texts[arm], rows[i].values[arm]);
            else
                bench_count(texts[arm], (uint64_t)rows[i].values[arm]);
        }
        add_shape(view, rows[i].name, texts[BENCH_BEFORE], texts[BENCH_AFTER]);
    }
    return view;
}

static json_t *
differences_view(const struct bench_setting *settings, size_t count)
{
    json_t *view = json_array();

    for (size_t i = 0; i < count; i++) {
        const struct bench_setting *setting = &settings[i];
        const char *before = setting->values[BENCH_BEFORE];
        const char *after = setting->values[BENCH_AFTER];
        add_shape(view, setting->name, before[0] == '\0' ? "–" : before,
                  after[0] == '\0' ? "–" : after);
    }
    return view;
}

/* --- the whole page ----------------------------------------------------------------------- */

static void
set_method(json_t *view, const struct bench_results *results)
{
    const struct bench_options *options = results->options;
    const struct bench_machine *machine = &results->machine;
    char text[256];

    json_object_set_new(view, "pairs", json_integer(options->pairs));
    json_object_set_new(view, "block_ms", json_integer(options->block_ms));
    json_object_set_new(view, "block_executions", json_integer(BENCH_BLOCK_EXECUTIONS));
    json_object_set_new(view, "block_slices", json_integer(BENCH_BLOCK_SLICES));
    json_object_set_new(view, "block_limit_ms",
                        json_integer((json_int_t)options->block_ms * BENCH_BLOCK_STRETCH));
    json_object_set_new(view, "timeout_s", json_real(options->timeout_ms / 1000.0));
    json_object_set_new(view, "seed", json_integer((json_int_t)options->seed));
    set_text(view, "command", options->command);
    set_text(view, "pgdeck", PGDECK_VERSION);
    snprintf(text, sizeof(text), "%.1f %%", results->noise * 100);
    set_text(view, "noise", text);
    snprintf(text, sizeof(text), "%.1f %%", results->net_noise * 100);
    set_text(view, "net_noise", text);
    json_object_set_new(view, "noise_is_measured", json_boolean(results->has_noise_run));
    json_object_set_new(view, "is_on_same_cpu", json_boolean(results->pairs_apart == 0));
    json_object_set_new(view, "few_pairs", json_boolean(options->pairs < 10));
    set_text(view, "cpu", machine->cpu[0] == '\0' ? "unknown CPU" : machine->cpu);
    json_object_set_new(view, "cpus", json_integer(machine->cpus));
    set_text(view, "memory", bench_size(text, machine->memory_bytes));
    set_text(view, "system", machine->system);
    set_text(view, "kernel", machine->kernel);
    snprintf(text, sizeof(text), "%.0f s", results->duration_s);
    set_text(view, "duration", text);
    set_text(view, "started", bench_time(text, results->started));
}

json_t *
bench_view(const struct bench_results *results)
{
    const struct bench_options *options = results->options;
    struct axes axes = find_axes(results);
    json_t *view = axes_view(&axes);
    json_t *cards = json_array();
    json_t *banners = json_array();
    char text[64] = "";

    if (results->queries.count > 0)
        add_ratio_cards(cards, results);
    add_suite_cards(cards, results);
    if (results->queries.count > 0) {
        add_target_card(cards, results);
        add_equality_card(cards, results);
    }
    add_noise_card(cards, results);
    add_banners(banners, results);
    if (options->target_p95_ms > 0)
        snprintf(text, sizeof(text), "%lld ms", (long long)options->target_p95_ms);
    set_text(view, "target", text);
    set_text(view, "database", options->database);
    set_text(view, "environment", options->environment == NULL ? "" : options->environment);
    set_text(view, "label_before", options->arms[BENCH_BEFORE].label);
    set_text(view, "label_after", options->arms[BENCH_AFTER].label);
    json_object_set_new(view, "cards", cards);
    json_object_set_new(view, "banners", banners);
    json_object_set_new(view, "classes", classes_view(results, &axes));
    json_object_set_new(view, "suites", bench_view_suites(results));
    bench_set_samples(view, results);
    json_object_set_new(view, "recommendations", bench_view_advice(results));
    json_object_set_new(view, "has_queries", json_boolean(results->queries.count > 0));
    json_object_set_new(view, "shape", shape_view(results));
    json_object_set_new(view, "settings",
                        differences_view(results->settings.items, results->settings.count));
    json_object_set_new(view, "objects",
                        differences_view(results->objects.items, results->objects.count));
    json_object_set_new(view, "equal_objects", json_integer((json_int_t)results->equal_objects));
    json_object_set_new(view, "equal_settings", json_integer((json_int_t)results->equal_settings));
    set_method(view, results);
    return view;
}
