// SPDX-License-Identifier: MIT
#include "bench/chart.h"
#include "bench/report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_WAITS = 12, MAX_POINTS = 300 };

static void
set_text(json_t *view, const char *key, const char *chars)
{
    json_object_set_new(view, key, json_text(chars));
}

/* --- waits ---------------------------------------------------------------------------------- */

/* Sessions at a time: how many did that on average while the server was measured. */
static double
sessions(const struct bench_samples *samples, const struct bench_wait *wait, size_t arm)
{
    return samples->looks[arm] == 0 ? 0 : (double)wait->count[arm] / (double)samples->looks[arm];
}

static json_t *
wait_view(const struct bench_samples *samples, const struct bench_wait *wait, double most)
{
    static const char *const keys[BENCH_ARMS][2] = {{"before", "before_bar"},
                                                    {"after", "after_bar"}};
    json_t *view = json_object();
    char text[64];

    set_text(view, "type", wait->type);
    set_text(view, "event", wait->event[0] == '\0' ? "running" : wait->event);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        double value = sessions(samples, wait, arm);
        snprintf(text, sizeof(text), "%.2f", value);
        set_text(view, keys[arm][0], text);
        json_object_set_new(view, keys[arm][1], json_real(most <= 0 ? 0 : value / most * 120));
    }
    return view;
}

static json_t *
waits_view(const struct bench_samples *samples)
{
    json_t *view = json_array();
    double most = 0;

    for (size_t i = 0; i < samples->waits.count * BENCH_ARMS; i++) {
        double value = sessions(samples, &samples->waits.items[i / BENCH_ARMS], i % BENCH_ARMS);
        most = value > most ? value : most;
    }
    for (size_t i = 0; i < samples->waits.count && i < SHOWN_WAITS; i++)
        json_array_append_new(view, wait_view(samples, &samples->waits.items[i], most));
    return view;
}

/* --- the machine ---------------------------------------------------------------------------- */

struct series {
    const char *kind, *label;
    size_t offset; /* of the number in struct bench_moment */
    double factor;
};
struct panel {
    const char *title, *unit;
    struct series series[3];
};
#define OF(field) offsetof(struct bench_moment, field)

static const struct panel panels[] = {
    {"CPUs, % of all",
     "%",
     {{"line-after", "busy", OF(busy), 100},
      {"line-before", "waiting for disks", OF(iowait), 100},
      {"line-bad", "stolen", OF(steal), 100}}},
    {"Disks, a second",
     "B",
     {{"line-after", "written", OF(written_bytes), 1},
      {"line-before", "read", OF(read_bytes), 1},
      {NULL, NULL, 0, 0}}},
    {"Memory to be had",
     "B",
     {{"line-after", "available", OF(memory_available_bytes), 1},
      {NULL, NULL, 0, 0},
      {NULL, NULL, 0, 0}}},
    {"Network, a second",
     "B",
     {{"line-after", "sent", OF(sent_bytes), 1},
      {"line-before", "received", OF(received_bytes), 1},
      {NULL, NULL, 0, 0}}},
};

static json_t *
panel_view(struct arena *arena, const struct bench_samples *samples, const struct panel *panel)
{
    size_t count = samples->moments.count;
    size_t step = 1 + (count - 1) / MAX_POINTS; /* of a long run each second, third ... second */
    struct bench_line lines[3];
    bool has_any = false;
    struct bench_chart chart = {
        .title = panel->title, .what = "The machine", .unit = panel->unit, .lines = lines};

    for (size_t i = 0; i < 3 && panel->series[i].kind != NULL; i++) {
        const struct series *series = &panel->series[i];
        double *x = ARENA_ARRAY(arena, double, count + 1);
        double *y = ARENA_ARRAY(arena, double, count + 1);
        struct bench_line *line = &lines[chart.line_count++];
        *line = (struct bench_line){.kind = series->kind, .label = series->label, .x = x, .y = y};
        for (size_t j = 0; j < count; j += step) {
            const char *moment = (const char *)&samples->moments.items[j];
            double value;
            memcpy(&value, moment + series->offset, sizeof(value));
            x[line->count] = samples->moments.items[j].at_s;
            has_any = has_any || value > 0;
            y[line->count++] = value < 0 ? 0 : value * series->factor;
        }
    }
    return has_any ? bench_timeline_view(&chart) : json_null();
}

