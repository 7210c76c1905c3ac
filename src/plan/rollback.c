// SPDX-License-Identifier: MIT
#include "plan/rollback.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/interrupt.h"
#include "plan/journal.h"
#include "plan/lock.h"
#include "plan/plan.h"
#include "plan/restart.h"
#include "plan/retry.h"
#include "plan/session.h"
#include "security/hba_file.h"
#include "security/password.h"
#include "security/tls_files.h"
#include "settings/conf.h"
#include "settings/configuration.h"
#include "settings/kept.h"
#include "settings/reload.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    const char *database; /* NULL: of the conninfo */
    int seq;
    const char *key, *what, *undo, *undo_guard, *undo_guard_database, *needs;
    bool is_transactional;
};

struct rollback {
    struct arena *arena;
    const struct deck *deck;
    const struct deck_server *server;
    const struct rollback_options *options;
    struct rollback_outcome *outcome;
    const char *id;
    struct plan_sessions sessions;
    LIST_OF(struct entry) entries;
    struct catalog_server catalog; /* without its connections; see read_host */
    struct settings_host host;
    bool has_host;
    bool has_undone_files;
    bool needs_reload, needs_restart;
    bool has_left; /* something that a later rollback could still undo */
};

/* --- what is to undo ---------------------------------------------------------------------- */

static bool
is_of_deck(const struct rollback *rollback, const char *database)
{
    const struct deck *deck = rollback->deck;

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment->server == rollback->server &&
            strcmp(deck->databases.items[i].name, database) == 0)
            return true;
    }
    return false;
}

/* The journal of a database that this deck does not name (any more) may be somebody else's, from
 * another deck: what this role may not read or trust, it has not written. */
static bool
has_entries(struct rollback *rollback, const char *database, PGconn *connection, bool *ret_has,
            struct error *err)
{
    if (journal_exists(connection, ret_has, err))
        return true;
    if (database == NULL || is_of_deck(rollback, database) ||
        (err->code != ERROR_PRIVILEGE && err->code != ERROR_REFUSED))
        return false;
    error_clear(err);
    *ret_has = false;
    return true;
}

