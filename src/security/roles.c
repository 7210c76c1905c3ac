// SPDX-License-Identifier: MIT
#include "security/roles.h"

#include "base/embed.h"
#include "security/password.h"
#include "security/script.h"
#include "security/set_password.h"
#include "security/verifier.h"
#include "settings/value.h"

#include <string.h>

/* A role as the deck wants it. */
struct wanted_role {
    const char *name;
    struct place place;
    bool can_login;
    int connection_limit;         /* -1: none */
    int64_t statement_timeout_ms; /* 0: not set by pgdeck */
    const char *const *groups;    /* roles that it is a member of */
    size_t group_count;
    const char *why;
    bool is_owner;  /* the applying role must be able to act as it */
    bool is_listed; /* only named by the deck, which makes no rule for it: keeps its password */
    bool is_advised;
};

struct session {
    struct advice *advice;
    PGresult *verifiers; /* NULL: not for this role to read */
    bool may_monitor;    /* may make roles members of pg_monitor */
    LIST_OF(struct wanted_role) wanted;
};

bool
security_is_member(const struct catalog_server *catalog, const char *member, const char *group)
{
    const struct catalog_role *role = catalog_find_role(catalog, member);

    if (strcmp(member, group) == 0)
        return true;
    for (size_t i = 0; role != NULL && i < role->member_of_count; i++) {
        if (security_is_member(catalog, role->member_of[i], group))
            return true;
    }
    return false;
}

/* --- what the deck wants ------------------------------------------------------------------ */

static void
add_service(struct arena *arena, struct security_services *services, const char *name)
{
    for (size_t i = 0; i < services->names.count; i++) {
        if (strcmp(services->names.items[i], name) == 0)
            return;
    }
    *LIST_ADD(arena, &services->names) = name;
}

struct security_services
security_services_of(const struct advice *advice, const struct deck_environment *environment)
{
    struct security_services services = {0};

    for (size_t i = 0; i < environment->pools.count; i++)
        add_service(advice->arena, &services, environment->pools.items[i].service);
    for (size_t i = 0; i < advice->deck->databases.count; i++) {
        const struct deck_database *database = &advice->deck->databases.items[i];
        for (size_t j = 0; database->environment == environment && j < database->services.count;
             j++)
            add_service(advice->arena, &services, database->services.items[j]);
    }
    return services;
}

struct security_roles
security_roles_in(struct arena *arena, const struct deck_database *database)
{
    const struct deck_environment *environment = database->environment;
    struct security_roles roles = {0};

    for (size_t i = 0; i < database->services.count; i++)
        *LIST_ADD(arena, &roles.names) =
            deck_service_role(arena, environment, database->services.items[i]);
    if (environment->has_read_only)
        *LIST_ADD(arena, &roles.names) = deck_read_only_role(arena, environment);
    if (environment->has_monitoring)
        *LIST_ADD(arena, &roles.names) = deck_monitoring_role(arena, environment);
    return roles;
}

/* What is known here decides, else what is there, else it is the first. */
struct security_logins
security_logins_of(const struct advice *advice, const struct deck_environment *environment,
                   const char *service)
{
    const char *first = deck_login_role(advice->arena, environment, service);
    struct security_logins logins = {.names = {first}, .count = 1};
    struct password_logins known;
    struct error ignored; /* a file that is not safe is told by who needs the password */

    if (!password_logins(advice->arena, advice->deck->name, first, &known, &ignored))
        return logins;
    if (!known.is_known[0] && !known.is_known[1]) {
        for (size_t i = 0; i < 2; i++)
            known.is_known[i] = catalog_find_role(advice->catalog, known.names[i]) != NULL;
    }
    if (!known.is_known[1])
        return logins;
    logins.count = 0;
    for (size_t i = 0; i < 2; i++) {
        bool is_retiring = advice->retiring != NULL && known.is_known[!i] &&
                           strcmp(known.names[i], advice->retiring) == 0;
        if (known.is_known[i] && !is_retiring)
            logins.names[logins.count++] = known.names[i];
    }
    return logins;
}

