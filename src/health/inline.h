/* Health checks read views of the schema monitoring. Where it is not installed, or is another
 * pgdeck's, they run all the same: the views' own text is put in their place. */
#pragma once
#include "deck/deck.h"
#include "monitoring/object.h"

struct health_names {
    LIST_OF(const char *) list;
};

struct health_inline {
    struct arena *arena;
    const struct deck *deck;
    const struct monitoring_objects *objects;
    const struct health_names *missing_columns; /* of the server: "pg_catalog.rel.column" */
    const struct health_names *installed; /* tables and functions of monitoring in the database */
};

bool health_names_have(const struct health_names *names, const char *name);
/* Whether the server has what the check or object was written for. */
bool health_is_served(const struct health_inline *in, const struct monitoring_object *object);
/* The check's SELECT for one database. ret_missing: NULL, or the function that is not installed
 * there and that it cannot do without. */
const char *health_inline_sql(const struct health_inline *in, const struct monitoring_object *check,
                              const char **ret_missing);
