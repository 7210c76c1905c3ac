// SPDX-License-Identifier: MIT
#include "bench/pool_suite.h"

#include "bench/report.h"
#include "bench/suite_run.h"

#include <inttypes.h>

/* The smallest pool that answers as soon as the server itself; NULL: none did. */
static const struct pool_way *
smallest(const struct pool_suite *suite)
{
    for (size_t i = 0; i < POOL_SIZES; i++) {
        if (suite->pooled[i].is_equal)
            return &suite->pooled[i];
    }
    return NULL;
}

static double
rate_of(const struct pool_way *way)
{
    double in_time = (double)(way->load->done - way->load->done_after);

    return way->load->schedule_ns == 0 ? 0 : in_time * 1e9 / (double)way->load->schedule_ns;
}

static void
add_blocks(struct pool_suite *suite, struct bench_work *work, enum bench_arm_number arm,
           const struct histogram *times, const struct bench_block *blocks, size_t count)
{
    struct bench_work_side *side = &work->sides[arm];

    side->cost = (struct bench_cost){-1, -1, -1, -1, -1};
    side->driver_cpu_ns = -1;
    side->service = histogram_new(suite->run->arena);
    side->response = histogram_new(suite->run->arena);
    histogram_merge(side->response, times, 1);
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].arm != arm)
            continue;
        side->done += blocks[i].done;
        side->done_after += blocks[i].done_after;
        side->seconds += blocks[i].duration_s;
        *LIST_ADD(suite->run->arena, &work->blocks) = blocks[i];
    }
}

static void
add_works(struct pool_suite *suite, const struct pool_way *way)
{
    struct arena *arena = suite->run->arena;
    struct bench_work *connect = LIST_ADD(arena, &suite->suite->works);

    connect->name = "connect";
    connect->class_name = "connect";
    connect->what = "a client's connection, with its login; the pool's servers are there already";
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        add_blocks(suite, connect, (enum bench_arm_number)arm, suite->connect[arm],
                   suite->connects.items, suite->connects.count);
    struct bench_work *request = LIST_ADD(arena, &suite->suite->works);
    request->name = "request";
    request->class_name = "transactions";
    request->what = arena_printf(arena,
                                 "a transaction of 3 ms, %.0f a second; the pool has %d server "
                                 "connections, direct has %d",
                                 suite->rate, way->size, suite->clients);
    add_blocks(suite, request, BENCH_BEFORE, suite->direct.load->classes.items[0].response,
               suite->direct.blocks.items, suite->direct.blocks.count);
    add_blocks(suite, request, BENCH_AFTER, way->load->classes.items[0].response, way->blocks.items,
               way->blocks.count);
    const struct pool_way *const ways[] = {&suite->direct, way};
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        request->sides[arm].cost = ways[arm]->cost;
        request->sides[arm].failed = ways[arm]->load->errors + ways[arm]->load->unfinished;
        request->sides[arm].least_unanswered_ns =
            ways[arm]->load->classes.items[0].least_unanswered_ns;
        request->sides[arm].driver_cpu_ns =
            (double)(ways[arm]->load->user_ns + ways[arm]->load->system_ns);
    }
}

/* direct: requests a second of each of its server connections; 0: not measured. */
static const char *
size_note(struct arena *arena, const struct pool_way *way, double direct)
{
    double utilisation = rate_of(way) / way->size;

    if (way->load->done == 0 || direct <= 0)
        return "not measured";
    return arena_printf(
        arena,
        "%.1f requests/s a server connection, %.0f %% more; %s (%.2f times direct's p95, "
        "median of the rounds); the pool took %.0f µs of CPU a request",
        utilisation, (utilisation / direct - 1) * 100, way->is_equal ? "equal" : "not equal",
        way->p95_ratio, way->pool_cpu_ns / 1e3 / (double)way->load->done);
}