/* The other login, after a rotation has come to its end. */
static void
drop_former(struct session *session, const struct security_logins *logins, struct place place)
{
    struct arena *arena = session->advice->arena;
    const char *former = deck_other_login(arena, logins->names[0]);

    if (logins->count > 1 || catalog_find_role(session->advice->catalog, former) == NULL ||
        catalog_find_role(session->advice->catalog, logins->names[0]) == NULL)
        return;
    change_list_add(session->advice->changes,
                    &(struct change){
                        .server = session->advice->server->name,
                        .key = arena_printf(arena, "role %s", former),
                        .phase = CHANGE_ROLE,
                        .action = CHANGE_DROP,
                        .what = arena_printf(arena, "drop role %s", former),
                        .why = arena_printf(arena, "%s has taken its place", logins->names[0]),
                        .place = place,
                        .sql = arena_printf(arena, "%s;",
                                            pg_script(arena, "security/sql/drop_role.sql",
                                                      PG_VARIABLES({"role", former}))),
                        .is_transactional = true,
                        .is_destructive = true,
                    });
}

static void
want_service(struct session *session, const struct deck_environment *environment,
             const char *service)
{
    struct arena *arena = session->advice->arena;
    const struct deck_pool *pool = deck_find_pool(environment, service);
    struct place place = pool != NULL ? pool->place : environment->place;
    const char **groups = ARENA_ARRAY(arena, const char *, 1);
    struct wanted_role *role = LIST_ADD(arena, &session->wanted);

    groups[0] = deck_service_role(arena, environment, service);
    *role = (struct wanted_role){
        .name = groups[0],
        .place = place,
        .connection_limit = -1,
        .why = arena_printf(arena, "holds the rights of %s in %s", service, environment->name),
    };
    struct security_logins logins = security_logins_of(session->advice, environment, service);
    for (size_t i = 0; i < logins.count; i++) {
        role = LIST_ADD(arena, &session->wanted);
        *role = (struct wanted_role){
            .name = logins.names[i],
            .place = place,
            .can_login = true,
            .connection_limit = pool != NULL ? pool->max : -1,
            .statement_timeout_ms = pool != NULL ? pool->query_timeout_ms : 0,
            .groups = groups,
            .group_count = 1,
            .why = arena_printf(arena, "%s logs in as it, limits from its pool", service),
        };
    }
    drop_former(session, &logins, place);
}

/* For people and tools, who are members of them by the deck's list of roles. */
static void
want_people_roles(struct session *session, const struct deck_environment *environment)
{
    static const char *const monitors[] = {"pg_monitor"};
    struct arena *arena = session->advice->arena;

    if (environment->has_read_only)
        *LIST_ADD(arena, &session->wanted) = (struct wanted_role){
            .name = deck_read_only_role(arena, environment),
            .place = environment->place,
            .connection_limit = -1,
            .why = arena_printf(arena, "reads the tables of %s", environment->name),
        };
    if (environment->has_monitoring && !session->may_monitor)
        change_list_note(session->advice->changes, session->advice->server->name, NULL,
                         environment->place,
                         "Only who administers pg_monitor may give it to %s: GRANT pg_monitor TO "
                         "it.",
                         deck_monitoring_role(arena, environment));
    if (environment->has_monitoring)
        *LIST_ADD(arena, &session->wanted) = (struct wanted_role){
            .name = deck_monitoring_role(arena, environment),
            .place = environment->place,
            .connection_limit = -1,
            .groups = monitors,
            .group_count = session->may_monitor ? 1 : 0,
            .why = arena_printf(arena, "looks after %s, without reading its tables",
                                environment->name),
        };
}

