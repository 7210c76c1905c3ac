/* The statements of one server: counters of the newest reading and what each did in the last hour,
 * in steps. Owned by the memory of watch; under its lock. */
#pragma once
#include "watch/plans.h"
#include "watch/times.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCH_STATEMENTS_MAX = 20000, WATCH_TOP = 50, WATCH_DAY_SLOTS = 288, WATCH_SAMPLES = 20 };

struct watch_statement_key {
    uint32_t database_oid, role_oid;
    int64_t query_id;
};

struct watch_work { /* what was done in a time, or since the counters began */
    double calls, ms, rows, hits, reads;
    double squares; /* of the ms of each call, summed */
};

struct watch_statement {
    struct watch_statement_key key;
    bool is_used;
    unsigned seen;                     /* number of the newest reading that had it */
    double counted_since;              /* 0: not known by statement */
    struct watch_work counters, total; /* as read; since watch began */
    struct {
        int64_t step; /* time / WATCH_SLOT_S */
        float calls, ms, rows, hits, reads, squares;
    } slots[WATCH_SLOTS];
    char *query, *role;       /* NULL: not asked for yet */
    bool is_known;            /* its text; then: */
    bool is_own, is_left_out; /* pgdeck's own; or of no query */
    struct watch_work held;   /* of one that may be: calls and ms that await their text */
    uint64_t fingerprint;     /* of query; 0: unknown */
    double yesterday_ms;      /* mean; 0: unknown */
    struct watch_day *day;    /* once it was among the first; NULL */
};

struct watch_hour {             /* what was done in the last hour */
    struct watch_work all, own; /* calls and ms; own: pgdeck's part of all */
    size_t own_statements;
};

struct watch_sample { /* sessions that were seen to run it; the one that had run longest */
    double at, runs_s;
    int sessions, pid;
    char event[80], application[64]; /* event "": CPU */
};

struct watch_day {
    int64_t steps[WATCH_DAY_SLOTS];
    float calls[WATCH_DAY_SLOTS], ms[WATCH_DAY_SLOTS], squares[WATCH_DAY_SLOTS];
    struct watch_sample samples[WATCH_SAMPLES]; /* sample n is at n % WATCH_SAMPLES */
    size_t sample_count;                        /* of all time */
    struct watch_times *times;                  /* by the pool; NULL: none in the last hour */
    int64_t times_steps[WATCH_DAY_SLOTS];       /* of the p95 that the pool measured */
    float times_p95_ms[WATCH_DAY_SLOTS], times_calls[WATCH_DAY_SLOTS];
    struct watch_plans plans; /* of EXPLAIN */
    double explained_at;      /* 0: never */
    char explain_fault[200];  /* why there is no plan; "": there is */
};

struct watch_statements {
    struct watch_statement *table; /* open addressing; capacity is a power of 2 */
    size_t capacity, count;
    unsigned reading; /* 0: none yet */
    size_t left_out;  /* of the newest reading: had no room */
};

/* What a statement did since the reading before, and whose it was. */
struct watch_delta {
    struct watch_statement *statement;
    struct watch_work work;
};

void *watch_statements_new(void);
void watch_statements_free(void *statements);
void watch_statements_begin(struct watch_statements *statements);
/* One row of a reading; ret_delta: what it did since the one before. False: nothing, or nobody
 * knows. */
bool watch_statements_add(struct watch_statements *statements,
                          const struct watch_statement_key *key, double counted_since,
                          const struct watch_work *counters, double now,
                          struct watch_delta *ret_delta);
/* Whether the work of a delta is that of others; that of a statement by watch's own role is held
 * back until its text is known. */
bool watch_statement_counts(const struct watch_delta *delta, bool is_by_own_role);
/* By its text; ret_delta: what was held back. False: nothing, or it does not count. */
bool watch_statement_settle(struct watch_statement *statement, const char *query,
                            struct watch_delta *ret_delta);
/* Forgets those that were evicted and did nothing for an hour, and times that are older. */
void watch_statements_end(struct watch_statements *statements, double now);
struct watch_statement *
watch_statements_find(struct watch_statements *statements, const struct watch_statement_key *key);
/* A run that goes on replaces its sample of before. Nothing is kept of one that was never among the
 * first. */
void watch_statement_sample(struct watch_statement *statement, const struct watch_sample *sample);
/* What it did in the last hour. */
struct watch_work watch_statement_hour(const struct watch_statement *statement, double now);
/* What the pool has counted of it. Nothing is kept of one that was never among the first. */
void watch_statement_times(struct watch_statement *statement,
                           const uint32_t counts[WATCH_TIMES_BUCKETS], double now);
/* The p95 in ms that the pool measured in a step; NAN: it saw less than half of the calls. */
double watch_statement_measured_p95(const struct watch_statement *statement, int64_t step);
/* An estimate of the p95 of its calls in ms, by their mean and standard deviation as if they were
 * spread log-normally; NAN: none. */
double watch_work_p95(double calls, double ms, double squares);
/* The costliest of the last hour, at most WATCH_TOP, none of them known as pgdeck's own. */
size_t watch_statements_top(struct watch_statements *statements, double now,
                            struct watch_statement *ret_top[WATCH_TOP],
                            struct watch_hour *ret_hour);
