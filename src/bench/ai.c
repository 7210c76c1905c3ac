// SPDX-License-Identifier: MIT
#include "bench/ai.h"

#include "base/embed.h"
#include "base/file.h"
#include "bench/suite_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 32,
    SLOTS = 32,    /* tasks that a worker may have running */
    ENQUEUERS = 4, /* connections beside the workers' */
    POLL_MS = 10,
    LEASE_S = 5,
    TRIES = 10, /* of a claim that meets a task on its way to another partition */
    FILL_FIRST = 2000,
    FILL_PER_SECOND = 3000, /* tasks that wait at first */
    SNAPSHOT_BLOCKS = 5, /* at least, and at least a twelfth of its age: what is compared lasts */
    SNAPSHOT_PART = 12,
    SPARE_MEGABYTES = 500,
    KILOBYTES_A_TASK = 16, /* at most: row versions, index entries, result, and WAL */
    LIFE_BLOCKS = 2,       /* a block of the tasks' life lasts so many times longer */
};
static const double saturation_share = 0.8;

static const struct ai_way blocking = {
    "FOR UPDATE",
    "single rows of ai_tasks; a worker waits for whoever holds the first one",
    {"bench/sql/ai_enqueue_plain.sql", "bench/sql/ai_claim_blocking.sql",
     "bench/sql/ai_complete_plain.sql"},
    1,
    NULL};
static const struct ai_way single = {"SKIP LOCKED",
                                     "single rows of ai_tasks; past those that others hold",
                                     {"bench/sql/ai_enqueue_plain.sql",
                                      "bench/sql/ai_claim_single.sql",
                                      "bench/sql/ai_complete_plain.sql"},
                                     1,
                                     NULL};
static const struct ai_way queue = {
    "queue",
    "batches of ids in ai_task_queue, held by a lease",
    {"bench/sql/ai_enqueue.sql", "bench/sql/ai_claim.sql", "bench/sql/ai_complete.sql"},
    BATCH,
    "bench/sql/ai_session.sql"};

enum {
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_INT4_ARRAY = 1007,
    OID_INT8_ARRAY = 1016,
    OID_UUID = 2950,
    OID_JSONB = 3802
};
static const Oid enqueue_types[] = {OID_UUID, OID_UUID, OID_TEXT, OID_INT2, OID_JSONB};
static const Oid claim_types[] = {OID_INT4, OID_TEXT, OID_INT4, OID_INT8_ARRAY};
static const Oid complete_types[] = {OID_INT8_ARRAY, OID_TEXT, OID_INT4_ARRAY};
static const struct {
    const char *name;
    const Oid *types;
    int count;
} statements[BENCH_QUEUE_STATEMENTS] = {
    [BENCH_ENQUEUE] = {"enqueue", enqueue_types, 5},
    [BENCH_CLAIM] = {"claim", claim_types, 4},
    [BENCH_COMPLETE] = {"complete", complete_types, 3},
};

enum work_number { WORK_JOBS, WORK_LIFE, WORK_CLAIM, WORKS };
static const struct {
    const char *name, *what;
} works[WORKS] = {
    [WORK_JOBS] = {"jobs", "tasks always wait and take no time to run: how many a second"},
    [WORK_LIFE] = {"task, less its run", "from when its enqueue was due until done, less the time "
                                         "that it ran"},
    [WORK_CLAIM] = {"claim", "from when a worker had room until it had tasks"},
};

/* --- what it needs -------------------------------------------------------------------------- */

static double
snapshot_block_s(const struct bench_options *options)
{
    double seconds = options->ai_block_ms / 1000.0 * SNAPSHOT_BLOCKS;

    return fmax(seconds, (double)options->snapshot_s / SNAPSHOT_PART);
}

/* The suite removes its tasks after each block, but nothing goes while a snapshot is open. */
int64_t
ai_needed_megabytes(const struct bench_options *options)
{
    double block_s = options->ai_block_ms / 1000.0;
    double rate = options->rate > 0 ? options->rate : FILL_PER_SECOND;
    double filled = FILL_FIRST + block_s * FILL_PER_SECOND;
    double lasts_s = options->snapshot_s > 0 ? options->snapshot_s + snapshot_block_s(options) * 2
                                             : block_s * LIFE_BLOCKS;
    double tasks = filled > rate * lasts_s ? filled : rate * lasts_s;

    return SPARE_MEGABYTES + (int64_t)(tasks * KILOBYTES_A_TASK / 1024);
}