static void
want_environment(struct session *session, const struct deck_environment *environment)
{
    struct arena *arena = session->advice->arena;
    struct security_services services = security_services_of(session->advice, environment);
    struct wanted_role *owner = LIST_ADD(arena, &session->wanted);

    *owner = (struct wanted_role){
        .name = deck_owner_role(arena, environment),
        .place = environment->place,
        .connection_limit = -1,
        .is_owner = true,
        .why = arena_printf(arena, "owns the databases and tables of %s", environment->name),
    };
    want_people_roles(session, environment);
    if (deck_has_pool_logins(environment))
        *LIST_ADD(arena, &session->wanted) = (struct wanted_role){
            .name = deck_pool_asker(arena, environment),
            .place = environment->place,
            .can_login = true,
            .connection_limit = -1,
            .why = "pgdeck pool asks for the verifiers of logins as it",
        };
    for (size_t i = 0; i < services.names.count; i++)
        want_service(session, environment, services.names.items[i]);
}

static bool
has_databases(const struct deck *deck, const struct deck_environment *environment)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment == environment)
            return true;
    }
    return false;
}

/* A listed role is made on each server; the roles of an environment are on its own only. */
static bool
is_here(const struct session *session, const char *group)
{
    const struct deck *deck = session->advice->deck;

    if (deck_predefined_role_since(group) != 0)
        return true;
    for (size_t i = 0; i < session->wanted.count; i++) {
        if (strcmp(session->wanted.items[i].name, group) == 0)
            return true;
    }
    for (size_t i = 0; i < deck->roles.count; i++) {
        if (strcmp(deck->roles.items[i].name, group) == 0)
            return true;
    }
    return false;
}

static bool
find_groups(const struct session *session, const struct deck_role *listed,
            struct wanted_role *wanted, struct error *err)
{
    const char **groups =
        ARENA_ARRAY(session->advice->arena, const char *, listed->member_of.count + 1);

    wanted->groups = groups;
    for (size_t i = 0; i < listed->member_of.count; i++) {
        const char *group = listed->member_of.items[i];
        int since = deck_predefined_role_since(group);
        if (since > session->advice->catalog->major) {
            error_set(err, ERROR_DECK, "roles.%s.member_of: server \"%s\" has no role \"%s\"",
                      listed->name, session->advice->server->name, group);
            error_hint(err, "PostgreSQL has it from %d on; this one is %d.", since,
                       session->advice->catalog->major);
            return error_place(err, listed->place);
        }
        if (is_here(session, group))
            groups[wanted->group_count++] = group;
    }
    return true;
}

static bool
want_listed_roles(struct session *session, struct error *err)
{
    const struct deck *deck = session->advice->deck;

    for (size_t i = 0; i < deck->roles.count; i++) {
        const struct deck_role *listed = &deck->roles.items[i];
        struct wanted_role wanted = {0};
        if (!find_groups(session, listed, &wanted, err))
            return false;
        struct wanted_role *role = LIST_ADD(session->advice->arena, &session->wanted);
        *role = (struct wanted_role){
            .name = listed->name,
            .place = listed->place,
            .can_login = listed->can_login,
            .connection_limit = listed->connection_limit,
            .groups = wanted.groups,
            .group_count = wanted.group_count,
            .why = "the deck lists it",
            .is_listed = true,
        };
    }
    return true;
}

/* --- one role ----------------------------------------------------------------------------- */

static const char *
timeout_text(struct arena *arena, int64_t milliseconds)
{
    return milliseconds % 1000 == 0 ? arena_printf(arena, "%llds", (long long)milliseconds / 1000)
                                    : arena_printf(arena, "%lldms", (long long)milliseconds);
}

static const char *
timeout_there(const struct catalog_server *catalog, const struct wanted_role *wanted)
{
    return catalog_role_setting_value(catalog, "", wanted->name, "statement_timeout");
}

