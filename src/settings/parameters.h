/* What each version of PostgreSQL says of its parameters, and of those of the extensions that
 * pgdeck preloads: for checking and deriving without a server. From parameters.tsv, which
 * tools/parameters writes. */
#pragma once
#include "pg/catalog.h"

enum { PARAMETERS_OLDEST = 14, PARAMETERS_NEWEST = 18 };

/* One of them; NULL: that version has none of this name. */
const struct catalog_setting *settings_parameter(struct arena *arena, int major, const char *name);
/* The settings of a fresh server of that version (14 to 18), sorted by name. Words of enums that
 * depend on how a server was built (lz4, io_uring) are not among them. */
void settings_parameters(struct arena *arena, int major, struct catalog_server *catalog);
