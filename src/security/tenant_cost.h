/* What row-level security costs: the rows of one tenant are read by its policy and, without it, by
 * the same condition in the query, in turn, as whoever reads them. Changes nothing. */
#pragma once
#include "change/advice.h"

struct tenant_cost {
    const char *database, *schema, *table;
    const char *why_not;                /* NULL: it was measured */
    double rows;                        /* that the tenant has */
    double guarded_ms, bare_ms;         /* planning and running, the quickest of a few each */
    double guarded_cpu_ms, bare_cpu_ms; /* of the server's process, the least; 0: not known here */
    double guarded_pages, bare_pages;   /* of shared buffers, read or not */
    const char *index;   /* that the policy's condition uses; NULL: none, all is read */
    bool is_read_whole;  /* with the policy, and not without it */
    const char *useless; /* indexes that no tenant's query can use; NULL: none */
};
struct tenant_costs {
    LIST_OF(struct tenant_cost) list;
};

/* Of all guarded tables of the deck's databases on the server; partitions are read through their
 * table. */
bool security_tenant_costs(const struct advice *advice, struct tenant_costs *costs,
                           struct error *err) MUST_CHECK;
