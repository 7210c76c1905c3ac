/* Row-level security by tenant: `tenants:` of the deck. */
#pragma once
#include "change/advice.h"

bool security_advise_tenants(struct advice *advice, const struct deck_database *database,
                             struct error *err) MUST_CHECK;
/* The setting that names the tenant; "" : the login does. */
const char *security_tenant_setting(const struct deck *deck);
bool security_has_tenants(const struct deck *deck, const char *database);