/* --- one block -------------------------------------------------------------------------------- */

static bool
open_driver(struct ai_suite *suite, const struct ai_case *one, struct arena *arena,
            struct bench_driver **ret_driver, struct error *err)
{
    struct bench_statement *prepared =
        ARENA_ARRAY(arena, struct bench_statement, BENCH_QUEUE_STATEMENTS);
    struct bench_driver_options options = {
        .target = suite->run->options->arms[one->arm].target,
        .connections = suite->run->options->workers + ENQUEUERS,
        .statements = prepared,
        .statement_count = BENCH_QUEUE_STATEMENTS,
        .tries = TRIES,
        .drain_ms = LEASE_S * 4 * 1000,
    };

    options.target.is_application = true;
    if (one->way->session != NULL)
        options.session_sql = embedded_file(one->way->session)->text;
    for (size_t i = 0; i < BENCH_QUEUE_STATEMENTS; i++)
        prepared[i] = (struct bench_statement){.name = statements[i].name,
                                               .sql = embedded_file(one->way->files[i])->text,
                                               .parameter_count = statements[i].count,
                                               .types = statements[i].types};
    return bench_driver_open(arena, &options, ret_driver, err) ||
           error_wrap(err, "server \"%s\", %s", one->label, one->way->name);
}

static struct bench_queue_options
queue_options(const struct ai_suite *suite, struct ai_case *one, int round)
{
    return (struct bench_queue_options){
        .workers = suite->run->options->workers,
        .slots = SLOTS,
        .batch = one->way->batch,
        .poll_ms = POLL_MS,
        .lease_s = LEASE_S,
        .projects = one->projects,
        .users = one->users,
        .owner_count = one->owner_count,
        .floors = &one->floors,
        .seed = suite->run->options->seed * 1000003 + (uint64_t)round,
    };
}

/* What the server processes of the connections have for themselves, on this machine only. */
static int64_t
private_bytes(const struct bench_driver *driver)
{
    int processes[256];
    size_t count = bench_driver_processes(driver, processes, sizeof(processes) / sizeof(int));
    size_t known = 0;
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        AUTO_ARENA scratch = arena_new();
        struct error ignored;
        char *text;
        size_t length;
        const char *path = arena_printf(scratch, "/proc/%d/status", processes[i]);
        const char *line =
            file_read(scratch, path, &text, &length, &ignored) ? strstr(text, "\nRssAnon:") : NULL;
        if (line == NULL || strstr(text, "Name:\tpostgres\n") == NULL)
            continue;
        sum += strtoll(line + strlen("\nRssAnon:"), NULL, 10) * 1024;
        known++;
    }
    return known == 0 ? 0 : sum / (int64_t)known;
}

static bool
drive(struct ai_suite *suite, struct ai_case *one, struct bench_queue *tasks, double seconds,
      struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_source source = bench_queue_source(tasks);
    struct bench_driver *driver;
    int processes[BENCH_QUEUE_WORKERS + ENQUEUERS];

    if (!open_driver(suite, one, scratch, &driver, err))
        return false;
    struct bench_cost start = bench_cost_now(&one->meter);
    double driver_ns = (double)(one->load->user_ns + one->load->system_ns);
    bool is_whole = bench_driver_run(driver, &source, (uint64_t)(seconds * 1e9), one->load, err);
    one->private_bytes = private_bytes(driver);
    size_t count = bench_driver_processes(driver, processes, BENCH_QUEUE_WORKERS + ENQUEUERS);
    bench_driver_close(driver);
    bench_cost_settle(&one->meter, processes, count);
    struct bench_cost end = bench_cost_now(&one->meter);
    one->cost = (struct bench_cost){0};
    bench_cost_add(&one->cost, &start, &end);
    one->driver_cpu_ns = (double)(one->load->user_ns + one->load->system_ns) - driver_ns;
    return is_whole;
}

