// SPDX-License-Identifier: MIT
/* The driver of `pgdeck bench` alone: one statement, with a number drawn for $1, against one
 * server. Prints what it measured as JSON. For tests and tests/perf/bench/run:
 *     drive CONNINFO SQL CONNECTIONS RATE SECONDS [HIGHEST [DIGITS [epoll]]]
 * RATE 0: closed loop; DIGITS: so long is the number, with zeros before it. */
#include "base/interrupt.h"
#include "bench/mix.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TUPLES = 1024 };

static const char *const *const *
draw_tuples(struct arena *arena, size_t count, size_t highest, int digits)
{
    struct random random = {1};
    const char ***tuples = ARENA_ARRAY(arena, const char **, count);

    for (size_t i = 0; i < count; i++) {
        tuples[i] = ARENA_ARRAY(arena, const char *, 1);
        tuples[i][0] = arena_printf(arena, "%0*zu", digits, 1 + random_below(&random, highest));
    }
    return (const char *const *const *)tuples;
}

static json_t *
curve(const struct histogram *histogram)
{
    static const struct {
        const char *name;
        double share;
    } points[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        json_object_set_new(
            object, points[i].name,
            json_real((double)histogram_percentile(histogram, points[i].share) / 1e6));
    return object;
}

static void
print(const struct bench_load *load, bool has_ring, struct arena *arena)
{
    json_t *faults = json_object();
    json_t *seconds = json_array();
    const char *limit = bench_load_limit(load, arena);

    for (size_t i = 0; i < load->faults.count; i++)
        json_object_set_new(faults, load->faults.items[i].sqlstate,
                            json_pack("{s:I, s:I}", "errors", load->faults.items[i].errors,
                                      "retries", load->faults.items[i].retries));
    for (size_t i = 0; i < load->seconds.count; i++)
        json_array_append_new(seconds, json_integer((json_int_t)load->seconds.items[i].done));
    json_t *root =
        json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:s?, s:b}", "done",
                  load->done, "errors", load->errors, "unfinished", load->unfinished, "faults",
                  faults, "seconds", seconds, "response_ms", curve(load->classes.items[0].response),
                  "service_ms", curve(load->classes.items[0].service), "late_ms", curve(load->late),
                  "wall_s", (double)load->wall_ns / 1e9, "user_us", (double)load->user_ns / 1e3,
                  "system_us", (double)load->system_ns / 1e3, "limit", limit, "io_uring", has_ring);
    char *text = json_dumps(root, 0);
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(root);
}

static int
fail(const struct error *err)
{
    fprintf(stderr, "drive: %s: %s\n", err->sqlstate, err->message);
    return error_exit_status(err->code);
}

int
main(int argc, char **argv)
{
    AUTO_ARENA arena = arena_new();
    struct error err = {0};
    struct bench_driver *driver;
    const char *const classes[] = {"all"};

    if (argc < 6) {
        fprintf(stderr,
                "usage: drive CONNINFO SQL CONNECTIONS RATE SECONDS [HIGHEST [DIGITS [epoll]]]\n");
        return 64;
    }
    const struct bench_statement statement = {
        .name = "statement", .sql = argv[2], .parameter_count = argc > 6};
    const struct bench_driver_options options = {
        .target = {.conninfo = argv[1], .is_application = true},
        .connections = atoi(argv[3]),
        .statements = &statement,
        .statement_count = 1,
        .tries = 3,
        .is_epoll = argc > 8,
    };
    size_t highest = argc > 6 ? strtoul(argv[6], NULL, 10) : 1;
    size_t count = highest < MOST_TUPLES ? highest : MOST_TUPLES;
    const struct bench_mix_item item = {
        .weight = 1,
        .tuples = draw_tuples(arena, count, highest, argc > 7 ? atoi(argv[7]) : 0),
        .tuple_count = count};
    struct bench_mix *mix = bench_mix_new(
        arena, &(struct bench_mix_options){
                   .items = &item, .item_count = 1, .rate = atof(argv[4]), .seed = 1});
    struct bench_source source = bench_mix_source(mix);
    struct bench_load *load = bench_load_new(arena, classes, 1);

    interrupt_install();
    if (!bench_driver_open(arena, &options, &driver, &err))
        return fail(&err);
    bool is_whole = bench_driver_run(driver, &source, (uint64_t)(atof(argv[5]) * 1e9), load, &err);
    bool has_ring = bench_driver_has_ring(driver);
    bench_driver_close(driver);
    print(load, has_ring, arena);
    return is_whole ? 0 : fail(&err);
}