static void
add_sizes(struct pool_suite *suite)
{
    struct arena *arena = suite->run->arena;
    struct bench_table *table = LIST_ADD(arena, &suite->suite->tables);
    double direct = rate_of(&suite->direct) / suite->clients;

    table->title = "p95 by server connections";
    table->what =
        "A p95 within 10 % of direct's, in the median of the rounds, counts as equal. Direct "
        "has one connection for each client, as applications without a pool do; with how "
        "few it could do is not looked for.";
    const char *const first[] = {
        bench_percentile(suite->run->arena, suite->direct.load->classes.items[0].response, 0.95),
        ""};
    bench_add_row(suite->run->arena, table, arena_printf(arena, "%d", suite->clients),
                  first[BENCH_BEFORE], first[BENCH_AFTER],
                  direct <= 0 ? "not measured"
                              : arena_printf(arena, "%.1f requests/s a server connection", direct));
    for (size_t i = 0; i < POOL_SIZES; i++) {
        const struct pool_way *way = &suite->pooled[i];
        const char *const values[] = {
            "", bench_percentile(suite->run->arena, way->load->classes.items[0].response, 0.95)};
        bench_add_row(suite->run->arena, table, arena_printf(arena, "%d", way->size),
                      values[BENCH_BEFORE], values[BENCH_AFTER], size_note(arena, way, direct));
    }
}

static void
add_full(struct pool_suite *suite)
{
    struct arena *arena = suite->run->arena;
    struct bench_table *table = LIST_ADD(arena, &suite->suite->tables);
    const struct bench_load *load = suite->full[BENCH_AFTER];
    const struct histogram *times = load->classes.items[0].response;

    table->title = "Many more clients than slots";
    table->what = "All clients send as fast as they are answered. Direct, those beyond the "
                  "server's slots are refused.";
    const char *const clients[] = {
        suite->is_ours ? arena_printf(arena, "%zu", (size_t)suite->slots + 50) : "not tried",
        arena_printf(arena, "%d", suite->full_clients)};
    bench_add_row(suite->run->arena, table, "clients", clients[BENCH_BEFORE], clients[BENCH_AFTER],
                  suite->is_ours ? ""
                                 : "it would take all slots of a server that is not pgdeck's own");
    const char *const slots[] = {arena_printf(arena, "%d", suite->slots),
                                 arena_printf(arena, "%d", POOL_FULL_SIZE)};
    bench_add_row(suite->run->arena, table, "slots", slots[BENCH_BEFORE], slots[BENCH_AFTER], "");
    const char *const refused[] = {
        suite->is_ours ? arena_printf(arena, "%d", suite->refused) : "-",
        arena_printf(arena, "%" PRIu64, load->errors + load->unfinished)};
    bench_add_row(suite->run->arena, table, "refused or failed", refused[BENCH_BEFORE],
                  refused[BENCH_AFTER], arena_strdup(arena, suite->refusal.message));
    const char *const p95[] = {"-", bench_percentile(suite->run->arena, times, 0.95)};
    bench_add_row(suite->run->arena, table, "p95", p95[BENCH_BEFORE], p95[BENCH_AFTER],
                  "the wait for a slot is in it");
    const char *const longest[] = {"-", bench_percentile(suite->run->arena, times, 1)};
    bench_add_row(suite->run->arena, table, "longest", longest[BENCH_BEFORE], longest[BENCH_AFTER],
                  "");
}

void
pool_summarize(struct pool_suite *suite)
{
    struct arena *arena = suite->run->arena;
    const struct pool_way *way = smallest(suite);
    const char *limit = bench_load_limit(suite->direct.load, arena);
    const char *verdict = suite->full[BENCH_AFTER] == NULL
                              ? "It was not measured to the end."
                              : "No pool answered as soon as the server itself.";
    double *rates = suite->run->results->pool_rate;

    if (way != NULL) {
        rates[BENCH_BEFORE] = rate_of(&suite->direct) / suite->clients;
        rates[BENCH_AFTER] = rate_of(way) / way->size;
        verdict = arena_printf(arena,
                               "%d server connections answer as soon as one for each of the %d "
                               "clients: %.0f %% more requests a second for each of them.",
                               way->size, suite->clients,
                               (rates[BENCH_AFTER] / rates[BENCH_BEFORE] - 1) * 100);
    }
    suite->suite->what = arena_printf(
        arena,
        "%d clients, %.0f requests a second on one schedule, direct and through pgdeck "
        "pool. %s%s%s",
        suite->clients, suite->rate, verdict,
        limit == NULL ? "" : " Beware: ", limit == NULL ? "" : limit);
    add_works(suite, way == NULL ? &suite->pooled[POOL_SIZES - 1] : way);
    add_sizes(suite);
    if (suite->full[BENCH_AFTER] != NULL)
        add_full(suite);
}