/* The works compare the server before with the deck's way on the server after. */
static bool
is_compared(const struct ai_suite *suite, const struct ai_case *one)
{
    return one == &suite->cases[AI_BEFORE] || one == &suite->cases[AI_QUEUE];
}

static void
keep_block(struct ai_suite *suite, const struct ai_case *one, enum work_number number,
           struct bench_block block, const struct histogram *times)
{
    struct bench_work *work = &suite->suite->works.items[number];
    struct bench_work_side *side = &work->sides[one->arm];

    if (!is_compared(suite, one))
        return;
    block.arm = one->arm;
    block.start_s = bench_elapsed_s(suite->run) - block.duration_s;
    if (times != NULL) {
        block.done = times->total;
        block.median_ns = histogram_percentile(times, 0.5);
        block.p95_ns = histogram_percentile(times, 0.95);
        block.p99_ns = histogram_percentile(times, 0.99);
        histogram_merge(side->response, times, 1);
    }
    if (number != WORK_CLAIM) {
        const struct bench_cost none = {0};
        bench_cost_add(&side->cost, &none, &one->cost);
        side->driver_cpu_ns += one->driver_cpu_ns;
    }
    side->done += block.done;
    side->seconds += block.duration_s;
    *LIST_ADD(suite->run->arena, &work->blocks) = block;
}

/* Tasks wait, workers take them as fast as they can, and run them in no time. */
static bool
run_saturated(struct ai_suite *suite, struct ai_case *one, int round, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    double seconds = suite->run->options->ai_block_ms / 1000.0;
    struct bench_queue_options options = queue_options(suite, one, round);
    int waiting = FILL_FIRST + (int)(seconds * FILL_PER_SECOND);
    uint64_t lsn = 0;

    if (!ai_put_aside(suite, one, err) || !ai_fill(suite, one, waiting, err) ||
        !bench_checkpoint(one->connection, &lsn, err))
        return false;
    options.stop_after = (uint64_t)waiting;
    struct bench_queue *tasks = bench_queue_new(scratch, &options);
    if (!drive(suite, one, tasks, seconds, err))
        return false;
    struct bench_queue_counts counts = bench_queue_counts(tasks);
    double lasted_s = (double)(counts.last_done_ns - counts.first_ns) / 1e9;
    double rate = counts.completed == 0 ? 0 : (double)counts.completed / lasted_s;
    bench_log(suite->run, "ai: round %d: %s, %s: %.1f jobs/s", round, one->label, one->way->name,
              rate);
    if (rate > 0) {
        uint64_t job_ns = (uint64_t)(1e9 / rate);
        one->rates[one->rate_count++] = rate;
        keep_block(suite, one, WORK_JOBS,
                   (struct bench_block){.pair = round,
                                        .duration_s = lasted_s,
                                        .done = counts.completed,
                                        .mean_ns = 1e9 / rate,
                                        .median_ns = job_ns,
                                        .p95_ns = job_ns,
                                        .p99_ns = job_ns},
                   NULL);
    }
    return ai_settle(one, false, err);
}

static void
add_counts(struct bench_queue_counts *into, const struct bench_queue_counts *from)
{
    into->enqueued += from->enqueued;
    into->claimed += from->claimed;
    into->completed += from->completed;
    into->claims += from->claims;
    into->empty_claims += from->empty_claims;
    into->refused += from->refused;
    into->deaths += from->deaths;
}

/* Tasks arrive by a schedule and take their drawn time to run. */
static bool
run_life(struct ai_suite *suite, struct ai_case *one, int round, struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    double seconds = suite->run->options->ai_block_ms / 1000.0 * LIFE_BLOCKS;
    struct bench_queue_options options = queue_options(suite, one, round);
    uint64_t lsn = 0;

    if (one->way == &blocking) /* could not keep up */
        return true;
    options.rate = suite->rate;
    options.run_ms = suite->run->options->run_ms;
    options.has_drain = true;
    if (!ai_put_aside(suite, one, err) || !bench_checkpoint(one->connection, &lsn, err))
        return false;
    struct bench_queue *tasks = bench_queue_new(scratch, &options);
    if (!drive(suite, one, tasks, seconds, err))
        return false;
    struct bench_queue_counts counts = bench_queue_counts(tasks);
    struct bench_queue_times times = bench_queue_times(tasks);
    const struct bench_block block = {
        .pair = round, .duration_s = (double)(counts.last_done_ns - counts.first_ns) / 1e9};
    add_counts(&one->counts, &counts);
    histogram_merge(one->claim, times.claim, 1);
    histogram_merge(one->wait, times.wait, 1);
    histogram_merge(one->whole, times.whole, 1);
    histogram_merge(one->without_run, times.without_run, 1);
    keep_block(suite, one, WORK_LIFE, block, times.without_run);
    keep_block(suite, one, WORK_CLAIM, block, times.claim);
    return ai_settle(one, true, err);
}

