// SPDX-License-Identifier: MIT
#include "settings/check_deck.h"

#include "base/text.h"
#include "deck/fault.h"
#include "settings/parameters.h"
#include "settings/semantics.h"
#include "settings/value.h"

#include <string.h>
#include <strings.h>

enum { VERSIONS = PARAMETERS_NEWEST - PARAMETERS_OLDEST + 1, MOST_PARAMETERS = 1000 };

/* One server of the deck, and what the versions that it may have say. */
struct check {
    struct arena *arena;
    const struct deck *deck;
    const struct deck_server *server;
    struct deck_faults *faults;
    int first, last;               /* majors */
    struct catalog_server **known; /* by major from PARAMETERS_OLDEST on; NULL: not read yet */
    const char *path;              /* "servers.main.settings" */
    const struct deck_environment *environment; /* NULL: the server's own settings */
};

/* --- names -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *reason, *hint;
} reserved[] = {
    {"port", "pgdeck reaches the server by its conninfo",
     "Change the port where the server is "
     "started, and the conninfo with it."},
    {"data_directory", "it is given when the server is started", "Leave it out."},
    {"config_file", "it is given when the server is started", "Leave it out."},
    {"hba_file", "it is given when the server is started", "Leave it out."},
    {"ident_file", "it is given when the server is started", "Leave it out."},
    {"external_pid_file", "it is given when the server is started", "Leave it out."},
    {"allow_alter_system", "pgdeck needs ALTER SYSTEM where it does not write files itself",
     "Leave it out."},
    {"transaction_isolation", "it belongs to a transaction", "Set default_transaction_isolation."},
    {"transaction_read_only", "it belongs to a transaction", "Set default_transaction_read_only."},
    {"transaction_deferrable", "it belongs to a transaction",
     "Set default_transaction_deferrable."},
    {"role", "it belongs to a session", "Leave it out."},
    {"session_authorization", "it belongs to a session", "Leave it out."},
    {"is_superuser", "it belongs to a session", "Leave it out."},
    {"seed", "it belongs to a session", "Leave it out."},
};

const char *
settings_reserved(const char *name, const char **ret_hint)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        if (strcasecmp(reserved[i].name, name) == 0) {
            *ret_hint = reserved[i].hint;
            return reserved[i].reason;
        }
    }
    return NULL;
}

/* What PostgreSQL had once. */
static const struct {
    const char *name;
    const char *gone; /* the version without it */
    const char *hint;
} removed[] = {
    {"checkpoint_segments", "9.5", "Set max_wal_size."},
    {"wal_keep_segments", "13", "Set wal_keep_size."},
    {"default_with_oids", "12", "Leave it out."},
    {"autovacuum_freeze_table_age", "8.4", "Set vacuum_freeze_table_age."},
    {"operator_precedence_warning", "14", "Leave it out."},
    {"vacuum_cleanup_index_scale_factor", "14", "Leave it out."},
    {"stats_temp_directory", "15", "Leave it out: statistics are kept in shared memory."},
    {"vacuum_defer_cleanup_age", "16", "Set hot_standby_feedback on the standby."},
    {"force_parallel_mode", "16", "It is debug_parallel_query now, and for tests only."},
    {"promote_trigger_file", "16", "Use pg_ctl promote or pg_promote()."},
    {"lc_collate", "16", "It belongs to a database and is fixed when that is created."},
    {"lc_ctype", "16", "It belongs to a database and is fixed when that is created."},
    {"old_snapshot_threshold", "17", "Leave it out: transaction_timeout ends old transactions."},
    {"db_user_namespace", "17", "Leave it out."},
    {"trace_recovery_messages", "17", "Leave it out."},
    {"ssl_ecdh_curve", "18", "Set ssl_groups."},
};

/* What that version has; read when it is first asked for. */
static const struct catalog_server *
version_of(const struct check *check, int major)
{
    struct catalog_server **known = &check->known[major - PARAMETERS_OLDEST];

    if (*known == NULL) {
        *known = ARENA_NEW(check->arena, struct catalog_server);
        settings_parameters(check->arena, major, *known);
    }
    return *known;
}

static const struct catalog_setting *
parameter(const struct check *check, int major, const char *name)
{
    if (major < PARAMETERS_OLDEST || major > PARAMETERS_NEWEST)
        return NULL;
    const struct catalog_server *known = version_of(check, major);

    for (size_t i = 0; i < known->settings.count; i++) {
        if (strcasecmp(known->settings.items[i].name, name) == 0)
            return &known->settings.items[i];
    }
    return NULL;
}

/* The newest version from first to last that has it; 0: none. */
static int
newest_with(const struct check *check, const char *name, int first, int last)
{
    while (last >= first && parameter(check, last, name) == NULL)
        last--;
    return last >= first ? last : 0;
}

