// SPDX-License-Identifier: MIT
#include "security/tenant_cost.h"

#include "base/embed.h"
#include "base/file.h"
#include "base/text.h"
#include "pg/script.h"
#include "security/roles.h"
#include "security/tenants.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5 };

/* One database. */
struct look {
    const struct advice *advice;
    const struct deck_database *database;
    PGconn *connection;
    const char *cpu_file; /* of the server's process; NULL: elsewhere */
};

/* What a plan tells. */
struct told {
    double took_ms, cpu_ms, pages, rows;
    const char *index; /* the first that is used */
    bool has_seq_scan;
};

/* --- one plan ----------------------------------------------------------------------------- */

static void
look_at_node(struct arena *arena, const json_t *node, struct told *told)
{
    const char *index = json_string_value(json_object_get(node, "Index Name"));
    const char *type = json_string_value(json_object_get(node, "Node Type"));
    const json_t *child;
    size_t i;

    if (index != NULL && told->index == NULL && json_object_get(node, "Index Cond") != NULL)
        told->index = arena_strdup(arena, index);
    /* Its Parent Relationship tells a table from what reads tenants.login. */
    if (type != NULL && strcmp(type, "Seq Scan") == 0 &&
        json_object_get(node, "Subplan Name") == NULL)
        told->has_seq_scan = true;
    json_array_foreach(json_object_get(node, "Plans"), i, child)
    {
        if (json_object_get(child, "Subplan Name") == NULL)
            look_at_node(arena, child, told);
    }
}

/* How long the server's process was on a CPU until now, without workers of its own: it has none
 * here. 0: not known. */
static double
cpu_ms(const struct look *look)
{
    struct error ignored;
    char *text;
    size_t length;

    if (look->cpu_file == NULL ||
        !file_read(look->advice->arena, look->cpu_file, &text, &length, &ignored))
        return 0;
    return strtod(text, NULL) / 1e6;
}

static double
pages_of(const json_t *plan)
{
    return json_number_value(json_object_get(plan, "Shared Hit Blocks")) +
           json_number_value(json_object_get(plan, "Shared Read Blocks"));
}

static bool
run_plan(const struct look *look, const char *sql, struct told *ret_told, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    json_error_t fault;
    double before_ms = cpu_ms(look);

    if (!pg_send(look->connection, sql, err) || !pg_receive(look->connection, &result, err))
        return false;
    json_t *list = PQntuples(result) == 1 ? json_loads(PQgetvalue(result, 0, 0), 0, &fault) : NULL;
    const json_t *root = json_array_get(list, 0);
    const json_t *plan = json_object_get(root, "Plan");
    struct told told = {
        .took_ms = json_number_value(json_object_get(root, "Planning Time")) +
                   json_number_value(json_object_get(root, "Execution Time")),
        .cpu_ms = cpu_ms(look) - before_ms,
        .pages = pages_of(plan) + pages_of(json_object_get(root, "Planning")),
        .rows = json_number_value(json_object_get(plan, "Actual Rows")),
    };

    if (plan != NULL)
        look_at_node(look->advice->arena, plan, &told);
    bool is_fine = plan != NULL;
    json_decref(list);
    *ret_told = told;
    return is_fine || error_set(err, ERROR_INTERNAL, "EXPLAIN gave no plan");
}

/* --- one table ---------------------------------------------------------------------------- */

static bool
find_tenant(const struct look *look, struct tenant_cost *cost, const char **ret_role,
            const char **ret_tenant, struct error *err)
{
    const struct deck *deck = look->advice->deck;
    struct arena *arena = look->advice->arena;
    struct security_roles roles = security_roles_in(arena, look->database);
    AUTO_PGRESULT result = NULL;
    bool is_login = deck->tenants.identity == IDENTITY_LOGIN;

    if (roles.names.count == 0) {
        cost->why_not = "no service works with this database";
        return true;
    }
    const char *sql = pg_script(
        arena, is_login ? "security/sql/tenant_by_login.sql" : "security/sql/tenant_by_setting.sql",
        PG_VARIABLES({"schema", cost->schema}, {"table", cost->table},
                     {"column", deck->tenants.column}, {"role", roles.names.items[0]}));
    if (!pg_query(look->connection, sql, 0, NULL, &result, err))
        return false;
    if (PQntuples(result) == 0 || pg_value(result, 0, "tenant") == NULL) {
        cost->why_not = is_login ? "no tenant of tenants.login has rows" : "it has no rows";
        return true;
    }
    *ret_role = pg_keep(arena, result, 0, "role");
    *ret_tenant = pg_keep(arena, result, 0, "tenant");
    return true;
}

static void
take(struct tenant_cost *cost, const struct told *guarded, const struct told *bare, bool is_first)
{
    if (is_first || guarded->took_ms < cost->guarded_ms)
        cost->guarded_ms = guarded->took_ms;
    if (is_first || bare->took_ms < cost->bare_ms)
        cost->bare_ms = bare->took_ms;
    if (is_first || guarded->cpu_ms < cost->guarded_cpu_ms)
        cost->guarded_cpu_ms = guarded->cpu_ms;
    if (is_first || bare->cpu_ms < cost->bare_cpu_ms)
        cost->bare_cpu_ms = bare->cpu_ms;
    cost->guarded_pages = guarded->pages; /* the last: the catalogs are known by then */
    cost->bare_pages = bare->pages;
    cost->rows = guarded->rows;
    cost->index = guarded->index;
    cost->is_read_whole = guarded->has_seq_scan && !bare->has_seq_scan;
}

