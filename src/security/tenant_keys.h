/* Foreign keys between tenants' tables that have the tenant column in them: without it a row may
 * refer to another tenant's, since PostgreSQL checks them past the policies. The deck's own key
 * stays as it is; a further one with the column stands beside it. */
#pragma once
#include "change/advice.h"

struct tenant_keys; /* those of the tables that are there; in the arena */

bool security_read_tenant_keys(const struct advice *advice, const struct deck_database *database,
                               struct tenant_keys **ret_keys, struct error *err) MUST_CHECK;
/* Rows of the plan: indexes, then keys, then their validation. What fails of them keeps nothing
 * else from being done. */
void security_add_tenant_keys(struct advice *advice, const struct deck_database *database,
                              const struct tenant_keys *keys);
/* schema.table.name of each: text[] */
const char *security_known_tenant_keys(struct arena *arena, const struct tenant_keys *keys);
/* The script for the tables that the same apply makes. known: of those that have rows of their own.
 * In the arena. */
const char *security_new_tenant_keys(const struct advice *advice, const char *known);
