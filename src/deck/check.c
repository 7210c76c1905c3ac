// SPDX-License-Identifier: MIT
#include "deck/loader.h"
#include "deck/units.h"

#include <stdlib.h>
#include <string.h>

/* Values by now are in structs; the tree is looked at again for the places of single values. The
 * items of a KEY_MAP and the pairs of its node have the same order. */
static const struct deck_node *
item_node(const struct deck_node *map, size_t i)
{
    return map->pairs.items[i].value;
}

static struct place
place_of(const struct deck_node *mapping, const char *key, struct place otherwise)
{
    const struct deck_node *node = deck_node_get(mapping, key);

    return node == NULL ? otherwise : node->place;
}

/* The index among count names of the one that a key refers to; count when there is none (with a
 * fault, unless the key itself is missing, which is told already). */
static size_t
find_reference(struct deck_loader *loader, const struct deck_node *mapping, const char *key,
               const char *const *names, const char *path)
{
    const struct deck_node *node = deck_node_get(mapping, key);
    size_t i = 0;

    while (names[i] != NULL &&
           (node == NULL || node->kind != NODE_SCALAR || strcmp(names[i], node->text) != 0))
        i++;
    if (names[i] == NULL && node != NULL && node->kind == NODE_SCALAR && node->text[0] != '\0') {
        struct error *fault = deck_loader_fault(loader, node->place, "%s: there is no %s \"%s\"",
                                                path, key, node->text);
        deck_fault_nearest(fault, node->text, names);
    }
    return i;
}

/* --- environments ------------------------------------------------------------------------- */

/* Who comes by the pool beside the service. */
static void
find_logins(struct deck_loader *loader, const struct deck *deck,
            const struct deck_environment *environment, struct deck_pool *pool)
{
    const char *group = deck_service_role(loader->arena, environment, pool->service);

    for (size_t i = 0; pool->login_max > 0 && i < deck->roles.count; i++) {
        const struct deck_role *role = &deck->roles.items[i];
        bool is_member = false;
        for (size_t j = 0; j < role->member_of.count; j++)
            is_member = is_member || strcmp(role->member_of.items[j], group) == 0;
        if (role->can_login && is_member)
            *LIST_ADD(loader->arena, &pool->logins) = role->name;
    }
    if (pool->login_max > 0 && pool->auth != DECK_AUTH_SCRAM)
        deck_loader_fault(loader, pool->place,
                          "environments.%s.pools.%s: login_max goes with auth: scram only",
                          environment->name, pool->service);
}

static void
check_pools(struct deck_loader *loader, const struct deck_environment *environment,
            const struct deck_node *node)
{
    const struct deck_node *pools = deck_node_get(node, "pools");
    long sum = 0;

    for (size_t i = 0; i < environment->pools.count; i++) {
        const struct deck_pool *pool = &environment->pools.items[i];
        sum += deck_pool_total(pool);
        if (pool->min <= pool->max || pool->max == 0)
            continue;
        deck_loader_fault(loader, place_of(item_node(pools, i), "min", pool->place),
                          "environments.%s.pools.%s: min %d is more than max %d", environment->name,
                          pool->service, pool->min, pool->max);
    }
    if (environment->max_connections == 0 || sum <= environment->max_connections)
        return;
    struct error *fault = deck_loader_fault(
        loader, place_of(node, "max_connections", environment->place),
        "environments.%s: its pools want %ld connections, more than its max_connections %d",
        environment->name, sum, environment->max_connections);
    error_hint(fault, "Raise max_connections or lower the max of a pool.");
}

static void
check_targets(struct deck_loader *loader, const struct deck_environment *environment,
              const struct deck_node *node)
{
    const struct deck_node *targets = deck_node_get(node, "targets");

    if (environment->max_connections == 0 ||
        environment->targets.connections_max <= environment->max_connections)
        return;
    deck_loader_fault(loader, place_of(targets, "connections", environment->place),
                      "environments.%s.targets.connections: %d are more than its "
                      "max_connections %d",
                      environment->name, environment->targets.connections_max,
                      environment->max_connections);
}

static void
check_backup(struct deck_loader *loader, const struct deck_environment *environment,
             const struct deck_node *node)
{
    const struct deck_backup *backup = &environment->maintenance.backup;
    const struct deck_node *own = deck_node_get(deck_node_get(node, "maintenance"), "backup");

    if (backup->kind == BACKUP_COMMAND && backup->command == NULL)
        deck_loader_fault(loader, place_of(own, "kind", environment->place),
                          "environments.%s.maintenance.backup: kind command needs a command",
                          environment->name);
    if (backup->kind != BACKUP_COMMAND && backup->command != NULL)
        deck_loader_fault(loader, place_of(own, "command", environment->place),
                          "environments.%s.maintenance.backup: command is of kind command only",
                          environment->name);
}

