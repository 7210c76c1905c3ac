// SPDX-License-Identifier: MIT
#include "security/facts.h"

#include "security/roles.h"
#include "security/tenants.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* They hold rights as services do; nobody logs in as them, but the pool as its asker. */
static void
add_people_roles(struct arena *arena, const struct deck_environment *environment, json_t *list)
{
    static const char format[] = "{s:s, s:s, s:i, s:s, s:[], s:s, s:[s]}";

    if (environment->has_read_only)
        json_array_append_new(list,
                              json_pack(format, "name", "read_only", "role",
                                        deck_read_only_role(arena, environment), "limit", -1,
                                        "mode", "", "logins", "rights", "read", "groups", ""));
    if (environment->has_monitoring)
        json_array_append_new(list, json_pack(format, "name", "monitoring", "role",
                                              deck_monitoring_role(arena, environment), "limit", -1,
                                              "mode", "", "logins", "rights", "connect", "groups",
                                              "pg_monitor"));
    if (deck_has_pool_logins(environment))
        json_array_append_new(list, json_pack(format, "name", "pool_asker", "role",
                                              deck_pool_asker(arena, environment), "limit", -1,
                                              "mode", "", "logins", "rights", "ask", "groups", ""));
}

static json_t *
services_of(struct arena *arena, const struct advice *advice,
            const struct deck_environment *environment)
{
    static const char *const modes[] = {[DECK_POOL_TRANSACTION] = "transaction",
                                        [DECK_POOL_SESSION] = "session",
                                        [DECK_POOL_STATEMENT] = "statement"};
    struct security_services services = security_services_of(advice, environment);
    json_t *list = json_array();

    for (size_t i = 0; i < services.names.count; i++) {
        const char *name = services.names.items[i];
        const struct deck_pool *pool = deck_find_pool(environment, name);
        json_t *logins = json_array();
        struct security_logins known = security_logins_of(advice, environment, name);
        for (size_t j = 0; j < known.count; j++)
            json_array_append_new(logins, json_string(known.names[j]));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:i, s:s, s:o}", "name", name, "role",
                                        deck_service_role(arena, environment, name), "limit",
                                        pool == NULL ? -1 : pool->max, "mode",
                                        pool == NULL ? "" : modes[pool->mode], "logins", logins));
    }
    add_people_roles(arena, environment, list);
    return list;
}

static json_t *
databases_of(const struct deck *deck, const struct deck_environment *environment)
{
    json_t *list = json_array();

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (deck->databases.items[i].environment == environment)
            json_array_append_new(list, json_string(deck->databases.items[i].name));
    }
    return list;
}

/* Those that the deck lists itself. */
static json_t *
listed_roles(const struct deck *deck)
{
    json_t *list = json_array();

    for (size_t i = 0; i < deck->roles.count; i++) {
        const struct deck_role *role = &deck->roles.items[i];
        json_t *groups = json_array();
        for (size_t j = 0; j < role->member_of.count; j++)
            json_array_append_new(groups, json_string(role->member_of.items[j]));
        json_array_append_new(list, json_pack("{s:s, s:o}", "name", role->name, "groups", groups));
    }
    return list;
}

const char *
security_facts(struct arena *arena, const struct advice *advice)
{
    const struct deck *deck = advice->deck;
    json_t *list = json_array();

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if (environment->server != advice->server)
            continue;
        json_t *allow = json_array();
        for (size_t j = 0; j < environment->allow.count; j++)
            json_array_append_new(allow, json_string(environment->allow.items[j]));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o}", "name", environment->name,
                            "owner", deck_owner_role(arena, environment), "tls",
                            environment->has_tls_required, "audit", environment->has_audit, "allow",
                            allow, "databases", databases_of(deck, environment), "services",
                            services_of(arena, advice, environment)));
    }
    json_t *guarded = json_array();
    for (size_t i = 0; i < deck->databases.count; i++) {
        if (security_has_tenants(deck, deck->databases.items[i].name))
            json_array_append_new(guarded, json_string(deck->databases.items[i].name));
    }
    json_t *facts = json_pack("{s:o, s:o, s:{s:s?, s:s, s:o}}", "environments", list, "roles",
                              listed_roles(deck), "tenants", "column", deck->tenants.column,
                              "setting", security_tenant_setting(deck), "databases", guarded);
    char *text = json_dumps(facts, JSON_COMPACT);
    const char *kept = arena_strdup(arena, text);
    free(text);
    json_decref(facts);
    return kept;
}
