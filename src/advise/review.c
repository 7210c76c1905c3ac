// SPDX-License-Identifier: MIT
#include "advise/review.h"

#include "advise/input.h"
#include "base/embed.h"
#include "pg/script.h"

#include <string.h>

static const double faster_share = 0.9; /* of the time before: more is no gain */

struct parts { /* of a reviewed index */
    char **names;
    size_t count;
};

static bool
uses(const struct advise_statement *statement, const struct parts *parts)
{
    for (size_t i = 0; i < statement->plans.count; i++) {
        const struct advise_plan *plan = &statement->plans.items[i];
        for (size_t j = 0; j < plan->indexes.count; j++) {
            for (size_t k = 0; k < parts->count; k++) {
                if (strcmp(plan->indexes.items[j], parts->names[k]) == 0)
                    return true;
            }
        }
    }
    return false;
}

/* All counters of one statement before: the same text. */
static double
mean_before(const struct advise_snapshot *before, const char *sql)
{
    for (size_t i = 0; i < before->statements.count; i++) {
        const struct advise_counter *counter = &before->statements.items[i];
        if (strcmp(counter->sql, sql) == 0 && counter->calls > 0)
            return counter->total_ms / counter->calls;
    }
    return 0;
}

static void
judge(struct advise *run, struct advise_reviewed *index)
{
    double before_ms = 0;
    double after_ms = 0;

    for (size_t i = 0; i < index->statements.count; i++) {
        const struct advise_change *change = &index->statements.items[i];
        if (change->before_ms == 0)
            continue;
        before_ms += change->before_ms * change->calls;
        after_ms += change->after_ms * change->calls;
    }
    index->verdict = index->scans == 0                      ? ADVISE_UNUSED
                     : before_ms == 0                       ? ADVISE_UNKNOWN
                     : after_ms <= faster_share * before_ms ? ADVISE_FASTER
                                                            : ADVISE_NOT_FASTER;
    if (index->verdict == ADVISE_UNUSED || index->verdict == ADVISE_NOT_FASTER)
        index->drop_sql =
            advise_drop_sql(run->arena, pg_qualified(run->arena, index->schema, index->name),
                            index->is_partitioned);
}

static void
add_index(struct advise *run, const PGresult *result, int row, const struct advise_snapshot *before,
          const struct advise_snapshot *now, struct advise_review *review)
{
    struct advise_reviewed index = {
        .schema = arena_strdup(run->arena, pg_value(result, row, "schema")),
        .name = arena_strdup(run->arena, pg_value(result, row, "name")),
        .table = arena_strdup(run->arena, pg_value(result, row, "table_name")),
        .definition = arena_strdup(run->arena, pg_value(result, row, "definition")),
        .is_partitioned = pg_bool(result, row, "is_partitioned")};
    struct parts parts;

    parts.count = pg_array(run->arena, pg_value(result, row, "parts"), &parts.names);
    const struct advise_scan *scan = advise_find_scan(now, index.schema, index.name);
    index.scans = scan == NULL ? 0 : scan->scans;
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        if (statement->problem != NULL || statement->calls <= 0 || !uses(statement, &parts))
            continue;
        const char *sql =
            statement->counted_text != NULL ? statement->counted_text : statement->text;
        *LIST_ADD(run->arena, &index.statements) =
            (struct advise_change){.sql = sql,
                                   .before_ms = mean_before(before, sql),
                                   .after_ms = statement->total_ms / statement->calls,
                                   .calls = statement->calls};
    }
    judge(run, &index);
    *LIST_ADD(run->arena, &review->list) = index;
}

bool
advise_review(struct advise *run, const struct advise_snapshot *before,
              const struct advise_snapshot *now, struct advise_review *ret_review,
              struct error *err)
{
    struct advise_review review = {.since = before->taken_at, .until = now->taken_at};
    LIST_OF(const char *) schemas = {0};
    LIST_OF(const char *) names = {0};
    AUTO_PGRESULT result = NULL;

    for (size_t i = 0; i < now->scans.count; i++) {
        const struct advise_scan *scan = &now->scans.items[i];
        if (advise_find_scan(before, scan->schema, scan->name) != NULL)
            continue;
        *LIST_ADD(run->arena, &schemas) = scan->schema;
        *LIST_ADD(run->arena, &names) = scan->name;
    }
    const char *parameters[] = {pg_text_array(run->arena, schemas.items, schemas.count),
                                pg_text_array(run->arena, names.items, names.count)};
    advise_input_snapshot(run, now);
    if (!advise_parse(run, err) || !advise_bind(run, err) ||
        !pg_query(run->catalog, embedded_file("advise/sql/index_roots.sql")->text, 2, parameters,
                  &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        if (!pg_bool(result, row, "is_constraint"))
            add_index(run, result, row, before, now, &review);
    }
    *ret_review = review;
    return true;
}
