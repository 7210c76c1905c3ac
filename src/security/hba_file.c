// SPDX-License-Identifier: MIT
#include "security/hba_file.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/owned_file.h"
#include "base/state.h"
#include "pg/script.h"
#include "security/hba.h"
#include "security/roles.h"
#include "security/tls_files.h"
#include "settings/reload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "pg_hba.conf"

static const char *
sql(const char *name)
{
    AUTO_ARENA arena = arena_new();

    return embedded_file(arena_printf(arena, "security/sql/%s.sql", name))->text;
}

/* --- putting it in place ------------------------------------------------------------------ */

/* Kept until the new file has proved itself: the file as it was, and as pgdeck wrote it. What a
 * kill in between has left goes back only while the file is still what pgdeck wrote. */
struct copies {
    const char *before, *written;
};

static bool
find_copies(struct arena *arena, const struct settings_host *host, struct copies *ret_copies,
            struct error *err)
{
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    const char *folder = arena_printf(arena, "%s/configuration/%s", state, host->name);
    ret_copies->before = arena_printf(arena, "%s/pg_hba.conf.before", folder);
    ret_copies->written = arena_printf(arena, "%s/pg_hba.conf.written", folder);
    return file_make_folder(folder, 0700, err);
}

static bool
is_text_of(struct arena *arena, const char *path, const char *text)
{
    struct error ignored;
    char *kept;
    size_t length;

    return file_exists(path) && file_read(arena, path, &kept, &length, &ignored) &&
           strcmp(kept, text) == 0;
}

/* Behind links: they stay what they are, and the file that they lead to is replaced, with the
 * rights of the server's user. */
static const char *
resolve(struct arena *arena, const char *path)
{
    char *target = realpath(path, NULL);
    const char *kept = target == NULL ? path : arena_strdup(arena, target);

    free(target);
    return kept;
}

/* More exact than the server, which tells whole seconds. */
static bool
is_newer(const char *file, int64_t read_us)
{
    struct stat status;

    return stat(file, &status) == 0 &&
           (int64_t)status.st_mtim.tv_sec * 1000000 + status.st_mtim.tv_nsec / 1000 > read_us;
}

/* ret_files: what was edited and not read since; NULL: nothing. To put such a file back would not
 * bring back what the server holds. is_here: the files can be looked at. */
static bool
find_unread(struct arena *arena, PGconn *connection, bool is_here, const char **ret_files,
            struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *files = NULL;

    if (!pg_query(connection, sql("hba_unread"), 0, NULL, &result, err))
        return error_wrap(err, "cannot read pg_hba.conf");
    for (int row = 0; row < PQntuples(result); row++) {
        const char *file = pg_value(result, row, "file");
        if (!pg_bool(result, row, "is_unread") &&
            !(is_here && is_newer(file, strtoll(pg_value(result, row, "read_us"), NULL, 10))))
            continue;
        files =
            files == NULL ? arena_strdup(arena, file) : arena_printf(arena, "%s, %s", files, file);
    }
    *ret_files = files;
    return true;
}

/* The first is what tells that there are any. */
static void
drop_copies(const struct copies *copies)
{
    unlink(copies->before);
    unlink(copies->written);
}

static bool
check_lines(PGconn *connection, struct error *err)
{
    AUTO_PGRESULT faults = NULL;

    if (!pg_query(connection, sql("hba_faults"), 0, NULL, &faults, err))
        return false;
    if (PQntuples(faults) == 0)
        return true;
    return error_set(err, ERROR_REFUSED, "%s is faulty: %s", pg_value(faults, 0, "line"),
                     pg_value(faults, 0, "error"));
}

/* Whether the old one is back. */
static bool
put_back(const struct hba_edit *edit, PGconn *connection, const struct owned_file *before,
         struct error *err)
{
    struct error back = {0};

    err->code = ERROR_REFUSED;
    if (owned_file_write(edit->path, &edit->host->user, before, &back) &&
        settings_reload(edit->arena, connection, &back)) {
        error_wrap(err, "the new pg_hba.conf does not hold; the old one is back");
        return true;
    }
    error_wrap(err, "the new pg_hba.conf does not hold");
    return error_detail(err, "Nor could the old one be put back: %s.", back.message);
}

static bool
refuse_unread(const char *files, struct error *err)
{
    error_set(err, ERROR_REFUSED, "the server has not read %s since it was edited", files);
    return error_hint(err, "SELECT pg_reload_conf() lets it be read; or take the edit back.");
}

/* The file to begin with: as it is, unless it is what a killed pgdeck wrote and did not prove. That
 * one is replaced first, so that at every point the file is one that is told. */
static bool
read_before(const struct hba_edit *edit, PGconn *connection, const struct copies *copies,
            struct owned_file *ret_before, struct error *err)
{
    struct arena *arena = edit->arena;
    const char *unread;
    char *kept;
    size_t length;

