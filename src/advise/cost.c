// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "advise/tables.h"
#include "base/embed.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* --- the planner -------------------------------------------------------------------------- */

static const struct advise_reference *
reference_of(const struct advise_statement *statement, const char *relation, const char *alias)
{
    const struct advise_reference *found = NULL;

    for (size_t i = 0; i < statement->references.count; i++) {
        const struct advise_reference *reference = &statement->references.items[i];
        bool is_it = strcmp(reference->table->name, relation) == 0;
        for (size_t j = 0; !is_it && j < reference->table->leaf_count; j++) {
            const char *dot = strrchr(reference->table->leaves[j], '.');
            is_it = dot != NULL && strcmp(dot + 1, relation) == 0;
        }
        size_t length = strlen(reference->alias);
        if (is_it && (found == NULL || strncmp(reference->alias, alias, length) == 0))
            found = reference;
    }
    return found;
}

static void
read_scan(struct advise *run, const struct advise_statement *statement, const json_t *node,
          double outer_rows, struct advise_plan *plan)
{
    const char *relation = tree_text(node, "Relation Name");
    const char *alias = tree_text(node, "Alias");

    if (relation == NULL || alias == NULL)
        return;
    const struct advise_reference *reference = reference_of(statement, relation, alias);
    if (reference == NULL)
        return;
    const struct advise_table *table = reference->table;
    double parts = table->leaf_count > 0 ? (double)table->leaf_count : 1;
    *LIST_ADD(run->arena, &plan->nodes) =
        (struct advise_node){.reference = reference,
                             .cost = json_number_value(json_object_get(node, "Total Cost")),
                             .rows = json_number_value(json_object_get(node, "Plan Rows")),
                             .table_rows = table->rows / parts,
                             .table_pages = table->pages / parts,
                             .outer_rows = outer_rows};
}

/* outer_rows: of the other side of the join next above. */
static void
read_node(struct advise *run, const struct advise_statement *statement, const json_t *node,
          double outer_rows, struct advise_plan *plan)
{
    const json_t *children = json_object_get(node, "Plans");
    const char *type = tree_text(node, "Node Type");
    bool is_join = type != NULL && json_array_size(children) == 2 &&
                   (strstr(type, "Join") != NULL || strcmp(type, "Nested Loop") == 0);
    bool is_limit = type != NULL && strcmp(type, "Limit") == 0;
    const json_t *child;
    size_t i;

    const char *index = tree_text(node, "Index Name");
    if (index != NULL)
        *LIST_ADD(run->arena, &plan->indexes) = arena_strdup(run->arena, index);
    if (is_limit && plan->limit == 0)
        plan->limit = json_number_value(json_object_get(node, "Plan Rows"));
    read_scan(run, statement, node, outer_rows, plan);
    json_array_foreach(children, i, child)
    {
        const json_t *other = json_array_get(children, 1 - i);
        double rows = json_number_value(json_object_get(other, "Plan Rows"));
        read_node(run, statement, child, is_join ? rows : outer_rows, plan);
    }
}

static bool
read_plan(struct advise *run, const struct advise_statement *statement, const PGresult *result,
          struct advise_plan *ret_plan, struct error *err)
{
    AUTO_TREE all = json_loads(PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0), 0, NULL);
    const json_t *node = json_object_get(json_array_get(all, 0), "Plan");

    if (node == NULL)
        return error_set(err, ERROR_INTERNAL, "a plan that cannot be read");
    ret_plan->cost = json_number_value(json_object_get(node, "Total Cost"));
    read_node(run, statement, node, 0, ret_plan);
    return true;
}

static const char *
generic_sql(struct advise *run, const struct advise_statement *statement)
{
    AUTO_TEXT arguments = {0};

    for (size_t i = 0; i < statement->parameters.count; i++)
        text_append(&arguments, i == 0 ? "(NULL" : ", NULL");
    text_append(&arguments, ")");
    return pg_script(
        run->arena, "advise/sql/explain_generic.sql",
        PG_VARIABLES({"name", statement->prepared}, {"arguments", text_chars(&arguments)}));
}

