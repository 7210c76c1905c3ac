// SPDX-License-Identifier: MIT
#include "plan/journal.h"

#include "base/embed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
run(PGconn *connection, const char *file, int count, const char *const *parameters,
    PGresult **ret_result, struct error *err)
{
    if (!pg_query(connection, embedded_file(file)->text, count, parameters, ret_result, err))
        return error_wrap(err, "cannot write the journal");
    return true;
}

bool
journal_exists(PGconn *connection, bool *ret_exists, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, embedded_file("plan/sql/journal_there.sql")->text, 0, NULL, &result,
                  err)) {
        if (err->code == ERROR_PRIVILEGE)
            error_hint(err, "The schema pgdeck of database \"%s\" is another role's: apply as it.",
                       PQdb(connection));
        return false;
    }
    if (pg_value(result, 0, "stranger") != NULL) {
        error_set(err, ERROR_REFUSED, "the schema pgdeck of database \"%s\" belongs to \"%s\"",
                  PQdb(connection), pg_value(result, 0, "stranger"));
        error_detail(err, "What its owner puts there would run with the rights of \"%s\".",
                     PQuser(connection));
        return error_hint(err, "Look at what it holds; then drop it, or ALTER its and its tables' "
                               "OWNER.");
    }
    *ret_exists = pg_bool(result, 0, "is_there");
    return true;
}

bool
journal_ensure(PGconn *connection, struct error *err)
{
    bool exists;

    if (!journal_exists(connection, &exists, err))
        return false;
    if (exists)
        return true;
    if (!pg_execute(connection, embedded_file("plan/sql/journal_create.sql")->text, err)) {
        error_wrap(err, "cannot create the journal (schema pgdeck) in database \"%s\"",
                   PQdb(connection));
        if (err->code == ERROR_PRIVILEGE)
            error_hint(err, "The role \"%s\" needs CREATE on the database.", PQuser(connection));
        return false;
    }
    return true;
}

bool
journal_begin(PGconn *connection, const struct deck *deck, const char *server, bool is_only_restart,
              char ret_id[APPLY_ID_LENGTH + 1], bool *ret_is_resumed, struct error *err)
{
    AUTO_PGRESULT unfinished = NULL;
    AUTO_PGRESULT begun = NULL;
    char host[64] = "";
    char pid[16];
    const char *which[3] = {server, deck->name, is_only_restart ? "true" : "false"};

    if (!run(connection, "plan/sql/apply_unfinished.sql", 3, which, &unfinished, err))
        return false;
    gethostname(host, sizeof(host) - 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    const char *id = PQntuples(unfinished) > 0 ? PQgetvalue(unfinished, 0, 0) : NULL;
    const char *parameters[6] = {id, deck->name, server, host, pid, PGDECK_VERSION};
    if (!run(connection, "plan/sql/apply_begin.sql", 6, parameters, &begun, err))
        return false;
    snprintf(ret_id, APPLY_ID_LENGTH + 1, "%s", PQgetvalue(begun, 0, 0));
    *ret_is_resumed = id != NULL;
    return true;
}

bool
journal_end(PGconn *connection, const char *id, const char *state, struct error *err)
{
    const char *parameters[2] = {id, state};
    AUTO_PGRESULT result = NULL;

    return run(connection, "plan/sql/apply_end.sql", 2, parameters, &result, err);
}

bool
journal_last_seq(PGconn *connection, const char *id, int *ret_seq, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!run(connection, "plan/sql/journal_seq.sql", 1, &id, &result, err))
        return false;
    *ret_seq = (int)pg_integer(result, 0, "seq");
    return true;
}

bool
journal_start_change(PGconn *connection, const char *id, int seq, const struct change *change,
                     struct error *err)
{
    char number[16];
    AUTO_PGRESULT result = NULL;

    snprintf(number, sizeof(number), "%d", seq);
    const char *parameters[12] = {
        id,
        number,
        change->advisor,
        change->key,
        change->what,
        change->sql != NULL ? change->sql : change->file,
        change->undo,
        change->undo_guard,
        change->undo_guard_database,
        change->is_transactional ? "true" : "false",
        change->needs_restart  ? "restart"
        : change->needs_reload ? "reload"
                               : NULL,
        change->declared,
    };
    return run(connection, "plan/sql/journal_start.sql", 12, parameters, &result, err);
}

bool
journal_end_change(PGconn *connection, const char *id, int seq, const char *state,
                   const char *observed, const char *message, struct error *err)
{
    char number[16];
    AUTO_PGRESULT result = NULL;

    snprintf(number, sizeof(number), "%d", seq);
    const char *parameters[5] = {id, number, state, observed, message};
    return run(connection, "plan/sql/journal_end.sql", 5, parameters, &result, err);
}
