// SPDX-License-Identifier: MIT
#include "security/hba_file.h"

#include "base/crash.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/owned_file.h"
#include "base/state.h"
#include "pg/script.h"
#include "security/hba.h"
#include "settings/reload.h"

#include <string.h>
#include <unistd.h>

#define KEY "pg_hba.conf"

static const char *
sql(const char *name)
{
    AUTO_ARENA arena = arena_new();

    return embedded_file(arena_printf(arena, "security/sql/%s.sql", name))->text;
}

/* --- putting it in place ------------------------------------------------------------------ */

/* The file as it was, kept until the new one has proved itself: after a kill in between it is what
 * goes back. */
static bool
pending_path(struct arena *arena, const struct settings_host *host, const char **ret_path,
             struct error *err)
{
    const char *state;

    if (!state_folder(arena, &state, err))
        return false;
    const char *folder = arena_printf(arena, "%s/configuration/%s", state, host->name);
    *ret_path = arena_printf(arena, "%s/pg_hba.conf.before", folder);
    return file_make_folder(folder, 0700, err);
}

static bool
check_lines(PGconn *connection, struct error *err)
{
    AUTO_PGRESULT faults = NULL;

    if (!pg_query(connection, sql("hba_faults"), 0, NULL, &faults, err))
        return false;
    if (PQntuples(faults) == 0)
        return true;
    return error_set(err, ERROR_REFUSED, "line %s of pg_hba.conf is faulty: %s",
                     pg_value(faults, 0, "line"), pg_value(faults, 0, "error"));
}

/* By whoever comes in as pgdeck does. */
static bool
check_login(const struct hba_edit *edit, struct error *err)
{
    PGconn *connection;

    if (!pg_connect(edit->target, &connection, err))
        return error_wrap(err, "a new login fails");
    PQfinish(connection);
    return true;
}

static bool
put_back(const struct hba_edit *edit, PGconn *connection, const struct owned_file *before,
         struct error *err)
{
    struct error back = {0};

    err->code = ERROR_REFUSED;
    if (owned_file_write(edit->path, &edit->host->user, before, &back) &&
        settings_reload(edit->arena, connection, &back))
        return error_wrap(err, "the new pg_hba.conf does not hold; the old one is back");
    error_wrap(err, "the new pg_hba.conf does not hold");
    return error_detail(err, "Nor could the old one be put back: %s.", back.message);
}

static bool
read_before(const struct hba_edit *edit, const char *pending, struct owned_file *ret_before,
            struct error *err)
{
    char *kept;
    size_t length;

    if (!owned_file_read(edit->arena, edit->path, &edit->host->user, ret_before, err))
        return false;
    if (!ret_before->exists)
        return error_set(err, ERROR_FILE, "\"%s\" is not there", edit->path);
    if (!file_exists(pending))
        return file_write(pending, ret_before->text, ret_before->length, 0600, err);
    if (!file_read(edit->arena, pending, &kept, &length, err))
        return false;
    ret_before->text = kept;
    ret_before->length = length;
    return true;
}

bool
hba_put(const struct hba_edit *edit, PGconn *connection, struct error *err)
{
    struct owned_file before, after;
    const char *pending;

    if (!pending_path(edit->arena, edit->host, &pending, err) ||
        !read_before(edit, pending, &before, err))
        return false;
    after = before;
    after.text = arena_strdup(edit->arena, hba_replace(edit->arena, before.text, edit->part));
    after.length = strlen(after.text);
    if (!owned_file_write(edit->path, &edit->host->user, &after, err))
        return false;
    crash_point();
    bool is_fine = check_lines(connection, err) && settings_reload(edit->arena, connection, err) &&
                   check_login(edit, err);
    if (!is_fine && err->code == ERROR_INTERRUPTED)
        return false; /* the next apply begins with what is kept */
    if (!is_fine && !put_back(edit, connection, &before, err)) {
        unlink(pending);
        return false;
    }
    crash_point();
    unlink(pending);
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

static const char *
file_of(struct arena *arena, PGconn *connection, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(connection, sql("hba_own"), 0, NULL, &result, err))
        return NULL;
    return pg_keep(arena, result, 0, "file");
}

bool
hba_undo(struct arena *arena, const struct settings_host *host, const char *undo,
         const struct pg_target *target, PGconn *connection, struct error *err)
{
    const struct hba_edit edit = {.arena = arena,
                                  .host = host,
                                  .path = file_of(arena, connection, err),
                                  .part = undo + strlen(HBA_UNDO),
                                  .target = target};

    return edit.path != NULL && hba_put(&edit, connection, err);
}

/* --- the advisor -------------------------------------------------------------------------- */

/* What is wanted and what is there. */
struct hba_state {
    const char *path, *wanted, *left_out;
    const char *text; /* of the file; NULL: not for this role to read */
    const char *part; /* pgdeck's; "" : none */
};

