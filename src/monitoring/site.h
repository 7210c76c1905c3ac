/* One database of the deck under the monitoring advisor: what is there, what may be read. */
#pragma once
#include "change/advice.h"
#include "monitoring/object.h"

struct monitoring_column { /* of the server's catalogs, from `needs: column` */
    const char *relation;
    const char *name;
    bool is_there;
};

struct monitoring_right { /* what pg_monitor may do already: a row of sql/rights.sql */
    const char *schema, *table, *column;
};

struct monitoring_site {
    struct advice *advice;
    const struct deck_database *deck;
    const struct catalog_database *catalog;
    const struct monitoring_objects *objects;
    LIST_OF(struct monitoring_right) rights;
};

struct monitoring_table {
    const char *schema, *name;
};

struct monitoring_sites {
    LIST_OF(struct monitoring_site) list;
    LIST_OF(struct monitoring_column) columns; /* of the server */
    struct monitoring_objects checks;
    const char *file_search_path; /* of the configuration files; NULL: not set there */
    bool is_file_readable;
};

/* The deck's databases on the advice's server, with one round trip for the server and one for all
 * databases together. */
bool monitoring_sites_read(struct advice *advice, const struct monitoring_objects *objects,
                           struct monitoring_sites *ret_sites, struct error *err) MUST_CHECK;

/* Tables of that name, outside of other tables, with all of columns: those that are there and those
 * that this plan makes. ret_tables is filled from its start. */
struct monitoring_tables {
    LIST_OF(struct monitoring_table) list;
};
void monitoring_find_tables(const struct monitoring_site *site, const char *name,
                            const struct monitoring_names *columns,
                            struct monitoring_tables *ret_tables);

bool monitoring_may_read(const struct monitoring_site *site, const struct monitoring_table *table,
                         const struct monitoring_names *columns);
bool monitoring_may_use(const struct monitoring_site *site, const char *schema);
/* With has_own: by a right of pg_monitor's own, whatever everybody may. */
bool monitoring_may_connect(const struct monitoring_site *site, bool has_own);
/* Whether all that the object needs is there. */
bool monitoring_is_served(const struct monitoring_site *site, const struct monitoring_sites *sites,
                          const struct monitoring_object *object);
