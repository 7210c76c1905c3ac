/* Trying the configuration that an apply would lead to with the server's own programs, on a scratch
 * data directory, before the live server is touched. */
#pragma once
#include "settings/configuration.h"

/* Who hears of it; both may be NULL. note: a sentence that stays on the screen. */
struct settings_listener {
    void (*progress)(void *sink, const char *line);
    void (*note)(void *sink, const char *line);
    void *sink;
};

/* ERROR_REFUSED with the parameter's name and place, and what the server's log says. Where the
 * programs cannot be reached nothing is tried, and a note says so. */
bool settings_rehearse(struct arena *arena, const struct settings_configuration *configuration,
                       const struct settings_listener *listener, struct error *err) MUST_CHECK;
