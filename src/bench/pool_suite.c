// SPDX-License-Identifier: MIT
#include "bench/pool_suite.h"

#include "base/embed.h"
#include "bench/suite_run.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS = 100,
    LEAST_CLIENTS = 4,
    RATE = 500,    /* requests a second: each client one in 200 ms */
    CONNECTS = 10, /* a way and round */
    FULL_CLIENTS_PER_SLOT = 50,
    REFUSED_TRIES = 50, /* beyond the server's slots */
    OID = 26,
};
static const double equal = 1.10; /* a p95 within this factor counts as equal */

static const Oid types[] = {OID};
static const char *const values[][1] = {{"1247"}, {"1249"}, {"1255"}, {"1259"},
                                        {"2610"}, {"2604"}, {"2606"}, {"2620"}};
static const char *const *const tuples[] = {values[0], values[1], values[2], values[3],
                                            values[4], values[5], values[6], values[7]};
static const char *const classes[] = {"request"};

/* --- open ------------------------------------------------------------------------------------- */

static bool
open_driver(struct pool_suite *suite, struct pool_way *way, int connections,
            struct bench_driver **ret_driver, struct error *err)
{
    struct bench_statement *statement = ARENA_NEW(suite->run->arena, struct bench_statement);

    *statement = (struct bench_statement){.name = "request",
                                          .sql = embedded_file("bench/sql/pool_request.sql")->text,
                                          .parameter_count = 1,
                                          .types = types};
    const struct bench_driver_options options = {.target = way->target,
                                                 .connections = connections,
                                                 .statements = statement,
                                                 .statement_count = 1};
    return bench_driver_open(suite->run->arena, &options, ret_driver, err);
}

/* The most that all pools hold at a time, and one more that connects. */
static int
pooled_connections(void)
{
    int sum = POOL_FULL_SIZE + 1;

    for (size_t i = 0; i < POOL_SIZES; i++)
        sum += pool_sizes[i];
    return sum;
}

/* Half of what is free at most: others need the server, too. And what pools need is left. */
static bool
choose_clients(struct pool_suite *suite, struct error *err)
{
    AUTO_PGRESULT rows = NULL;
    const char *sql = embedded_file("bench/sql/pool_place.sql")->text;

    if (!pg_query(suite->control, sql, 0, NULL, &rows, err))
        return false;
    suite->slots = (int)pg_integer(rows, 0, "slots");
    suite->is_ours = pg_bool(rows, 0, "is_ours");
    int unused = suite->slots - (int)pg_integer(rows, 0, "used");
    int beside_pools = unused - pooled_connections();
    int room = unused / 2 < beside_pools ? unused / 2 : beside_pools;
    suite->clients = room < CLIENTS ? room : CLIENTS;
    if (suite->clients >= LEAST_CLIENTS)
        return true;
    error_set(err, ERROR_REFUSED, "the server has room for %d more connections only", unused);
    return error_hint(err, "The suite needs %d for its pools and %d for clients without one.",
                      pooled_connections(), LEAST_CLIENTS);
}

static void
make_mix(struct pool_suite *suite)
{
    struct bench_mix_item *item = ARENA_NEW(suite->run->arena, struct bench_mix_item);

    *item = (struct bench_mix_item){
        .weight = 1, .tuples = tuples, .tuple_count = sizeof(tuples) / sizeof(tuples[0])};
    suite->mix = bench_mix_new(suite->run->arena,
                               &(struct bench_mix_options){.items = item,
                                                           .item_count = 1,
                                                           .rate = suite->rate,
                                                           .seed = suite->run->options->seed});
}

bool
bench_pool_open(struct bench_run *run, struct bench_suite *of, void **ret_opened, struct error *err)
{
    struct pool_suite *suite = ARENA_NEW(run->arena, struct pool_suite);
    struct pg_target target = run->options->arms[BENCH_AFTER].target;

    *ret_opened = suite;
    suite->run = run;
    suite->suite = of;
    of->title = "The pool";
    of->labels[BENCH_BEFORE] = "direct";
    of->labels[BENCH_AFTER] = "pool";
    suite->rate = run->options->rate > 0 ? run->options->rate : RATE;
    of->arrivals = suite->rate;
    target.is_application = true;
    if (!pg_connect(&target, &suite->control, err) || !choose_clients(suite, err) ||
        !pool_process_start(run->arena, suite->control, &suite->process, err))
        return false;
    make_mix(suite);
    suite->direct = (struct pool_way){
        .size = suite->clients, .target = target, .load = bench_load_new(run->arena, classes, 1)};
    for (size_t i = 0; i < POOL_SIZES; i++)
        suite->pooled[i] = (struct pool_way){
            .size = pool_sizes[i],
            .target = {.conninfo = suite->process.conninfo,
                       .database = pool_process_database(run->arena, pool_sizes[i]),
                       .is_application = true},
            .load = bench_load_new(run->arena, classes, 1)};
    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        suite->connect[arm] = histogram_new(run->arena);
    return true;
}

