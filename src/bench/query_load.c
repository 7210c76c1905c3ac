// SPDX-License-Identifier: MIT
/* The queries under load: all of them by one schedule, beside the pairs of single ones. Both
 * servers get the same requests at the same intervals in each pair of blocks. */
#include "bench/cost.h"
#include "bench/mix.h"
#include "bench/suite_run.h"

#include "base/embed.h"
#include "bench/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PROBE_BLOCKS = 3, MOST_A_SECOND = 2000, DRAIN_MS = 5000, BLOCK_REQUESTS = 30, STRETCH = 3 };
static const double share_of_slower = 0.5;

struct query_load {
    struct bench_run *run;
    struct bench_suite *suite;
    const struct bench_query **queries; /* those that both servers answer */
    const char **names;
    size_t query_count;
    struct bench_mix_item *items;
    struct bench_driver *drivers[BENCH_ARMS];
    struct bench_meter meters[BENCH_ARMS];
    struct bench_load *loads[BENCH_ARMS]; /* of all measured blocks */
    struct bench_load *block;             /* of the one that runs */
    double rate;
    const char *rate_reason;
    uint64_t block_ns;
};

/* --- what is sent ----------------------------------------------------------------------------- */

static void
choose_queries(struct query_load *load)
{
    struct bench_results *results = load->run->results;
    struct arena *arena = load->run->arena;
    size_t count = results->queries.count;

    load->queries = ARENA_ARRAY(arena, const struct bench_query *, count + 1);
    load->names = ARENA_ARRAY(arena, const char *, count + 1);
    load->items = ARENA_ARRAY(arena, struct bench_mix_item, count + 1);
    for (size_t i = 0; i < count; i++) {
        const struct bench_query *query = &results->queries.items[i];
        if (bench_is_given_up(query))
            continue;
        size_t number = load->query_count++;
        load->queries[number] = query;
        load->names[number] = query->query->name;
        load->items[number] = (struct bench_mix_item){.class_number = number,
                                                      .statement = number,
                                                      .weight = 1,
                                                      .tuples = query->tuples,
                                                      .tuple_count = query->tuple_count};
    }
}

static bool
open_driver(struct query_load *load, size_t arm, struct error *err)
{
    struct bench_run *run = load->run;
    struct bench_statement *statements =
        ARENA_ARRAY(run->arena, struct bench_statement, load->query_count);
    struct bench_driver_options options = {
        .target = run->options->arms[arm].target,
        .connections = run->options->clients,
        .statements = statements,
        .statement_count = load->query_count,
        .session_sql = embedded_file("bench/sql/session.sql")->text,
        .session_parameter = arena_printf(run->arena, "%d", run->options->timeout_ms),
        .drain_ms = DRAIN_MS,
    };

    options.target.is_application = true;
    for (size_t i = 0; i < load->query_count; i++) {
        if (!bench_statement_of(run, arm, load->queries[i]->query, &statements[i], err))
            return false;
    }
    load->meters[arm] = (struct bench_meter){run->sessions[arm].connection,
                                             bench_postmaster_of(run->sessions[arm].connection)};
    load->loads[arm] = bench_load_new(run->arena, load->names, load->query_count);
    return bench_driver_open(run->arena, &options, &load->drivers[arm], err) ||
           error_wrap(err, "server \"%s\", %d connections", run->sessions[arm].label,
                      run->options->clients);
}

/* --- one block -------------------------------------------------------------------------------- */

/* Of the rate 0: as many as the connections can do. */
static bool
run_load(struct query_load *load, size_t arm, double rate, uint64_t seed, uint64_t duration_ns,
         struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    const struct bench_mix_options options = {
        .items = load->items, .item_count = load->query_count, .rate = rate, .seed = seed};
    struct bench_source source = bench_mix_source(bench_mix_new(scratch, &options));
    struct bench_sampler *sampler = load->run->sampler;

    bench_load_clear(load->block);
    bench_sampler_watch(sampler, (int)arm);
    bool is_whole = bench_driver_run(load->drivers[arm], &source, duration_ns, load->block, err);
    bench_sampler_watch(sampler, -1);
    return is_whole;
}

static void
merge_classes(const struct bench_load *load, struct histogram *response, struct histogram *service)
{
    for (size_t i = 0; i < load->classes.count; i++) {
        histogram_merge(response, load->classes.items[i].response, 1);
        histogram_merge(service, load->classes.items[i].service, 1);
    }
}

/* Sessions stay, and say what they have touched only now and then: pages are not known. */
static struct bench_cost
cost_now(const struct query_load *load, size_t arm)
{
    struct bench_cost cost = bench_cost_now(&load->meters[arm]);

    cost.buffers = cost.buffers_read = cost.temp_bytes = -1;
    return cost;
}

static void
note_unanswered(const struct query_load *load, struct bench_work_side *side)
{
    for (size_t i = 0; i < load->query_count; i++)
        bench_note_unanswered(&side->least_unanswered_ns,
                              load->block->classes.items[i].least_unanswered_ns);
}