static bool
read_own(const struct advice *advice, struct hba_own *own, const char **ret_path, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct arena *arena = advice->arena;

    if (!pg_query(advice->catalog->connection, sql("hba_own"), 0, NULL, &result, err))
        return error_wrap(err, "cannot read pg_hba.conf");
    own->address = pg_keep(arena, result, 0, "address");
    own->type = pg_keep(arena, result, 0, "type");
    own->method = pg_keep(arena, result, 0, "method");
    own->options = pg_keep(arena, result, 0, "options");
    own->role = pg_keep(arena, result, 0, "role");
    *ret_path = pg_keep(arena, result, 0, "file");
    return true;
}

static bool
read_state(const struct advice *advice, struct hba_state *state, struct error *err)
{
    struct hba_own own = {.role = advice->catalog->role};
    AUTO_PGRESULT text = NULL;

    *state = (struct hba_state){.part = ""};
    if (advice->catalog->is_superuser) {
        if (!read_own(advice, &own, &state->path, err) ||
            !pg_query(advice->catalog->connection, sql("hba_text"), 0, NULL, &text, err))
            return false;
        state->text = pg_keep(advice->arena, text, 0, "text");
        const char *part = hba_part(advice->arena, state->text);
        state->part = part == NULL ? "" : part;
    }
    state->wanted = hba_render(advice, &own, &state->left_out);
    return true;
}

static bool
find_shut_out(const struct advice *advice, const char **ret_warning, struct error *err)
{
    const struct deck *deck = advice->deck;
    struct {
        LIST_OF(const char *) databases, networks;
    } found = {0};
    AUTO_PGRESULT result = NULL;

    *ret_warning = NULL;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_environment *environment = deck->databases.items[i].environment;
        if (environment->server != advice->server || environment->allow.count == 0)
            continue;
        *LIST_ADD(advice->arena, &found.databases) = deck->databases.items[i].name;
        for (size_t j = 0; j < environment->allow.count; j++)
            *LIST_ADD(advice->arena, &found.networks) = environment->allow.items[j];
    }
    const char *parameters[2] = {
        pg_text_array(advice->arena, found.databases.items, found.databases.count),
        pg_text_array(advice->arena, found.networks.items, found.networks.count)};
    if (!pg_query(advice->catalog->connection, sql("hba_shut_out"), 2, parameters, &result, err))
        return false;
    const char *names = pg_value(result, 0, "names");
    if (names != NULL)
        *ret_warning = arena_printf(advice->arena, "these will not get in again: %s", names);
    return true;
}

static bool
is_unfinished(const struct advice *advice, const struct settings_host *host)
{
    struct error ignored;
    const char *pending;

    return pending_path(advice->arena, host, &pending, &ignored) && file_exists(pending);
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
            .obstacle = obstacle,
            .remedy = arena_printf(advice->arena,
                                   "pgdeck security render hba shows the lines for the beginning "
                                   "of %s, and the commands",
                                   state->path),
        });
}

static bool
add_change(const struct advice *advice, const struct hba_state *state,
           const struct settings_host *host, struct error *err)
{
    struct arena *arena = advice->arena;
    struct hba_edit *edit = ARENA_NEW(arena, struct hba_edit);
    const char *warning;

    if (!find_shut_out(advice, &warning, err))
        return false;
    edit->host = host;
    edit->path = state->path;
    edit->part = state->wanted;
    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .key = KEY,
            .phase = CHANGE_GRANT,
            .action = *state->part == '\0' ? CHANGE_CREATE : CHANGE_ALTER,
            .what = *state->wanted == '\0' ? "take pgdeck's lines out of pg_hba.conf"
                                           : "let clients in from the deck's networks only",
            .why = "security: allow of its environments; the first lines of pg_hba.conf",
            .warning = warning,
            .place = advice->server->place,
            .file = state->path,
            .sql = hba_difference(arena, state->part, state->wanted),
            .procedure = &put_procedure,
            .argument = edit,
            .undo = arena_printf(arena, HBA_UNDO "%s", state->part),
            .declared = state->wanted,
            .needs_reload = true,
        });
    return true;
}

bool
security_advise_hba(struct advice *advice, struct error *err)
{
    struct settings_host *host = ARENA_NEW(advice->arena, struct settings_host);
    struct hba_state state;

    if (!read_state(advice, &state, err) ||
        !settings_host_read(advice->arena, advice->catalog, host, err))
        return false;
    if (state.left_out != NULL)
        change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                         "\"%s\" has a line break and cannot be written in pg_hba.conf: nothing is "
                         "said of it there.",
                         state.left_out);
    if (state.text == NULL) {
        if (*state.wanted != '\0')
            change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                             "Who may come from where (security: allow) is decided where this role "
                             "cannot look: pgdeck security render hba shows what to put there.");
        return true;
    }
    bool is_same = strcmp(state.part, state.wanted) == 0;
    if (is_same && !(host->is_here && is_unfinished(advice, host)))
        return true;
    bool is_own = advice->catalog->patroni[0] == '\0';
    if (host->is_here && is_own && owned_file_is_writable(state.path, &host->user))
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
                             state.wanted);
    return true;
}