/* A generic plan is kept by the session, and hypothetical indexes do not make it stale. */
static bool
ask(struct advise *run, const struct advise_statement *statement, const char *sql,
    PGresult **ret_result, struct error *err)
{
    const char *explain = sql == NULL ? generic_sql(run, statement)
                                      : pg_script(run->arena, "advise/sql/explain.sql",
                                                  PG_VARIABLES({"statement", sql}));

    run->plan_count++;
    return (sql != NULL || pg_execute(run->planner, "DISCARD PLANS", err)) &&
           pg_query(run->planner, explain, 0, NULL, ret_result, err);
}

bool
advise_explain(struct advise *run, const struct advise_statement *statement, const char *sql,
               struct advise_plan *ret_plan, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    *ret_plan = (struct advise_plan){.sql = sql};
    return ask(run, statement, sql, &result, err) &&
           read_plan(run, statement, result, ret_plan, err);
}

/* Its cost alone, with what is live. */
static bool
explain_cost(struct advise *run, const struct advise_statement *statement, const char *sql,
             double *ret_cost, struct error *err)
{
    static const char label[] = "\"Total Cost\": ";
    AUTO_PGRESULT result = NULL;

    if (!ask(run, statement, sql, &result, err))
        return false;
    const char *at = PQntuples(result) == 0 ? NULL : strstr(PQgetvalue(result, 0, 0), label);
    if (at == NULL)
        return error_set(err, ERROR_INTERNAL, "a plan without a cost");
    *ret_cost = strtod(at + strlen(label), NULL); /* the first is that of the whole */
    return true;
}

/* --- hypothetical indexes ----------------------------------------------------------------- */

static bool
drop_live(struct advise *run, struct advise_candidate *candidate, struct error *err)
{
    while (candidate->live.count > 0) {
        char oid[16];
        snprintf(oid, sizeof(oid), "%u", candidate->live.items[candidate->live.count - 1]);
        AUTO_PGRESULT result = NULL;
        if (!pg_query(run->planner,
                      pg_script(run->arena, "advise/sql/hypothetical_drop.sql",
                                PG_VARIABLES({"schema", run->hypopg}, {"oid", oid})),
                      0, NULL, &result, err))
            return false;
        candidate->live.count--;
    }
    return true;
}

static bool
create_live_on(struct advise *run, struct advise_candidate *candidate, const char *table,
               double *ret_size_bytes, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *statement =
        arena_printf(run->arena, "CREATE INDEX ON %s %s", table, candidate->definition);

    if (!pg_query(run->planner,
                  pg_script(run->arena, "advise/sql/hypothetical_create.sql",
                            PG_VARIABLES({"schema", run->hypopg}, {"statement", statement})),
                  0, NULL, &result, err))
        return false;
    *LIST_ADD(run->arena, &candidate->live) = (uint32_t)pg_integer(result, 0, "oid");
    *ret_size_bytes = strtod(pg_value(result, 0, "size_bytes"), NULL);
    return true;
}

static bool
create_live(struct advise *run, struct advise_candidate *candidate, struct error *err)
{
    const struct advise_table *table = candidate->table;
    double size_bytes = 0;
    double leaf_bytes;

    if (table->kind != 'p')
        return create_live_on(run, candidate, pg_qualified(run->arena, table->schema, table->name),
                              &candidate->size_bytes, err);
    for (size_t i = 0; i < table->leaf_count; i++) {
        if (!create_live_on(run, candidate, table->leaves[i], &leaf_bytes, err))
            return false;
        size_bytes += leaf_bytes;
    }
    candidate->size_bytes = size_bytes;
    return true;
}

bool
advise_is_shown(const struct advise *run, const struct advise_candidate *candidate)
{
    return run->hypopg != NULL && strcmp(candidate->method, "gin") != 0;
}

