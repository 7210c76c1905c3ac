// SPDX-License-Identifier: MIT
#include "explain/explain.h"

#include "base/embed.h"
#include "base/text.h"
#include "pg/script.h"

#include <string.h>

static const char statement_name[] = "pgdeck_explain";

/* --- the query ---------------------------------------------------------------------------- */

static bool
read_text(struct arena *arena, PGconn *connection, const char *query_id, const char **ret_query,
          struct error *err)
{
    AUTO_PGRESULT place = NULL;
    AUTO_PGRESULT found = NULL;

    if (!pg_query(connection, embedded_file("explain/sql/text.sql")->text, 0, NULL, &place, err))
        return false;
    if (PQntuples(place) == 0) {
        error_set(err, ERROR_REFUSED, "the extension pg_stat_statements is not in this database");
        return error_hint(err, "Give the query itself, or CREATE EXTENSION pg_stat_statements.");
    }
    const char *sql =
        arena_printf(arena,
                     "SELECT s.query FROM %s.pg_stat_statements AS s WHERE s.queryid = $1 AND "
                     "s.query IS NOT NULL AND s.dbid = (SELECT d.oid FROM pg_catalog.pg_database "
                     "AS d WHERE d.datname = pg_catalog.current_database()) LIMIT 1",
                     pg_value(place, 0, "schema"));
    if (!pg_query(connection, sql, 1, &query_id, &found, err))
        return false;
    if (PQntuples(found) == 0) {
        error_set(err, ERROR_REFUSED, "pg_stat_statements has no query %s here", query_id);
        return error_hint(err, "SELECT query_id, query FROM monitoring.v_slow_queries shows those "
                               "that there are; --database says where to look.");
    }
    *ret_query = arena_strdup(arena, pg_value(found, 0, "query"));
    return true;
}

/* What only wraps a query, such as CREATE TABLE AS or DECLARE, has a plan but gives no columns. */
struct shape {
    int parameter_count;
    int column_count;
};

/* The planner's parameters count from 1 without gaps: what the statement takes tells how many. */
static bool
read_shape(PGconn *connection, struct shape *ret_shape, struct error *err)
{
    PGresult *result = PQdescribePrepared(connection, statement_name);

    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        pg_fault(connection, result, err);
        PQclear(result);
        return false;
    }
    ret_shape->parameter_count = PQnparams(result);
    ret_shape->column_count = PQnfields(result);
    PQclear(result);
    return true;
}

static bool
prepare(PGconn *connection, const char *query, struct error *err)
{
    if (pg_prepare(connection, statement_name, query, 0, NULL, NULL, err))
        return true;
    error_wrap(err, "the server does not take the query");
    if (strstr(query, "$1") != NULL && err->hint[0] == '\0')
        error_hint(err, "pg_stat_statements keeps queries without their values, and not all of "
                        "those can be planned: give the query itself, with values.");
    return false;
}

static bool
explain(PGconn *connection, int parameter_count, const char *options, json_t **ret_root,
        struct error *err)
{
    AUTO_TEXT sql = {0};
    AUTO_PGRESULT result = NULL;
    json_error_t fault;

    text_appendf(&sql, "EXPLAIN (%sVERBOSE, FORMAT JSON) EXECUTE %s", options, statement_name);
    for (int i = 0; i < parameter_count; i++)
        text_appendf(&sql, "%sNULL", i == 0 ? " (" : ", ");
    text_append(&sql, parameter_count == 0 ? "" : ")");
    if (!pg_query(connection, text_chars(&sql), 0, NULL, &result, err))
        return false;
    json_t *list = json_loads(PQgetvalue(result, 0, 0), 0, &fault);
    *ret_root = json_incref(json_array_get(list, 0));
    json_decref(list);
    if (json_object_get(json_object_get(*ret_root, "Plan"), "Node Type") != NULL)
        return true;
    json_decref(*ret_root);
    *ret_root = NULL;
    error_set(err, ERROR_REFUSED, "the server has no plan for that");
    return error_hint(err, "SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES have one.");
}

/* --- what may be measured ----------------------------------------------------------------- */

static bool
has_node(const json_t *node, const char *type)
{
    const json_t *kind = json_object_get(node, "Node Type");
    const json_t *children = json_object_get(node, "Plans");

    if (kind != NULL && strcmp(json_string_value(kind), type) == 0)
        return true;
    for (size_t i = 0; i < json_array_size(children); i++) {
        if (has_node(json_array_get(children, i), type))
            return true;
    }
    return false;
}

static bool
check_measurable(const json_t *root, const struct shape *shape, struct error *err)
{
    const json_t *plan = json_object_get(root, "Plan");

    if (has_node(plan, "ModifyTable") || has_node(plan, "LockRows")) {
        error_set(err, ERROR_REFUSED,
                  "--analyze runs the query, and this one changes or locks rows");
        return error_hint(err, "Without --analyze it is only planned.");
    }
    if (shape->column_count == 0) {
        error_set(err, ERROR_REFUSED, "--analyze runs the query, and this one returns no columns");
        return error_hint(err, "Only a SELECT is run, none INTO a table.");
    }
    if (shape->parameter_count == 0)
        return true;
    error_set(err, ERROR_REFUSED, "--analyze runs the query, and this one lacks its values");
    return error_hint(err, "Give the query itself, with values in place of $1.");
}

static bool
read_plan(struct arena *arena, PGconn *connection, const struct explain_options *options,
          struct explain_plan *plan, struct error *err)
{
    struct shape shape = {0};

    if (!prepare(connection, plan->query, err) || !read_shape(connection, &shape, err) ||
        !explain(connection, shape.parameter_count, "", &plan->root, err))
        return false;
    plan->has_parameters = shape.parameter_count > 0;
    if (options->is_measured) {
        if (!check_measurable(plan->root, &shape, err))
            return false;
        json_decref(plan->root);
        plan->root = NULL;
        if (!explain(connection, 0, "ANALYZE, BUFFERS, SETTINGS, ", &plan->root, err))
            return false;
    }
    return explain_judge(arena, connection, plan, err);
}

bool
explain_look(struct arena *arena, const struct explain_options *options,
             struct explain_plan *ret_plan, struct error *err)
{
    AUTO_PGCONN connection = NULL;
    const char *timeout = arena_printf(arena, "%d", options->timeout_ms);

    memset(ret_plan, 0, sizeof(*ret_plan));
    if (!pg_connect(&options->target, &connection, err))
        return false;
    ret_plan->query = options->query;
    if (options->query == NULL &&
        !read_text(arena, connection, options->query_id, &ret_plan->query, err))
        return false;
    if (pg_execute(connection,
                   pg_script(arena, "explain/sql/begin.sql", PG_VARIABLES({"timeout", timeout})),
                   err) &&
        read_plan(arena, connection, options, ret_plan, err))
        return true;
    json_decref(ret_plan->root);
    return false;
}
