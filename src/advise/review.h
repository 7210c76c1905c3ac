/* What became of indexes that were built between two snapshots: whether they are used, and whether
 * the statements that use them got faster. */
#pragma once
#include "advise/run.h"
#include "advise/snapshot.h"

struct advise_change { /* of one statement */
    const char *sql;
    double before_ms, after_ms; /* mean of one run; before_ms 0: it did not run then */
    double calls;               /* since then */
};

enum advise_verdict { ADVISE_FASTER, ADVISE_UNKNOWN, ADVISE_NOT_FASTER, ADVISE_UNUSED };

struct advise_reviewed {
    const char *schema, *name, *table, *definition;
    bool is_partitioned;
    double scans;
    LIST_OF(struct advise_change) statements; /* whose plan uses it */
    enum advise_verdict verdict;
    const char *drop_sql; /* proposed; NULL: it stays */
};
struct advise_review {
    const char *since, *until;
    LIST_OF(struct advise_reviewed) list;
};

/* before: when they were not there yet. now: scans as counted, statements with before subtracted.
 * The run's sessions are open. Constraints' indexes are left out. */
bool advise_review(struct advise *run, const struct advise_snapshot *before,
                   const struct advise_snapshot *now, struct advise_review *ret_review,
                   struct error *err) MUST_CHECK;