bool
advise_try(struct advise *run, struct advise_candidate *candidate, struct error *err)
{
    struct error fault = {0};

    if (create_live(run, candidate, &fault))
        return drop_live(run, candidate, err);
    if (fault.code == ERROR_CONNECTION_LOST || fault.code == ERROR_INTERRUPTED) {
        *err = fault;
        return false;
    }
    candidate->is_bad = true;
    return drop_live(run, candidate, err);
}

/* --- costs -------------------------------------------------------------------------------- */

static bool
is_of(const struct advise_statement *statement, const struct advise_table *table)
{
    for (size_t i = 0; i < statement->references.count; i++) {
        if (statement->references.items[i].table == table)
            return true;
    }
    return false;
}

static bool
is_in(const size_t *set, size_t count, size_t item)
{
    for (size_t i = 0; i < count; i++) {
        if (set[i] == item)
            return true;
    }
    return false;
}

/* On the tables of the statement, exactly the indexes of the set. */
static bool
make_live(struct advise *run, const struct advise_statement *statement, const size_t *set,
          size_t count, struct error *err)
{
    for (size_t i = 0; i < run->candidates.count; i++) {
        struct advise_candidate *candidate = &run->candidates.items[i];
        bool is_wanted = is_in(set, count, i);
        bool is_live = candidate->live.count > 0;
        if (is_wanted == is_live || !is_of(statement, candidate->table) ||
            !advise_is_shown(run, candidate))
            continue;
        if (!(is_wanted ? create_live(run, candidate, err) : drop_live(run, candidate, err)))
            return false;
    }
    return true;
}

static uint64_t
hash_set(const struct advise *run, const struct advise_statement *statement, const size_t *set,
         size_t count)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_of(statement, run->candidates.items[set[i]].table))
            hash += XXH3_64bits_withSeed(&set[i], sizeof(set[i]), 1);
    }
    return hash;
}

/* On average over its plans. */
static bool
plan_all(struct advise *run, const struct advise_statement *statement, const size_t *set,
         size_t count, double *ret_cost, struct error *err)
{
    double sum = 0;
    double weight = 0;

    for (size_t i = 0; i < statement->plans.count; i++) {
        const struct advise_plan *plan = &statement->plans.items[i];
        double cost = plan->cost;
        if (run->hypopg != NULL && count > 0 &&
            !explain_cost(run, statement, plan->sql, &cost, err))
            return false;
        sum += plan->weight * advise_rule_cost(run, plan, cost, set, count);
        weight += plan->weight;
    }
    *ret_cost = weight == 0 ? 0 : sum / weight;
    return true;
}

static bool
plan_with(struct advise *run, const struct advise_statement *statement, const size_t *set,
          size_t count, double *ret_cost, struct error *err)
{
    return (run->hypopg == NULL || make_live(run, statement, set, count, err)) &&
           plan_all(run, statement, set, count, ret_cost, err);
}

bool
advise_cost(struct advise *run, struct advise_statement *statement, const size_t *set, size_t count,
            double *ret_cost, struct error *err)
{
    uint64_t hash = hash_set(run, statement, set, count);
    struct error fault = {0};

    for (size_t i = 0; i < statement->costs.count; i++) {
        if (statement->costs.items[i].set == hash) {
            *ret_cost = statement->costs.items[i].cost;
            return true;
        }
    }
    double cost = statement->before;
    while (!plan_with(run, statement, set, count, &cost, &fault)) {
        if (fault.code == ERROR_CONNECTION_LOST || fault.code == ERROR_INTERRUPTED) {
            if (!advise_recover(run, &fault, err))
                return false;
            error_clear(&fault);
            continue;
        }
        statement->problem = arena_strdup(run->arena, fault.message);
        cost = statement->before;
        break;
    }
    *LIST_ADD(run->arena, &statement->costs) = (struct advise_cost){hash, cost};
    *ret_cost = cost;
    return true;
}
