/* Parameters of PostgreSQL that the deck sets itself: `settings:` of a server or an environment.
 * They win over what pgdeck would derive. Constant, of the deck. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

struct deck_setting {
    const char *name;
    struct place place;       /* of the name */
    struct place value_place; /* of the value */
    const char *value;        /* as PostgreSQL reads it; of a list "a, b" */
};
struct deck_settings {
    LIST_OF(struct deck_setting) list;
};

/* By its name, in any case of letters; NULL: the deck does not set it. */
const struct deck_setting *
deck_find_setting(const struct deck_settings *settings, const char *name);
