/* Foreign keys between tenants' tables that have the tenant column in them: without it a row may
 * refer to another tenant's, since PostgreSQL checks them past the policies. The deck's own key
 * stays as it is; a further one with the column stands beside it. */
#pragma once
#include "change/advice.h"

/* Adds rows for the tables that are there. ret_known: text[] of the keys that they are about, for
 * security_new_tenant_keys. */
bool security_advise_tenant_keys(struct advice *advice, const struct deck_database *database,
                                 const char **ret_known, struct error *err) MUST_CHECK;
/* The script for the tables that the same apply makes. In the arena. */
const char *security_new_tenant_keys(const struct advice *advice, const char *known);
