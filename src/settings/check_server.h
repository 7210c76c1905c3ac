/* What only the server and its host can tell of the deck's settings: libraries, files, addresses,
 * huge pages, what needs replication slots. */
#pragma once
#include "settings/input.h"
#include "settings/semantics.h"

void settings_check_server(const struct settings_view *view, const struct settings_input *input);
/* The libraries of a list that are not installed are faults at its value. */
void settings_check_libraries(const struct settings_view *view, const struct settings_input *input,
                              const struct settings_figure *figure);
