// SPDX-License-Identifier: MIT
#include "advise/verify.h"

#include "base/embed.h"
#include "pg/script.h"

#include <stdlib.h>
#include <string.h>

enum { PAIRS = 5, MAX_MS = 20000 /* then no further pair is begun */ };

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

struct one_run {
    double ms, pages;
};

static double
shared_blocks(const json_t *plan)
{
    return json_number_value(json_object_get(plan, "Shared Hit Blocks")) +
           json_number_value(json_object_get(plan, "Shared Read Blocks"));
}

/* Once, in a transaction that leaves nothing; hide: SQL that drops the new indexes in it, or NULL.
 */
static bool
run_once(struct advise *run, PGconn *connection, const char *hide, const char *sql,
         struct one_run *ret_run, struct advise_timing *timing, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored = {0};

    if (!pg_execute(connection, "BEGIN", err))
        return false;
    bool is_fine =
        (hide == NULL || pg_execute(connection, hide, err)) &&
        pg_query(connection,
                 pg_script(run->arena, "advise/sql/run.sql", PG_VARIABLES({"statement", sql})), 0,
                 NULL, &result, err);
    if (!pg_execute(connection, "ROLLBACK", is_fine ? err : &ignored) || !is_fine)
        return false;
    AUTO_TREE all = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
    const json_t *explained = json_array_get(all, 0);
    const json_t *plan = json_object_get(explained, "Plan");
    ret_run->ms = json_number_value(json_object_get(explained, "Execution Time"));
    ret_run->pages = shared_blocks(plan);
    if (hide == NULL)
        note_indexes(run, plan, timing);
    return true;
}

static int
by_size(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_size);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* Pairs of runs, with the indexes and without, which of them first in turns; adds to timing. */
static bool
run_pairs(struct advise *run, PGconn *connection, const char *hide, const char *sql,
          struct advise_timing *timing, struct error *err)
{
    double with_ms[PAIRS];
    double without_ms[PAIRS];
    double with_pages = 0;
    double without_pages = 0;
    double spent_ms = 0;
    size_t count = 0;

    for (; count < PAIRS && spent_ms < MAX_MS; count++) {
        struct one_run with;
        struct one_run without;
        bool is_with_first = count % 2 == 1;
        if ((is_with_first && !run_once(run, connection, NULL, sql, &with, timing, err)) ||
            !run_once(run, connection, hide, sql, &without, timing, err) ||
            (!is_with_first && !run_once(run, connection, NULL, sql, &with, timing, err)))
            return false;
        with_ms[count] = with.ms;
        without_ms[count] = without.ms;
        spent_ms += with.ms + without.ms;
        timing->pairs++;
        timing->faster += with.ms < without.ms;
        timing->slower += with.ms > without.ms;
        without_pages = without.pages;
        with_pages = with.pages;
    }
    timing->before_pages += without_pages;
    timing->after_pages += with_pages;
    timing->before_ms += median(without_ms, count);
    timing->after_ms += median(with_ms, count);
    return true;
}

enum advise_effect
advise_effect_of(const struct advise_timing *timing)
{
    const double certain_share = 0.8; /* of the pairs */
    const double little = 0.1;        /* of the time */
    const double much = 2;            /* times the time: no noise in all pairs */
    bool is_gain = timing->faster > timing->slower;
    size_t agreeing = is_gain ? timing->faster : timing->slower;
    double longer_ms = is_gain ? timing->before_ms : timing->after_ms;
    double shorter_ms = is_gain ? timing->after_ms : timing->before_ms;
    double more_pages = is_gain ? timing->before_pages : timing->after_pages;
    double fewer_pages = is_gain ? timing->after_pages : timing->before_pages;

    if (timing->used.count == 0 && timing->is_reading)
        return ADVISE_SAME;
    bool is_other =
        is_gain ? shorter_ms <= longer_ms * (1 - little) : longer_ms >= shorter_ms * (1 + little);
    if ((double)agreeing < certain_share * (double)timing->pairs || !is_other)
        return ADVISE_SAME;
    bool is_much = agreeing == timing->pairs && longer_ms >= much * shorter_ms;
    if (more_pages <= fewer_pages && !is_much)
        return ADVISE_UNCLEAR;
    return is_gain ? ADVISE_GAIN : ADVISE_LOSS;
}

/* With each of its sets of values, and the mean of these. */
static bool
time_statement(struct advise *run, PGconn *connection, const char *hide,
               const struct advise_statement *statement, struct advise_timing *timing,
               struct error *err)
{
    double count = 0;

    for (size_t i = 0; i < statement->plans.count; i++) {
        const char *sql = statement->plans.items[i].sql;
        if (sql == NULL)
            continue;
        if (!run_pairs(run, connection, hide, sql, timing, err))
            return false;
        count++;
    }
    if (count == 0)
        return error_set(err, ERROR_SQL, "no values are known for its parameters");
    timing->before_ms /= count;
    timing->after_ms /= count;
    timing->before_pages /= count;
    timing->after_pages /= count;
    return true;
}

static bool
time_all(struct advise *run, PGconn *connection, const char *hide, struct advise_proof *proof,
         struct error *err)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        struct advise_timing *timing = &proof->timings[i];
        struct error fault = {0};
        if (statement->problem != NULL)
            continue;
        timing->is_reading = statement->kind == ADVISE_SELECT;
        advise_progress(run, "running statement %zu of %zu with and without the indexes", i + 1,
                        run->statements.count);
        if (time_statement(run, connection, hide, statement, timing, &fault))
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

/* SQL that drops what was built; NULL: nothing was. */
static const char *
hide_all(struct advise *run, const struct advise_proof *proof)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < run->choices.count; i++) {
        const struct advise_choice *choice = &run->choices.items[i];
        const struct advise_table *table = run->candidates.items[choice->candidate].table;
        if (proof->built[i].problem != NULL)
            continue;
        text_appendf(&text, "%s;",
                     advise_drop_sql(run->arena,
                                     pg_qualified(run->arena, table->schema, choice->name), true));
    }
    return text.length == 0 ? NULL : arena_strdup(run->arena, text_chars(&text));
}

bool
advise_verify(struct advise *run, struct advise_copy *copy, struct advise_proof *ret_proof,
              struct error *err)
{
    struct advise_proof proof = {
        .timings = ARENA_ARRAY(run->arena, struct advise_timing, run->statements.count + 1),
        .built = ARENA_ARRAY(run->arena, struct advise_built, run->choices.count + 1)};

    if (!build_all(run, copy->connection, &proof, err) ||
        !time_all(run, copy->connection, hide_all(run, &proof), &proof, err))
        return false;
    *ret_proof = proof;
    return true;
}