/* Same time in the units that are likely there: what pgdeck writes, or bare milliseconds. */
static bool
has_timeout(struct arena *arena, const struct catalog_server *catalog,
            const struct wanted_role *wanted)
{
    const char *there = timeout_there(catalog, wanted);

    return there != NULL &&
           (strcmp(there, timeout_text(arena, wanted->statement_timeout_ms)) == 0 ||
            strcmp(there, arena_printf(arena, "%lld", (long long)wanted->statement_timeout_ms)) ==
                0);
}

static void
add_timeout(struct security_script *script, const struct catalog_server *catalog,
            const struct wanted_role *wanted, bool exists)
{
    const char *there = timeout_there(catalog, wanted);
    const char *value = timeout_text(script->arena, wanted->statement_timeout_ms);

    security_script_add(
        script, "set_role_parameter", exists && there == NULL ? "reset_role_parameter" : NULL,
        PG_VARIABLES({"role", wanted->name}, {"name", "statement_timeout"}, {"value", value}));
    if (there != NULL)
        script->undo =
            arena_printf(script->arena, "%s;\n%s",
                         pg_script(script->arena, "security/sql/set_role_parameter.sql",
                                   PG_VARIABLES({"role", wanted->name},
                                                {"name", "statement_timeout"}, {"value", there})),
                         script->undo);
}

static const char *
describe(struct arena *arena, const struct wanted_role *wanted)
{
    AUTO_TEXT text = {0};

    text_append(&text, wanted->can_login ? "login" : "no login");
    for (size_t i = 0; i < wanted->group_count; i++)
        text_appendf(&text, "%s %s", i == 0 ? ", in" : ",", wanted->groups[i]);
    if (wanted->connection_limit >= 0)
        text_appendf(&text, ", at most %d connections", wanted->connection_limit);
    if (wanted->statement_timeout_ms > 0)
        text_appendf(&text, ", statement_timeout %s",
                     timeout_text(arena, wanted->statement_timeout_ms));
    return arena_strdup(arena, text_chars(&text));
}

/* What must hold before rollback takes a login back that a rotation made: it stays when the other
 * one is gone by then. NULL: it is no such login. */
static const char *
guard_of_rotation(const struct session *session, const struct wanted_role *wanted)
{
    struct arena *arena = session->advice->arena;
    const char *other =
        wanted->can_login && !wanted->is_listed ? deck_other_login(arena, wanted->name) : NULL;

    if (other == NULL || catalog_find_role(session->advice->catalog, other) == NULL)
        return NULL;
    return pg_script(arena, "security/sql/guard_login.sql",
                     PG_VARIABLES({"role", wanted->name}, {"other", other}));
}

static void
add_change(struct session *session, const struct wanted_role *wanted, bool is_new,
           const struct security_script *script, const char *what)
{
    struct arena *arena = session->advice->arena;
    const char *guard = guard_of_rotation(session, wanted);

    if (guard == NULL)
        guard =
            pg_script(arena, "security/sql/guard_role.sql", PG_VARIABLES({"role", wanted->name}));

    change_list_add(session->advice->changes,
                    &(struct change){
                        .server = session->advice->server->name,
                        .key = arena_printf(arena, "role %s", wanted->name),
                        .phase = CHANGE_ROLE,
                        .action = is_new ? CHANGE_CREATE : CHANGE_ALTER,
                        .what = what,
                        .why = wanted->why,
                        .place = wanted->place,
                        .declared = describe(arena, wanted),
                        .sql = arena_strdup(arena, text_chars(&script->sql)),
                        .undo = script->undo,
                        .undo_guard = is_new ? guard : NULL,
                        .is_transactional = true,
                    });
}