    if (!owned_file_read(arena, edit->path, &edit->host->user, ret_before, err))
        return false;
    if (!ret_before->exists)
        return error_set(err, ERROR_FILE, "\"%s\" is not there", edit->path);
    if (file_exists(copies->before) && is_text_of(arena, copies->before, ret_before->text))
        return true;
    if (!file_exists(copies->before) || !is_text_of(arena, copies->written, ret_before->text))
        return find_unread(arena, connection, true, &unread, err) &&
               (unread == NULL || refuse_unread(unread, err));
    if (!file_read(arena, copies->before, &kept, &length, err))
        return false;
    ret_before->text = kept;
    ret_before->length = length;
    return owned_file_write(edit->path, &edit->host->user, ret_before, err);
}

static bool
write_after(const struct hba_edit *edit, const struct copies *copies,
            const struct owned_file *before, struct error *err)
{
    struct owned_file after = *before;

    after.text = arena_strdup(edit->arena, hba_replace(edit->arena, before->text, edit->part));
    after.length = strlen(after.text);
    if (!file_write(copies->written, after.text, after.length, 0600, err))
        return false;
    crash_point();
    if (!file_write(copies->before, before->text, before->length, 0600, err))
        return false;
    crash_point();
    return owned_file_write(edit->path, &edit->host->user, &after, err);
}

bool
hba_put(const struct hba_edit *edit, PGconn *connection, struct error *err)
{
    struct owned_file before;
    struct copies copies;

    if (!find_copies(edit->arena, edit->host, &copies, err) ||
        !read_before(edit, connection, &copies, &before, err) ||
        !write_after(edit, &copies, &before, err))
        return false;
    crash_point();
    bool is_fine = check_lines(connection, err) && settings_reload(edit->arena, connection, err) &&
                   security_check_login(edit->target, &edit->databases, err);
    if (!is_fine && err->code == ERROR_INTERRUPTED)
        return false; /* the next apply begins with what is kept */
    crash_point();
    if (is_fine || put_back(edit, connection, &before, err))
        drop_copies(&copies);
    return is_fine;
}

static bool
run_put(struct change_execution *execution, struct error *err)
{
    struct hba_edit edit = *(const struct hba_edit *)execution->change->argument;

    edit.arena = execution->arena;
    edit.target = execution->target;
    return hba_put(&edit, execution->connection, err);
}

static const struct change_procedure put_procedure = {"pg_hba.conf", run_put};

bool
hba_undo(const struct change_execution *execution, const struct settings_host *host,
         const struct security_databases *databases, const char *undo, struct error *err)
{
    AUTO_PGRESULT text = NULL;

    if (!pg_query(execution->connection, sql("hba_text"), 0, NULL, &text, err))
        return false;
    const struct hba_edit edit = {.arena = execution->arena,
                                  .host = host,
                                  .path = resolve(execution->arena, pg_value(text, 0, "file")),
                                  .part = undo + strlen(HBA_UNDO),
                                  .target = execution->target,
                                  .databases = *databases};
    return hba_put(&edit, execution->connection, err);
}

/* --- the advisor -------------------------------------------------------------------------- */

/* What is wanted and what is there. */
struct hba_state {
    const char *path;
    struct hba_lines wanted;
    const char *text;              /* of the file; NULL: not for this role to read */
    const char *part;              /* pgdeck's; "" : none */
    const char *unread;            /* files that were edited and not read; NULL: none */
    bool is_unfinished, is_edited; /* a killed pgdeck wrote it; somebody else did since */
    bool is_dead;                  /* its lines for TLS would let nobody in */
};

static bool
wants_tls(const struct advice *advice)
{
    const struct deck *deck = advice->deck;

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if (environment->server == advice->server && environment->has_tls_required)
            return true;
    }
    return false;
}

static bool
read_own(const struct advice *advice, struct hba_own *own, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct arena *arena = advice->arena;
    PGconn *connection = advice->catalog->connection;
    const char *values[] = {PQconnectionUsedPassword(connection) ? "true" : "false",
                            wants_tls(advice) ? "true" : "false"};

    if (!pg_query(connection, sql("hba_own"), 2, values, &result, err))
        return error_wrap(err, "cannot read pg_hba.conf");
    for (int row = 0; row < PQntuples(result); row++) {
        *LIST_ADD(arena, &own->ways) = (struct hba_way){
            .address = pg_keep(arena, result, row, "address"),
            .type = pg_keep(arena, result, row, "type"),
            .method = pg_keep(arena, result, row, "method"),
            .options = pg_keep(arena, result, row, "options"),
        };
        own->role = pg_keep(arena, result, row, "role");
    }
    return true;
}

