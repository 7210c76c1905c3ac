// SPDX-License-Identifier: MIT
#include "security/tls_files.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/owned_file.h"
#include "base/state.h"
#include "net/tls.h"
#include "pg/certificate.h"
#include "pg/script.h"
#include "settings/reload.h"

#include <string.h>
#include <unistd.h>

#define KEY "certificate"
#define NONE "none"

enum { SHOWN_TIMEOUT_MS = 2000, SHOWN_WAIT_MS = 5000, STEP_MS = 50 };

/* Where the server has them, and whether it uses them. */
struct place_of_files {
    const char *certificate, *key;
    bool has_tls;
};

/* Two texts in PEM; NULL: there is none. */
struct pair {
    const char *certificate, *key;
    const char *fingerprint; /* of the certificate; NONE: no certificate */
};

/* What is done, by apply and by rollback. The argument of the change. */
struct tls_edit {
    struct arena *arena;
    const struct settings_host *host;
    struct pair wanted;
    bool has_tls; /* afterwards */
    const struct pg_target *target;
    struct security_databases databases;
};

static const char *
sql(const char *name)
{
    AUTO_ARENA arena = arena_new();

    return embedded_file(arena_printf(arena, "security/sql/%s.sql", name))->text;
}

/* --- what is there ------------------------------------------------------------------------ */

static bool
read_place(struct arena *arena, const char *data_directory, PGconn *connection,
           struct place_of_files *ret_place, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, sql("tls_state"), 0, NULL, &result, err))
        return error_wrap(err, "cannot tell where the server's certificate is");
    const char *folder = data_directory == NULL ? "" : data_directory;
    const char *certificate = pg_value(result, 0, "certificate"), *key = pg_value(result, 0, "key");
    ret_place->certificate = certificate[0] == '/'
                                 ? arena_strdup(arena, certificate)
                                 : arena_printf(arena, "%s/%s", folder, certificate);
    ret_place->key =
        key[0] == '/' ? arena_strdup(arena, key) : arena_printf(arena, "%s/%s", folder, key);
    ret_place->has_tls = pg_bool(result, 0, "has_tls");
    return true;
}

static const char *
fingerprint_of(struct arena *arena, const char *pem)
{
    struct pg_certificate certificate;
    struct error ignored = {0};

    if (pem == NULL || !pg_certificate_read(arena, pem, &certificate, &ignored))
        return NONE;
    return certificate.fingerprint;
}

static bool
read_pair(struct arena *arena, const struct settings_host *host, const struct place_of_files *place,
          struct pair *ret_pair, struct error *err)
{
    struct owned_file certificate, key;

    if (!owned_file_read(arena, place->certificate, &host->user, &certificate, err) ||
        !owned_file_read(arena, place->key, &host->user, &key, err))
        return false;
    *ret_pair = (struct pair){certificate.text, key.text, fingerprint_of(arena, certificate.text)};
    return true;
}

/* --- copies on this host ------------------------------------------------------------------ */

static bool
copy_paths(struct arena *arena, const struct settings_host *host, const char *label,
           struct pair *ret_paths, struct error *err)
{
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    const char *folder = arena_printf(arena, "%s/configuration/%s", state, host->name);
    ret_paths->certificate = arena_printf(arena, "%s/%s.crt", folder, label);
    ret_paths->key = arena_printf(arena, "%s/%s.key", folder, label);
    return file_make_folder(folder, 0700, err);
}

/* What a later rollback puts back. */
static bool
keep_pair(const struct tls_edit *edit, const struct pair *pair, struct error *err)
{
    struct pair paths;

    if (pair->certificate == NULL || pair->key == NULL)
        return true;
    return copy_paths(edit->arena, edit->host, pair->fingerprint, &paths, err) &&
           file_write(paths.key, pair->key, strlen(pair->key), 0600, err) &&
           file_write(paths.certificate, pair->certificate, strlen(pair->certificate), 0600, err);
}

/* --- putting them in place ---------------------------------------------------------------- */

static bool
put_file(const struct tls_edit *edit, const char *path, const char *text, struct error *err)
{
    const struct process_user *user = &edit->host->user;

    if (text == NULL)
        return owned_file_remove(path, user, err);
    const struct owned_file file = {.exists = true,
                                    .text = arena_strdup(edit->arena, text),
                                    .length = strlen(text),
                                    .uid = user->uid,
                                    .gid = user->gid,
                                    .mode = 0600};
    return owned_file_make(path, user, &file, err);
}

static bool
switch_tls(struct arena *arena, PGconn *connection, bool has_tls, struct error *err)
{
    return pg_execute(connection,
                      pg_script(arena, "security/sql/tls_switch.sql",
                                PG_VARIABLES({"value", has_tls ? "on" : "DEFAULT"})),
                      err);
}