static void
keep_block(struct query_load *load, struct bench_block *block)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_work *work = &load->suite->works.items[0];
    struct bench_work_side *side = &work->sides[block->arm];
    struct histogram *response = histogram_new(scratch);
    struct histogram *service = histogram_new(scratch);

    merge_classes(load->block, response, service);
    block->duration_s = (double)load->block->schedule_ns / 1e9;
    block->done = load->block->done;
    block->done_after = load->block->done_after;
    block->failed = load->block->errors + load->block->unfinished;
    block->median_ns = histogram_percentile(response, 0.5);
    block->p95_ns = histogram_percentile(response, 0.95);
    block->p99_ns = histogram_percentile(response, 0.99);
    *LIST_ADD(load->run->arena, &work->blocks) = *block;
    bench_log(load->run, "%s: pair %d: %s%s: %" PRIu64 " requests, p95 %.3f ms", work->name,
              block->pair, load->run->sessions[block->arm].label, block->is_again ? " again" : "",
              block->done, (double)block->p95_ns / 1e6);
    if (block->is_again)
        return;
    histogram_merge(side->response, response, 1);
    histogram_merge(side->service, service, 1);
    side->done += block->done;
    side->done_after += block->done_after;
    note_unanswered(load, side);
    side->seconds += block->duration_s;
    side->driver_cpu_ns += (double)(load->block->user_ns + load->block->system_ns);
    bench_load_merge(load->loads[block->arm], load->block);
}

static bool
run_block(void *context, size_t number, struct bench_block *block, struct error *err)
{
    struct query_load *load = context;
    struct bench_run *run = load->run;
    struct bench_work_side *side = &load->suite->works.items[number].sides[block->arm];
    uint64_t seed = run->options->seed * 1000003 + (uint64_t)block->pair;

    bench_progress(run, "pair %d of %d: queries under load, %s", block->pair, run->options->pairs,
                   run->sessions[block->arm].label);
    block->start_s = bench_elapsed_s(run);
    struct bench_cost start = cost_now(load, block->arm);
    if (!run_load(load, block->arm, load->rate, seed, load->block_ns, err))
        return error_wrap(err, "server \"%s\"", run->sessions[block->arm].label);
    struct bench_cost end = cost_now(load, block->arm);
    if (!block->is_again)
        bench_cost_add(&side->cost, &start, &end);
    keep_block(load, block);
    return true;
}

/* --- the rate --------------------------------------------------------------------------------- */

/* What each can do with all connections busy; also their warm-up. */
static bool
choose_rate(struct query_load *load, struct error *err)
{
    struct bench_run *run = load->run;
    uint64_t duration_ns = (uint64_t)run->options->block_ms * PROBE_BLOCKS * 1000000;
    size_t slower = BENCH_BEFORE;
    double rates[BENCH_ARMS];

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        bench_progress(run, "queries under load: warm-up, %s", run->sessions[arm].label);
        if (!run_load(load, arm, 0, run->options->seed, duration_ns, err))
            return error_wrap(err, "server \"%s\"", run->sessions[arm].label);
        rates[arm] = (double)load->block->done * 1e9 / (double)load->block->wall_ns;
        bench_log(run, "queries under load: %s can do %.1f a second", run->sessions[arm].label,
                  rates[arm]);
        if (rates[arm] < rates[slower])
            slower = arm;
    }
    load->rate = run->options->rate;
    load->rate_reason = "as asked for";
    if (load->rate > 0)
        return true;
    load->rate = rates[slower] * share_of_slower;
    load->rate_reason = arena_printf(run->arena, "%.0f %% of what \"%s\" can do",
                                     share_of_slower * 100, run->sessions[slower].label);
    if (load->rate > MOST_A_SECOND) {
        load->rate = MOST_A_SECOND;
        load->rate_reason = "both servers can do more than twice that";
    }
    return true;
}

/* --- the suite -------------------------------------------------------------------------------- */

/* Longer where few requests come in it: the median of a handful says nothing. */
static void
choose_length(struct query_load *load)
{
    double least_ns = load->run->options->block_ms * 1e6;
    double wanted_ns = BLOCK_REQUESTS / load->rate * 1e9;

    load->block_ns = (uint64_t)fmin(fmax(wanted_ns, least_ns), least_ns * STRETCH);
}

static void
describe(struct query_load *load)
{
    struct arena *arena = load->run->arena;
    struct bench_work *work = LIST_ADD(arena, &load->suite->works);

    load->suite->what = arena_printf(
        arena,
        "%zu queries, drawn with equal weight, %.1f a second (%s) on one schedule, whatever the "
        "server does; any of %d idle connections takes the next one. Times count from when a "
        "request was due; service from when it was sent. Both servers get the same requests.",
        load->query_count, load->rate, load->rate_reason, load->run->options->clients);
    load->suite->arrivals = load->rate;
    work->name = "queries under load";
    work->class_name = "under load";
    work->what = "the whole workload by one schedule";
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        work->sides[arm].response = histogram_new(arena);
        work->sides[arm].service = histogram_new(arena);
    }
}

