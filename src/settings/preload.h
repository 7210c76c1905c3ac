/* Libraries that pgdeck wants a server to preload: added to those that are there, only if they are
 * really installed. */
#pragma once
#include "settings/libraries.h"
#include "settings/rules.h"

enum settings_preloaded {
    PRELOAD_STATEMENTS,
    PRELOAD_EXPLAIN,
    PRELOAD_PREWARM,
    PRELOAD_AUDIT, /* only where the deck asks for an audit */
    PRELOADS
};

/* Fills in input->libraries. */
void settings_preload_read(struct settings_input *input);
/* Whether the server loads the library, or will after the next restart. */
bool settings_is_preloaded(const struct settings_input *input, enum settings_preloaded library);
/* What the user should know: libraries that are missing, or cannot be found out about. */
void settings_note_libraries(const struct advice *advice, const struct settings_input *input);