static bool
write_pair(const struct tls_edit *edit, const struct place_of_files *place, const struct pair *pair,
           bool has_tls, PGconn *connection, struct error *err)
{
    return put_file(edit, place->key, pair->key, err) &&
           put_file(edit, place->certificate, pair->certificate, err) &&
           (has_tls == place->has_tls || switch_tls(edit->arena, connection, has_tls, err)) &&
           settings_reload(edit->arena, connection, err);
}

/* The server says nothing when it keeps the former certificate, other than in its log. It reads its
 * files a moment after its settings. Without a socket of TCP nobody is shown anything. */
static bool
check_shown(const struct tls_edit *edit, PGconn *connection, struct error *err)
{
    struct pg_certificate shown;
    bool has_tls, was_reached = false;

    for (int waited_ms = 0; edit->has_tls && waited_ms < SHOWN_WAIT_MS; waited_ms += STEP_MS) {
        if (!pg_certificate_shown(edit->arena, connection, SHOWN_TIMEOUT_MS, &shown, &has_tls, err))
            return false;
        if (has_tls && strcmp(shown.fingerprint, edit->wanted.fingerprint) == 0)
            return true;
        was_reached |= has_tls;
        if (!interrupt_sleep_ms(STEP_MS, err))
            return false;
    }
    if (!edit->has_tls || !was_reached)
        return true;
    error_set(err, ERROR_REFUSED, "the server still shows another certificate");
    return error_hint(err, "Its log says why.");
}

static bool
put_back(const struct tls_edit *edit, const struct place_of_files *place, const struct pair *before,
         PGconn *connection, struct error *err)
{
    struct place_of_files now = *place;
    struct error back = {0};

    err->code = ERROR_REFUSED;
    now.has_tls = edit->has_tls;
    if (write_pair(edit, &now, before, place->has_tls, connection, &back))
        return error_wrap(err, "the new certificate does not hold; the old one is back");
    error_wrap(err, "the new certificate does not hold");
    return error_detail(err, "Nor could the old one be put back: %s.", back.message);
}

/* A kill in between is no lockout: the server keeps what it has read, and the next apply goes on.
 */
static bool
put_pair(const struct tls_edit *edit, PGconn *connection, struct error *err)
{
    struct place_of_files place;
    struct pair before;

    if (!read_place(edit->arena, edit->host->data_directory, connection, &place, err) ||
        !read_pair(edit->arena, edit->host, &place, &before, err) || !keep_pair(edit, &before, err))
        return false;
    crash_point();
    if (write_pair(edit, &place, &edit->wanted, edit->has_tls, connection, err) &&
        check_shown(edit, connection, err) &&
        security_check_login(edit->target, &edit->databases, err))
        return true;
    return err->code != ERROR_INTERRUPTED && put_back(edit, &place, &before, connection, err);
}

static bool
run_put(struct change_execution *execution, struct error *err)
{
    struct tls_edit edit = *(const struct tls_edit *)execution->change->argument;

    edit.arena = execution->arena;
    edit.target = execution->target;
    return put_pair(&edit, execution->connection, err);
}

static const struct change_procedure put_procedure = {"certificate", run_put};

bool
tls_undo(const struct change_execution *execution, const struct settings_host *host,
         const struct security_databases *databases, const char *undo, struct error *err)
{
    struct arena *arena = execution->arena;
    struct tls_edit edit = {
        .arena = arena, .host = host, .target = execution->target, .databases = *databases};
    const char *fingerprint = undo + strlen(TLS_UNDO);
    size_t length = strcspn(fingerprint, " \n");
    char *certificate = NULL, *key = NULL;
    struct pair paths;
    size_t bytes;

    edit.has_tls = strncmp(fingerprint + length, " on", 3) == 0;
    edit.wanted.fingerprint = arena_strndup(arena, fingerprint, length);
    if (strcmp(edit.wanted.fingerprint, NONE) != 0 &&
        (!copy_paths(arena, host, edit.wanted.fingerprint, &paths, err) ||
         !file_read(arena, paths.certificate, &certificate, &bytes, err) ||
         !file_read(arena, paths.key, &key, &bytes, err)))
        return error_wrap(err, "the former certificate is not kept on this machine");
    edit.wanted.certificate = certificate;
    edit.wanted.key = key;
    return put_pair(&edit, execution->connection, err);
}

/* --- the advisor -------------------------------------------------------------------------- */

/* The deck's files, which must be good before anything is touched. */
static bool
read_wanted(const struct advice *advice, struct pair *ret_pair, struct pg_certificate *ret_told,
            struct error *err)
{
    const struct deck_server *server = advice->server;
    const struct net_tls_files files = {.certificate = server->certificate,
                                        .key = server->certificate_key};
    char *certificate, *key;
    size_t length;
    struct net_tls *tls = net_tls_for_clients(&files, err);
    bool is_fine = tls != NULL &&
                   file_read(advice->arena, server->certificate, &certificate, &length, err) &&
                   file_read(advice->arena, server->certificate_key, &key, &length, err) &&
                   pg_certificate_read(advice->arena, certificate, ret_told, err);