static struct error *
fault_at(const struct check *check, struct place place, const char *name, const char *text)
{
    return deck_fault(check->arena, check->faults, place, "%s.%s: %s", check->path, name, text);
}

static void
hint_nearest(const struct check *check, struct error *fault, const char *name)
{
    const struct catalog_server *known = version_of(check, check->last);
    const char *names[MOST_PARAMETERS + 1] = {NULL};

    for (size_t i = 0; i < known->settings.count && i < MOST_PARAMETERS; i++)
        names[i] = known->settings.items[i].name;
    deck_fault_nearest(fault, name, names);
}

static const char *
versions(const struct check *check)
{
    return check->first == check->last
               ? arena_printf(check->arena, "PostgreSQL %d", check->first)
               : arena_printf(check->arena, "PostgreSQL %d to %d", check->first, check->last);
}

static void
fault_of_unknown(const struct check *check, const struct deck_setting *setting)
{
    struct arena *arena = check->arena;
    const char *name = setting->name;

    for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
        if (strcasecmp(removed[i].name, name) != 0)
            continue;
        struct error *fault =
            fault_at(check, setting->place, name,
                     arena_printf(arena, "PostgreSQL has it no longer since %s", removed[i].gone));
        error_hint(fault, "%s", removed[i].hint);
        return;
    }
    int newer = newest_with(check, name, check->last + 1, PARAMETERS_NEWEST);
    int older = newest_with(check, name, PARAMETERS_OLDEST, check->first - 1);
    const char *text = arena_printf(arena, "%s has no such parameter", versions(check));
    if (newer != 0) {
        while (parameter(check, newer - 1, name) != NULL)
            newer--;
        text = arena_printf(arena, "%s has no such parameter: it comes with %d", versions(check),
                            newer);
    } else if (older != 0) {
        text = arena_printf(arena, "%s has no such parameter: %d was the last with it",
                            versions(check), older);
    }
    struct error *fault = fault_at(check, setting->place, name, text);
    if (newer == 0 && older == 0)
        hint_nearest(check, fault, name);
}

/* A name with a dot is of an extension; those that pgdeck knows are in the table. */
static bool
is_of_unknown_extension(const struct check *check, const char *name)
{
    const char *dot = strchr(name, '.');

    if (dot == NULL)
        return false;
    const struct catalog_server *known = version_of(check, check->last);
    for (size_t i = 0; i < known->settings.count; i++) {
        if (strncasecmp(known->settings.items[i].name, name, (size_t)(dot - name) + 1) == 0)
            return false;
    }
    return true;
}

/* --- one parameter ------------------------------------------------------------------------ */

/* What is wrong with the value in every version that has the parameter: of the newest. */
static bool
is_value_fine(const struct check *check, const struct deck_setting *setting)
{
    struct error first = {0}, err;

    for (int major = check->last; major >= check->first; major--) {
        const struct catalog_setting *known = parameter(check, major, setting->name);
        if (known == NULL)
            continue;
        if (setting_verify(known, setting->value, true, &err))
            return true;
        if (first.code == ERROR_NONE)
            first = err;
    }
    struct error *fault = fault_at(check, setting->value_place, setting->name, first.message);
    if (first.hint[0] != '\0')
        error_hint(fault, "%s", first.hint);
    return false;
}

static const char *
neighbour(const struct check *check)
{
    for (size_t i = 0; i < check->deck->environments.count; i++) {
        const struct deck_environment *other = &check->deck->environments.items[i];
        if (other != check->environment && other->server == check->server)
            return other->name;
    }
    return NULL;
}

/* Whether it is set where it belongs. */
static void
check_scope(const struct check *check, const struct deck_setting *setting,
            const struct catalog_setting *known)
{
    if (check->environment == NULL || setting_is_of_sessions(known))
        return;
    const char *other = neighbour(check);
    const struct deck_setting *twin = deck_find_setting(&check->server->settings, setting->name);
    struct error *fault = NULL;
    if (other != NULL) {
        fault = fault_at(check, setting->place, setting->name,
                         arena_printf(check->arena,
                                      "it belongs to the whole server, which environment \"%s\" "
                                      "uses too",
                                      other));
        error_hint(fault, "Move it to servers.%s.settings.", check->server->name);
    } else if (twin != NULL) {
        fault = fault_at(check, setting->place, setting->name,
                         arena_printf(check->arena,
                                      "servers.%s.settings sets it too, in line %d, and the server "
                                      "has one value",
                                      check->server->name, twin->place.line));
        error_hint(fault, "Keep one of the two.");
    }
}

