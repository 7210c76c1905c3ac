// SPDX-License-Identifier: MIT
#include "advise/run.h"

#include "advise/tables.h"
#include "base/embed.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* --- the planner -------------------------------------------------------------------------- */

static bool
read_cost(const PGresult *result, double *ret_cost, struct error *err)
{
    static const char label[] = "\"Total Cost\": ";
    const char *at = PQntuples(result) == 0 ? NULL : strstr(PQgetvalue(result, 0, 0), label);

    if (at == NULL)
        return error_set(err, ERROR_INTERNAL, "a plan without a cost");
    *ret_cost = strtod(at + strlen(label), NULL); /* the first is that of the whole */
    return true;
}

bool
advise_explain(struct advise *run, const char *sql, double *ret_cost, struct error *err)
{
    AUTO_PGRESULT result = NULL;

    run->plan_count++;
    return pg_query(
               run->planner,
               pg_script(run->arena, "advise/sql/explain.sql", PG_VARIABLES({"statement", sql})), 0,
               NULL, &result, err) &&
           read_cost(result, ret_cost, err);
}

/* A generic plan is kept by the session, and hypothetical indexes do not make it stale. */
static bool
explain_generic(struct advise *run, const struct advise_statement *statement, double *ret_cost,
                struct error *err)
{
    AUTO_TEXT arguments = {0};
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < statement->parameters.count; i++)
        text_append(&arguments, i == 0 ? "(NULL" : ", NULL");
    text_append(&arguments, ")");
    run->plan_count++;
    return pg_execute(run->planner, "DISCARD PLANS", err) &&
           pg_query(run->planner,
                    pg_script(run->arena, "advise/sql/explain_generic.sql",
                              PG_VARIABLES({"name", statement->prepared},
                                           {"arguments", text_chars(&arguments)})),
                    0, NULL, &result, err) &&
           read_cost(result, ret_cost, err);
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
        if (is_wanted == is_live || !is_of(statement, candidate->table))
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

static bool
plan_all(struct advise *run, const struct advise_statement *statement, double *ret_cost,
         struct error *err)
{
    double sum = 0;
    double cost = 0;
    size_t count = 0;

    if (statement->prepared != NULL) {
        if (!explain_generic(run, statement, &cost, err))
            return false;
        sum += cost;
        count++;
    }
    for (size_t i = 0; i < statement->plans.count; i++) {
        if (!advise_explain(run, statement->plans.items[i], &cost, err))
            return false;
        sum += cost;
        count++;
    }
    *ret_cost = count == 0 ? 0 : sum / (double)count;
    return true;
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
    if (run->hypopg != NULL && !make_live(run, statement, set, count, err))
        return false;
    double cost = statement->before;
    if (!plan_all(run, statement, &cost, &fault)) {
        if (fault.code == ERROR_CONNECTION_LOST || fault.code == ERROR_INTERRUPTED) {
            *err = fault;
            return false;
        }
        statement->problem = arena_strdup(run->arena, fault.message);
        cost = statement->before;
    }
    *LIST_ADD(run->arena, &statement->costs) = (struct advise_cost){hash, cost};
    *ret_cost = cost;
    return true;
}
