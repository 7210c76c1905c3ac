/* The step that lets the server read its configuration again, waits until it has, and looks at what
 * came of it. */
#pragma once
#include "change/change.h"

/* Its argument: the plan's settings_configuration. When the server does not take it, the old
 * configuration is put back and read again, and the error says so. */
extern const struct change_procedure settings_reload_procedure;

/* Only reloads and waits. */
bool settings_reload(struct arena *arena, PGconn *connection, struct error *err) MUST_CHECK;
