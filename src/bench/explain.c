// SPDX-License-Identifier: MIT
#include "bench/run.h"

#include "base/text.h"

#include <string.h>

enum { SLOWEST_ANALYZED_MS = 5000 };

/* EXPLAIN of the prepared statement itself, so that the plan is the one that ran, generic or not;
 * its first tuple's values are literals here, which PREPARE's types then read. */
static const char *
explain_statement(struct bench_run *run, const struct bench_query *query, bool is_measured)
{
    AUTO_TEXT sql = {0};
    char name[32];
    size_t count = query->query->parameters.count;

    text_appendf(&sql, "EXPLAIN (%sFORMAT JSON) EXECUTE %s",
                 is_measured ? "ANALYZE, BUFFERS, WAL, SETTINGS, " : "",
                 bench_statement_name(run, query, name));
    for (size_t i = 0; i < count; i++) {
        const char *value = query->tuples[0][i];
        text_appendf(&sql, "%s%s", i == 0 ? " (" : ", ",
                     value == NULL ? "NULL" : pg_literal(run->arena, value));
    }
    text_append(&sql, count == 0 ? "" : ")");
    return arena_strdup(run->arena, text_chars(&sql));
}

/* Names of partitions' indexes become those of the partitioned index that the deck declares. */
static bool
name_roots(struct bench_run *run, struct bench_session *session, struct bench_plan *plan,
           struct error *err)
{
    AUTO_TEXT names = {0};
    struct bench_plan named = {0};
    AUTO_PGRESULT rows = NULL;

    if (plan->indexes.count == 0)
        return true;
    for (size_t i = 0; i < plan->indexes.count; i++)
        text_appendf(&names, "%s\n", plan->indexes.items[i]);
    if (!bench_ask(session, "bench/sql/index_roots.sql", text_chars(&names), &rows, err))
        return false;
    for (int row = 0; row < PQntuples(rows); row++)
        *LIST_ADD(run->arena, &named.indexes) =
            arena_strdup(run->arena, pg_value(rows, row, "name"));
    plan->indexes.items = named.indexes.items;
    plan->indexes.count = named.indexes.count;
    return true;
}

static bool
explain_side(struct bench_run *run, struct bench_query *query, size_t arm, struct error *err)
{
    struct bench_session *session = &run->sessions[arm];
    struct bench_side *side = &query->sides[arm];
    bool is_measured = side->executions > 0 && side->errors == 0 &&
                       side->max_ns < (uint64_t)SLOWEST_ANALYZED_MS * 1000000;
    const char *sql = explain_statement(run, query, is_measured);
    AUTO_PGRESULT rows = NULL;
    struct error fault = {0};

    bench_progress(run, "plans: %s, %s", query->query->name, session->label);
    if (pg_query(session->connection, sql, 0, NULL, &rows, &fault) &&
        bench_plan_read(run->arena, PQgetvalue(rows, 0, 0), &side->plan, &fault) &&
        name_roots(run, session, &side->plan, &fault))
        return true;
    side->plan.fault = arena_strdup(run->arena, fault.message);
    bench_log(run, "%s: %s: no plan: %s", query->query->name, session->label, fault.message);
    if (fault.code != ERROR_INTERRUPTED && fault.code != ERROR_CONNECTION_LOST)
        return true;
    *err = fault;
    return false;
}

bool
bench_explain(struct bench_run *run, struct error *err)
{
    for (size_t i = 0; i < run->results->queries.count; i++) {
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            if (!explain_side(run, &run->results->queries.items[i], arm, err))
                return false;
        }
    }
    return true;
}
