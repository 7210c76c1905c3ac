/* SQL text with names and values in it, as the server's own format() makes it:
 * %I an identifier, %L a literal, %d an int, %% a percent sign, and %s text that is SQL already
 * (made by pg_format, or a constant): never a name or a value from outside. */
#pragma once
#include "base/arena.h"

char *pg_format(struct arena *arena, const char *format, ...);
