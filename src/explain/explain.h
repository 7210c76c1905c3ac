/* pgdeck explain: the plan of one query and what is wrong in it. Nothing runs but the planner, in a
 * read-only transaction, unless the query is to be measured; then only a SELECT. In the arena. */
#pragma once
#include "base/arena.h"
#include "pg/connection.h"

#include <jansson.h>

struct explain_options {
    struct pg_target target;
    const char *query;    /* a statement; or NULL */
    const char *query_id; /* of pg_stat_statements, digits */
    bool is_measured;     /* --analyze */
    int timeout_ms;
};

struct explain_fault {
    const char *node; /* "Seq Scan on public.t" */
    const char *what;
    const char *fix; /* what to do, or a statement */
};

struct explain_plan {
    const char *query;
    bool has_parameters; /* then the plan is that for any values */
    json_t *root;        /* the element of EXPLAIN (FORMAT JSON); json_decref */
    LIST_OF(struct explain_fault) faults;
};

bool explain_look(struct arena *arena, const struct explain_options *options,
                  struct explain_plan *ret_plan, struct error *err) MUST_CHECK;

/* Looks for what is wrong; asks the connection about the tables that the plan reads. */
bool explain_judge(struct arena *arena, PGconn *connection, struct explain_plan *plan,
                   struct error *err) MUST_CHECK;
/* "Seq Scan on public.t", "Index Scan using i on public.t". */
const char *explain_node_title(struct arena *arena, const json_t *node);
