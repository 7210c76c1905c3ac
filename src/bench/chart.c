// SPDX-License-Identifier: MIT
#include "bench/chart.h"

#include "bench/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 460, WIDE = 1080, HEIGHT = 190, LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 22 };

struct frame {
    int width;
    double x_low, x_high;
    double y_low, y_high; /* logarithms where is_log */
    bool is_log;
};

static double
place_x(const struct frame *frame, double x)
{
    double share = (x - frame->x_low) / (frame->x_high - frame->x_low);

    return LEFT + share * (frame->width - LEFT - RIGHT);
}

static double
place_y(const struct frame *frame, double y)
{
    double value = frame->is_log ? log10(y) : y;
    double share = (value - frame->y_low) / (frame->y_high - frame->y_low);

    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static json_t *
tenth(double value)
{
    return json_real(round(value * 10) / 10);
}

static const char *
label_of(char text[32], double value, const char *unit)
{
    if (strcmp(unit, "ns") == 0)
        return bench_duration(text, (uint64_t)value);
    if (strcmp(unit, "B") == 0)
        return bench_size(text, (int64_t)value);
    if (strcmp(unit, "%") == 0)
        snprintf(text, 32, "%.0f %%", value);
    else if (value >= 1e6)
        snprintf(text, 32, "%.3g M", value / 1e6);
    else if (value >= 1e4)
        snprintf(text, 32, "%.3g k", value / 1e3);
    else
        snprintf(text, 32, "%g", value);
    return text;
}

static void
add_y_tick(json_t *ticks, const struct frame *frame, double value, const char *unit)
{
    char text[32];
    json_t *tick = json_object();

    json_object_set_new(tick, "y", tenth(place_y(frame, value)));
    json_object_set_new(tick, "text_y", tenth(place_y(frame, value) + 3.5));
    json_object_set_new(tick, "label", json_string(label_of(text, value, unit)));
    json_array_append_new(ticks, tick);
}

/* 1, 2 or 5 times a power of ten, so that there are about four. */
static double
step_of(double span)
{
    double step = pow(10, floor(log10(span / 4)));

    return span / step > 20 ? step * 5 : span / step > 8 ? step * 2 : step;
}

static json_t *
y_ticks(const struct frame *frame, const char *unit)
{
    json_t *ticks = json_array();

    if (!frame->is_log) {
        double step = step_of(frame->y_high - frame->y_low);
        for (int i = 0; i * step <= frame->y_high * 1.0001; i++)
            add_y_tick(ticks, frame, i * step, unit);
        return ticks;
    }
    double decades = frame->y_high - frame->y_low;
    for (int power = (int)floor(frame->y_low); power <= frame->y_high; power++) {
        static const double parts[] = {1, 2, 5};
        for (size_t i = 0; i < (decades > 2.5 ? 1 : 3); i++) {
            double value = pow(10, power) * parts[i];
            if (log10(value) >= frame->y_low - 1e-9 && log10(value) <= frame->y_high + 1e-9)
                add_y_tick(ticks, frame, value, unit);
        }
    }
    return ticks;
}

static json_t *
x_tick(const struct frame *frame, double x, const char *label)
{
    json_t *tick = json_object();
    double place = place_x(frame, x);

    json_object_set_new(tick, "x", tenth(place));
    json_object_set_new(tick, "label", json_string(label));
    json_object_set_new(tick, "anchor",
                        json_string(place > frame->width - RIGHT - 12 ? "end" : "middle"));
    return tick;
}

static json_t *
line_view(const struct frame *frame, const struct bench_line *line)
{
    AUTO_TEXT points = {0};
    json_t *view = json_object();
    json_t *dots = json_array();

    for (size_t i = 0; i < line->count; i++) {
        if (line->y[i] < 0 || (frame->is_log && line->y[i] <= 0))
            continue;
        double x = place_x(frame, line->x[i]);
        double y = place_y(frame, line->y[i]);
        if (line->is_dots)
            json_array_append_new(dots, json_pack("{s:o, s:o}", "x", tenth(x), "y", tenth(y)));
        else
            text_appendf(&points, "%s%.1f,%.1f", points.length == 0 ? "" : " ", x, y);
    }
    json_object_set_new(view, "kind", json_string(line->kind));
    json_object_set_new(view, "line_label", json_text(line->label));
    json_object_set_new(view, "points", json_string(text_chars(&points)));
    json_object_set_new(view, "dots", dots);
    return view;
}

static json_t *
frame_view(const struct frame *frame, const struct bench_chart *chart, json_t *ticks)
{
    json_t *view = json_object();
    json_t *lines = json_array();

    for (size_t i = 0; i < chart->line_count; i++)
        json_array_append_new(lines, line_view(frame, &chart->lines[i]));
    json_object_set_new(view, "chart_title", json_text(chart->title));
    json_object_set_new(view, "chart_what", json_text(chart->what));
    json_object_set_new(view, "width", json_integer(frame->width));
    json_object_set_new(view, "height", json_integer(HEIGHT));
    json_object_set_new(view, "left", json_integer(LEFT));
    json_object_set_new(view, "text_left", json_integer(LEFT - 6));
    json_object_set_new(view, "right", json_integer(frame->width - RIGHT));
    json_object_set_new(view, "top", json_integer(TOP));
    json_object_set_new(view, "bottom", json_integer(HEIGHT - BOTTOM));
    json_object_set_new(view, "text_bottom", json_integer(HEIGHT - 6));
    json_object_set_new(view, "x_ticks", ticks);
    json_object_set_new(view, "y_ticks", y_ticks(frame, chart->unit));
    json_object_set_new(view, "lines", lines);
    if (chart->target > 0)
        json_object_set_new(view, "target_y", tenth(place_y(frame, chart->target)));
    return view;
}

/* The y axis that holds all of the lines. False: there are no points. */
static bool
find_y(const struct bench_chart *chart, struct frame *frame)
{
    double low = INFINITY;
    double high = -INFINITY;

    for (size_t i = 0; i < chart->line_count; i++) {
        const struct bench_line *line = &chart->lines[i];
        for (size_t j = 0; j < line->count; j++) {
            if (line->y[j] < 0 || (chart->is_log && line->y[j] <= 0))
                continue;
            low = fmin(low, line->y[j]);
            high = fmax(high, line->y[j]);
        }
    }
    if (low > high)
        return false;
    if (chart->target > 0 && chart->target < high * 20)
        high = fmax(high, chart->target);
    frame->is_log = chart->is_log;
    if (!chart->is_log) {
        frame->y_low = 0;
        frame->y_high = high <= 0 ? 1 : high * 1.05;
        return true;
    }
    frame->y_low = log10(low) - 0.05;
    frame->y_high = fmax(log10(high) + 0.05, frame->y_low + 0.5);
    return true;
}

static void
find_x(const struct bench_chart *chart, struct frame *frame)
{
    double low = INFINITY;

    for (size_t i = 0; i < chart->line_count; i++) {
        for (size_t j = 0; j < chart->lines[i].count; j++) {
            low = fmin(low, chart->lines[i].x[j]);
            frame->x_high = fmax(frame->x_high, chart->lines[i].x[j]);
        }
    }
    frame->x_low = isinf(low) ? 0 : floor(low);
    if (frame->x_high <= frame->x_low)
        frame->x_high = frame->x_low + 1;
}

json_t *
bench_timeline_view(const struct bench_chart *chart)
{
    struct frame frame = {.width = chart->is_wide ? WIDE : WIDTH};
    json_t *ticks = json_array();
    char label[32];

    find_x(chart, &frame);
    if (!find_y(chart, &frame)) {
        json_decref(ticks);
        return json_null();
    }
    double step = step_of(frame.x_high - frame.x_low);
    double first = ceil(frame.x_low / step) * step;
    for (int i = 0; first + i * step <= frame.x_high * 1.0001; i++) {
        double x = first + i * step;
        snprintf(label, sizeof(label), "%g s", x);
        json_array_append_new(ticks, x_tick(&frame, x, label));
    }
    return frame_view(&frame, chart, ticks);
}

/* --- percentiles ---------------------------------------------------------------------------- */

enum { CURVE_POINTS = 48, CURVE_DECADES = 5 };

json_t *
bench_curve_view(const struct histogram *const sides[BENCH_ARMS], const uint64_t counts[],
                 const char *title, double target_ns)
{
    static const char *const kinds[BENCH_ARMS] = {"line-before", "line-after"};
    static const char *const labels[] = {"50 %", "90 %", "99 %", "99.9 %", "99.99 %"};
    double x[BENCH_ARMS][CURVE_POINTS];
    double y[BENCH_ARMS][CURVE_POINTS];
    struct bench_line lines[BENCH_ARMS];
    struct frame frame = {.width = WIDTH, .x_low = log10(2), .x_high = 1};
    json_t *ticks = json_array();

    /* x: how many nines: log10(1 / (1 - share)); 0.3 is the median. */
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        double most = counts[arm] == 0 ? 0 : log10((double)counts[arm]);
        most = fmax(fmin(most, CURVE_DECADES), frame.x_low + 0.3);
        lines[arm] = (struct bench_line){.kind = kinds[arm], .label = "", .x = x[arm], .y = y[arm]};
        if (sides[arm] == NULL || sides[arm]->total == 0)
            continue;
        lines[arm].count = CURVE_POINTS;
        frame.x_high = fmax(frame.x_high, most);
        for (size_t i = 0; i < CURVE_POINTS; i++) {
            x[arm][i] = frame.x_low + (most - frame.x_low) * (double)i / (CURVE_POINTS - 1);
            y[arm][i] = (double)histogram_percentile(sides[arm], 1 - pow(10, -x[arm][i]));
        }
    }
    const struct bench_chart chart = {.title = title,
                                      .what = "Percentiles",
                                      .unit = "ns",
                                      .lines = lines,
                                      .line_count = BENCH_ARMS,
                                      .is_log = true,
                                      .target = target_ns};
    if (!find_y(&chart, &frame)) {
        json_decref(ticks);
        return json_null();
    }
    for (int i = 0; i < CURVE_DECADES && i <= frame.x_high; i++)
        json_array_append_new(ticks, x_tick(&frame, i == 0 ? frame.x_low : i, labels[i]));
    return frame_view(&frame, &chart, ticks);
}