void
bench_pool_close(void *opened)
{
    struct pool_suite *suite = opened;

    bench_driver_close(suite->direct.driver);
    suite->direct.driver = NULL;
    for (size_t i = 0; i < POOL_SIZES; i++) {
        bench_driver_close(suite->pooled[i].driver);
        suite->pooled[i].driver = NULL;
    }
    PQfinish(suite->control);
    suite->control = NULL;
    pool_process_stop(&suite->process);
}

/* --- blocks ----------------------------------------------------------------------------------- */

static bool
connect_once(struct pool_suite *suite, enum bench_arm_number arm, struct histogram *times,
             struct error *err)
{
    /* The largest pool: a login to the server is not the client's. */
    const struct pool_way *way =
        arm == BENCH_BEFORE ? &suite->direct : &suite->pooled[POOL_SIZES - 1];
    AUTO_PGCONN connection = NULL;

    uint64_t start_ns = bench_clock_ns();
    if (!pg_connect(&way->target, &connection, err))
        return false;
    histogram_record(times, bench_clock_ns() - start_ns);
    return true;
}

static struct bench_block
block_of(struct pool_suite *suite, int round, enum bench_arm_number arm,
         const struct histogram *times, uint64_t start_ns)
{
    double duration_s = (double)(bench_clock_ns() - start_ns) / 1e9;

    return (struct bench_block){.pair = round,
                                .arm = arm,
                                .start_s = bench_elapsed_s(suite->run) - duration_s,
                                .duration_s = duration_s,
                                .done = times->total,
                                .median_ns = histogram_percentile(times, 0.5),
                                .p95_ns = histogram_percentile(times, 0.95),
                                .p99_ns = histogram_percentile(times, 0.99)};
}

/* One after the other, the two ways in turn. */
static bool
run_connects(struct pool_suite *suite, int round, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct histogram *times[BENCH_ARMS] = {histogram_new(scratch), histogram_new(scratch)};
    uint64_t start_ns = bench_clock_ns();

    for (int i = 0; i < CONNECTS; i++) {
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            if (!connect_once(suite, (enum bench_arm_number)arm, times[arm], err))
                return false;
        }
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        histogram_merge(suite->connect[arm], times[arm], 1);
        *LIST_ADD(suite->run->arena, &suite->connects) =
            block_of(suite, round, (enum bench_arm_number)arm, times[arm], start_ns);
    }
    return true;
}

/* Sessions stay, and say what they have touched only now and then: pages are not known. */
static struct bench_cost
cost_now(struct pool_suite *suite)
{
    const struct bench_meter meter = {suite->control, bench_postmaster_of(suite->control)};
    struct bench_cost cost = bench_cost_now(&meter);

    cost.buffers = cost.buffers_read = cost.temp_bytes = -1;
    return cost;
}

static bool
run_block(struct pool_suite *suite, struct pool_way *way, int round, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_load *load = bench_load_new(scratch, classes, 1);
    struct bench_source source = bench_mix_source(suite->mix);
    uint64_t duration_ns = (uint64_t)suite->run->options->pool_block_ms * 1000000;
    enum bench_arm_number arm = way == &suite->direct ? BENCH_BEFORE : BENCH_AFTER;

    bench_progress(suite->run, "requests at %.0f/s, round %d: %s, %d server connections",
                   suite->rate, round, suite->suite->labels[arm], way->size);
    bench_mix_set_rate(suite->mix, suite->rate);
    struct bench_cost cost = cost_now(suite);
    uint64_t pool_ns = bench_family_cpu_ns(suite->process.pid);
    uint64_t start_ns = bench_clock_ns();
    if (!bench_driver_run(way->driver, &source, duration_ns, load, err))
        return false;
    struct bench_cost end = cost_now(suite);
    bench_cost_add(&way->cost, &cost, &end);
    way->pool_cpu_ns += (double)(bench_family_cpu_ns(suite->process.pid) - pool_ns);
    struct bench_block *block = LIST_ADD(suite->run->arena, &way->blocks);
    *block = block_of(suite, round, arm, load->classes.items[0].response, start_ns);
    block->duration_s = (double)load->schedule_ns / 1e9;
    block->done = load->done;
    block->done_after = load->done_after;
    block->failed = load->errors + load->unfinished;
    bench_load_merge(way->load, load);
    return true;
}

static bool
run_round(struct pool_suite *suite, int round, struct error *err)
{
    size_t order[POOL_SIZES + 1];

    bench_shuffle(&suite->run->random, order, POOL_SIZES + 1);
    for (size_t i = 0; i <= POOL_SIZES; i++) {
        struct pool_way *way = order[i] == POOL_SIZES ? &suite->direct : &suite->pooled[order[i]];
        if (!run_block(suite, way, round, err))
            return false;
    }
    return run_connects(suite, round, err);
}