static bool
read_entries(struct rollback *rollback, const char *database, struct error *err)
{
    PGconn *connection;
    bool exists;
    AUTO_PGRESULT result = NULL;

    if (!plan_session_open(&rollback->sessions, database, &connection, err) ||
        !has_entries(rollback, database, connection, &exists, err))
        return false;
    if (!exists)
        return true;
    if (!pg_query(connection, embedded_file("plan/sql/journal_undoable.sql")->text, 1,
                  &rollback->id, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct entry *entry = LIST_ADD(rollback->arena, &rollback->entries);
        entry->database = database;
        entry->seq = (int)pg_integer(result, row, "seq");
        entry->key = pg_keep(rollback->arena, result, row, "key");
        entry->what = pg_keep(rollback->arena, result, row, "what");
        entry->undo = pg_keep(rollback->arena, result, row, "undo");
        entry->undo_guard = pg_keep(rollback->arena, result, row, "undo_guard");
        entry->undo_guard_database = pg_keep(rollback->arena, result, row, "undo_guard_database");
        entry->needs = pg_keep(rollback->arena, result, row, "needs");
        entry->is_transactional = pg_bool(result, row, "is_transactional");
    }
    return true;
}

static int
later_first(const void *left, const void *right)
{
    return ((const struct entry *)right)->seq - ((const struct entry *)left)->seq;
}

static bool
read_all_entries(struct rollback *rollback, struct error *err)
{
    PGconn *connection;
    AUTO_PGRESULT databases = NULL;

    if (!plan_session_open(&rollback->sessions, NULL, &connection, err) ||
        !pg_query(connection, embedded_file("plan/sql/journal_databases.sql")->text, 0, NULL,
                  &databases, err))
        return false;
    const char *own = PQdb(connection);
    for (int row = 0; row < PQntuples(databases); row++) {
        const char *name = pg_keep(rollback->arena, databases, row, "name");
        if (!pg_bool(databases, row, "can_connect") && !is_of_deck(rollback, name))
            continue;
        if (!read_entries(rollback, strcmp(name, own) == 0 ? NULL : name, err))
            return false;
    }
    if (rollback->entries.count > 0)
        qsort(rollback->entries.items, rollback->entries.count, sizeof(struct entry), later_first);
    return true;
}

/* --- undoing ------------------------------------------------------------------------------ */

static void
tell(struct rollback *rollback, const struct entry *entry, const char *verdict)
{
    if (rollback->options->on_change != NULL)
        rollback->options->on_change(rollback->options->sink, rollback->server->name,
                                     entry->database, entry->what, verdict);
}

static bool
is_guard_satisfied(struct rollback *rollback, const struct entry *entry, bool *ret_is_safe,
                   const char **ret_reason, struct error *err)
{
    PGconn *connection;
    AUTO_PGRESULT result = NULL;
    const char *database =
        entry->undo_guard_database != NULL ? entry->undo_guard_database : entry->database;

    *ret_is_safe = true;
    *ret_reason = "holds data now";
    if (entry->undo_guard == NULL || rollback->options->has_drop_data)
        return true;
    if (!plan_session_open(&rollback->sessions, database, &connection, err) ||
        !pg_query(connection, entry->undo_guard, 0, NULL, &result, err)) {
        /* The guarded thing itself may be gone already: then there is nothing to lose. */
        if (strcmp(err->sqlstate, "42P01") != 0 && err->code != ERROR_NO_DATABASE)
            return false;
        error_clear(err);
        return true;
    }
    *ret_is_safe = PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    int column = PQfnumber(result, "reason");
    if (column >= 0 && PQntuples(result) == 1 && !PQgetisnull(result, 0, column))
        *ret_reason = arena_strdup(rollback->arena, PQgetvalue(result, 0, column));
    return true;
}

static bool
mark(struct rollback *rollback, const struct entry *entry, const char *state, const char *message,
     struct error *err)
{
    PGconn *connection;

    return plan_session_open(&rollback->sessions, entry->database, &connection, err) &&
           journal_end_change(connection, rollback->id, entry->seq, state, NULL, message, err);
}

static bool
undo_in_transaction(struct rollback *rollback, const struct entry *entry, PGconn *connection,
                    const struct plan_retry *retry, struct error *err)
{
    struct error ignored;

    if (!plan_retry_begin(retry, connection, err))
        return false;
    crash_point();
    if (pg_execute(connection, entry->undo, err) &&
        pg_execute(connection, "RESET ROLE; SET LOCAL search_path = pg_catalog, pg_temp", err) &&
        mark(rollback, entry, "undone", NULL, err) && pg_execute(connection, "COMMIT", err))
        return true;
    if (PQstatus(connection) == CONNECTION_OK && !pg_execute(connection, "ROLLBACK", &ignored))
        return false;
    return false;
}

/* --- configuration files ------------------------------------------------------------------ */

static bool
read_host(struct rollback *rollback, struct error *err)
{
    struct pg_target target = plan_target(rollback->server, NULL);

    if (rollback->has_host)
        return true;
    if (!catalog_read(rollback->arena, &target, rollback->server->name, NULL, 0, &rollback->catalog,
                      err))
        return false;
    rollback->has_host =
        settings_host_read(rollback->arena, &rollback->catalog, &rollback->host, err);
    catalog_release(&rollback->catalog);
    return rollback->has_host;
}

static bool
is_of_file(const struct entry *entry)
{
    return entry->undo != NULL &&
           strncmp(entry->undo, SETTINGS_FILE_UNDO, strlen(SETTINGS_FILE_UNDO)) == 0;
}

/* All entries of pgdeck.conf at once, when the first of them is to be undone. */
static bool
undo_files(struct rollback *rollback, struct error *err)
{
    LIST_OF(const char *) lines = {0};

    if (rollback->has_undone_files)
        return true;
    if (!read_host(rollback, err))
        return false;
    if (!rollback->host.is_here) {
        error_set(err, ERROR_REFUSED, "%s of server \"%s\" cannot be reached: %s", CONF_OWN_NAME,
                  rollback->server->name, rollback->host.why_not);
        return error_hint(err, "Run rollback on the server's host, as root or its owner.");
    }
    for (size_t i = 0; i < rollback->entries.count; i++) {
        if (is_of_file(&rollback->entries.items[i]))
            *LIST_ADD(rollback->arena, &lines) = rollback->entries.items[i].undo;
    }
    const struct kept_undo undo = {rollback->server->name, rollback->id, lines.items, lines.count};
    rollback->has_undone_files = kept_undo_own(rollback->arena, &rollback->host, &undo, err);
    return rollback->has_undone_files;
}

/* The undo of an index's drop builds it again. After a kill in the middle it is there already:
 * whole, or invalid, and then it goes before it is built once more. */
static bool
undo_again(const struct entry *entry, PGconn *connection, struct error *err)
{
    struct error fault = *err;
    AUTO_PGRESULT leftover = NULL;

    if (strcmp(err->sqlstate, "42P07") != 0)
        return false;
    error_clear(err);
    if (!pg_query(connection, embedded_file("plan/sql/undo_leftover.sql")->text, 1, &entry->key,
                  &leftover, err))
        return false;
    if (PQntuples(leftover) == 0) {
        *err = fault;
        return false;
    }
    return pg_bool(leftover, 0, "is_valid") ||
           (pg_execute(connection, pg_value(leftover, 0, "drop_sql"), err) &&
            pg_execute(connection, entry->undo, err));
}

/* Files of the server's that a change has put there by itself. */
static const struct {
    const char *what, *mark; /* of the ways back */
    bool (*undo)(const struct change_execution *execution, const struct settings_host *host,
                 const struct security_databases *databases, const char *undo, struct error *err);
} host_files[] = {{"pg_hba.conf", HBA_UNDO, hba_undo}, {"the certificate", TLS_UNDO, tls_undo}};
enum { HOST_FILE_COUNT = sizeof(host_files) / sizeof(host_files[0]) };

/* Its row; HOST_FILE_COUNT: it is not of such a file. */
static size_t
host_file_of(const struct entry *entry)
{
    size_t i = 0;

    while (i < HOST_FILE_COUNT && (entry->undo == NULL || strncmp(entry->undo, host_files[i].mark,
                                                                  strlen(host_files[i].mark)) != 0))
        i++;
    return i;
}

static bool
undo_host_file(struct rollback *rollback, const struct entry *entry, PGconn *connection,
               struct error *err)
{
    const struct pg_target target = plan_target(rollback->server, NULL);
    const struct change_execution execution = {
        .arena = rollback->arena, .connection = connection, .target = &target};
    const struct security_databases databases =
        security_databases_of(rollback->arena, rollback->deck, rollback->server);

    if (!read_host(rollback, err))
        return false;
    if (!rollback->host.is_here) {
        error_set(err, ERROR_REFUSED, "%s of server \"%s\" cannot be reached: %s",
                  host_files[host_file_of(entry)].what, rollback->server->name,
                  rollback->host.why_not);
        return error_hint(err, "Run rollback on the server's host, as root or its owner.");
    }
    return host_files[host_file_of(entry)].undo(&execution, &rollback->host, &databases,
                                                entry->undo, err);
}

/* One statement that cannot be in a transaction. A database that goes must have no session. */
static bool
undo_alone(struct rollback *rollback, const struct entry *entry, PGconn *connection,
           struct error *err)
{
    if (entry->undo_guard_database != NULL)
        plan_session_close(&rollback->sessions, entry->undo_guard_database);
    if (host_file_of(entry) < HOST_FILE_COUNT ? !undo_host_file(rollback, entry, connection, err)
        : is_of_file(entry)
            ? !undo_files(rollback, err)
            : !pg_execute(connection, entry->undo, err) && !undo_again(entry, connection, err))
        return false;
    crash_point();
    return mark(rollback, entry, "undone", NULL, err);
}

static bool
undo_with_retries(struct rollback *rollback, const struct entry *entry, struct error *err)
{
    struct plan_retry retry;
    PGconn *connection;

    if (!plan_session_open(&rollback->sessions, entry->database, &connection, err))
        return false;
    plan_retry_init(&retry, rollback->deck);
    for (;;) {
        bool is_undone = entry->is_transactional
                             ? undo_in_transaction(rollback, entry, connection, &retry, err)
                             : undo_alone(rollback, entry, connection, err);
        if (is_undone)
            return true;
        if (!plan_retry_again(&retry, err))
            return false;
    }
}

/* "dependent objects still exist", "is being accessed by other users": left standing, not fatal. */
static bool
is_in_use(const struct error *err)
{
    return strcmp(err->sqlstate, "2BP01") == 0 || strcmp(err->sqlstate, "55006") == 0;
}

static bool
is_of_password(const struct entry *entry)
{
    return strncmp(entry->key, "password ", strlen("password ")) == 0;
}

/* Of a login that goes while the other stays: from here on the other is the one to log in with.
 * First, so that a kill leaves no password of a role that is gone. */
static bool
forget_password(struct rollback *rollback, const struct entry *entry, struct error *err)
{
    struct arena *arena = rollback->arena;
    struct password_logins logins;

    if (!is_of_password(entry))
        return true;
    const char *role = entry->key + strlen("password ");
    if (!password_logins(arena, rollback->deck->name, role, &logins, err))
        return false;
    if (!logins.is_known[0] || !logins.is_known[1])
        return true;
    rollback->outcome->has_other_login = true;
    return password_forget(arena, rollback->deck->name, role, err);
}

static bool
keep_entry(struct rollback *rollback, const struct entry *entry, const char *reason,
           struct error *err)
{
    tell(rollback, entry, arena_printf(rollback->arena, "kept: %s", reason));
    rollback->outcome->kept++;
    rollback->has_left = rollback->has_left || entry->undo != NULL;
    return rollback->options->is_dry_run || mark(rollback, entry, "kept", reason, err);
}

static bool
undo_entry(struct rollback *rollback, const struct entry *entry, struct error *err)
{
    const char *reason;
    bool is_safe;

    if (strcmp(entry->key, PLAN_RESTART_KEY) == 0)
        return rollback->options->is_dry_run || mark(rollback, entry, "undone", NULL, err);
    if (entry->undo == NULL)
        return keep_entry(rollback, entry, "cannot be undone", err);
    if (!is_guard_satisfied(rollback, entry, &is_safe, &reason, err))
        return false;
    if (!is_safe)
        return keep_entry(rollback, entry,
                          arena_printf(rollback->arena, "%s (--drop-data removes it)", reason),
                          err);
    if (rollback->options->is_dry_run) {
        tell(rollback, entry, "would be undone");
        rollback->outcome->undone++;
        return true;
    }
    if (!forget_password(rollback, entry, err))
        return false;
    bool is_undone = undo_with_retries(rollback, entry, err);
    if (!is_undone && is_of_password(entry) && strcmp(err->sqlstate, "42704") == 0) {
        error_clear(err); /* its role is gone */
        is_undone = mark(rollback, entry, "undone", NULL, err);
    }
    if (!is_undone && is_in_use(err)) {
        reason = arena_strdup(rollback->arena, err->message);
        error_clear(err);
        return keep_entry(rollback, entry, reason, err);
    }
    if (!is_undone)
        return error_wrap(err, "cannot undo \"%s\"", entry->what);
    tell(rollback, entry, "undone");
    rollback->outcome->undone++;
    return true;
}

/* --- one server --------------------------------------------------------------------------- */

/* The files are as they were before the apply; now the server takes that in. */
static bool
reload(struct rollback *rollback, struct error *err)
{
    PGconn *connection;

    if (!rollback->needs_reload)
        return true;
    if (!read_host(rollback, err))
        return false;
    if (rollback->host.is_here &&
        !kept_restore_auto(rollback->arena, &rollback->host, rollback->id, err))
        return false;
    crash_point();
    return plan_session_open(&rollback->sessions, NULL, &connection, err) &&
           settings_reload(rollback->arena, connection, err);
}

static bool
finish_server(struct rollback *rollback, struct error *err)
{
    PGconn *connection;

    if (rollback->options->is_dry_run)
        return true;
    if (!reload(rollback, err) || !plan_session_open(&rollback->sessions, NULL, &connection, err) ||
        !journal_end(connection, rollback->id, rollback->has_left ? "failed" : "rolled back", err))
        return false;
    if (rollback->has_host && rollback->host.is_here && !rollback->has_left)
        kept_remove(rollback->arena, &rollback->host, rollback->id);
    plan_sessions_close(&rollback->sessions);
    if (!rollback->needs_restart || !rollback->options->has_restart) {
        rollback->outcome->needs_restart |= rollback->needs_restart;
        return true;
    }
    return plan_restart(rollback->arena, rollback->server, &rollback->catalog, &rollback->host,
                        err);
}

static bool
find_apply(struct rollback *rollback, struct error *err)
{
    PGconn *connection;
    bool exists;
    AUTO_PGRESULT result = NULL;
    const char *parameters[2] = {rollback->server->name, rollback->deck->name};

    if (!plan_session_open(&rollback->sessions, NULL, &connection, err) ||
        !journal_exists(connection, &exists, err))
        return false;
    if (!exists)
        return true;
    if (!pg_query(connection, embedded_file("plan/sql/apply_newest.sql")->text, 2, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) > 0)
        rollback->id = pg_keep(rollback->arena, result, 0, "id");
    return true;
}

/* Also of changes that an earlier rollback has undone before it was killed: the server may not have
 * heard of that yet. Keeps what it runs with, for a restart that fails with what is taken back. */
static bool
read_needs(struct rollback *rollback, struct error *err)
{
    PGconn *connection;
    AUTO_PGRESULT result = NULL;

    if (!plan_session_open(&rollback->sessions, NULL, &connection, err) ||
        !pg_query(connection, embedded_file("plan/sql/journal_needs.sql")->text, 1, &rollback->id,
                  &result, err))
        return false;
    rollback->needs_reload = pg_bool(result, 0, "reload");
    rollback->needs_restart = pg_bool(result, 0, "restart");
    if (!rollback->needs_restart || !rollback->options->has_restart ||
        rollback->options->is_dry_run)
        return true;
    return read_host(rollback, err) &&
           plan_keep_running(rollback->arena, &rollback->catalog, &rollback->host, err);
}

static bool
undo_server(struct rollback *rollback, struct error *err)
{
    if (!find_apply(rollback, err))
        return false;
    if (rollback->id == NULL)
        return true;
    rollback->outcome->has_nothing = false;
    if (!read_all_entries(rollback, err) || !read_needs(rollback, err))
        return false;
    for (size_t i = 0; i < rollback->entries.count; i++) {
        if (is_interrupted())
            return interrupt_error(err);
        if (!undo_entry(rollback, &rollback->entries.items[i], err))
            return false;
    }
    return finish_server(rollback, err);
}

bool
plan_rollback(struct arena *arena, const struct deck *deck, const struct rollback_options *options,
              struct rollback_outcome *ret_outcome, struct error *err)
{
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    ret_outcome->has_nothing = true;
    for (size_t i = deck->servers.count; i-- > 0;) {
        if (options->servers != NULL && !options->servers[i])
            continue;
        AUTO_PGCONN lock = NULL;
        struct rollback rollback = {
            .arena = arena,
            .deck = deck,
            .server = &deck->servers.items[i],
            .options = options,
            .outcome = ret_outcome,
            .sessions = {.arena = arena, .server = &deck->servers.items[i]},
        };
        if (!plan_lock(rollback.server, "rollback", options->is_waiting, &lock, err))
            return false;
        bool is_fine = undo_server(&rollback, err);
        plan_sessions_close(&rollback.sessions);
        if (!is_fine)
            return false;
    }
    return true;
}