    net_tls_drop(tls);
    if (!is_fine) {
        error_wrap(err, "certificate of server \"%s\"", server->name);
        return error_place(err, server->place);
    }
    *ret_pair = (struct pair){certificate, key, ret_told->fingerprint};
    return true;
}

static void
add_manual(const struct advice *advice, const struct pg_certificate *told, const char *obstacle)
{
    change_list_manual(
        advice->changes,
        &(struct change_manual){
            .server = advice->server->name,
            .place = advice->server->place,
            .key = KEY,
            .what = arena_printf(advice->arena, "let the server show the certificate of %s",
                                 told->subject),
            .why = "certificate of the server in the deck",
            .obstacle = obstacle,
            .remedy = arena_printf(advice->arena,
                                   "put %s and %s where ssl_cert_file and ssl_key_file say (the "
                                   "key 0600), ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();",
                                   advice->server->certificate, advice->server->certificate_key),
        });
}

static void
add_change(const struct advice *advice, const struct settings_host *host,
           const struct place_of_files *place, const struct pair *wanted, const struct pair *before,
           const struct pg_certificate *told)
{
    struct arena *arena = advice->arena;
    struct tls_edit *edit = ARENA_NEW(arena, struct tls_edit);

    *edit = (struct tls_edit){
        .host = host,
        .wanted = *wanted,
        .has_tls = true,
        .databases = security_databases_of(arena, advice->deck, advice->server),
    };
    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .key = KEY,
            .phase = CHANGE_ROLE,
            .action = strcmp(before->fingerprint, NONE) == 0 ? CHANGE_CREATE : CHANGE_ALTER,
            .what = arena_printf(arena, "let the server show the certificate of %s, good until %s",
                                 told->subject, told->ends),
            .why = place->has_tls ? "certificate of the server in the deck"
                                  : "certificate of the server in the deck; TLS is off",
            .place = advice->server->place,
            .file = place->certificate,
            .sql = arena_printf(arena, "-- SHA-256 %s%s", told->fingerprint,
                                place->has_tls ? "" : "\nALTER SYSTEM SET ssl = on;"),
            .procedure = &put_procedure,
            .argument = edit,
            .undo = arena_printf(arena, TLS_UNDO "%s %s", before->fingerprint,
                                 place->has_tls ? "on" : "off"),
            .declared = told->fingerprint,
            .needs_reload = true,
        });
}

/* What clients see decides; where none can ask over TCP, the file. */
static bool
is_shown(const struct advice *advice, const struct place_of_files *place, const char *fingerprint,
         const char *in_file, bool *ret_is_shown, struct error *err)
{
    struct pg_certificate shown;
    bool has_tls;

    if (!pg_certificate_shown(advice->arena, advice->catalog->connection, SHOWN_TIMEOUT_MS, &shown,
                              &has_tls, err))
        return false;
    bool is_right =
        has_tls ? strcmp(shown.fingerprint, fingerprint) == 0 : place->has_tls && in_file != NULL;
    *ret_is_shown = is_right && (in_file == NULL || strcmp(in_file, fingerprint) == 0);
    return true;
}

bool
security_advise_certificate(struct advice *advice, struct error *err)
{
    struct settings_host *host = ARENA_NEW(advice->arena, struct settings_host);
    struct place_of_files place;
    struct pair wanted = {.fingerprint = NONE}, before = wanted;
    struct pg_certificate told;
    bool is_right;

    if (advice->server->certificate == NULL)
        return true;
    if (!read_wanted(advice, &wanted, &told, err) ||
        !settings_host_read(advice->arena, advice->catalog, host, err) ||
        !read_place(advice->arena, host->data_directory, advice->catalog->connection, &place,
                    err) ||
        (host->is_here && !read_pair(advice->arena, host, &place, &before, err)) ||
        !is_shown(advice, &place, wanted.fingerprint, host->is_here ? before.fingerprint : NULL,
                  &is_right, err))
        return false;
    if (is_right)
        return true;
    if (advice->catalog->patroni[0] != '\0')
        add_manual(advice, &told, "Patroni runs this server");
    else if (!host->is_here)
        add_manual(advice, &told, host->why_not);
    else if (!advice->catalog->is_superuser)
        add_manual(advice, &told, "this role may not let the server read its files again");
    else if (!owned_file_is_writable(place.certificate, &host->user) ||
             !owned_file_is_writable(place.key, &host->user))
        add_manual(advice, &told, "the server's owner cannot write there");
    else
        add_change(advice, host, &place, &wanted, &before, &told);
    return true;
}

bool
security_turns_tls_on(const struct advice *advice)
{
    for (size_t i = 0; i < advice->changes->changes.count; i++) {
        const struct change *change = &advice->changes->changes.items[i];
        if (change->procedure == &put_procedure &&
            strcmp(change->server, advice->server->name) == 0)
            return true;
    }
    return false;
}
