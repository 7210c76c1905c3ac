// SPDX-License-Identifier: MIT
#include "security/set_password.h"

#include "base/embed.h"
#include "pg/connection.h"
#include "pg/script.h"
#include "security/password.h"

#include <openssl/crypto.h>
#include <string.h>

/* The verifier is no password, but need not be in the server's log either. */
static bool
keep_out_of_log(struct change_execution *execution, struct error *err)
{
    const char *is_superuser = PQparameterStatus(execution->connection, "is_superuser");

    if (is_superuser == NULL || strcmp(is_superuser, "on") != 0)
        return true;
    return pg_execute(execution->connection, embedded_file("security/sql/quiet.sql")->text, err);
}

static bool
set_password(struct change_execution *execution, struct error *err)
{
    const struct set_password *set = execution->change->argument;
    struct arena *arena = execution->arena;
    const char *password;

    if (!password_find_or_make(arena, set->deck, set->role, &password, err))
        return false;
    char *verifier =
        PQencryptPasswordConn(execution->connection, password, set->role, "scram-sha-256");
    if (verifier == NULL) {
        error_set(err, ERROR_INTERNAL, "cannot make the password verifier of role \"%s\"",
                  set->role);
        return error_detail(err, "%s", PQerrorMessage(execution->connection));
    }
    char *statement = pg_script(arena, "security/sql/set_password.sql",
                                PG_VARIABLES({"role", set->role}, {"verifier", verifier}));
    bool is_set =
        keep_out_of_log(execution, err) && pg_execute(execution->connection, statement, err);
    OPENSSL_cleanse(statement, strlen(statement));
    OPENSSL_cleanse(verifier, strlen(verifier));
    PQfreemem(verifier);
    return is_set;
}

const struct change_procedure set_password_procedure = {"set_password", set_password};
