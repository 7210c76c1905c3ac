/* The step that lets the server read its configuration again and waits until it has. */
#pragma once
#include "change/change.h"

extern const struct change_procedure settings_reload_procedure;
