/* What proposed indexes are really worth: the statements run on a copy, without and with them. */
#pragma once
#include "advise/copy.h"

struct advise_timing { /* of a statement */
    double before_ms, after_ms;
    const char *problem;  /* why it did not run; NULL */
    LIST_OF(size_t) used; /* choices that its plan uses afterwards */
};
struct advise_built { /* of a choice */
    double build_ms, size_bytes;
    const char *problem;
};

struct advise_proof {
    struct advise_timing *timings; /* one a statement of the run */
    struct advise_built *built;    /* one a choice */
};

/* Runs each statement (of the sampled ones each set of values) three times, in transactions that
 * are rolled back; builds; runs them again. */
bool advise_verify(struct advise *run, struct advise_copy *copy, struct advise_proof *ret_proof,
                   struct error *err) MUST_CHECK;
