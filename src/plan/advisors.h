/* The table of advisors. A new concern is one folder and one row in advisors.c. */
#pragma once
#include "change/advice.h"

struct advisor {
    const char *name; /* also of `--only` and the deck's `advisors:` */
    enum deck_advisor flag;
    advise_function *advise;
};

extern const struct advisor advisors[];
extern const size_t advisor_count;
