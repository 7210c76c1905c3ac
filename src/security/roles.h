/* The roles of the deck's environments and those that it lists itself. */
#pragma once
#include "change/advice.h"

bool security_advise_roles(struct advice *advice, struct error *err) MUST_CHECK;

/* Services of an environment: those with a pool, and those that its databases name. */
struct security_services {
    LIST_OF(const char *) names;
};
struct security_services
security_services_of(const struct advice *advice, const struct deck_environment *environment);
/* Roles without a login that the deck lets into a database. */
struct security_roles {
    LIST_OF(const char *) names;
};
struct security_roles security_roles_in(struct arena *arena, const struct deck_database *database);
/* Whether the applying role is member of a role, directly or through others. */
bool
security_is_member(const struct catalog_server *catalog, const char *member, const char *group);
/* The logins of a service that are there or wanted: "..._a", and "..._b" after a rotation. */
struct security_logins {
    const char *names[2];
    size_t count;
};
struct security_logins security_logins_of(const struct advice *advice,
                                          const struct deck_environment *environment,
                                          const char *service);