static const char **
names_of(struct deck_loader *loader, const struct deck_node *map)
{
    size_t count = map == NULL ? 0 : map->pairs.count;
    const char **names = ARENA_ARRAY(loader->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        names[i] = map->pairs.items[i].key;
    return names;
}

static void
check_environments(struct deck_loader *loader, struct deck *deck, const struct deck_node *root)
{
    const struct deck_node *map = deck_node_get(root, "environments");
    const char **servers = names_of(loader, deck_node_get(root, "servers"));

    for (size_t i = 0; i < deck->environments.count; i++) {
        struct deck_environment *environment = &deck->environments.items[i];
        const struct deck_node *node = item_node(map, i);
        size_t server =
            find_reference(loader, node, "server", servers,
                           arena_printf(loader->arena, "environments.%s", environment->name));
        if (server < deck->servers.count)
            environment->server = &deck->servers.items[server];
        if (environment->role_prefix == NULL)
            environment->role_prefix = environment->name;
        environment->monitoring = deck_depth(environment);
        for (size_t j = 0; j < environment->pools.count; j++)
            find_logins(loader, deck, environment, &environment->pools.items[j]);
        check_pools(loader, environment, node);
        check_targets(loader, environment, node);
        check_backup(loader, environment, node);
    }
}

static void
check_certificates(struct deck_loader *loader, const struct deck *deck)
{
    for (size_t i = 0; i < deck->servers.count; i++) {
        const struct deck_server *server = &deck->servers.items[i];
        if ((server->certificate == NULL) != (server->certificate_key == NULL))
            deck_loader_fault(loader, server->place,
                              "servers.%s: certificate and certificate_key go together",
                              server->name);
    }
}

/* The shares of a server's environments must fit into what it may use. */
static void
check_memory(struct deck_loader *loader, const struct deck *deck, const struct deck_node *root)
{
    const struct deck_node *map = deck_node_get(root, "environments");

    for (size_t s = 0; s < deck->servers.count; s++) {
        const struct deck_server *server = &deck->servers.items[s];
        int64_t sum = 0;
        for (size_t i = 0; i < deck->environments.count && server->memory_bytes > 0; i++) {
            const struct deck_environment *environment = &deck->environments.items[i];
            bool was_within = sum <= server->memory_bytes;
            if (environment->server != server)
                continue;
            sum += environment->memory_bytes;
            if (!was_within || sum <= server->memory_bytes)
                continue;
            struct error *fault = deck_loader_fault(
                loader, place_of(item_node(map, i), "memory", environment->place),
                "environments.%s.memory: the shares of server \"%s\" come to %lldMB here, more "
                "than its %lldMB",
                environment->name, server->name, (long long)(sum >> 20),
                (long long)(server->memory_bytes >> 20));
            error_hint(fault, "Lower a share, or raise servers.%s.memory if it has more.",
                       server->name);
        }
    }
}

/* --- role names --------------------------------------------------------------------------- */

struct role_name {
    const char *name;
    const struct deck_server *server; /* NULL: of roles, on every server */
    struct place place;
};

struct role_names {
    LIST_OF(struct role_name) list;
};

static void
add_role(struct deck_loader *loader, struct role_names *names, const char *name,
         const struct deck_server *server, struct place place)
{
    for (size_t i = 0; i < names->list.count; i++) {
        const struct role_name *other = &names->list.items[i];
        bool is_same_server = other->server == NULL || server == NULL || other->server == server;
        if (!is_same_server || strcmp(other->name, name) != 0)
            continue;
        struct error *fault =
            deck_loader_fault(loader, place, "two roles would be called \"%s\"", name);
        error_detail(fault, "The other one comes from line %d.", other->place.line);
        error_hint(fault, "Give an environment another role_prefix, or rename a service.");
        return;
    }
    *LIST_ADD(loader->arena, &names->list) = (struct role_name){name, server, place};
}

/* Names that differ in a sign or a case only have one variable for the password: one login would
 * get the other's. */
static bool
add_login(struct deck_loader *loader, struct role_names *logins, const char *name,
          struct place place)
{
    const char *variable = deck_password_variable(loader->arena, name);

    for (size_t i = 0; i < logins->list.count; i++) {
        const struct role_name *other = &logins->list.items[i];
        if (strcmp(other->name, name) == 0 ||
            strcmp(deck_password_variable(loader->arena, other->name), variable) != 0)
            continue;
        struct error *fault =
            deck_loader_fault(loader, place,
                              "%s would be the password of two logins, \"%s\" and "
                              "\"%s\"",
                              variable, other->name, name);
        error_detail(fault, "The other one comes from line %d.", other->place.line);
        error_hint(fault, "Let their names differ in more than signs and case.");
        return false;
    }
    *LIST_ADD(loader->arena, &logins->list) = (struct role_name){name, NULL, place};
    return true;
}

static void
add_people_roles(struct deck_loader *loader, struct role_names *names,
                 const struct deck_environment *environment)
{
    const char *read_only = deck_read_only_role(loader->arena, environment);
    const char *monitoring = deck_monitoring_role(loader->arena, environment);

    if (environment->has_read_only &&
        deck_check_name(loader, environment->place, "read-only role", read_only, true))
        add_role(loader, names, read_only, environment->server, environment->place);
    if (environment->has_monitoring &&
        deck_check_name(loader, environment->place, "monitoring role", monitoring, true))
        add_role(loader, names, monitoring, environment->server, environment->place);
}

static void
check_roles(struct deck_loader *loader, const struct deck *deck)
{
    struct role_names names = {0}, logins = {0};

    for (size_t i = 0; i < deck->roles.count; i++) {
        const struct deck_role *role = &deck->roles.items[i];
        add_role(loader, &names, role->name, NULL, role->place);
        if (role->can_login)
            add_login(loader, &logins, role->name, role->place);
    }
    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        const char *owner = deck_owner_role(loader->arena, environment);
        if (deck_check_name(loader, environment->place, "owner's role", owner, true))
            add_role(loader, &names, owner, environment->server, environment->place);
        add_people_roles(loader, &names, environment);
        const char *asker = deck_pool_asker(loader->arena, environment);
        if (deck_has_pool_logins(environment) &&
            deck_check_name(loader, environment->place, "pool's role", asker, true)) {
            add_role(loader, &names, asker, environment->server, environment->place);
            add_login(loader, &logins, asker, environment->place);
        }
        for (size_t j = 0; j < environment->pools.count; j++) {
            const struct deck_pool *pool = &environment->pools.items[j];
            const char *login = deck_login_role(loader->arena, environment, pool->service);
            if (!deck_check_name(loader, pool->place, "service's role", login, true))
                continue;
            add_role(loader, &names, deck_service_role(loader->arena, environment, pool->service),
                     environment->server, pool->place);
            add_role(loader, &names, login, environment->server, pool->place);
            add_role(loader, &names, deck_other_login(loader->arena, login), environment->server,
                     pool->place);
            if (add_login(loader, &logins, login, pool->place))
                add_login(loader, &logins, deck_other_login(loader->arena, login), pool->place);
        }
    }
}