static int
by_value(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double
pool_p95_ratio(struct arena *arena, const struct pool_way *way, const struct pool_way *direct)
{
    size_t most =
        way->blocks.count < direct->blocks.count ? way->blocks.count : direct->blocks.count;
    double *ratios = ARENA_ARRAY(arena, double, most + 1);
    size_t count = 0;

    for (size_t i = 0; i < most; i++) { /* the rounds, in order */
        double direct_ns = (double)direct->blocks.items[i].p95_ns;
        if (direct_ns > 0)
            ratios[count++] = (double)way->blocks.items[i].p95_ns / direct_ns;
    }
    if (count == 0)
        return 0;
    qsort(ratios, count, sizeof(*ratios), by_value);
    return (ratios[(count - 1) / 2] + ratios[count / 2]) / 2;
}

/* Equal: no later than direct, within 10 %, in the median of the rounds: one round that something
 * else held up does not decide. */
static void
find_equal(struct pool_suite *suite)
{
    AUTO_ARENA scratch = arena_new();

    for (size_t i = 0; i < POOL_SIZES; i++) {
        struct pool_way *way = &suite->pooled[i];
        way->p95_ratio = pool_p95_ratio(scratch, way, &suite->direct);
        way->is_equal = way->load->done > 0 && way->load->errors + way->load->unfinished == 0 &&
                        way->p95_ratio > 0 && way->p95_ratio <= equal;
    }
}

/* --- many more clients than slots ------------------------------------------------------------- */

static bool
exhaust_pool(struct pool_suite *suite, struct error *err)
{
    struct pool_way way = {.target = suite->pooled[0].target};
    struct bench_source source = bench_mix_source(suite->mix);
    struct bench_driver *driver;
    uint64_t duration_ns = (uint64_t)suite->run->options->pool_block_ms * 1000000;

    suite->full_clients = POOL_FULL_SIZE * FULL_CLIENTS_PER_SLOT;
    bench_progress(suite->run, "%d clients on a pool of %d", suite->full_clients, POOL_FULL_SIZE);
    way.target.database = pool_process_database(suite->run->arena, 0);
    if (!open_driver(suite, &way, suite->full_clients, &driver, err))
        return false;
    bench_mix_set_rate(suite->mix, 0);
    suite->full[BENCH_AFTER] = bench_load_new(suite->run->arena, classes, 1);
    bool is_whole = bench_driver_run(driver, &source, duration_ns, suite->full[BENCH_AFTER], err);
    bench_driver_close(driver);
    return is_whole;
}

/* As many connections as the server has slots, and some more: only where nobody else needs one. */
static bool
exhaust_server(struct pool_suite *suite, struct error *err)
{
    size_t count = (size_t)suite->slots + REFUSED_TRIES;
    AUTO_ARENA scratch = arena_new();
    struct pg_target *targets = ARENA_ARRAY(scratch, struct pg_target, count);
    PGconn **connections = ARENA_ARRAY(scratch, PGconn *, count);
    struct error *faults = ARENA_ARRAY(scratch, struct error, count);

    if (!suite->is_ours)
        return true;
    bench_progress(suite->run, "%zu clients on the server's %d slots", count, suite->slots);
    for (size_t i = 0; i < count; i++)
        targets[i] = suite->direct.target;
    bool is_whole =
        pg_connect_all(targets, count, &(struct pg_connecting){0}, connections, faults, err);
    for (size_t i = 0; i < count; i++) {
        if (connections[i] == NULL && suite->refused++ == 0)
            suite->refusal = faults[i];
        PQfinish(connections[i]);
    }
    return is_whole;
}

/* --- the suite -------------------------------------------------------------------------------- */

static bool
run_whole(struct pool_suite *suite, struct error *err)
{
    int rounds = suite->run->options->pool_rounds;

    if (!open_driver(suite, &suite->direct, suite->clients, &suite->direct.driver, err))
        return error_wrap(err, "%d connections to the server", suite->clients);
    for (size_t i = 0; i < POOL_SIZES; i++) {
        struct pool_way *way = &suite->pooled[i];
        if (!open_driver(suite, way, suite->clients, &way->driver, err))
            return error_wrap(err, "%d clients of a pool of %d", suite->clients, way->size);
    }
    for (int round = 1; round <= rounds; round++) {
        if (!run_round(suite, round, err))
            return false;
    }
    return exhaust_pool(suite, err) && exhaust_server(suite, err);
}

bool
bench_pool_run(void *opened, struct error *err)
{
    struct pool_suite *suite = opened;

    bool is_whole = run_whole(suite, err);
    find_equal(suite);
    pool_summarize(suite);
    return is_whole;
}
