// SPDX-License-Identifier: MIT
#include "watch/statements.h"

#include "watch/own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { FIRST_CAPACITY = 1024, HOUR_S = 3600 };

void *
watch_statements_new(void)
{
    struct watch_statements *statements = calloc(1, sizeof(*statements));

    if (statements == NULL)
        abort();
    statements->capacity = FIRST_CAPACITY;
    statements->table = calloc(FIRST_CAPACITY, sizeof(*statements->table));
    if (statements->table == NULL)
        abort();
    return statements;
}

static void
clear(struct watch_statement *statement)
{
    free(statement->query);
    free(statement->role);
    if (statement->day != NULL) {
        watch_plans_release(&statement->day->plans);
        free(statement->day->times);
    }
    free(statement->day);
    *statement = (struct watch_statement){0};
}

void
watch_statements_free(void *value)
{
    struct watch_statements *statements = value;

    for (size_t i = 0; i < statements->capacity; i++)
        clear(&statements->table[i]);
    free(statements->table);
    free(statements);
}

/* The statement, or the free place for it. */
static struct watch_statement *
place_of(struct watch_statement *table, size_t capacity, const struct watch_statement_key *key)
{
    size_t at = (size_t)XXH3_64bits(key, sizeof(*key)) & (capacity - 1);

    while (table[at].is_used && memcmp(&table[at].key, key, sizeof(*key)) != 0)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static void
rebuild(struct watch_statements *statements, size_t capacity)
{
    struct watch_statement *table = calloc(capacity, sizeof(*table));

    if (table == NULL)
        abort();
    for (size_t i = 0; i < statements->capacity; i++) {
        if (statements->table[i].is_used)
            *place_of(table, capacity, &statements->table[i].key) = statements->table[i];
    }
    free(statements->table);
    statements->table = table;
    statements->capacity = capacity;
}

struct watch_statement *
watch_statements_find(struct watch_statements *statements, const struct watch_statement_key *key)
{
    struct watch_statement *found = place_of(statements->table, statements->capacity, key);

    return found->is_used ? found : NULL;
}

void
watch_statements_begin(struct watch_statements *statements)
{
    statements->reading++;
    statements->left_out = 0;
}

static void
add_work(struct watch_statement *statement, const struct watch_work *work, double now)
{
    int64_t step = (int64_t)now / WATCH_SLOT_S;
    size_t slot = (size_t)(step % WATCH_SLOTS), day_slot = (size_t)(step % WATCH_DAY_SLOTS);
    struct watch_day *day = statement->day;

    if (statement->slots[slot].step != step) {
        memset(&statement->slots[slot], 0, sizeof(statement->slots[slot]));
        statement->slots[slot].step = step;
    }
    statement->slots[slot].calls += (float)work->calls;
    statement->slots[slot].ms += (float)work->ms;
    statement->slots[slot].rows += (float)work->rows;
    statement->slots[slot].hits += (float)work->hits;
    statement->slots[slot].reads += (float)work->reads;
    statement->slots[slot].squares += (float)work->squares;
    statement->total.calls += work->calls;
    statement->total.ms += work->ms;
    statement->total.rows += work->rows;
    statement->total.hits += work->hits;
    statement->total.reads += work->reads;
    if (day == NULL)
        return;
    if (day->steps[day_slot] != step) {
        day->steps[day_slot] = step;
        day->calls[day_slot] = day->ms[day_slot] = day->squares[day_slot] = 0;
    }
    day->calls[day_slot] += (float)work->calls;
    day->ms[day_slot] += (float)work->ms;
    day->squares[day_slot] += (float)work->squares;
}

static double
difference(double now, double before)
{
    return now > before ? now - before : 0;
}

bool
watch_statements_add(struct watch_statements *statements, const struct watch_statement_key *key,
                     double counted_since, const struct watch_work *counters, double now,
                     struct watch_delta *ret_delta)
{
    struct watch_statement *at = place_of(statements->table, statements->capacity, key);

    if (!at->is_used && statements->count >= WATCH_STATEMENTS_MAX) {
        statements->left_out++;
        return false;
    }
    /* One that the reading before did not have is new, or was evicted and came back: all that it
     * says happened since. In the first reading of all, nobody knows since when. */
    bool is_anew = !at->is_used || at->seen + 1 < statements->reading ||
                   at->counted_since != counted_since || counters->calls < at->counters.calls;
    bool is_first = statements->reading == 1;
    struct watch_work before = at->counters;
    if (is_anew)
        memset(&before, 0, sizeof(before));
    bool is_new = !at->is_used;
    at->is_used = true;
    at->key = *key;
    at->seen = statements->reading;
    at->counted_since = counted_since;
    at->counters = *counters;
    struct watch_work work = {.calls = difference(counters->calls, before.calls),
                              .ms = difference(counters->ms, before.ms),
                              .rows = difference(counters->rows, before.rows),
                              .hits = difference(counters->hits, before.hits),
                              .reads = difference(counters->reads, before.reads),
                              .squares = difference(counters->squares, before.squares)};
    bool has_worked = !is_first && work.calls > 0;
    if (has_worked)
        add_work(at, &work, now);
    if (is_new && ++statements->count * 2 > statements->capacity) {
        rebuild(statements, statements->capacity * 2);
        at = place_of(statements->table, statements->capacity, key);
    }
    *ret_delta = (struct watch_delta){at, work};
    return has_worked;
}

bool
watch_statement_counts(const struct watch_delta *delta, bool is_by_own_role)
{
    struct watch_statement *statement = delta->statement;

    if (statement->is_known || !is_by_own_role)
        return !statement->is_left_out;
    statement->held.calls += delta->work.calls;
    statement->held.ms += delta->work.ms;
    return false;
}

/* Transactions and settings, which pgdeck and others write alike. */
static bool
is_of_session(const char *query)
{
    static const char *const words[] = {"BEGIN", "COMMIT",     "ROLLBACK", "SET",
                                        "RESET", "DEALLOCATE", "EXPLAIN"};
    size_t length = query == NULL ? 0 : strcspn(query, " ;\n");
    bool is_one = false;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        is_one |= length == strlen(words[i]) && strncasecmp(query, words[i], length) == 0;
    return is_one;
}

bool
watch_statement_settle(struct watch_statement *statement, const char *query,
                       struct watch_delta *ret_delta)
{
    *ret_delta = (struct watch_delta){statement, statement->held};
    statement->held = (struct watch_work){0};
    statement->is_known = true;
    statement->is_own = watch_is_own(query);
    statement->is_left_out = statement->is_own || is_of_session(query);
    return !statement->is_left_out && ret_delta->work.calls > 0;
}

struct watch_work
watch_statement_hour(const struct watch_statement *statement, double now)
{
    struct watch_work work = {0};
    int64_t oldest = (int64_t)now / WATCH_SLOT_S - WATCH_SLOTS;

    for (size_t i = 0; i < WATCH_SLOTS; i++) {
        if (statement->slots[i].step <= oldest)
            continue;
        work.calls += (double)statement->slots[i].calls;
        work.ms += (double)statement->slots[i].ms;
        work.rows += (double)statement->slots[i].rows;
        work.hits += (double)statement->slots[i].hits;
        work.reads += (double)statement->slots[i].reads;
        work.squares += (double)statement->slots[i].squares;
    }
    return work;
}

void
watch_statement_times(struct watch_statement *statement, const uint32_t counts[WATCH_TIMES_BUCKETS],
                      double now)
{
    struct watch_day *day = statement->day;
    int64_t step = (int64_t)now / WATCH_SLOT_S;
    size_t slot = (size_t)(step % WATCH_DAY_SLOTS);
    double calls = 0;

    for (size_t i = 0; i < WATCH_TIMES_BUCKETS; i++)
        calls += counts[i];
    if (day == NULL || calls <= 0)
        return;
    if (day->times == NULL && (day->times = calloc(1, sizeof(*day->times))) == NULL)
        abort();
    watch_times_add(day->times, counts, now);
    day->times_steps[slot] = step;
    day->times_p95_ms[slot] = (float)watch_times_p95(day->times, now, 1, &calls);
    day->times_calls[slot] = (float)calls;
}

double
watch_work_p95(double calls, double ms, double squares)
{
    const double normal_p95 = 1.6448536;

    if (calls <= 0 || ms <= 0)
        return NAN;
    double ratio = squares * calls / (ms * ms); /* mean of the squares, square of the mean */
    double variance = ratio > 1 ? log(ratio) : 0;
    return exp(log(ms / calls) - variance / 2 + normal_p95 * sqrt(variance));
}

double
watch_statement_measured_p95(const struct watch_statement *statement, int64_t step)
{
    const struct watch_day *day = statement->day;
    size_t slot = (size_t)(step % WATCH_DAY_SLOTS);

    if (day == NULL || day->times_steps[slot] != step)
        return NAN;
    float calls = day->steps[slot] == step ? day->calls[slot] : 0;
    return day->times_calls[slot] * 2 < calls ? NAN : (double)day->times_p95_ms[slot];
}

void
watch_statements_end(struct watch_statements *statements, double now)
{
    bool has_gone = false;

    for (size_t i = 0; i < statements->capacity; i++) {
        struct watch_statement *one = &statements->table[i];
        if (one->day != NULL && one->day->times != NULL &&
            watch_times_are_over(one->day->times, now)) {
            free(one->day->times);
            one->day->times = NULL;
        }
        bool is_gone = one->is_used && one->seen != statements->reading &&
                       watch_statement_hour(one, now).calls <= 0;
        if (!is_gone)
            continue;
        clear(one);
        statements->count--;
        has_gone = true;
    }
    if (has_gone) /* open addressing has no holes */
        rebuild(statements, statements->capacity);
}

/* Into its place among the costliest found so far. */
static size_t
insert_top(struct watch_statement *top[], double *ms, size_t count, struct watch_statement *one,
           double one_ms)
{
    size_t at = count < WATCH_TOP ? count : WATCH_TOP - 1;

    if (count == WATCH_TOP && one_ms <= ms[WATCH_TOP - 1])
        return count;
    for (; at > 0 && ms[at - 1] < one_ms; at--) {
        top[at] = top[at - 1];
        ms[at] = ms[at - 1];
    }
    top[at] = one;
    ms[at] = one_ms;
    return count < WATCH_TOP ? count + 1 : count;
}

size_t
watch_statements_top(struct watch_statements *statements, double now,
                     struct watch_statement *ret_top[WATCH_TOP], struct watch_hour *ret_hour)
{
    double ms[WATCH_TOP];
    size_t count = 0;

    *ret_hour = (struct watch_hour){0};
    for (size_t i = 0; i < statements->capacity; i++) {
        struct watch_statement *one = &statements->table[i];
        if (!one->is_used)
            continue;
        struct watch_work work = watch_statement_hour(one, now);
        if (work.calls <= 0)
            continue;
        ret_hour->all.calls += work.calls;
        ret_hour->all.ms += work.ms;
        if (!one->is_own) {
            count = insert_top(ret_top, ms, count, one, work.ms);
            continue;
        }
        ret_hour->own.calls += work.calls;
        ret_hour->own.ms += work.ms;
        ret_hour->own_statements++;
    }
    for (size_t i = 0; i < count; i++) {
        if (ret_top[i]->day == NULL &&
            (ret_top[i]->day = calloc(1, sizeof(struct watch_day))) == NULL)
            abort();
    }
    return count;
}

void
watch_statement_sample(struct watch_statement *statement, const struct watch_sample *sample)
{
    struct watch_day *day = statement->day;

    if (day == NULL)
        return;
    const struct watch_sample *newest =
        &day->samples[(day->sample_count + WATCH_SAMPLES - 1) % WATCH_SAMPLES];
    if (day->sample_count == 0 || newest->pid != sample->pid || newest->runs_s > sample->runs_s)
        day->sample_count++;
    day->samples[(day->sample_count - 1) % WATCH_SAMPLES] = *sample;
}