/* Those that hold rights in an environment: of a service, for readers, for monitors. */
static bool
is_role_of_environment(struct deck_loader *loader, const struct deck *deck, const char *name)
{
    struct arena *arena = loader->arena;

    for (size_t i = 0; i < deck->environments.count; i++) {
        const struct deck_environment *environment = &deck->environments.items[i];
        if ((environment->has_read_only &&
             strcmp(deck_read_only_role(arena, environment), name) == 0) ||
            (environment->has_monitoring &&
             strcmp(deck_monitoring_role(arena, environment), name) == 0))
            return true;
        for (size_t j = 0; j < environment->pools.count; j++) {
            const char *service = environment->pools.items[j].service;
            if (strcmp(deck_service_role(arena, environment, service), name) == 0)
                return true;
        }
    }
    return false;
}

static void
membership_fault(struct deck_loader *loader, const struct deck_role *role,
                 const struct deck_node *item, const char **names)
{
    struct error *fault = deck_loader_fault(
        loader, item->place, "roles.%s.member_of: there is no role \"%s\"", role->name, item->text);

    if (strncmp(item->text, "pg_", 3) != 0) {
        deck_fault_nearest(fault, item->text, names);
        return;
    }
    error_detail(fault, "PostgreSQL 14 to 18 have no predefined role of that name to be a member "
                        "of.");
    deck_fault_nearest(fault, item->text, deck_predefined_roles(loader->arena));
}

