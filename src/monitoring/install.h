/* The changes that bring the objects of the schema monitoring into one database. */
#pragma once
#include "monitoring/site.h"

/* Adds a change for each object that fits the database and is missing, or is not as pgdeck would
 * make it; reads from the database only when there is one of the latter kind. */
bool monitoring_install(const struct monitoring_site *site, const struct monitoring_sites *sites,
                        struct error *err) MUST_CHECK;