static json_t *
system_view(const struct bench_samples *samples)
{
    AUTO_ARENA arena = arena_new();
    json_t *view = json_array();

    for (size_t i = 0; i < sizeof(panels) / sizeof(panels[0]) && samples->moments.count > 1; i++) {
        json_t *panel = panel_view(arena, samples, &panels[i]);
        json_t *labels = json_array();
        for (size_t j = 0; j < 3 && panels[i].series[j].kind != NULL; j++)
            json_array_append_new(labels, json_pack("{s:s, s:s}", "kind", panels[i].series[j].kind,
                                                    "label", panels[i].series[j].label));
        if (!json_is_object(panel)) {
            json_decref(panel);
            json_decref(labels);
            continue;
        }
        json_object_set_new(panel, "labels", labels);
        json_array_append_new(view, panel);
    }
    return view;
}

void
bench_set_samples(json_t *view, const struct bench_results *results)
{
    const struct bench_samples *samples = &results->samples;

    json_object_set_new(view, "waits", waits_view(samples));
    json_object_set_new(view, "system_panels", system_view(samples));
}

/* --- results.json, waits.csv, system.csv ---------------------------------------------------- */

json_t *
bench_samples_data(const struct bench_results *results)
{
    const struct bench_samples *samples = &results->samples;
    json_t *waits = json_array();
    json_t *seconds = json_array();

    for (size_t i = 0; i < samples->waits.count; i++) {
        const struct bench_wait *wait = &samples->waits.items[i];
        json_array_append_new(waits,
                              json_pack("{s:o, s:o, s:f, s:f}", "type", json_text(wait->type),
                                        "event", json_text(wait->event), "before",
                                        sessions(samples, wait, BENCH_BEFORE), "after",
                                        sessions(samples, wait, BENCH_AFTER)));
    }
    for (size_t i = 0; i < samples->moments.count; i++) {
        const struct bench_moment *moment = &samples->moments.items[i];
        json_array_append_new(seconds,
                              json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}",
                                        "at_s", moment->at_s, "busy", moment->busy, "iowait",
                                        moment->iowait, "steal", moment->steal, "read_bytes",
                                        moment->read_bytes, "written_bytes", moment->written_bytes,
                                        "received_bytes", moment->received_bytes, "sent_bytes",
                                        moment->sent_bytes, "memory_available_bytes",
                                        moment->memory_available_bytes, "load", moment->load));
    }
    return json_pack("{s:o, s:o, s:f, s:f, s:o}", "waiting_sessions", waits, "seconds", seconds,
                     "busy", samples->busy, "steal", samples->steal, "other_programs",
                     samples->others < 0 ? json_null() : json_real(samples->others));
}

void
bench_put_system(struct text *out, const struct bench_results *results)
{
    text_append(out, "at_s,busy,iowait,steal,read_bytes,written_bytes,received_bytes,sent_bytes,"
                     "memory_available_bytes,load\r\n");
    for (size_t i = 0; i < results->samples.moments.count; i++) {
        const struct bench_moment *moment = &results->samples.moments.items[i];
        text_appendf(out, "%.2f,%.4f,%.4f,%.4f,%.0f,%.0f,%.0f,%.0f,%.0f,%.2f\r\n", moment->at_s,
                     moment->busy, moment->iowait, moment->steal, moment->read_bytes,
                     moment->written_bytes, moment->received_bytes, moment->sent_bytes,
                     moment->memory_available_bytes, moment->load);
    }
}