static bool
measure(const struct look *look, struct tenant_cost *cost, struct error *err)
{
    struct arena *arena = look->advice->arena;
    const char *setting = security_tenant_setting(look->advice->deck);
    const char *role = NULL, *tenant = NULL;

    if (!find_tenant(look, cost, &role, &tenant, err))
        return false;
    if (cost->why_not != NULL)
        return true;
    if (setting[0] == '\0')
        setting = "app.tenant";
    const char *guarded =
        pg_script(arena, "security/sql/tenant_guarded.sql",
                  PG_VARIABLES({"schema", cost->schema}, {"table", cost->table}, {"role", role},
                               {"setting", setting}, {"tenant", tenant}));
    const char *bare = pg_script(arena, "security/sql/tenant_bare.sql",
                                 PG_VARIABLES({"schema", cost->schema}, {"table", cost->table},
                                              {"column", look->advice->deck->tenants.column},
                                              {"setting", setting}, {"tenant", tenant}));
    for (int i = 0; i < ROUNDS; i++) {
        struct told with, without;
        if (!run_plan(look, guarded, &with, err) || !run_plan(look, bare, &without, err))
            return false;
        take(cost, &with, &without, i == 0);
    }
    return true;
}

static bool
find_useless(const struct look *look, struct tenant_cost *cost, struct error *err)
{
    const char *parameters[3] = {cost->schema, cost->table, look->advice->deck->tenants.column};
    AUTO_PGRESULT result = NULL;

    if (!pg_query(look->connection, embedded_file("security/sql/tenant_indexes.sql")->text, 3,
                  parameters, &result, err))
        return false;
    cost->useless = pg_keep(look->advice->arena, result, 0, "names");
    return true;
}

/* Its first number: nanoseconds on a CPU. The process is the server's, and not another's in a
 * container that has the same number. */
static const char *
find_cpu_file(const struct advice *advice, PGconn *connection)
{
    struct arena *arena = advice->arena;
    const char *folder = arena_printf(arena, "/proc/%d", PQbackendPID(connection));
    struct error ignored;
    char *name;
    size_t length;

    if (!advice->catalog->is_local ||
        !file_read(arena, arena_printf(arena, "%s/comm", folder), &name, &length, &ignored) ||
        text_behind(name, "postgres") == NULL)
        return NULL;
    return arena_printf(arena, "%s/schedstat", folder);
}

/* --- all of them -------------------------------------------------------------------------- */

static bool
look_at_tables(const struct look *look, const struct catalog_database *catalog,
               struct tenant_costs *costs, struct error *err)
{
    const struct deck *deck = look->advice->deck;
    struct arena *arena = look->advice->arena;
    const char *parameters[2] = {deck->tenants.column, security_tenant_setting(deck)};
    AUTO_PGRESULT result = NULL;

    if (!pg_query(look->connection, embedded_file("security/sql/tenants_state.sql")->text, 2,
                  parameters, &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        struct tenant_cost cost = {.database = look->database->name,
                                   .schema = pg_keep(arena, result, row, "schema"),
                                   .table = pg_keep(arena, result, row, "name")};
        const struct catalog_table *table = catalog_find_table(catalog, cost.schema, cost.table);
        if (table != NULL && table->parent_oid != 0)
            continue;
        if (!pg_bool(result, row, "is_right"))
            cost.why_not = "it has no policy yet: pgdeck apply --only security";
        if ((cost.why_not == NULL && !measure(look, &cost, err)) ||
            !pg_execute(look->connection, "SET LOCAL ROLE NONE", err) ||
            !find_useless(look, &cost, err))
            return false;
        *LIST_ADD(arena, &costs->list) = cost;
    }
    return true;
}

static bool
look_at_database(const struct advice *advice, const struct deck_database *database,
                 struct tenant_costs *costs, struct error *err)
{
    const struct catalog_database *catalog = catalog_find_database(advice->catalog, database->name);
    const struct look look = {advice, database, catalog->connection,
                              find_cpu_file(advice, catalog->connection)};
    struct error ignored = {0};

    if (!pg_execute(look.connection,
                    "BEGIN READ ONLY; SET LOCAL statement_timeout = '30s'; "
                    "SET LOCAL max_parallel_workers_per_gather = 0",
                    err))
        return false;
    bool is_fine = look_at_tables(&look, catalog, costs, err);
    if (!pg_execute(look.connection, "ROLLBACK", is_fine ? err : &ignored))
        is_fine = false;
    return is_fine || error_wrap(err, "database \"%s\"", database->name);
}

bool
security_tenant_costs(const struct advice *advice, struct tenant_costs *costs, struct error *err)
{
    const struct deck *deck = advice->deck;

    if (!advice->catalog->is_superuser)
        return error_set(err, ERROR_PRIVILEGE,
                         "only a superuser reads with a policy and without it, in turn");
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        const struct catalog_database *catalog =
            catalog_find_database(advice->catalog, database->name);
        if (database->environment->server == advice->server && catalog != NULL && catalog->exists &&
            security_has_tenants(deck, database->name) &&
            !look_at_database(advice, database, costs, err))
            return false;
    }
    return true;
}