/* Settings of a role are not inherited: the new login gets those of the one that it follows. */
static void
copy_settings(struct security_script *script, const struct catalog_server *catalog,
              const char *from, const char *to)
{
    struct arena *arena = script->arena;

    for (size_t i = 0; i < catalog->role_settings.count; i++) {
        const struct catalog_role_setting *setting = &catalog->role_settings.items[i];
        AUTO_TEXT values = {0};
        char **words = NULL;
        if (strcmp(setting->role, from) != 0 ||
            (setting->database[0] == '\0' && strcmp(setting->name, "statement_timeout") == 0))
            continue;
        size_t count =
            setting_is_list(setting->name) ? setting_words(arena, setting->value, &words) : 0;
        for (size_t j = 0; j < count; j++)
            text_appendf(&values, "%s%s", j > 0 ? ", " : "", pg_literal(arena, words[j]));
        if (count == 0)
            text_append(&values, pg_literal(arena, setting->value));
        security_script_add(
            script,
            setting->database[0] == '\0' ? "set_role_values" : "set_role_values_in_database", NULL,
            PG_VARIABLES({"role", to}, {"database", setting->database}, {"name", setting->name},
                         {"values", text_chars(&values)}));
    }
}

static void
create_role(struct session *session, const struct wanted_role *wanted)
{
    struct arena *arena = session->advice->arena;
    const struct catalog_server *catalog = session->advice->catalog;
    const char *limit = arena_printf(arena, "%d", wanted->connection_limit);
    struct security_script script;

    security_script_init(&script, arena);
    security_script_add(&script, wanted->can_login ? "create_login" : "create_role", "drop_role",
                        PG_VARIABLES({"role", wanted->name}, {"limit", limit}));
    if (wanted->is_owner && !catalog->is_superuser)
        security_script_add(&script, "join_role_self", NULL, PG_VARIABLES({"group", wanted->name}));
    for (size_t i = 0; i < wanted->group_count; i++)
        security_script_add(&script, "join_role", NULL,
                            PG_VARIABLES({"group", wanted->groups[i]}, {"role", wanted->name}));
    if (wanted->statement_timeout_ms > 0)
        add_timeout(&script, catalog, wanted, false);
    if (wanted->can_login && !wanted->is_listed)
        copy_settings(&script, catalog, deck_other_login(arena, wanted->name), wanted->name);
    add_change(session, wanted, true, &script,
               arena_printf(arena, "create role %s (%s)", wanted->name, describe(arena, wanted)));
    security_script_release(&script);
}

static bool
is_direct_member(const struct catalog_role *role, const char *group)
{
    for (size_t i = 0; i < role->member_of_count; i++) {
        if (strcmp(role->member_of[i], group) == 0)
            return true;
    }
    return false;
}

/* Only what differs. */
static void
alter_role(struct session *session, const struct wanted_role *wanted,
           const struct catalog_role *role)
{
    struct arena *arena = session->advice->arena;
    const struct catalog_server *catalog = session->advice->catalog;
    struct security_script script;

    security_script_init(&script, arena);
    if (role->can_login != wanted->can_login) {
        security_script_add(&script, "alter_login", NULL,
                            PG_VARIABLES({"role", wanted->name},
                                         {"word", wanted->can_login ? "LOGIN" : "NOLOGIN"}));
        script.undo =
            arena_printf(arena, "%s;\n",
                         pg_script(arena, "security/sql/alter_login.sql",
                                   PG_VARIABLES({"role", wanted->name},
                                                {"word", role->can_login ? "LOGIN" : "NOLOGIN"})));
    }
    if (role->connection_limit != wanted->connection_limit) {
        const char *limit = arena_printf(arena, "%d", wanted->connection_limit);
        const char *former = arena_printf(arena, "%d", role->connection_limit);
        security_script_add(&script, "alter_limit", NULL,
                            PG_VARIABLES({"role", wanted->name}, {"limit", limit}));
        script.undo =
            arena_printf(arena, "%s;\n%s",
                         pg_script(arena, "security/sql/alter_limit.sql",
                                   PG_VARIABLES({"role", wanted->name}, {"limit", former})),
                         script.undo);
    }
    for (size_t i = 0; i < wanted->group_count; i++) {
        if (!is_direct_member(role, wanted->groups[i]))
            security_script_add(&script, "join_role", "leave_role",
                                PG_VARIABLES({"group", wanted->groups[i]}, {"role", wanted->name}));
    }
    if (wanted->is_owner && !catalog->is_superuser &&
        !security_is_member(catalog, catalog->role, wanted->name))
        security_script_add(&script, "join_role_self", NULL, PG_VARIABLES({"group", wanted->name}));
    if (wanted->statement_timeout_ms > 0 && !has_timeout(arena, catalog, wanted))
        add_timeout(&script, catalog, wanted, true);
    if (!security_script_is_empty(&script))
        add_change(
            session, wanted, false, &script,
            arena_printf(arena, "alter role %s (%s)", wanted->name, describe(arena, wanted)));
    security_script_release(&script);
}

