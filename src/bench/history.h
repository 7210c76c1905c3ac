/* Earlier runs, as their results.json tells, and a gate for the next one. Values live in the arena
 * given. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct bench_figures { /* of one query or work of a suite on the server after */
    const char *work;
    double p50_ms, p95_ms, p99_ms, rate; /* 0: not known */
    double failed;                       /* share that failed or had no answer */
};

/* What a run was made under; two runs that differ in it cannot be compared without more. */
struct bench_condition {
    const char *name, *text;
    double number;    /* text NULL */
    bool is_measured; /* never quite the same */
};

struct bench_record {
    const char *folder, *started, *database, *command;
    const char *stopped; /* NULL: ran to its end */
    const char *pgdeck;
    double times, low, high; /* of the queries; 0: none */
    double lost, doubled;    /* AI tasks on the server after */
    LIST_OF(struct bench_figures) figures;
    LIST_OF(struct bench_condition) conditions;
};
struct bench_records {
    LIST_OF(struct bench_record) list;
};

/* path: a results.json or the folder that has one. */
bool bench_record_read(struct arena *arena, const char *path, struct bench_record *ret_record,
                       struct error *err) MUST_CHECK;
/* NULL: the run does not have it. */
const struct bench_figures *bench_record_find(const struct bench_record *record, const char *work);
/* In what they differ, a text each: "seed 1 and 2". What only one of them knows is passed over. */
struct bench_differences {
    LIST_OF(const char *) list;
};
struct bench_differences bench_record_differences(struct arena *arena,
                                                  const struct bench_record *older,
                                                  const struct bench_record *newer);
/* Those of the folders below folder and of the folders below these, the oldest first. None, or no
 * folder of that name, is fine; what cannot be read is left out. */
void bench_records_find(struct arena *arena, const char *folder, struct bench_records *ret_records);

/* "p95:+5%": p95 may be up to 5 % longer; "rate:-5%": the rate may be up to 5 % lower. */
struct bench_gate {
    const char *text, *metric;
    double limit; /* share, above 0 */
};
bool bench_gate_read(struct arena *arena, const char *text, struct bench_gate *ret_gate,
                     struct error *err) MUST_CHECK;

/* One work of two runs. */
struct bench_change {
    const char *work;
    double before, after; /* in the unit of the metric; 0: not known */
    double share;         /* by how much after is worse; below 0: better */
    double failed;        /* share of after; where it has grown that is over any gate */
    bool is_failing;      /* it has */
    bool is_missing;      /* the newer run does not have it */
    bool is_over;         /* worse than the gate allows, or missing */
};
struct bench_changes {
    LIST_OF(struct bench_change) list;
    size_t over;
};
/* What the newer run says of each work of the older one, by the metric of the gate. */
void bench_gate_apply(struct arena *arena, const struct bench_gate *gate,
                      const struct bench_record *older, const struct bench_record *newer,
                      struct bench_changes *ret_changes);
