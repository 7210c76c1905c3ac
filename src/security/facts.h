/* What the deck says of who may do what on a server, as JSON: the parameter of the checks. */
#pragma once
#include "change/advice.h"

/* {"environments": [{name, owner, tls, audit, allow: [], databases: [],
 *   services: [{name, role, limit, mode, logins: []}]}],
 *  roles: [{name, groups: []}], tenants: {column, setting, databases: []}}. In the arena. */
const char *security_facts(struct arena *arena, const struct advice *advice);
