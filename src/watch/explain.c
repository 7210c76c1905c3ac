// SPDX-License-Identifier: MIT
/* Plans of costly statements, by an EXPLAIN that runs nothing but the planner: prepared, so it is
 * one statement only; read-only, for 200 ms at most, as the role that ran it. For any values: the
 * generic plan. Where auto_explain has told a plan, that is the better one. */
#include "watch/server_log.h"

#include "base/embed.h"
#include "pg/script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AGAIN = 60 /* readings of the statements */, AGAIN_REFUSED = 24 /* times that */ };
static const char name[] = "watch_explained";

struct subject {
    struct watch_statement_key key;
    const char *query; /* NULL: there is none to look at */
};

/* --- which ---------------------------------------------------------------------------------- */

static bool
has_logged_plan(const struct watch_collector *collector, uint64_t fingerprint)
{
    json_t *plans = watch_log_plans(collector->server->log, fingerprint, collector->database->name);
    bool is_logged = json_array_size(plans) > 0;

    json_decref(plans);
    return is_logged;
}

static double
again_s(const struct watch_collector *collector)
{
    return AGAIN * collector->server->deck->watch.statements_ms / 1e3;
}

static struct subject
choose(struct watch_collector *collector, struct arena *arena)
{
    struct watch_statement *top[WATCH_TOP];
    struct watch_hour hour;
    double now = watch_now();
    size_t count = watch_statements_top(collector->server->statements, now, top, &hour);

    for (size_t i = 0; i < count; i++) {
        const struct watch_statement *one = top[i];
        if (one->key.database_oid != collector->oid || one->query == NULL ||
            one->query[0] == '\0' || one->fingerprint == 0 ||
            one->day->explained_at > now - again_s(collector))
            continue;
        top[i]->day->explained_at = now;
        if (!has_logged_plan(collector, one->fingerprint))
            return (struct subject){one->key, arena_strdup(arena, one->query)};
    }
    return (struct subject){0};
}

/* --- looking -------------------------------------------------------------------------------- */

static bool
ask(struct watch_collector *collector, const char *sql, PGresult **ret_result, struct error *err)
{
    return watch_session_run(&collector->session, sql, WATCH_ANSWER_MS, ret_result, err);
}

static bool
begin(struct watch_collector *collector, struct arena *arena, unsigned role_oid, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    const char *sql = pg_script(arena, "watch/sql/explain_begin.sql",
                                PG_VARIABLES({"role_oid", arena_printf(arena, "%u", role_oid)}));

    if (!ask(collector, sql, &result, err))
        return false;
    if (PQntuples(result) == 0)
        return error_set(err, ERROR_REFUSED, "not planned: its role is no more");
    const char *stranger = pg_value(result, 0, "stranger");
    return stranger == NULL ||
           error_set(err, ERROR_REFUSED,
                     "not planned: that could run function %s with the rights of pgdeck watch; "
                     "auto_explain has no such trouble",
                     stranger);
}

static const char *
explain_sql(struct arena *arena, int parameters)
{
    AUTO_TEXT sql = {0};

    text_appendf(&sql, "EXPLAIN EXECUTE %s", name);
    for (int i = 0; i < parameters; i++)
        text_append(&sql, i == 0 ? " (NULL" : ", NULL");
    text_append(&sql, parameters == 0 ? "" : ")");
    return arena_strdup(arena, text_chars(&sql));
}

static bool
look(struct watch_collector *collector, struct arena *arena, const struct subject *subject,
     bool *ret_is_prepared, const char **ret_plan, struct error *err)
{
    AUTO_PGRESULT counted = NULL;
    AUTO_PGRESULT result = NULL;
    AUTO_TEXT plan = {0};

    if (!begin(collector, arena, subject->key.role_oid, err) ||
        !watch_session_prepare(&collector->session, name, subject->query, err))
        return false;
    *ret_is_prepared = true;
    if (!ask(collector, embedded_file("watch/sql/explain_parameters.sql")->text, &counted, err))
        return false;
    int parameters = (int)pg_integer(counted, 0, "parameters");
    if (!ask(collector, explain_sql(arena, parameters), &result, err))
        return false;
    for (int row = 0; row < PQntuples(result); row++)
        text_appendf(&plan, "%s%s", row == 0 ? "" : "\n", PQgetvalue(result, row, 0));
    *ret_plan = arena_strdup(arena, text_chars(&plan));
    return true;
}

/* What is not there is not ended, either: that would be an error in the server's log. */
static bool
clean_up(struct watch_collector *collector, bool is_prepared, struct error *err)
{
    static const char *const words[] = {"ROLLBACK", "DEALLOCATE watch_explained"};
    const size_t count = is_prepared ? 2 : 1;

    for (size_t i = 0; i < count; i++) {
        AUTO_PGRESULT result = NULL;
        struct error ignored = {0};
        if (collector->session.connection == NULL)
            return false;
        if (!ask(collector, words[i], &result, &ignored) && collector->session.connection == NULL)
            *err = ignored;
    }
    return collector->session.connection != NULL;
}

static void
keep(struct watch_collector *collector, const struct subject *subject, const char *plan,
     const char *fault)
{
    struct watch_statement *statement =
        watch_statements_find(collector->server->statements, &subject->key);

    if (statement == NULL || statement->day == NULL)
        return;
    snprintf(statement->day->explain_fault, sizeof(statement->day->explain_fault), "%.190s",
             plan == NULL ? fault : "");
    if (plan == NULL) /* each attempt is an error in the server's log */
        statement->day->explained_at += (AGAIN_REFUSED - 1) * again_s(collector);
    else
        watch_plans_add(&statement->day->plans, plan, NAN, watch_now());
}

bool
watch_explain_next(struct watch_collector *collector, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    const char *plan = NULL;
    struct error fault = {0};
    bool is_prepared = false;

    pthread_mutex_lock(&collector->watch->lock);
    struct subject subject = choose(collector, arena);
    pthread_mutex_unlock(&collector->watch->lock);
    if (subject.query == NULL)
        return true;
    bool is_known = look(collector, arena, &subject, &is_prepared, &plan, &fault);
    if (collector->session.connection == NULL) {
        *err = fault;
        return false;
    }
    if (!clean_up(collector, is_prepared, err))
        return false;
    pthread_mutex_lock(&collector->watch->lock);
    keep(collector, &subject, is_known ? plan : NULL, fault.message);
    pthread_mutex_unlock(&collector->watch->lock);
    return true;
}