/* --- phases ----------------------------------------------------------------------------------- */

typedef bool
block_runner(struct ai_suite *suite, struct ai_case *one, int round, struct error *err);

/* All cases a round, in random order. */
static bool
run_rounds(struct ai_suite *suite, const char *phase, block_runner *run, struct error *err)
{
    int rounds = suite->run->options->ai_rounds;
    size_t order[AI_CASES];

    for (int round = 1; round <= rounds; round++) {
        bench_shuffle(&suite->run->random, order, AI_CASES);
        for (size_t i = 0; i < AI_CASES; i++) {
            struct ai_case *one = &suite->cases[order[i]];
            bench_progress(suite->run, "%s, round %d of %d: %s, %s", phase, round, rounds,
                           one->label, one->way->name);
            if (!run(suite, one, round, err))
                return false;
        }
    }
    return true;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

double
ai_median_rate(const struct ai_case *one)
{
    double sorted[AI_ROUNDS];

    if (one->rate_count == 0)
        return 0;
    memcpy(sorted, one->rates, one->rate_count * sizeof(double));
    qsort(sorted, one->rate_count, sizeof(double), compare);
    return (sorted[(one->rate_count - 1) / 2] + sorted[one->rate_count / 2]) / 2;
}

static bool
choose_rate(struct ai_suite *suite, struct error *err)
{
    const struct ai_case *before = &suite->cases[AI_BEFORE];

    suite->rate = suite->run->options->rate;
    suite->rate_reason = "as asked for";
    if (suite->rate > 0)
        return true;
    suite->rate = ai_median_rate(before) * saturation_share;
    suite->rate_reason = arena_printf(suite->run->arena, "%.0f %% of what \"%s\" can do",
                                      saturation_share * 100, before->label);
    return suite->rate > 0 ||
           error_set(err, ERROR_INTERNAL, "server \"%s\" completed no task", before->label);
}

/* --- an open snapshot ------------------------------------------------------------------------- */

/* Tasks that arrive for so long. beside: what to add them to, or NULL. */
static bool
run_arrivals(struct ai_suite *suite, struct ai_case *one, double seconds, struct ai_beside *beside,
             struct error *err)
{
    AUTO_ARENA scratch = arena_new();
    struct bench_queue_options options = queue_options(suite, one, 0);

    options.rate = suite->rate;
    options.run_ms = suite->run->options->run_ms;
    options.has_drain = true;
    struct bench_queue *tasks = bench_queue_new(scratch, &options);
    if (!drive(suite, one, tasks, seconds, err))
        return false;
    if (beside == NULL)
        return true;
    histogram_merge(beside->claims, bench_queue_times(tasks).claim, 1);
    beside->tasks += bench_queue_counts(tasks).completed;
    bool is_known = one->cost.cpu_ns >= 0 && beside->cpu_ns >= 0;
    beside->cpu_ns = is_known ? beside->cpu_ns + one->cost.cpu_ns : -1;
    return true;
}

static bool
grow_old(struct ai_suite *suite, struct ai_case *one, PGconn *holder, double seconds,
         struct error *err)
{
    return pg_execute(holder, "SET idle_in_transaction_session_timeout = 0", err) &&
           pg_execute(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ", err) &&
           pg_execute(holder, "SELECT 1", err) &&
           run_arrivals(suite, one, seconds, &suite->young, err) &&
           run_arrivals(suite, one, suite->run->options->snapshot_s, NULL, err) &&
           run_arrivals(suite, one, seconds, &suite->old, err) && pg_execute(holder, "COMMIT", err);
}

/* Nothing that was deleted since can be removed while a snapshot is open: what claims cost right
 * after it was taken, and what when it is old. Then once more with a new one: so the old one's
 * claims are between those that they are compared with, whatever else the machine does. */
static bool
run_snapshot(struct ai_suite *suite, struct error *err)
{
    struct ai_case *one = &suite->cases[AI_QUEUE];
    struct pg_target target = suite->run->options->arms[one->arm].target;
    double seconds = snapshot_block_s(suite->run->options);
    int age_s = suite->run->options->snapshot_s;
    AUTO_PGCONN holder = NULL;

    if (age_s == 0)
        return true;
    bench_progress(suite->run, "claims beside a snapshot that stays open for %d s", age_s);
    suite->young.claims = histogram_new(suite->run->arena);
    suite->old.claims = histogram_new(suite->run->arena);
    target.is_application = true;
    return ai_put_aside(suite, one, err) && pg_connect(&target, &holder, err) &&
           grow_old(suite, one, holder, seconds, err) && ai_settle(one, true, err) &&
           ai_put_aside(suite, one, err) &&
           pg_execute(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ", err) &&
           pg_execute(holder, "SELECT 1", err) &&
           run_arrivals(suite, one, seconds, &suite->young, err) &&
           pg_execute(holder, "COMMIT", err) && ai_settle(one, true, err);
}

/* --- the suite -------------------------------------------------------------------------------- */

static void
add_work(struct bench_run *run, struct bench_suite *suite, enum work_number number)
{
    struct bench_work *work = LIST_ADD(run->arena, &suite->works);

    work->name = works[number].name;
    work->what = works[number].what;
    work->class_name = "queue";
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        struct bench_work_side *side = &work->sides[arm];
        side->service = histogram_new(run->arena);
        side->response = number == WORK_JOBS ? NULL : histogram_new(run->arena);
        if (number == WORK_CLAIM) { /* one statement of a task's: what it took is not known apart */
            side->cost = (struct bench_cost){-1, -1, -1, -1, -1};
            side->driver_cpu_ns = -1;
        }
    }
}

static void
init_case(struct ai_suite *suite, enum ai_case_number number, enum bench_arm_number arm,
          const struct ai_way *way)
{
    static const char *const classes[] = {"enqueue", "claim", "complete"};
    struct arena *arena = suite->run->arena;

    suite->cases[number] = (struct ai_case){
        .way = way,
        .arm = arm,
        .load = bench_load_new(arena, classes, BENCH_QUEUE_STATEMENTS),
        .claim = histogram_new(arena),
        .wait = histogram_new(arena),
        .whole = histogram_new(arena),
        .without_run = histogram_new(arena),
    };
}

bool
bench_ai_open(struct bench_run *run, struct bench_suite *suite, void **ret_opened,
              struct error *err)
{
    struct ai_suite *ai = ARENA_NEW(run->arena, struct ai_suite);

    ai->run = run;
    ai->suite = suite;
    suite->title = "AI tasks";
    init_case(ai, AI_BEFORE, BENCH_BEFORE, &single);
    init_case(ai, AI_BLOCKING, BENCH_AFTER, &blocking);
    init_case(ai, AI_SINGLE, BENCH_AFTER, &single);
    init_case(ai, AI_QUEUE, BENCH_AFTER, &queue);
    *ret_opened = ai;
    for (size_t i = 0; i < WORKS; i++)
        add_work(run, suite, (enum work_number)i);
    for (size_t i = 0; i < AI_CASES; i++) {
        if (!ai_open_case(ai, &ai->cases[i], err))
            return false;
    }
    return true;
}

bool
bench_ai_run(void *opened, struct error *err)
{
    struct ai_suite *ai = opened;

    bool is_whole = ai_measure_inserts(ai, err) &&
                    run_rounds(ai, "jobs a second", run_saturated, err) && choose_rate(ai, err) &&
                    run_rounds(ai, "life of tasks", run_life, err) && run_snapshot(ai, err);
    ai_summarize(ai);
    return is_whole;
}

void
bench_ai_close(void *opened)
{
    struct ai_suite *ai = opened;

    for (size_t i = 0; i < AI_CASES; i++)
        ai_close_case(&ai->cases[i]);
}