static void
check_memberships(struct deck_loader *loader, const struct deck *deck, const struct deck_node *root)
{
    const struct deck_node *map = deck_node_get(root, "roles");
    const char **names = names_of(loader, map);

    for (size_t i = 0; i < deck->roles.count; i++) {
        const struct deck_role *role = &deck->roles.items[i];
        const struct deck_node *list = deck_node_get(item_node(map, i), "member_of");
        for (size_t j = 0; list != NULL && j < list->items.count; j++) {
            const struct deck_node *item = list->items.items[j];
            if (item->kind == NODE_SCALAR && deck_predefined_role_since(item->text) == 0 &&
                deck_node_get(map, item->text) == NULL &&
                !is_role_of_environment(loader, deck, item->text))
                membership_fault(loader, role, item, names);
        }
    }
}

/* --- databases ---------------------------------------------------------------------------- */

static void
check_services(struct deck_loader *loader, const struct deck_database *database,
               const struct deck_node *node)
{
    const struct deck_node *services = deck_node_get(node, "services");
    const struct deck_environment *environment = database->environment;

    if (services == NULL || environment == NULL)
        return;
    const char **names = ARENA_ARRAY(loader->arena, const char *, environment->pools.count + 1);
    for (size_t i = 0; i < environment->pools.count; i++)
        names[i] = environment->pools.items[i].service;
    for (size_t i = 0; i < services->items.count; i++) {
        const struct deck_node *item = services->items.items[i];
        if (item->kind != NODE_SCALAR || deck_find_pool(environment, item->text) != NULL)
            continue;
        struct error *fault =
            deck_loader_fault(loader, item->place,
                              "databases.%s: the service \"%s\" has no pool in environment \"%s\"",
                              database->name, item->text, environment->name);
        deck_fault_nearest(fault, item->text, names);
    }
}

static const struct deck_statement *
find_table(const struct deck_sql_file *schema, const char *schema_name, const char *table)
{
    for (size_t i = 0; i < schema->statements.count; i++) {
        const struct deck_statement *statement = &schema->statements.items[i];
        const char *in = statement->schema == NULL ? "public" : statement->schema;
        if (statement->kind == STATEMENT_CREATE_TABLE && strcmp(statement->name, table) == 0 &&
            strcmp(in, schema_name) == 0)
            return statement;
    }
    return NULL;
}

static const char *
in_schema(const char *schema)
{
    return schema == NULL ? "public" : schema;
}

/* An index has the schema of its table. */
static bool
has_index(const struct deck_sql_file *schema, const struct deck_statement *index)
{
    for (size_t i = 0; i < schema->statements.count; i++) {
        const struct deck_statement *statement = &schema->statements.items[i];
        if (statement->kind == STATEMENT_CREATE_INDEX && statement->table != NULL &&
            strcmp(statement->name, index->name) == 0 &&
            strcmp(in_schema(statement->table_schema), in_schema(index->table_schema)) == 0)
            return true;
    }
    return false;
}

/* Every index is on a table that the schema has, and is not in the schema already. */
static void
check_indexes(struct deck_loader *loader, const struct deck_sql_file *indexes,
              const struct deck_sql_file *schema)
{
    for (size_t i = 0; i < indexes->statements.count; i++) {
        const struct deck_statement *statement = &indexes->statements.items[i];
        if (statement->kind != STATEMENT_CREATE_INDEX || statement->table == NULL)
            continue;
        if (has_index(schema, statement))
            deck_loader_fault(loader, statement->place, "index \"%s\" is in %s already",
                              statement->name, schema->path);
        if (find_table(schema, in_schema(statement->table_schema), statement->table) != NULL)
            continue;
        deck_loader_fault(loader, statement->place,
                          "index \"%s\" is on table \"%s\", which %s does not have",
                          statement->name, statement->table, schema->path);
    }
}

/* What several databases share is looked at once. */
static bool
is_first_with(const struct deck *deck, size_t at)
{
    const struct deck_database *database = &deck->databases.items[at];

    for (size_t i = 0; i < at; i++) {
        const struct deck_database *other = &deck->databases.items[i];
        if (other->schema == database->schema && other->indexes == database->indexes &&
            other->partitions == database->partitions)
            return false;
    }
    return true;
}

