/* Faults in the statements themselves, which no index mends, and how they would be written without.
 */
#pragma once
#include "advise/copy.h"

enum advise_fault_kind {
    ADVISE_OUTER_JOIN, /* LEFT JOIN, and a WHERE that drops what it kept */
    ADVISE_MULTIPLIED, /* rows counted once for each row of another table that is joined to them */
    ADVISE_OFFSET,     /* pages by OFFSET read all pages before */
    ADVISE_WRAPPED,    /* a function around a column that has an index */
};

struct advise_fault {
    enum advise_fault_kind kind;
    size_t statement;
    const char *text;      /* what is wrong, one sentence or two */
    const char *rewritten; /* NULL: no form is known */
    const char *checked;   /* form of rewritten that can be run beside it; NULL: rewritten itself */
    bool changes_rows;     /* the fault is in the result: the rewritten one differs, and is right */
};

struct advise_faults {
    LIST_OF(struct advise_fault) list;
};

/* After advise_run. */
void advise_find_faults(struct advise *run, struct advise_faults *ret_faults);
const char *advise_fault_word(enum advise_fault_kind kind); /* "outer join" */

enum advise_equality { ADVISE_EQUAL_ROWS, ADVISE_OTHER_ROWS, ADVISE_NOT_COMPARED };
/* Runs both on the copy, with each set of values. ret_why: why they were not compared. */
bool advise_compare(struct advise *run, struct advise_copy *copy, const struct advise_fault *fault,
                    enum advise_equality *ret_equality, const char **ret_why,
                    struct error *err) MUST_CHECK;
