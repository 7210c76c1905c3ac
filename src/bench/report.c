// SPDX-License-Identifier: MIT
#include "bench/report.h"

#include "base/file.h"
#include "base/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- how values are written ---------------------------------------------------------------- */

const char *
bench_time(char text[32], time_t time)
{
    struct tm parts;

    gmtime_r(&time, &parts);
    strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text;
}

const char *
bench_times(char text[32], double ratio)
{
    int digits = ratio < 9.95 ? 2 : ratio < 99.5 ? 1 : 0;

    if (ratio <= 0)
        text[0] = '\0';
    else
        snprintf(text, 32, "%.*f×", digits, ratio);
    return text;
}

const char *
bench_size(char text[32], int64_t size_bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)size_bytes;
    size_t unit = 0;

    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(text, 32, "%.*f %s", unit > 0 && value < 10 ? 1 : 0, value, units[unit]);
    return text;
}

const char *
bench_count(char text[32], uint64_t count)
{
    char digits[24];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *out = text;

    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && length > 4)
            *out++ = ' ';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

/* --- files ---------------------------------------------------------------------------------- */

static bool
write_one(const char *folder, const char *name, const char *text, struct error *err)
{
    AUTO_TEXT path = {0};

    text_appendf(&path, "%s/%s", folder, name);
    return file_write(text_chars(&path), text, strlen(text), 0644, err);
}

static bool
has_works(const struct bench_results *results)
{
    for (size_t i = 0; i < results->suites.count; i++) {
        if (results->suites.items[i]->works.count > 0)
            return true;
    }
    return false;
}

bool
bench_write_report(const struct bench_results *results, const char *folder, struct error *err)
{
    AUTO_TEXT csv = {0};
    AUTO_TEXT works = {0};
    AUTO_TEXT blocks = {0};
    AUTO_TEXT system = {0};
    AUTO_TEXT log = {0};
    AUTO_TEXT page = {0};
    json_t *view = bench_view(results);
    char *json = bench_json(results);

    bench_put_csv(&csv, results);
    bench_put_works(&works, results);
    bench_put_blocks(&blocks, results);
    bench_put_system(&system, results);
    bench_put_log(&log, results);
    json_object_set_new(view, "history", bench_view_history(results, folder));
    page_fill(&page, "bench/assets/report.html", view);
    json_decref(view);
    bool is_fine =
        file_make_folder(folder, 0755, err) &&
        write_one(folder, "results.csv", text_chars(&csv), err) &&
        (!has_works(results) || (write_one(folder, "works.csv", text_chars(&works), err) &&
                                 write_one(folder, "blocks.csv", text_chars(&blocks), err))) &&
        write_one(folder, "system.csv", text_chars(&system), err) &&
        write_one(folder, "log.txt", text_chars(&log), err) &&
        write_one(folder, "results.json", json == NULL ? "{}" : json, err) &&
        write_one(folder, "report.html", text_chars(&page), err);
    free(json);
    return is_fine || error_wrap(err, "cannot write the report");
}
