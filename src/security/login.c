// SPDX-License-Identifier: MIT
#include "security/login.h"

struct security_databases
security_databases_of(struct arena *arena, const struct deck *deck,
                      const struct deck_server *server)
{
    struct security_databases databases = {0};

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment->server == server)
            *LIST_ADD(arena, &databases.names) = deck->databases.items[i].name;
    }
    return databases;
}

static bool
log_in(const struct pg_target *target, struct error *err)
{
    AUTO_PGCONN connection = NULL;

    return pg_connect(target, &connection, err);
}

bool
security_check_login(const struct pg_target *target, const struct security_databases *databases,
                     struct error *err)
{
    struct pg_target other = *target;

    if (!log_in(target, err))
        return error_wrap(err, "a new login fails");
    for (size_t i = 0; i < databases->names.count; i++) {
        other.database = databases->names.items[i];
        if (log_in(&other, err))
            continue;
        if (err->code != ERROR_NO_DATABASE)
            return error_wrap(err, "a new login to database \"%s\" fails", other.database);
        error_clear(err);
    }
    return true;
}
