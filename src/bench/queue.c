// SPDX-License-Identifier: MIT
#include "bench/queue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES = 512, LIST_BYTES = BENCH_QUEUE_SLOTS * 21 + 3 };
static const uint32_t NOBODY = UINT32_MAX;
static const uint64_t millisecond_ns = 1000000;
enum { PRIORITIES = BENCH_QUEUE_PRIORITIES, SLACK_MS = 100, WHOLE_CLAIM_MS = 1000 };

struct job {
    int64_t id;
    uint64_t due_ns; /* of its enqueue */
    uint64_t run_ns;
    uint64_t finish_ns; /* when it has run */
};

struct worker {
    char name[32];
    bool is_busy;      /* a statement is under way */
    uint64_t claim_ns; /* when it may claim next */
    uint64_t asked_ns; /* when the statement under way was due */
    struct job jobs[BENCH_QUEUE_SLOTS];
    int held;
    int completing; /* jobs[0] .. of the statement under way */
    char count[16], ids[LIST_BYTES], runs[LIST_BYTES], floors[PRIORITIES * 21 + 3];
    const char *values[4];
};

struct enqueue {
    char name[64], priority[4], input[INPUT_BYTES];
    const char *values[5];
    uint32_t next_free;
};

struct bench_queue {
    struct arena *arena;
    struct bench_queue_options options;
    struct bench_queue_counts counts;
    struct random random;
    struct histogram *claim, *wait, *whole, *without_run;
    char lease[16];
    struct worker *workers;
    int born; /* workers so far; names */
    LIST_OF(struct enqueue *) enqueues;
    uint32_t first_free; /* NOBODY: none */
    uint64_t arrival_ns; /* when the next enqueue is due */
    uint64_t end_ns;
    uint64_t last_death_ns;
};

/* --- drawn ------------------------------------------------------------------------------------ */

static double
exponential(struct random *random, double mean)
{
    return -log(((double)(random_bits(random) >> 11) + 1) / 9007199254740992.0) * mean;
}

static uint32_t
find_enqueue(struct bench_queue *queue)
{
    uint32_t number = queue->first_free;

    if (number != NOBODY) {
        queue->first_free = queue->enqueues.items[number]->next_free;
        return number;
    }
    *LIST_ADD(queue->arena, &queue->enqueues) = ARENA_NEW(queue->arena, struct enqueue);
    return (uint32_t)queue->enqueues.count - 1;
}

/* Looks like what the shipped deck's data.sql makes. */
static void
fill_enqueue(struct bench_queue *queue, struct enqueue *enqueue)
{
    static const char *const words[] = {"invoices", "contracts", "tickets",   "reviews",
                                        "surveys",  "receipts",  "shipments", "photos"};
    struct random *random = &queue->random;
    size_t owner = random_below(random, queue->options.owner_count);
    const char *word = words[random_below(random, sizeof(words) / sizeof(words[0]))];
    uint64_t run_us = (uint64_t)exponential(random, queue->options.run_ms * 1000);

    snprintf(enqueue->name, sizeof(enqueue->name), "Summarize incoming %s", word);
    snprintf(enqueue->priority, sizeof(enqueue->priority), "%zu", random_below(random, 10));
    snprintf(enqueue->input, sizeof(enqueue->input),
             "{\"dataset\": \"ds-%05zu\", \"source\": \"upload\", \"language\": \"en\", "
             "\"documents\": %zu, \"prompt\": \"Look at the incoming %s and say what has changed "
             "since the last run\", \"parameters\": {\"temperature\": 0.%zu, \"max_tokens\": 512, "
             "\"stream\": false}, \"due_ns\": %llu, \"run_us\": %llu}",
             random_below(random, 20000), 1 + random_below(random, 200), word,
             random_below(random, 10), (unsigned long long)queue->arrival_ns,
             (unsigned long long)run_us);
    enqueue->values[0] = queue->options.projects[owner];
    enqueue->values[1] = queue->options.users[owner];
    enqueue->values[2] = enqueue->name;
    enqueue->values[3] = enqueue->priority;
    enqueue->values[4] = enqueue->input;
}

/* --- workers ---------------------------------------------------------------------------------- */

