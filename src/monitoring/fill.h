/* What goes into the objects of the schema monitoring at apply: the deck's values, the checks. */
#pragma once
#include "monitoring/site.h"

/* The object's SQL for this database: where it says so, with the deck's values or the checks. */
const char *monitoring_fill(const struct monitoring_site *site,
                            const struct monitoring_sites *sites,
                            const struct monitoring_object *object);
/* The deck's limit of that name ("cache_hit_warning") as text; NULL: it says nothing of it. */
const char *monitoring_limit(struct arena *arena, const struct deck *deck, const char *name);
