// SPDX-License-Identifier: MIT
#include "advise/verify.h"

#include "base/embed.h"
#include "pg/script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 3 };

static bool
is_fatal(const struct error *fault)
{
    return fault->code == ERROR_CONNECTION_LOST || fault->code == ERROR_INTERRUPTED;
}

/* --- running ------------------------------------------------------------------------------ */

static void
note_indexes(struct advise *run, const json_t *node, struct advise_timing *timing)
{
    const char *name = tree_text(node, "Index Name");
    const json_t *child;
    size_t i;

    for (size_t c = 0; name != NULL && c < run->choices.count; c++) {
        bool is_known = strcmp(run->choices.items[c].name, name) != 0;
        for (size_t k = 0; k < timing->used.count; k++)
            is_known |= timing->used.items[k] == c;
        if (!is_known)
            *LIST_ADD(run->arena, &timing->used) = c;
    }
    json_array_foreach(json_object_get(node, "Plans"), i, child)
    {
        note_indexes(run, child, timing);
    }
}

/* Once: in a transaction that leaves nothing. */
static bool
run_once(struct advise *run, PGconn *connection, const char *sql, double *ret_ms,
         struct advise_timing *timing, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    if (!pg_execute(connection, "BEGIN", err))
        return false;
    bool is_fine = pg_query(
        connection, pg_script(run->arena, "advise/sql/run.sql", PG_VARIABLES({"statement", sql})),
        0, NULL, &result, err);
    if (!pg_execute(connection, "ROLLBACK", is_fine ? err : &ignored) || !is_fine)
        return false;
    AUTO_TREE all = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
    const json_t *explained = json_array_get(all, 0);
    *ret_ms = json_number_value(json_object_get(explained, "Execution Time"));
    if (timing != NULL)
        note_indexes(run, json_object_get(explained, "Plan"), timing);
    return true;
}

/* The best of three, on average over its sets of values. */
static bool
time_statement(struct advise *run, PGconn *connection, const struct advise_statement *statement,
               double *ret_ms, struct advise_timing *timing, struct error *err)
{
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < statement->plans.count; i++) {
        const char *sql = statement->plans.items[i].sql;
        double best = INFINITY;
        double ms;
        if (sql == NULL)
            continue;
        for (int attempt = 0; attempt < RUNS; attempt++) {
            if (!run_once(run, connection, sql, &ms, timing, err))
                return false;
            best = fmin(best, ms);
        }
        sum += best;
        count++;
    }
    if (count == 0)
        return error_set(err, ERROR_SQL, "no values are known for its parameters");
    *ret_ms = sum / (double)count;
    return true;
}

static bool
time_all(struct advise *run, PGconn *connection, struct advise_proof *proof, bool is_after,
         struct error *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        struct advise_timing *timing = &proof->timings[i];
        struct error fault = {0};
        if (run->statements.items[i].problem != NULL || timing->problem != NULL)
            continue;
        advise_progress(run, "running statement %zu of %zu %s the indexes", i + 1,
                        run->statements.count, is_after ? "with" : "without");
        if (time_statement(run, connection, &run->statements.items[i],
                           is_after ? &timing->after_ms : &timing->before_ms,
                           is_after ? timing : NULL, &fault))
            continue;
        if (is_fatal(&fault)) {
            *err = fault;
            return false;
        }
        timing->problem = arena_strdup(run->arena, fault.message);
    }
    return true;
}

/* --- building ----------------------------------------------------------------------------- */

static bool
build(struct advise *run, PGconn *connection, const struct advise_choice *choice,
      struct advise_built *built, struct error *err)
{
    const struct advise_candidate *candidate = &run->candidates.items[choice->candidate];
    AUTO_PGRESULT start = NULL;
    AUTO_PGRESULT end = NULL;
    const char *size_parameters[] = {candidate->table->schema, choice->name};
    const char *clock = embedded_file("advise/sql/clock.sql")->text;

    if (candidate->extension != NULL &&
        !pg_execute(connection,
                    pg_script(run->arena, "advise/sql/sample_extension.sql",
                              PG_VARIABLES({"extension", candidate->extension})),
                    err))
        return false;
    if (!pg_query(connection, clock, 0, NULL, &start, err) ||
        !pg_execute(connection, choice->create_sql, err) ||
        !pg_query(connection, embedded_file("advise/sql/index_size.sql")->text, 2, size_parameters,
                  &end, err))
        return false;
    built->build_ms = strtod(pg_value(end, 0, "ms"), NULL) - strtod(pg_value(start, 0, "ms"), NULL);
    built->size_bytes = strtod(pg_value(end, 0, "size_bytes"), NULL);
    return true;
}

static bool
build_all(struct advise *run, PGconn *connection, struct advise_proof *proof, struct error *err)
{
    for (size_t i = 0; i < run->choices.count; i++) {
        struct error fault = {0};
        advise_progress(run, "building %s", run->choices.items[i].name);
        if (build(run, connection, &run->choices.items[i], &proof->built[i], &fault))
            continue;
        if (is_fatal(&fault)) {
            *err = fault;
            return false;
        }
        proof->built[i].problem = arena_strdup(run->arena, fault.message);
    }
    return pg_execute(connection, "VACUUM ANALYZE", err);
}

bool
advise_verify(struct advise *run, struct advise_copy *copy, struct advise_proof *ret_proof,
              struct error *err)
{
    struct advise_proof proof = {
        .timings = ARENA_ARRAY(run->arena, struct advise_timing, run->statements.count + 1),
        .built = ARENA_ARRAY(run->arena, struct advise_built, run->choices.count + 1)};

    if (!time_all(run, copy->connection, &proof, false, err) ||
        !build_all(run, copy->connection, &proof, err) ||
        !time_all(run, copy->connection, &proof, true, err))
        return false;
    *ret_proof = proof;
    return true;
}
