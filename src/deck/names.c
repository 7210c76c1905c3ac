// SPDX-License-Identifier: MIT
#include "deck/loader.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_NAME_BYTES = 63 }; /* NAMEDATALEN - 1 */

bool
deck_check_name(struct deck_loader *loader, struct place place, const char *what, const char *name,
                bool is_role)
{
    size_t length = strlen(name);

    if (length == 0) {
        deck_loader_fault(loader, place, "%s: the name is empty", what);
        return false;
    }
    if (length > MAX_NAME_BYTES) {
        deck_loader_fault(loader, place, "%s: the name \"%.20s...\" has %zu bytes; at most %d fit",
                          what, name, length, MAX_NAME_BYTES);
        return false;
    }
    if (is_role && (strncmp(name, "pg_", 3) == 0 || strcmp(name, "public") == 0 ||
                    strcmp(name, "none") == 0)) {
        deck_loader_fault(loader, place, "%s: the name \"%s\" is reserved by PostgreSQL", what,
                          name);
        return false;
    }
    return true;
}

static const struct predefined_role {
    const char *name;
    int since;
} predefined_roles[] = {
    {"pg_checkpoint", 15},
    {"pg_create_subscription", 16},
    {"pg_execute_server_program", 14},
    {"pg_maintain", 17},
    {"pg_monitor", 14},
    {"pg_read_all_data", 14},
    {"pg_read_all_settings", 14},
    {"pg_read_all_stats", 14},
    {"pg_read_server_files", 14},
    {"pg_signal_autovacuum_worker", 18},
    {"pg_signal_backend", 14},
    {"pg_stat_scan_tables", 14},
    {"pg_use_reserved_connections", 16},
    {"pg_write_all_data", 14},
    {"pg_write_server_files", 14},
};

int
deck_predefined_role_since(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(predefined_roles); i++) {
        if (strcmp(predefined_roles[i].name, name) == 0)
            return predefined_roles[i].since;
    }
    return 0;
}

const char **
deck_predefined_roles(struct arena *arena)
{
    const char **names = ARENA_ARRAY(arena, const char *, COUNT_OF(predefined_roles) + 1);

    for (size_t i = 0; i < COUNT_OF(predefined_roles); i++)
        names[i] = predefined_roles[i].name;
    return names;
}

const char *
deck_owner_role(struct arena *arena, const struct deck_environment *environment)
{
    return arena_printf(arena, "%s_owner", environment->role_prefix);
}

const char *
deck_read_only_role(struct arena *arena, const struct deck_environment *environment)
{
    return arena_printf(arena, "%s_read_only", environment->role_prefix);
}

const char *
deck_monitoring_role(struct arena *arena, const struct deck_environment *environment)
{
    return arena_printf(arena, "%s_monitoring", environment->role_prefix);
}

const char *
deck_pool_asker(struct arena *arena, const struct deck_environment *environment)
{
    return arena_printf(arena, "%s_pool_asker", environment->role_prefix);
}

const char *
deck_service_role(struct arena *arena, const struct deck_environment *environment,
                  const char *service)
{
    return arena_printf(arena, "%s_%s", environment->role_prefix, service);
}

const char *
deck_login_role(struct arena *arena, const struct deck_environment *environment,
                const char *service)
{
    return arena_printf(arena, "%s_%s_a", environment->role_prefix, service);
}

const char *
deck_other_login(struct arena *arena, const char *login)
{
    size_t length = strlen(login);

    return arena_printf(arena, "%.*s%c", (int)length - 1, login,
                        login[length - 1] == 'a' ? 'b' : 'a');
}

const char *
deck_password_variable(struct arena *arena, const char *role)
{
    char *name = arena_printf(arena, "PGDECK_PASSWORD_%s", role);

    for (char *at = name; *at != '\0'; at++) {
        bool is_plain =
            (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z');
        *at = is_plain ? (char)toupper((unsigned char)*at) : '_';
    }
    return name;
}

enum deck_depth
deck_depth(const struct deck_environment *environment)
{
    static const enum deck_depth of_logging[] = {
        [LOGGING_VERBOSE] = DEPTH_DETAILED,
        [LOGGING_BALANCED] = DEPTH_STANDARD,
        [LOGGING_MINIMAL] = DEPTH_ESSENTIAL,
    };

    return environment->monitoring != DEPTH_OF_LOGGING ? environment->monitoring
                                                       : of_logging[environment->logging];
}

const struct deck_pool *
deck_find_pool(const struct deck_environment *environment, const char *service)
{
    for (size_t i = 0; i < environment->pools.count; i++) {
        if (strcmp(environment->pools.items[i].service, service) == 0)
            return &environment->pools.items[i];
    }
    return NULL;
}

int
deck_pool_total(const struct deck_pool *pool)
{
    return pool->max + pool->login_max * (int)pool->logins.count;
}

bool
deck_has_pool_logins(const struct deck_environment *environment)
{
    bool has_some = false;

    for (size_t i = 0; i < environment->pools.count; i++)
        has_some = has_some || environment->pools.items[i].logins.count > 0;
    return has_some;
}

const struct deck_setting *
deck_find_setting(const struct deck_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->list.count; i++) {
        if (strcasecmp(settings->list.items[i].name, name) == 0)
            return &settings->list.items[i];
    }
    return NULL;
}

const struct deck_server *
deck_find_server(const struct deck *deck, const char *name)
{
    for (size_t i = 0; i < deck->servers.count; i++) {
        if (strcmp(deck->servers.items[i].name, name) == 0)
            return &deck->servers.items[i];
    }
    return NULL;
}
