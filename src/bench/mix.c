// SPDX-License-Identifier: MIT
#include "bench/mix.h"

#include <math.h>

struct bench_mix {
    struct bench_mix_options options;
    double *bounds; /* running sums of the weights, the last one 1 */
    struct random random;
    uint64_t due_ns; /* of the next request */
    uint64_t end_ns;
};

/* Evenly from 0 (excluded) to 1. */
static double
draw(struct random *random)
{
    return ((double)(random_bits(random) >> 11) + 1) / 9007199254740992.0;
}

static uint64_t
interval_ns(struct bench_mix *mix)
{
    double mean_ns = 1e9 / mix->options.rate;

    return (uint64_t)(mix->options.is_regular ? mean_ns : -log(draw(&mix->random)) * mean_ns);
}

static void
start(void *context, uint64_t start_ns, uint64_t end_ns)
{
    struct bench_mix *mix = context;

    mix->due_ns = start_ns;
    mix->end_ns = end_ns;
    if (mix->options.rate > 0)
        mix->due_ns += interval_ns(mix);
}

static size_t
choose(struct bench_mix *mix)
{
    double at = draw(&mix->random);
    size_t low = 0;
    size_t high = mix->options.item_count - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (at <= mix->bounds[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t
due(void *context, uint64_t now_ns)
{
    const struct bench_mix *mix = context;
    uint64_t due_ns = mix->options.rate > 0 ? mix->due_ns : now_ns;

    return due_ns < mix->end_ns ? due_ns : BENCH_NEVER;
}

static void
take(void *context, uint64_t now_ns, struct bench_request *ret_request)
{
    struct bench_mix *mix = context;
    bool is_open = mix->options.rate > 0;
    const struct bench_mix_item *item =
        &mix->options.items[mix->options.item_count == 1 ? 0 : choose(mix)];

    *ret_request = (struct bench_request){
        .class_number = item->class_number,
        .statement = item->statement,
        .due_ns = is_open ? mix->due_ns : now_ns,
        .values = item->tuples[random_below(&mix->random, item->tuple_count)],
    };
    if (is_open)
        mix->due_ns += interval_ns(mix);
}

struct bench_mix *
bench_mix_new(struct arena *arena, const struct bench_mix_options *options)
{
    struct bench_mix *mix = ARENA_NEW(arena, struct bench_mix);
    double total = 0;
    double sum = 0;

    mix->options = *options;
    mix->random.state = options->seed;
    mix->bounds = ARENA_ARRAY(arena, double, options->item_count);
    for (size_t i = 0; i < options->item_count; i++)
        total += options->items[i].weight;
    for (size_t i = 0; i < options->item_count; i++) {
        sum += options->items[i].weight;
        mix->bounds[i] = sum / total;
    }
    return mix;
}

struct bench_source
bench_mix_source(struct bench_mix *mix)
{
    return (struct bench_source){.context = mix, .start = start, .due = due, .take = take};
}

void
bench_mix_set_rate(struct bench_mix *mix, double rate)
{
    mix->options.rate = rate;
}