static void
bear(struct bench_queue *queue, struct worker *worker, uint64_t now_ns)
{
    *worker = (struct worker){.claim_ns = now_ns};
    snprintf(worker->name, sizeof(worker->name), "pgdeck bench-%d", ++queue->born);
}

static uint64_t
earliest_finish(const struct worker *worker)
{
    uint64_t earliest_ns = BENCH_NEVER;

    for (int i = 0; i < worker->held; i++) {
        if (worker->jobs[i].finish_ns < earliest_ns)
            earliest_ns = worker->jobs[i].finish_ns;
    }
    return earliest_ns;
}

/* All that was enqueued is done, or what is missing can no longer come: nobody claims it although
 * every lease is over. */
static bool
is_drained(const struct bench_queue *queue, uint64_t now_ns)
{
    uint64_t lease_ns = (uint64_t)(queue->options.lease_s + 1) * 1000 * millisecond_ns;

    if (!queue->options.has_drain)
        return true;
    for (int i = 0; i < queue->options.workers; i++) {
        if (queue->workers[i].held > 0)
            return false;
    }
    return queue->counts.completed >= queue->counts.enqueued ||
           (queue->last_death_ns > 0 && now_ns > queue->last_death_ns + lease_ns &&
            now_ns > queue->end_ns + lease_ns);
}

static bool
may_claim(const struct bench_queue *queue, const struct worker *worker, uint64_t now_ns)
{
    uint64_t stop_after = queue->options.stop_after;

    if (worker->held >= queue->options.slots ||
        (stop_after > 0 && queue->counts.completed >= stop_after))
        return false;
    return now_ns < queue->end_ns || !is_drained(queue, now_ns);
}

static uint64_t
worker_due(const struct bench_queue *queue, const struct worker *worker, uint64_t now_ns)
{
    if (worker->is_busy)
        return BENCH_NEVER;
    uint64_t due_ns = earliest_finish(worker);
    if (may_claim(queue, worker, now_ns) && worker->claim_ns < due_ns)
        due_ns = worker->claim_ns;
    return due_ns;
}

static void
append_number(char *list, size_t *length, int64_t number)
{
    char digits[24];
    int count =
        snprintf(digits, sizeof(digits), "%s%lld", *length == 0 ? "{" : ",", (long long)number);

    memcpy(list + *length, digits, (size_t)count);
    *length += (size_t)count;
}

/* The jobs that have run go to the front and into the statement's lists. */
static void
take_completion(struct bench_queue *queue, struct worker *worker, uint64_t now_ns)
{
    size_t ids = 0;
    size_t runs = 0;

    worker->completing = 0;
    for (int i = 0; i < worker->held && worker->completing < queue->options.batch; i++) {
        struct job job = worker->jobs[i];
        if (job.finish_ns > now_ns)
            continue;
        worker->jobs[i] = worker->jobs[worker->completing];
        worker->jobs[worker->completing++] = job;
        append_number(worker->ids, &ids, job.id);
        append_number(worker->runs, &runs, (int64_t)(job.run_ns / millisecond_ns));
    }
    memcpy(worker->ids + ids, "}", 2);
    memcpy(worker->runs + runs, "}", 2);
    worker->values[0] = worker->ids;
    worker->values[1] = worker->name;
    worker->values[2] = worker->runs;
}

static void
turn_floors(struct bench_queue_floors *floors, uint64_t now_ns)
{
    if (now_ns < floors->turned_ns + SLACK_MS * millisecond_ns)
        return;
    memcpy(floors->floors, floors->before, sizeof(floors->floors));
    memcpy(floors->before, floors->highest, sizeof(floors->before));
    floors->turned_ns = now_ns;
}

static void
write_floors(struct bench_queue_floors *floors, struct worker *worker, uint64_t now_ns)
{
    bool is_whole = now_ns >= floors->whole_ns + WHOLE_CLAIM_MS * millisecond_ns;
    size_t length = 0;

    turn_floors(floors, now_ns);
    if (is_whole)
        floors->whole_ns = now_ns;
    for (int priority = PRIORITIES - 1; priority >= 0; priority--)
        append_number(worker->floors, &length, is_whole ? 0 : floors->floors[priority]);
    memcpy(worker->floors + length, "}", 2);
}

