/* Which statements of pg_stat_statements are pgdeck's own. Any thread. */
#pragma once
#include <stdbool.h>

enum { WATCH_TEXT_MAX = 4000 }; /* characters of a statement that are asked for */

/* query: as pg_stat_statements shows it, with $1, $2 ... for its constants; NULL: is unknown. */
bool watch_is_own(const char *query);
