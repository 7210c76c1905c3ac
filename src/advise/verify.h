/* What proposed indexes are really worth: the statements run on a copy, without and with them. */
#pragma once
#include "advise/copy.h"

struct advise_timing {                /* of a statement */
    double before_ms, after_ms;       /* medians, the mean of these over the sets of values */
    double before_pages, after_pages; /* read or found in memory, in the last run; means */
    size_t pairs, faster, slower;     /* of runs, one with the indexes and one without */
    bool is_reading;      /* a SELECT: indexes that its plan leaves out change nothing */
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

/* Faster or slower: four of five pairs say so, the medians differ by a tenth, and the pages go the
 * same way; or all pairs say so, and one median is twice the other. Unclear: the times alone say
 * so, and not that much: that may be what else the machine did. */
enum advise_effect { ADVISE_SAME, ADVISE_GAIN, ADVISE_LOSS, ADVISE_UNCLEAR };
enum advise_effect advise_effect_of(const struct advise_timing *timing);

/* Builds, and runs each statement (of the sampled ones each set of values) in five pairs, with the
 * indexes and without, in transactions that are rolled back; without: the transaction drops them.
 */
bool advise_verify(struct advise *run, struct advise_copy *copy, struct advise_proof *ret_proof,
                   struct error *err) MUST_CHECK;