static void
take_claim(struct bench_queue *queue, struct worker *worker, uint64_t now_ns)
{
    int room = queue->options.slots - worker->held;

    snprintf(worker->count, sizeof(worker->count), "%d",
             room < queue->options.batch ? room : queue->options.batch);
    worker->values[0] = worker->count;
    worker->values[1] = worker->name;
    worker->values[2] = queue->lease;
    write_floors(queue->options.floors, worker, now_ns);
    worker->values[3] = worker->floors;
}

/* Where the queue has priorities, remembers how far claims have come. */
static void
note_highest(struct bench_queue_floors *floors, const PGresult *result, int row)
{
    if (PQnfields(result) < 5)
        return;
    int priority = atoi(PQgetvalue(result, row, 3));
    int64_t place = strtoll(PQgetvalue(result, row, 4), NULL, 10);
    if (priority >= 0 && priority < PRIORITIES && place > floors->highest[priority])
        floors->highest[priority] = place;
}

static void
claimed(struct bench_queue *queue, struct worker *worker, const PGresult *result, uint64_t now_ns)
{
    int rows = PQntuples(result);

    queue->counts.claims++;
    worker->claim_ns = now_ns;
    if (rows == 0) {
        queue->counts.empty_claims++;
        worker->claim_ns += (uint64_t)queue->options.poll_ms * millisecond_ns;
        return;
    }
    histogram_record(queue->claim, now_ns - worker->asked_ns);
    for (int row = 0; row < rows && worker->held < queue->options.slots; row++) {
        struct job *job = &worker->jobs[worker->held++];
        bool is_ours = PQgetisnull(result, row, 1) == 0;
        job->id = strtoll(PQgetvalue(result, row, 0), NULL, 10);
        job->due_ns = is_ours ? strtoull(PQgetvalue(result, row, 1), NULL, 10) : now_ns;
        job->run_ns = is_ours ? strtoull(PQgetvalue(result, row, 2), NULL, 10) * 1000 : 0;
        job->finish_ns = now_ns + job->run_ns;
        histogram_record(queue->wait, now_ns - job->due_ns);
        note_highest(queue->options.floors, result, row);
        queue->counts.claimed++;
    }
}

/* Those that the answer does not name had been given to another worker meanwhile. */
static void
completed(struct bench_queue *queue, struct worker *worker, const PGresult *result, uint64_t now_ns)
{
    int rows = PQntuples(result);

    for (int row = 0; row < rows; row++) {
        int64_t id = strtoll(PQgetvalue(result, row, 0), NULL, 10);
        for (int i = 0; i < worker->completing; i++) {
            const struct job *job = &worker->jobs[i];
            if (job->id != id)
                continue;
            uint64_t whole_ns = now_ns - job->due_ns;
            uint64_t rest_ns = whole_ns > job->run_ns ? whole_ns - job->run_ns : 0;
            histogram_record(queue->whole, whole_ns);
            histogram_record(queue->without_run, rest_ns);
            queue->counts.without_run_sum_ns += (double)rest_ns;
            queue->counts.completed++;
            queue->counts.last_done_ns = now_ns;
        }
    }
    queue->counts.refused += (uint64_t)(worker->completing > rows ? worker->completing - rows : 0);
    worker->held -= worker->completing;
    memmove(worker->jobs, worker->jobs + worker->completing,
            (size_t)worker->held * sizeof(worker->jobs[0]));
}

/* --- the source ------------------------------------------------------------------------------- */

static void
start(void *context, uint64_t start_ns, uint64_t end_ns)
{
    struct bench_queue *queue = context;

    queue->end_ns = end_ns;
    queue->counts.first_ns = start_ns;
    queue->arrival_ns = BENCH_NEVER;
    queue->last_death_ns = 0;
    if (queue->options.rate > 0)
        queue->arrival_ns = start_ns;
    for (int i = 0; i < queue->options.workers; i++)
        bear(queue, &queue->workers[i], start_ns);
}

