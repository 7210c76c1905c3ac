/* Rights that the roles of the deck, or everybody, have beyond what the deck gives: rows of the
 * plan that only apply --revoke does. */
#pragma once
#include "change/advice.h"

/* Attributes and memberships of the deck's owners, services and logins, and of the roles that it
 * lists; rights on parameters. */
bool security_surplus_roles(struct advice *advice, struct error *err) MUST_CHECK;
/* In one database, its tables, sequences, schemas, functions and default privileges; of tenants
 * that log in, on the table that says who they are. */
bool security_surplus_rights(struct advice *advice, const struct deck_database *database,
                             struct error *err) MUST_CHECK;
