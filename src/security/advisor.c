// SPDX-License-Identifier: MIT
#include "security/advisor.h"

#include "security/hba_file.h"
#include "security/pool_login.h"
#include "security/rights.h"
#include "security/roles.h"
#include "security/surplus.h"
#include "security/tenants.h"
#include "security/tls_files.h"

bool
security_advise(struct advice *advice, struct error *err)
{
    if (!security_advise_roles(advice, err) || !security_surplus_roles(advice, err))
        return false;
    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *database = &advice->deck->databases.items[i];
        if (database->environment->server != advice->server)
            continue;
        if (!security_advise_tenants(advice, database, err)) /* before anybody gets rights */
            return false;
        security_advise_rights(advice, database);
        if (!security_advise_pool_login(advice, database, err))
            return false;
        if (!security_surplus_rights(advice, database, err))
            return false;
    }
    return security_advise_certificate(advice, err) && security_advise_hba(advice, err);
}