static uint64_t
due(void *context, uint64_t now_ns)
{
    const struct bench_queue *queue = context;
    uint64_t due_ns = queue->arrival_ns < queue->end_ns ? queue->arrival_ns : BENCH_NEVER;

    for (int i = 0; i < queue->options.workers; i++) {
        uint64_t worker_ns = worker_due(queue, &queue->workers[i], now_ns);
        if (worker_ns < due_ns)
            due_ns = worker_ns;
    }
    return due_ns;
}

static void
take_enqueue(struct bench_queue *queue, struct bench_request *ret_request)
{
    uint32_t number = find_enqueue(queue);
    struct enqueue *enqueue = queue->enqueues.items[number];

    fill_enqueue(queue, enqueue);
    *ret_request = (struct bench_request){.class_number = BENCH_ENQUEUE,
                                          .statement = BENCH_ENQUEUE,
                                          .due_ns = queue->arrival_ns,
                                          .values = enqueue->values,
                                          .tag = number};
    queue->arrival_ns += (uint64_t)exponential(&queue->random, 1e9 / queue->options.rate);
}

static void
take(void *context, uint64_t now_ns, struct bench_request *ret_request)
{
    struct bench_queue *queue = context;
    uint64_t due_ns = queue->arrival_ns < queue->end_ns ? queue->arrival_ns : BENCH_NEVER;
    int chosen = -1;

    for (int i = 0; i < queue->options.workers; i++) {
        uint64_t worker_ns = worker_due(queue, &queue->workers[i], now_ns);
        if (worker_ns < due_ns) {
            due_ns = worker_ns;
            chosen = i;
        }
    }
    if (chosen < 0) {
        take_enqueue(queue, ret_request);
        return;
    }
    struct worker *worker = &queue->workers[chosen];
    bool is_completion = earliest_finish(worker) <= due_ns;
    if (is_completion)
        take_completion(queue, worker, now_ns);
    else
        take_claim(queue, worker, now_ns);
    worker->is_busy = true;
    worker->asked_ns = due_ns;
    enum bench_queue_statement statement = is_completion ? BENCH_COMPLETE : BENCH_CLAIM;
    *ret_request = (struct bench_request){.class_number = statement,
                                          .statement = statement,
                                          .due_ns = due_ns,
                                          .values = worker->values,
                                          .tag = (uint64_t)chosen};
}

static void
done(void *context, const struct bench_request *request, const PGresult *result, uint64_t done_ns)
{
    struct bench_queue *queue = context;

    if (request->statement == BENCH_ENQUEUE) {
        queue->enqueues.items[request->tag]->next_free = queue->first_free;
        queue->first_free = (uint32_t)request->tag;
        queue->counts.enqueued += result != NULL;
        return;
    }
    struct worker *worker = &queue->workers[request->tag];
    worker->is_busy = false;
    if (result == NULL) {
        queue->counts.deaths++;
        queue->last_death_ns = done_ns;
        bear(queue, worker, done_ns);
    } else if (request->statement == BENCH_CLAIM) {
        claimed(queue, worker, result, done_ns);
    } else {
        completed(queue, worker, result, done_ns);
    }
}

struct bench_queue *
bench_queue_new(struct arena *arena, const struct bench_queue_options *options)
{
    struct bench_queue *queue = ARENA_NEW(arena, struct bench_queue);

    queue->arena = arena;
    queue->options = *options;
    queue->random.state = options->seed;
    queue->first_free = NOBODY;
    queue->claim = histogram_new(arena);
    queue->wait = histogram_new(arena);
    queue->whole = histogram_new(arena);
    queue->without_run = histogram_new(arena);
    queue->workers = ARENA_ARRAY(arena, struct worker, (size_t)options->workers);
    snprintf(queue->lease, sizeof(queue->lease), "%d", options->lease_s);
    return queue;
}

struct bench_source
bench_queue_source(struct bench_queue *queue)
{
    return (struct bench_source){
        .context = queue, .start = start, .due = due, .take = take, .done = done};
}

struct bench_queue_times
bench_queue_times(const struct bench_queue *queue)
{
    return (struct bench_queue_times){queue->claim, queue->wait, queue->whole, queue->without_run};
}

struct bench_queue_counts
bench_queue_counts(const struct bench_queue *queue)
{
    return queue->counts;
}