static void
check_setting(const struct check *check, const struct deck_setting *setting)
{
    const char *hint;
    const char *reason = settings_reserved(setting->name, &hint);
    struct error *fault;

    if (reason != NULL) {
        fault = fault_at(check, setting->place, setting->name,
                         arena_printf(check->arena, "a deck cannot set it: %s", reason));
        error_hint(fault, "%s", hint);
        return;
    }
    int major = newest_with(check, setting->name, check->first, check->last);
    if (major == 0) {
        if (!is_of_unknown_extension(check, setting->name))
            fault_of_unknown(check, setting);
        return;
    }
    const struct catalog_setting *known = parameter(check, major, setting->name);
    if (strcmp(known->context, "internal") == 0) {
        fault =
            fault_at(check, setting->place, setting->name,
                     "nobody can set it: it was fixed when the server was built or initialised");
        error_hint(fault, "Leave it out.");
        return;
    }
    if (is_value_fine(check, setting))
        check_scope(check, setting, known);
}

static void
check_settings(const struct check *check, const struct deck_settings *settings)
{
    for (size_t i = 0; i < settings->list.count; i++)
        check_setting(check, &settings->list.items[i]);
}

/* --- what must fit together --------------------------------------------------------------- */

/* Whether the environment has the server for itself. */
static bool
is_alone(const struct check *check)
{
    return check->environment != NULL && neighbour(check) == NULL;
}

/* settings_figure_function: what the deck says, and of some what was fixed. A value that is at
 * fault by itself is not looked at again. */
static bool
read_figure(const void *source, const char *name, struct settings_figure *ret_figure)
{
    const struct check *check = source;
    const struct deck_setting *own = deck_find_setting(&check->server->settings, name);
    const char *path = arena_printf(check->arena, "servers.%s.settings", check->server->name);
    int major = newest_with(check, name, check->first, check->last);
    struct error err;

    if (own == NULL && is_alone(check)) {
        own = deck_find_setting(&check->environment->settings, name);
        path = arena_printf(check->arena, "environments.%s.settings", check->environment->name);
    }
    if (own == NULL || major == 0)
        return false;
    *ret_figure = (struct settings_figure){
        .value = own->value,
        .deck = own,
        .path = path,
        .setting = parameter(check, major, name),
    };
    return setting_verify(ret_figure->setting, own->value, true, &err);
}

/* Amounts of memory of an environment that shares its server; the others are the server's. */
static void
check_amounts(const struct check *check, const struct settings_view *view)
{
    const struct deck_settings *settings = &check->environment->settings;

    for (size_t i = 0; i < settings->list.count && !is_alone(check); i++) {
        const struct deck_setting *own = &settings->list.items[i];
        int major = newest_with(check, own->name, check->first, check->last);
        struct settings_figure figure = {.value = own->value, .deck = own, .path = check->path};
        struct error err;
        if (major == 0)
            continue;
        figure.setting = parameter(check, major, own->name);
        if (settings_is_allocated(figure.setting->name) &&
            setting_verify(figure.setting, own->value, true, &err))
            settings_check_amount(view, &figure);
    }
}

/* Of each environment with a server, and once of each server. */
static void
check_together(struct check *check)
{
    struct settings_view view = {
        .arena = check->arena,
        .faults = check->faults,
        .read = read_figure,
        .source = check,
        .memory_bytes = check->server->memory_bytes,
        .memory_from = "the server's memory",
    };
    const struct deck_environment *alone = NULL;

    for (size_t i = 0; i < check->deck->environments.count; i++) {
        check->environment = &check->deck->environments.items[i];
        if (check->environment->server != check->server)
            continue;
        if (is_alone(check))
            alone = check->environment;
        check->path =
            arena_printf(check->arena, "environments.%s.settings", check->environment->name);
        check_amounts(check, &view);
    }
    check->environment = alone;
    settings_check_semantics(&view);
}

void
settings_check_deck(struct arena *arena, const struct deck *deck, struct deck_faults *faults)
{
    struct catalog_server *known[VERSIONS] = {NULL};

    for (size_t i = 0; i < deck->servers.count; i++) {
        const struct deck_server *server = &deck->servers.items[i];
        struct check check = {
            .arena = arena,
            .known = known,
            .deck = deck,
            .server = server,
            .faults = faults,
            .first = server->version > 0 ? server->version : PARAMETERS_OLDEST,
            .last = server->version > 0 ? server->version : PARAMETERS_NEWEST,
            .path = arena_printf(arena, "servers.%s.settings", server->name),
        };
        check_settings(&check, &server->settings);
        for (size_t j = 0; j < deck->environments.count; j++) {
            const struct deck_environment *environment = &deck->environments.items[j];
            if (environment->server != server)
                continue;
            check.environment = environment;
            check.path = arena_printf(arena, "environments.%s.settings", environment->name);
            check_settings(&check, &environment->settings);
        }
        check_together(&check);
    }
}
