// SPDX-License-Identifier: MIT
#include "security/pool_login.h"

#include "base/embed.h"
#include "pg/script.h"

#include <string.h>

struct state {
    bool is_there, is_right;
};

/* What stands between the dollar quotes, as the server keeps it. */
static const char *
body_of(struct arena *arena, const char *text)
{
    const char *begin = strstr(text, "$$") + 2;

    return arena_strndup(arena, begin, (size_t)(strstr(begin, "$$") - begin));
}

static bool
read_state(struct advice *advice, const struct deck_database *database, const char *asker,
           const char *body, struct state *ret_state, struct error *err)
{
    const struct catalog_database *catalog = catalog_find_database(advice->catalog, database->name);
    const char *parameters[2] = {asker, body};
    AUTO_PGRESULT result = NULL;

    *ret_state = (struct state){0};
    if (!catalog->exists)
        return true;
    if (!pg_query(catalog->connection, embedded_file("security/sql/pool_login_state.sql")->text, 2,
                  parameters, &result, err))
        return error_wrap(err, "cannot read who may ask for verifiers in \"%s\"", database->name);
    ret_state->is_there = pg_bool(result, 0, "is_there");
    ret_state->is_right = pg_bool(result, 0, "is_right");
    return true;
}

static void
add_change(struct advice *advice, const struct deck_database *database, const char *asker,
           bool is_there, const char *function)
{
    struct arena *arena = advice->arena;
    const struct pg_variable names[] = {{"database", database->name}, {"role", asker}};

    change_list_add(
        advice->changes,
        &(struct change){
            .server = advice->server->name,
            .database = database->name,
            .key = "function pgdeck.pool_login",
            .phase = CHANGE_GRANT,
            .action = is_there ? CHANGE_ALTER : CHANGE_CREATE,
            .what = arena_printf(arena, "let %s ask for the verifiers of logins", asker),
            .why = "logins of roles come by the pool (login_max), which knows no password of "
                   "theirs",
            .place = database->place,
            .sql = arena_printf(arena, "%s\n%s;\n", function,
                                pg_script(arena, "security/sql/pool_login_grant.sql", names, 2)),
            .undo = arena_printf(
                arena, "%s;\n%s", pg_script(arena, "security/sql/pool_login_revoke.sql", names, 2),
                is_there ? "" : pg_script(arena, "security/sql/pool_login_drop.sql", NULL, 0)),
            .is_transactional = true,
        });
}

bool
security_advise_pool_login(struct advice *advice, const struct deck_database *database,
                           struct error *err)
{
    struct arena *arena = advice->arena;
    const char *function = embedded_file("pool/sql/pool_login.sql")->text;
    struct state state;

    if (!deck_has_pool_logins(database->environment) ||
        catalog_find_database(advice->catalog, database->name) == NULL)
        return true;
    const char *asker = deck_pool_asker(arena, database->environment);
    if (!read_state(advice, database, asker, body_of(arena, function), &state, err))
        return false;
    if (state.is_right)
        return true;
    if (advice->catalog->is_superuser)
        add_change(advice, database, asker, state.is_there, function);
    else
        change_list_manual(
            advice->changes,
            &(struct change_manual){
                .server = advice->server->name,
                .database = database->name,
                .place = database->place,
                .key = "function pgdeck.pool_login",
                .what = arena_printf(arena, "let %s ask for the verifiers of logins", asker),
                .why = "logins of roles come by the pool (login_max)",
                .obstacle = "only a superuser may read verifiers",
                .remedy = arena_printf(arena,
                                       "a superuser runs what pgdeck pool render auth-function "
                                       "prints, and gives %s CONNECT, USAGE on schema pgdeck and "
                                       "EXECUTE on the function",
                                       asker),
            });
    return true;
}