/* --- passwords ---------------------------------------------------------------------------- */

static const char *
verifier_of(const struct session *session, const char *role)
{
    for (int row = 0; row < PQntuples(session->verifiers); row++) {
        if (strcmp(pg_value(session->verifiers, row, "name"), role) == 0)
            return pg_value(session->verifiers, row, "verifier");
    }
    return NULL;
}

static void
add_password_change(struct session *session, const struct wanted_role *wanted, const char *why,
                    bool had_password)
{
    struct arena *arena = session->advice->arena;
    struct set_password *set = ARENA_NEW(arena, struct set_password);
    const char *shown = "SCRAM-SHA-256$... (made here when it runs; the password stays here)";

    set->deck = session->advice->deck->name;
    set->role = wanted->name;
    change_list_add(session->advice->changes,
                    &(struct change){
                        .server = session->advice->server->name,
                        .key = arena_printf(arena, "password %s", wanted->name),
                        .phase = CHANGE_ROLE,
                        .action = CHANGE_ALTER,
                        .what = arena_printf(arena, "set the password of %s", wanted->name),
                        .why = why,
                        .place = wanted->place,
                        .sql = pg_script(arena, "security/sql/set_password.sql",
                                         PG_VARIABLES({"role", wanted->name}, {"verifier", shown})),
                        .procedure = &set_password_procedure,
                        .argument = set,
                        .undo = had_password ? NULL
                                             : pg_script(arena, "security/sql/clear_password.sql",
                                                         PG_VARIABLES({"role", wanted->name})),
                        .undo_guard = had_password ? NULL : guard_of_rotation(session, wanted),
                        .is_transactional = true,
                        .declared = "scram-sha-256",
                    });
}

static void
compare_password(struct session *session, const struct wanted_role *wanted, const char *password)
{
    struct arena *arena = session->advice->arena;
    const char *verifier = verifier_of(session, wanted->name);
    const char *variable = deck_password_variable(arena, wanted->name);

    if (verifier == NULL) {
        add_password_change(session, wanted, "it has none", false);
    } else if (password == NULL) {
        change_list_note(session->advice->changes, session->advice->server->name, NULL,
                         wanted->place,
                         "The password of role \"%s\" is not known on this machine; give it as %s "
                         "where something here is to log in as that role.",
                         wanted->name, variable);
    } else {
        enum verifier_match match = verifier_compare(verifier, password);
        if (match == VERIFIER_FOREIGN)
            add_password_change(session, wanted, "the one it has is not kept as SCRAM-SHA-256",
                                true);
        else if (match == VERIFIER_OTHER)
            add_password_change(session, wanted,
                                arena_printf(arena,
                                             "the one it has is not the one that is known "
                                             "here (%s, or pgdeck's file of passwords)",
                                             variable),
                                true);
    }
}

static bool
advise_password(struct session *session, const struct wanted_role *wanted, bool exists,
                struct error *err)
{
    struct arena *arena = session->advice->arena;
    const char *key = arena_printf(arena, "password %s", wanted->name);
    const char *password;

