/* The deck's own settings against the server itself, before anything is changed. */
#pragma once
#include "settings/input.h"

/* False with the first fault (ERROR_DECK with its place; the detail tells how many more). Sessions
 * read only, and are left as they were. Notes go to the advice's changes, if it has any. */
bool settings_check_live(const struct advice *advice, const struct settings_input *input,
                         struct error *err) MUST_CHECK;