static void
check_databases(struct deck_loader *loader, struct deck_root *root, const struct deck_node *node)
{
    struct deck *deck = &root->deck;
    const struct deck_node *map = deck_node_get(node, "databases");
    const char **environments = names_of(loader, deck_node_get(node, "environments"));

    for (size_t i = 0; i < deck->databases.count; i++) {
        struct deck_database *database = &deck->databases.items[i];
        const struct deck_node *own = item_node(map, i);
        size_t environment =
            find_reference(loader, own, "environment", environments,
                           arena_printf(loader->arena, "databases.%s", database->name));
        if (environment < deck->environments.count)
            database->environment = &deck->environments.items[environment];
        if (deck_node_get(own, "schema") == NULL)
            database->schema = root->schema;
        if (deck_node_get(own, "indexes") == NULL)
            database->indexes = root->indexes;
        if (deck_node_get(own, "partitions") == NULL)
            database->partitions = root->partitions;
        if (deck_node_get(own, "workload") == NULL)
            database->workload = root->workload;
        check_services(loader, database, own);
        if (!is_first_with(deck, i))
            continue;
        if (database->partitions != NULL)
            deck_check_partitions(loader, database);
        if (database->indexes != NULL && database->schema != NULL)
            check_indexes(loader, database->indexes, database->schema);
    }
}

/* --- alerts ------------------------------------------------------------------------------- */

static const char *const level_units[] = {
    [LEVEL_SHARE] = "percentages",
    [LEVEL_DURATION] = "durations, such as 1s",
    [LEVEL_SIZE] = "sizes, such as 1GB",
    [LEVEL_COUNT] = "numbers",
};

/* By how it is written; a level that is missing or is no text has a fault already. */
static bool
is_written_as(const struct deck_node *alert, const char *level, enum deck_level_unit unit)
{
    const struct deck_node *node = deck_node_get(alert, level);

    return node == NULL || node->kind != NODE_SCALAR || strcmp(node->text, "0") == 0 ||
           deck_unit_of_level(node->text) == unit;
}

static void
check_alert(struct deck_loader *loader, struct deck_alert *alert, const struct deck_node *node)
{
    const char **names = ARENA_ARRAY(loader->arena, const char *, deck_alert_kind_count + 1);
    const struct deck_alert_kind *kind = NULL;

    for (size_t i = 0; i < deck_alert_kind_count; i++) {
        names[i] = deck_alert_kinds[i].name;
        if (strcmp(names[i], alert->name) == 0)
            kind = &deck_alert_kinds[i];
    }
    if (kind == NULL) {
        struct error *fault =
            deck_loader_fault(loader, alert->place, "unknown alert \"%s\"", alert->name);
        deck_fault_nearest(fault, alert->name, names);
        return;
    }
    alert->unit = kind->unit;
    if (deck_node_get(node, "warning") == NULL || deck_node_get(node, "critical") == NULL)
        return;
    if (!is_written_as(node, "warning", kind->unit) ||
        !is_written_as(node, "critical", kind->unit)) {
        deck_loader_fault(loader, node->place, "alerts.%s wants %s", alert->name,
                          level_units[kind->unit]);
        return;
    }
    if (kind->is_low_bad ? alert->critical < alert->warning : alert->warning < alert->critical)
        return;
    deck_loader_fault(loader, place_of(node, "critical", alert->place),
                      "alerts.%s: critical must be %s warning", alert->name,
                      kind->is_low_bad ? "below" : "above");
}

/* --- all ---------------------------------------------------------------------------------- */

static void
check_not_empty(struct deck_loader *loader, const struct deck_node *root, const char *key)
{
    const struct deck_node *map = deck_node_get(root, key);

    if (map != NULL && map->kind == NODE_MAPPING && map->pairs.count == 0)
        deck_loader_fault(loader, map->place, "%s is empty", key);
}

void
deck_check(struct deck_loader *loader, struct deck_root *root, const struct deck_node *node)
{
    struct deck *deck = &root->deck;

    check_not_empty(loader, node, "servers");
    check_not_empty(loader, node, "environments");
    check_not_empty(loader, node, "databases");
    check_environments(loader, deck, node);
    check_certificates(loader, deck);
    check_memory(loader, deck, node);
    check_databases(loader, root, node);
    check_roles(loader, deck);
    check_memberships(loader, deck, node);
    for (size_t i = 0; i < deck->alerts.count; i++)
        check_alert(loader, &deck->alerts.items[i], item_node(deck_node_get(node, "alerts"), i));
    deck_check_rollups(loader, deck);
    deck_check_notify(loader, deck, deck_node_get(node, "notify"));
}