    if (!exists) {
        add_password_change(session, wanted,
                            arena_printf(arena, "from %s, or made and kept here",
                                         deck_password_variable(arena, wanted->name)),
                            false);
        return true;
    }
    if (wanted->is_listed)
        return true;
    if (session->verifiers == NULL) {
        if (catalog_find_memo(session->advice->catalog, NULL, key) == NULL)
            add_password_change(session, wanted, "pgdeck has not set one yet", true);
        return true;
    }
    if (!password_find(arena, session->advice->deck->name, wanted->name, &password, err))
        return error_wrap(err, "password of role \"%s\"", wanted->name);
    compare_password(session, wanted, password);
    return true;
}

static bool
read_verifiers(struct session *session, struct error *err)
{
    struct arena *arena = session->advice->arena;
    const char **names = ARENA_ARRAY(arena, const char *, session->wanted.count + 1);
    const char *parameter;

    if (!session->advice->catalog->is_superuser)
        return true;
    for (size_t i = 0; i < session->wanted.count; i++)
        names[i] = session->wanted.items[i].name;
    parameter = pg_text_array(arena, names, session->wanted.count);
    if (!pg_query(session->advice->catalog->connection,
                  embedded_file("security/sql/verifiers.sql")->text, 1, &parameter,
                  &session->verifiers, err))
        return error_wrap(err, "cannot read the password verifiers");
    return true;
}

static bool
read_may_monitor(struct session *session, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    if (!pg_query(session->advice->catalog->connection,
                  embedded_file("security/sql/may_monitor.sql")->text, 0, NULL, &result, err))
        return error_wrap(err, "cannot read who may give pg_monitor");
    session->may_monitor = pg_bool(result, 0, "may_give");
    return true;
}

/* --- all of them -------------------------------------------------------------------------- */

static bool
may_create_roles(struct session *session, const struct wanted_role *wanted, struct error *err)
{
    const struct catalog_server *catalog = session->advice->catalog;

    if (catalog->is_superuser || catalog->can_create_role)
        return true;
    error_set(err, ERROR_PRIVILEGE, "role \"%s\" may not create role \"%s\"", catalog->role,
              wanted->name);
    error_hint(err, "Give it CREATEROLE, or leave \"security\" out of the deck's advisors.");
    return error_place(err, wanted->place);
}

static bool
advise_role(struct session *session, const struct wanted_role *wanted, struct error *err)
{
    const struct catalog_role *role = catalog_find_role(session->advice->catalog, wanted->name);

    if (role == NULL) {
        if (!may_create_roles(session, wanted, err))
            return false;
        create_role(session, wanted);
    } else {
        if (role->is_superuser && !wanted->is_listed)
            change_list_note(
                session->advice->changes, session->advice->server->name, NULL, wanted->place,
                "Role \"%s\" is a superuser: no right can be kept from it.", wanted->name);
        alter_role(session, wanted, role);
    }
    return !wanted->can_login || advise_password(session, wanted, role != NULL, err);
}

/* A role after those that it is to be a member of. */
static bool
advise_in_order(struct session *session, struct wanted_role *wanted, struct error *err)
{
    if (wanted->is_advised)
        return true;
    wanted->is_advised = true; /* roles that are members of each other do not go on for ever */
    for (size_t i = 0; i < wanted->group_count; i++) {
        for (size_t j = 0; j < session->wanted.count; j++) {
            struct wanted_role *group = &session->wanted.items[j];
            if (strcmp(group->name, wanted->groups[i]) == 0 &&
                !advise_in_order(session, group, err))
                return false;
        }
    }
    return advise_role(session, wanted, err);
}

bool
security_advise_roles(struct advice *advice, struct error *err)
{
    struct session session = {.advice = advice};
    const struct deck *deck = advice->deck;

    if (!read_may_monitor(&session, err))
        return false;
    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if (environment->server == advice->server && has_databases(deck, environment))
            want_environment(&session, environment);
    }
    bool is_fine = want_listed_roles(&session, err) && read_verifiers(&session, err);
    for (size_t i = 0; is_fine && i < session.wanted.count; i++)
        is_fine = advise_in_order(&session, &session.wanted.items[i], err);
    PQclear(session.verifiers);
    return is_fine;
}