static bool
read_state(const struct advice *advice, struct hba_state *state, struct error *err)
{
    struct hba_own own = {.role = advice->catalog->role};
    AUTO_PGRESULT text = NULL;

    *state = (struct hba_state){.part = "", .wanted = {.text = ""}};
    if (advice->catalog->is_superuser) {
        if (!read_own(advice, &own, err) ||
            !find_unread(advice->arena, advice->catalog->connection, advice->catalog->is_local,
                         &state->unread, err) ||
            !pg_query(advice->catalog->connection, sql("hba_text"), 0, NULL, &text, err))
            return false;
        state->path = resolve(advice->arena, pg_value(text, 0, "file"));
        state->text = pg_keep(advice->arena, text, 0, "text");
        const char *part = hba_part(advice->arena, state->text);
        state->part = part == NULL ? "" : part;
    }
    state->wanted = hba_render(advice, &own);
    return true;
}

/* Who is connected and would not be let in again, by what the lines say of role, database, address
 * and TLS. */
static bool
find_shut_out(const struct advice *advice, const struct hba_lines *lines, const char **ret_warning,
              struct error *err)
{
    struct arena *arena = advice->arena;
    size_t count = lines->list.count;
    const char **columns[4];
    AUTO_PGRESULT result = NULL;

    *ret_warning = NULL;
    for (size_t i = 0; i < 4; i++)
        columns[i] = ARENA_ARRAY(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        columns[0][i] = lines->list.items[i].database;
        columns[1][i] = lines->list.items[i].roles;
        columns[2][i] = lines->list.items[i].network;
        columns[3][i] = lines->list.items[i].has_tls ? "t" : "f";
    }
    const char *parameters[5] = {
        pg_text_array(arena, lines->databases.items, lines->databases.count)};
    for (size_t i = 0; i < 4; i++)
        parameters[i + 1] = pg_text_array(arena, columns[i], count);
    if (!pg_query(advice->catalog->connection, sql("hba_shut_out"), 5, parameters, &result, err))
        return false;
    const char *names = pg_value(result, 0, "names");
    if (names != NULL)
        *ret_warning = arena_printf(arena, "these will not get in again: %s", names);
    return true;
}

static void
read_copies(const struct advice *advice, const struct settings_host *host, struct hba_state *state)
{
    struct error ignored;
    struct copies copies;

    if (!host->is_here || !find_copies(advice->arena, host, &copies, &ignored) ||
        !file_exists(copies.before))
        return;
    state->is_unfinished = true;
    state->is_edited = !is_text_of(advice->arena, copies.written, state->text) &&
                       !is_text_of(advice->arena, copies.before, state->text);
}

static void
add_manual(const struct advice *advice, const struct hba_state *state, const char *obstacle)
{
    change_list_manual(
        advice->changes,
        &(struct change_manual){
            .server = advice->server->name,
            .place = advice->server->place,
            .key = KEY,
            .what = "let clients in from the deck's networks only",
            .why = "security: allow of its environments",
            .obstacle = state->is_dead ? "tls: required, and ssl is off: its lines would let "
                                         "nobody in"
                                       : obstacle,
            .remedy = state->is_dead
                          ? "turn TLS on; the next apply writes the lines"
                          : arena_printf(advice->arena,
                                         "pgdeck security render hba shows the lines for the "
                                         "beginning of %s, and the commands",
                                         state->path),
        });
}

static const char *
join(struct arena *arena, const char *first, const char *second)
{
    return second == NULL ? first : arena_printf(arena, "%s; %s", first, second);
}

/* Lines that name a login whose rotation is under way are not taken back when the former login is
 * gone by then. NULL: no rotation is. */
static const char *
guard_of(const struct advice *advice)
{
    struct arena *arena = advice->arena;
    LIST_OF(const char *) names = {0};

    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *database = &advice->deck->databases.items[i];
        for (size_t j = 0; j < database->services.count; j++) {
            struct security_logins logins =
                security_logins_of(advice, database->environment, database->services.items[j]);
            for (size_t k = 0; logins.count == 2 && k < 2; k++) {
                if (catalog_find_role(advice->catalog, logins.names[k]) != NULL)
                    *LIST_ADD(arena, &names) = logins.names[k];
            }
        }
    }
    if (names.count == 0)
        return NULL;
    return pg_script(arena, "security/sql/guard_logins.sql",
                     PG_VARIABLES({"names", pg_text_array(arena, names.items, names.count)}));
}

