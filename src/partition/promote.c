// SPDX-License-Identifier: MIT
#include "partition/promote.h"

#include "base/embed.h"
#include "change/name.h"
#include "partition/attempt.h"
#include "partition/period.h"
#include "pg/script.h"

#include <string.h>

/* --- the plan ----------------------------------------------------------------------------- */

struct state {
    bool is_there, is_default, is_not_null, is_checked, is_valid;
};

static bool
read_state(PGconn *connection, const char *schema, const char *table, const char *column,
           struct state *ret_state, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *parameters[3] = {schema, table, column};

    *ret_state = (struct state){0};
    if (!pg_query(connection, embedded_file("partition/sql/promote_state.sql")->text, 3, parameters,
                  &result, err))
        return false;
    if (PQntuples(result) > 0)
        *ret_state = (struct state){
            .is_there = true,
            .is_default = pg_bool(result, 0, "is_default"),
            .is_not_null = pg_bool(result, 0, "is_not_null"),
            .is_checked = pg_bool(result, 0, "is_checked"),
            .is_valid = pg_bool(result, 0, "is_valid"),
        };
    return true;
}

static const struct catalog_table *
find_default(const struct catalog_database *catalog, const struct catalog_table *table)
{
    for (size_t i = 0; i < catalog->tables.count; i++) {
        const struct catalog_table *part = &catalog->tables.items[i];
        if (part->parent_oid == table->oid && strcmp(part->partition_bound, "DEFAULT") == 0)
            return part->kind == 'r' ? part : NULL;
    }
    return NULL;
}

/* Whether some other partition has a part of the period, and whether one has it all. */
static void
find_others(const struct partition_live_advice *about, const struct catalog_table *table,
            const struct partition_bound *period, bool *ret_has_part, bool *ret_has_all)
{
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);

    *ret_has_part = false;
    *ret_has_all = false;
    for (size_t i = 0; i < catalog->tables.count; i++) {
        const struct catalog_table *part = &catalog->tables.items[i];
        struct partition_bound bound;
        if (part->parent_oid != table->oid ||
            !partition_bound_parse(about->advice->arena, part->partition_bound, &bound))
            continue;
        enum partition_relation relation = partition_bound_compare(&bound, period);
        *ret_has_part = *ret_has_part || relation != BOUND_APART;
        *ret_has_all = *ret_has_all || relation == BOUND_SAME || relation == BOUND_COVERS;
    }
}

/* While the CHECK is there, rows of other periods are refused: those that clients write, of today
 * and soon, must have a place elsewhere or be of this period. */
static bool
is_safe(const struct partition_live_advice *about, const struct catalog_table *table,
        long long today, const struct partition_bound *own)
{
    struct arena *arena = about->advice->arena;

    for (int offset = 0; offset <= 1; offset++) {
        struct partition_bound period = {
            .kind = PARTITION_RANGE,
            .lower = partition_edge_at(arena, about->partition, today, offset).sorted,
            .upper = partition_edge_at(arena, about->partition, today, offset + 1).sorted,
        };
        bool has_part;
        bool has_all;
        find_others(about, table, &period, &has_part, &has_all);
        if (!has_all && partition_bound_compare(own, &period) != BOUND_SAME)
            return false;
    }
    return true;
}

static const char *
free_name(const struct partition_live_advice *about, const char *name)
{
    enum { TRIES = 9 };
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);

    for (int number = 2;
         catalog_find_table(catalog, about->partition->schema, name) != NULL && number <= TRIES;
         number++)
        name = partition_numbered_name(about->advice->arena, name, number);
    return name;
}

static const char *
swap_sql(struct arena *arena, const struct partition_promotion *to)
{
    return pg_script(arena, "partition/sql/promote_swap.sql",
                     PG_VARIABLES({"schema", to->schema}, {"parent", to->parent},
                                  {"table", to->table}, {"name", to->name}, {"owner", to->owner},
                                  {"lower", to->lower}, {"upper", to->upper}));
}

static const char *
check_sql(struct arena *arena, const struct partition_promotion *to)
{
    return pg_script(arena, "partition/sql/promote_check.sql",
                     PG_VARIABLES({"schema", to->schema}, {"table", to->table},
                                  {"column", to->partition->column}, {"lower", to->lower},
                                  {"upper", to->upper}));
}

