// SPDX-License-Identifier: MIT
#include "bench/run.h"

/* Runs the SELECT of a parameter's candidates; a fault is placed in the query's file. */
static bool
fetch_candidates(struct bench_run *run, const struct workload_query *query, size_t number,
                 PGresult **ret_result, struct error *err)
{
    const struct workload_parameter *parameter = &query->parameters.items[number];
    struct bench_session *session = &run->sessions[BENCH_AFTER];
    PGconn *connection = session->connection;
    struct place place = parameter->candidates_place;
    int position = 0;

    if (!pg_prepare(connection, "", parameter->candidates, 0, NULL, &position, err) ||
        !pg_send_prepared(connection, "", 0, NULL, err) ||
        !pg_receive(connection, ret_result, err)) {
        error_wrap(err, "query \"%s\": candidates of $%zu on server \"%s\"", query->name,
                   number + 1, session->label);
        return error_place(err, workload_place(place, parameter->candidates, position));
    }
    if (PQntuples(*ret_result) > 0 && PQnfields(*ret_result) > 0)
        return true;
    PQclear(*ret_result);
    *ret_result = NULL;
    error_set(err, ERROR_DECK, "query \"%s\": no candidates for $%zu (%s) on server \"%s\"",
              query->name, number + 1, parameter->name, session->label);
    error_hint(err, "Is the database still empty? Load its data first.");
    return error_place(err, place);
}

static bool
draw_parameter(struct bench_run *run, struct bench_query *query, size_t number,
               const char ***tuples, struct error *err)
{
    AUTO_PGRESULT candidates = NULL;

    if (!fetch_candidates(run, query->query, number, &candidates, err))
        return false;
    for (size_t i = 0; i < query->tuple_count; i++) {
        int row = (int)random_below(&run->random, (size_t)PQntuples(candidates));
        tuples[i][number] = PQgetisnull(candidates, row, 0)
                                ? NULL
                                : arena_strdup(run->arena, PQgetvalue(candidates, row, 0));
    }
    return true;
}

static bool
draw_query(struct bench_run *run, struct bench_query *query, struct error *err)
{
    size_t parameter_count = query->query->parameters.count;
    size_t wanted = (size_t)run->options->pairs * BENCH_MAX_TUPLES_PER_BLOCK;

    query->tuple_count = parameter_count == 0 ? 1 : wanted;
    const char ***tuples = ARENA_ARRAY(run->arena, const char **, query->tuple_count);
    for (size_t i = 0; i < query->tuple_count; i++)
        tuples[i] = ARENA_ARRAY(run->arena, const char *, parameter_count + 1);
    for (size_t i = 0; i < parameter_count; i++) {
        if (!draw_parameter(run, query, i, tuples, err))
            return false;
    }
    query->tuples = (const char *const *const *)tuples;
    return true;
}

bool
bench_draw(struct bench_run *run, struct error *err)
{
    for (size_t i = 0; i < run->results->queries.count; i++) {
        if (!draw_query(run, &run->results->queries.items[i], err))
            return false;
    }
    return true;
}