static void
add_failures(struct query_load *load, size_t arm)
{
    struct bench_work_side *side = &load->suite->works.items[0].sides[arm];
    const struct bench_load *all = load->loads[arm];
    struct arena *arena = load->run->arena;

    for (size_t i = 0; i < all->faults.count; i++) {
        const struct bench_fault_count *fault = &all->faults.items[i];
        struct bench_failures *added = LIST_ADD(arena, &side->failures);
        memcpy(added->sqlstate, fault->sqlstate, sizeof(added->sqlstate));
        added->count = fault->errors;
        added->message = fault->message;
    }
    if (all->unfinished > 0)
        *LIST_ADD(arena, &side->failures) = (struct bench_failures){
            .count = all->unfinished,
            .message = arena_printf(arena,
                                    "not answered %d s after the block's end; in the percentiles "
                                    "with the time until then",
                                    DRAIN_MS / 1000)};
    side->failed = all->errors + all->unfinished;
    load->run->results->errors += side->failed;
}

static const char *
p95_of(struct arena *arena, const struct bench_class_load *class)
{
    const struct bench_work_side side = {.response = class->response,
                                         .least_unanswered_ns = class->least_unanswered_ns};
    char text[40];

    return class->response->total == 0
               ? "-"
               : arena_strdup(arena, bench_side_percentile(text, &side, 0.95));
}

static bool
has_come(const struct bench_class_load *class)
{
    return class->response->total + class->errors > 0;
}

static void
add_rows(struct query_load *load)
{
    struct arena *arena = load->run->arena;
    struct bench_table *table = LIST_ADD(arena, &load->suite->tables);
    size_t not_drawn = 0;

    table->title = "Each query under load, p95";
    for (size_t i = 0; i < load->query_count; i++) {
        const struct bench_class_load *before = &load->loads[BENCH_BEFORE]->classes.items[i];
        const struct bench_class_load *after = &load->loads[BENCH_AFTER]->classes.items[i];
        if (!has_come(before) && !has_come(after)) {
            not_drawn++;
            continue;
        }
        bench_add_row(arena, table, load->names[i], p95_of(arena, before), p95_of(arena, after),
                      arena_printf(arena, "service %s / %s; of %" PRIu64 " / %" PRIu64 " requests",
                                   bench_percentile(arena, before->service, 0.95),
                                   bench_percentile(arena, after->service, 0.95), before->done,
                                   after->done));
    }
    table->what = "From when it was due until its last row.";
    if (not_drawn > 0)
        table->what =
            arena_printf(arena, "%s No request came for %zu more.", table->what, not_drawn);
}

static bool
has_requests(const struct query_load *load)
{
    uint64_t count = 0;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        count += load->loads[arm]->done + load->loads[arm]->errors + load->loads[arm]->unfinished;
    return count > 0;
}

static void
summarize(struct query_load *load)
{
    struct bench_run *run = load->run;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        const char *limit = bench_load_limit(load->loads[arm], run->arena);
        add_failures(load, arm);
        if (limit != NULL)
            *LIST_ADD(run->arena, &run->results->limits) = arena_printf(
                run->arena, "The queries under load, %s: %s.", run->sessions[arm].label, limit);
    }
    add_rows(load);
}

bool
bench_query_load_open(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
                      struct error *err)
{
    struct query_load *load = ARENA_NEW(run->arena, struct query_load);

    (void)err;
    load->run = run;
    load->suite = suite;
    suite->title = "Queries under load";
    *ret_opened = load;
    return true;
}

/* What the single queries have shown stays when there is no room for more connections. */
static bool
leave_out(struct query_load *load, const char *why)
{
    load->suite->what = arena_printf(load->run->arena, "Under load: left out: %s.", why);
    bench_log(load->run, "queries under load: left out: %s", why);
    return true;
}

bool
bench_query_load_run(void *opened, struct error *err)
{
    struct query_load *load = opened;
    struct error fault = {0};

    choose_queries(load);
    if (load->query_count == 0)
        return leave_out(load, "no query is answered by both servers");
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        if (!open_driver(load, arm, &fault))
            return leave_out(load, arena_strdup(load->run->arena, fault.message));
    }
    load->block = bench_load_new(load->run->arena, load->names, load->query_count);
    if (!choose_rate(load, err))
        return false;
    if (load->rate <= 0)
        return leave_out(load, "a server answered nothing in its warm-up");
    choose_length(load);
    describe(load);
    bool is_whole = bench_run_blocks(load->run, 1, run_block, load, err);
    bench_query_load_close(load); /* other suites need the connections */
    if (!has_requests(load)) {
        load->suite->works.count = 0;
        load->suite->arrivals = 0;
        leave_out(load, arena_printf(load->run->arena,
                                     "at %.2g a second (%s) no request came in its blocks",
                                     load->rate, load->rate_reason));
    } else {
        summarize(load);
    }
    return is_whole;
}

void
bench_query_load_close(void *opened)
{
    struct query_load *load = opened;

    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        bench_driver_close(load->drivers[arm]);
        load->drivers[arm] = NULL;
    }
}