static const char *
validate_sql(struct arena *arena, const struct partition_promotion *to)
{
    return pg_script(arena, "partition/sql/promote_validate.sql",
                     PG_VARIABLES({"schema", to->schema}, {"table", to->table}));
}

static void
add(const struct partition_live_advice *about, const struct partition_promotion *to)
{
    struct arena *arena = about->advice->arena;

    change_list_add(
        about->advice->changes,
        &(struct change){
            .server = about->advice->server->name,
            .database = about->database->name,
            .key = arena_printf(arena, "promote %s", pg_qualified(arena, to->schema, to->table)),
            .phase = CHANGE_PARTITION,
            .action = CHANGE_ALTER,
            .what = arena_printf(arena, "make %s, the default of %s, its partition %s", to->table,
                                 to->parent, to->name),
            .why = arena_printf(arena,
                                "all its rows are from %s to %s: none is copied, and an empty "
                                "default takes its place",
                                to->lower, to->upper),
            .place = about->partition->place,
            .sql = arena_printf(arena, "%s;\n%s;\n%s", check_sql(arena, to),
                                validate_sql(arena, to), swap_sql(arena, to)),
            .procedure = &partition_promote_procedure,
            .argument = to,
            .lock = arena_printf(arena, "ACCESS EXCLUSIVE on %s and %s, for a moment", to->table,
                                 to->parent),
        });
}

bool
partition_promote_advise(const struct partition_live_advice *about,
                         const struct catalog_table *table, long long today,
                         struct partition_bound *ret_promoted, struct error *err)
{
    struct arena *arena = about->advice->arena;
    const struct deck_partition *partition = about->partition;
    const struct catalog_database *catalog =
        catalog_find_database(about->advice->catalog, about->database->name);
    const struct catalog_table *rest = find_default(catalog, table);
    struct deck_partition its = *partition;
    struct partition_extent extent;
    struct state state;
    bool has_part;
    bool has_all;

    *ret_promoted = (struct partition_bound){0};
    if (partition->kind != PARTITION_RANGE || rest == NULL)
        return true;
    its.schema = rest->schema;
    its.table = rest->name;
    if (!read_state(about->connection, rest->schema, rest->name, partition->column, &state, err) ||
        !partition_read_extent(arena, about->connection, &its, &extent, err))
        return false;
    struct partition_edge lower = partition_edge_at(arena, partition, extent.first, 0);
    struct partition_edge upper = partition_edge_at(arena, partition, extent.first, 1);
    struct partition_edge last = partition_edge_at(arena, partition, extent.last, 0);
    const struct partition_bound own = {
        .kind = PARTITION_RANGE, .lower = lower.sorted, .upper = upper.sorted};
    find_others(about, table, &own, &has_part, &has_all);
    if (!extent.has_rows || !state.is_not_null || strcmp(lower.sorted, last.sorted) != 0 ||
        has_part || !is_safe(about, table, today, &own))
        return true;
    struct partition_promotion *to = ARENA_NEW(arena, struct partition_promotion);
    struct partition_period period =
        partition_period_at(partition->unit, partition->every, extent.first, 0);
    const char *name =
        change_name(arena, partition->table, arena_printf(arena, "_%s", period.suffix));
    *to = (struct partition_promotion){
        .deck = about->advice->deck,
        .partition = partition,
        .schema = rest->schema,
        .parent = partition->table,
        .table = rest->name,
        .name = free_name(about, name),
        .owner = rest->owner,
        .lower = lower.text,
        .upper = upper.text,
    };
    add(about, to);
    *ret_promoted = own;
    return true;
}

/* --- the procedure ------------------------------------------------------------------------ */

static bool
run(struct change_execution *execution, struct error *err)
{
    const struct partition_promotion *to = execution->change->argument;
    const struct partition_attempt attempt = {execution->arena, execution->connection, to->deck};
    struct state state;

    if (!read_state(execution->connection, to->schema, to->table, to->partition->column, &state,
                    err))
        return false;
    if (!state.is_default)
        return error_set(err, ERROR_STALE_PLAN, "table \"%s\" is no default partition any more",
                         to->table);
    if (!state.is_checked &&
        !partition_execute_patiently(&attempt, check_sql(execution->arena, to), err))
        return false;
    if (!state.is_valid &&
        !partition_execute_long(&attempt, validate_sql(execution->arena, to), err))
        return false;
    return partition_execute_patiently(&attempt, swap_sql(execution->arena, to), err);
}

const struct change_procedure partition_promote_procedure = {"promote a default partition", run};
