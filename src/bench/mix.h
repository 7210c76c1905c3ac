/* A source for the driver: statements with drawn values, chosen by weight. */
#pragma once
#include "base/random.h"
#include "bench/driver.h"

struct bench_mix_item {
    size_t class_number;              /* of the results */
    size_t statement;                 /* of the driver's */
    double weight;                    /* > 0 */
    const char *const *const *tuples; /* drawn values: tuples[number][parameter] */
    size_t tuple_count;               /* at least 1 */
};

struct bench_mix_options {
    const struct bench_mix_item *items;
    size_t item_count;
    double rate;     /* requests a second, all connections together (Poisson); 0: closed loop, as
                      * fast as connections get idle */
    bool is_regular; /* equal intervals instead */
    uint64_t seed;
};

struct bench_mix;
struct bench_mix *bench_mix_new(struct arena *arena, const struct bench_mix_options *options);
struct bench_source bench_mix_source(struct bench_mix *mix);
/* From the next start on. */
void bench_mix_set_rate(struct bench_mix *mix, double rate);