static bool
add_change(const struct advice *advice, const struct hba_state *state,
           const struct settings_host *host, struct error *err)
{
    struct arena *arena = advice->arena;
    struct hba_edit *edit = ARENA_NEW(arena, struct hba_edit);
    const char *wanted = state->wanted.text, *shut_out;
    const char *edited = "an apply did not come to its end, and pg_hba.conf has been edited "
                         "since: what it says below pgdeck's lines stays";

    if (!find_shut_out(advice, &state->wanted, &shut_out, err))
        return false;
    if (state->is_edited)
        shut_out = join(arena, edited, shut_out);
    if (state->unread != NULL && (state->is_edited || !state->is_unfinished))
        shut_out = join(arena,
                        arena_printf(arena,
                                     "%s was edited and not read since: apply refuses it until "
                                     "SELECT pg_reload_conf()",
                                     state->unread),
                        shut_out);
    edit->host = host;
    edit->path = state->path;
    edit->part = wanted;
    edit->databases = security_databases_of(arena, advice->deck, advice->server);
    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .key = KEY,
            .phase = CHANGE_GRANT,
            .action = *state->part == '\0' ? CHANGE_CREATE : CHANGE_ALTER,
            .what = *wanted == '\0' ? "take pgdeck's lines out of pg_hba.conf"
                                    : "let clients in from the deck's networks only",
            .why = "security: allow of its environments; the first lines of pg_hba.conf",
            .warning = shut_out,
            .place = advice->server->place,
            .file = state->path,
            .sql = strcmp(state->part, wanted) == 0
                       ? "-- the same lines: an apply that did not come to its end tried them"
                       : hba_difference(arena, state->part, wanted),
            .procedure = &put_procedure,
            .argument = edit,
            .undo = arena_printf(arena, HBA_UNDO "%s", state->part),
            .undo_guard = guard_of(advice),
            .declared = wanted,
            .needs_reload = true,
        });
    return true;
}

/* Whether lines for TLS would let nobody in: the server has none, and no row of this plan turns it
 * on. */
static bool
find_dead(const struct advice *advice, struct hba_state *state, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(advice->catalog->connection, sql("tls_state"), 0, NULL, &result, err))
        return error_wrap(err, "cannot tell whether the server has TLS");
    state->is_dead =
        wants_tls(advice) && !pg_bool(result, 0, "has_tls") && !security_turns_tls_on(advice);
    return true;
}

static void
add_tls(const struct advice *advice)
{
    struct arena *arena = advice->arena;
    const struct deck_server *server = advice->server;

    if (server->certificate != NULL)
        return; /* its own row says why it cannot be put there */
    change_list_manual(
        advice->changes,
        &(struct change_manual){
            .server = server->name,
            .place = server->place,
            .key = "tls",
            .what = "turn TLS on",
            .why = "security: tls: required of its environments, and ssl is off on the server",
            .obstacle =
                arena_printf(arena, "the deck gives server \"%s\" no certificate", server->name),
            .remedy = "certificate and certificate_key of the server in the deck, and apply turns "
                      "it on; or put both where ssl_cert_file and ssl_key_file say, ALTER SYSTEM "
                      "SET ssl = on; SELECT pg_reload_conf();",
        });
}

bool
security_advise_hba(struct advice *advice, struct error *err)
{
    struct settings_host *host = ARENA_NEW(advice->arena, struct settings_host);
    struct hba_state state;

    if (!read_state(advice, &state, err) ||
        !settings_host_read(advice->arena, advice->catalog, host, err) ||
        !find_dead(advice, &state, err))
        return false;
    if (state.is_dead)
        add_tls(advice);
    if (state.wanted.left_out != NULL)
        change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                         "\"%s\" has a line break and cannot be written in pg_hba.conf: nothing is "
                         "said of it there.",
                         state.wanted.left_out);
    if (state.text == NULL) {
        if (*state.wanted.text != '\0')
            change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                             "Who may come from where (security: allow) is decided where this role "
                             "cannot look: pgdeck security render hba shows what to put there.");
        return true;
    }
    read_copies(advice, host, &state);
    if (strcmp(state.part, state.wanted.text) == 0 && !state.is_unfinished)
        return true;
    bool is_own = advice->catalog->patroni[0] == '\0';
    if (host->is_here && is_own && owned_file_is_writable(state.path, &host->user) &&
        !state.is_dead)
        return add_change(advice, &state, host, err);
    add_manual(advice, &state,
               !is_own         ? "Patroni writes that file"
               : host->is_here ? "its owner cannot write there"
                               : host->why_not);
    return true;
}

bool
security_render_hba(struct advice *advice, const char **ret_text, struct error *err)
{
    struct hba_state state;

    if (!read_state(advice, &state, err))
        return false;
    *ret_text = arena_printf(advice->arena,
                             "# The first lines of %s; then: SELECT pg_reload_conf();\n"
                             "# and see that SELECT * FROM pg_hba_file_rules WHERE error IS NOT "
                             "NULL gives no row.\n" HBA_BEGIN "\n%s" HBA_END "\n",
                             state.path == NULL ? "pg_hba.conf (or what the provider takes for it)"
                                                : state.path,
                             state.wanted.text);
    return true;
}
