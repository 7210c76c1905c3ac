// SPDX-License-Identifier: MIT
#include "explain/explain.h"

#include "base/embed.h"

#include <stdlib.h>
#include <string.h>

/* From here on something is worth a word. */
enum {
    MANY_ROWS = 10000,  /* of a table that should not be read whole */
    FEW_PERCENT = 5,    /* of its rows that are wanted */
    MANY_LOOPS = 100,   /* of the inner side of a nested loop */
    MANY_CHILDREN = 10, /* partitions read by one node */
    WRONG_BY = 10,      /* factor between rows expected and found */
    WRONG_ROWS = 1000,  /* below that a wrong estimate costs nothing */
    STALE_PERCENT = 20, /* of a table changed since it was analyzed */
    PERCENT = 100,
};

struct judge {
    struct arena *arena;
    PGconn *connection;
    struct explain_plan *plan;
    double work_mem_bytes;
    struct error *err;
    bool is_fine;
};

static const char *
text_of(const json_t *node, const char *name)
{
    return json_string_value(json_object_get(node, name));
}

static double
number_of(const json_t *node, const char *name, double otherwise)
{
    const json_t *value = json_object_get(node, name);

    return value == NULL ? otherwise : json_number_value(value);
}

static bool
is_type(const json_t *node, const char *type)
{
    const char *own = text_of(node, "Node Type");

    return own != NULL && strcmp(own, type) == 0;
}

const char *
explain_node_title(struct arena *arena, const json_t *node)
{
    const char *relation = text_of(node, "Relation Name");
    const char *schema = text_of(node, "Schema");
    const char *index = text_of(node, "Index Name");
    const char *join = text_of(node, "Join Type");
    const char *title = text_of(node, "Node Type");

    if (title == NULL)
        return "?";
    if (join != NULL && strcmp(join, "Inner") != 0)
        title = arena_printf(arena, "%s (%s)", title, join);
    if (index != NULL)
        title = arena_printf(arena, "%s using %s", title, index);
    if (relation == NULL)
        return title;
    return arena_printf(arena, "%s on %s.%s", title, schema == NULL ? "?" : schema, relation);
}

/* A table that is read twice has its fault once. */
static void
add(struct judge *judge, const json_t *node, const char *what, const char *fix)
{
    for (size_t i = 0; i < judge->plan->faults.count; i++) {
        const struct explain_fault *known = &judge->plan->faults.items[i];
        if (strcmp(known->what, what) == 0 && strcmp(known->fix, fix) == 0)
            return;
    }
    *LIST_ADD(judge->arena, &judge->plan->faults) = (struct explain_fault){
        .node = explain_node_title(judge->arena, node), .what = what, .fix = fix};
}

/* --- one rule each ------------------------------------------------------------------------ */

struct relation {
    const char *sql_name;
    double rows, changed, live;
};

static bool
read_relation(struct judge *judge, const json_t *node, struct relation *relation)
{
    const char *names[] = {text_of(node, "Schema"), text_of(node, "Relation Name")};
    AUTO_PGRESULT result = NULL;

    if (names[0] == NULL || names[1] == NULL)
        return false;
    if (!pg_query(judge->connection, embedded_file("explain/sql/relation.sql")->text, 2, names,
                  &result, judge->err)) {
        judge->is_fine = false;
        return false;
    }
    if (PQntuples(result) == 0)
        return false;
    relation->sql_name = pg_qualified(judge->arena, names[0], names[1]);
    relation->rows = strtod(pg_value(result, 0, "rows"), NULL);
    relation->changed = (double)pg_integer(result, 0, "changed");
    relation->live = (double)pg_integer(result, 0, "live");
    return true;
}

static void
judge_relation(struct judge *judge, const json_t *node)
{
    struct arena *arena = judge->arena;
    struct relation relation;

    if (!read_relation(judge, node, &relation))
        return;
    const char *analyze = arena_printf(arena, "ANALYZE %s;", relation.sql_name);
    if (relation.rows < 0 && relation.live > WRONG_ROWS)
        add(judge, node, "the table was never analyzed: all numbers of rows are guessed", analyze);
    else if (relation.changed > MANY_ROWS &&
             relation.changed * PERCENT > relation.live * STALE_PERCENT)
        add(judge, node,
            arena_printf(arena, "%.0f rows changed since the table was analyzed", relation.changed),
            analyze);
    double rows = relation.rows > relation.live ? relation.rows : relation.live;
    double wanted = number_of(node, "Actual Rows", number_of(node, "Plan Rows", 0));
    const char *filter = text_of(node, "Filter");
    if (!is_type(node, "Seq Scan") || filter == NULL || rows < MANY_ROWS ||
        wanted * PERCENT > rows * FEW_PERCENT)
        return;
    add(judge, node,
        arena_printf(arena, "reads all of about %.0f rows for %.0f of them: no index serves %s",
                     rows, wanted, filter),
        "pgdeck index advise says which index would, and what it costs");
}

static void
judge_loops(struct judge *judge, const json_t *node)
{
    const json_t *children = json_object_get(node, "Plans");
    const json_t *outer = json_array_get(children, 0), *inner = json_array_get(children, 1);

    if (!is_type(node, "Nested Loop") || inner == NULL)
        return;
    double loops = number_of(outer, "Actual Rows", number_of(outer, "Plan Rows", 0));
    double rows = number_of(inner, "Plan Rows", 0);
    if (!is_type(inner, "Seq Scan") || loops < MANY_LOOPS || rows * loops < MANY_ROWS)
        return;
    add(judge, inner,
        arena_printf(judge->arena, "is read whole for each of %.0f rows of the outer side", loops),
        "an index on the columns of the join; ANALYZE, if the outer side is in truth smaller");
}

static void
judge_memory(struct judge *judge, const json_t *node)
{
    const char *space = text_of(node, "Sort Space Type");
    double batches = number_of(node, "Hash Batches", 1);
    double bytes = number_of(node, "Plan Rows", 0) * number_of(node, "Plan Width", 0);
    bool is_sort = is_type(node, "Sort"), is_hash = is_type(node, "Hash");
    bool is_measured = space != NULL || json_object_get(node, "Hash Batches") != NULL;

    if (!is_sort && !is_hash)
        return;
    if (is_measured ? (space != NULL && strcmp(space, "Disk") == 0) || batches > 1
                    : bytes > judge->work_mem_bytes)
        add(judge, node,
            is_measured ? "did not fit into work_mem and wrote temporary files"
                        : "will probably not fit into work_mem and write temporary files",
            arena_printf(judge->arena, "SET work_mem = '%.0fMB'; for this query",
                         1 + 3 * bytes / (1 << 20)));
}

/* Errors below a node are its own fault only if what it reads was estimated well. */
static bool
is_wrong(const json_t *node)
{
    double planned = number_of(node, "Plan Rows", 0), found = number_of(node, "Actual Rows", -1);

    if (found < 0 || number_of(node, "Actual Loops", 0) < 1)
        return false;
    planned = planned < 1 ? 1 : planned;
    found = found < 1 ? 1 : found;
    double factor = found > planned ? found / planned : planned / found;
    return factor >= WRONG_BY && (found >= WRONG_ROWS || planned >= WRONG_ROWS);
}

static void
judge_estimate(struct judge *judge, const json_t *node)
{
    const json_t *children = json_object_get(node, "Plans");

    for (size_t i = 0; i < json_array_size(children); i++) {
        if (is_wrong(json_array_get(children, i)))
            return;
    }
    if (is_wrong(node) && !is_type(node, "Limit"))
        add(judge, node,
            arena_printf(judge->arena, "%.0f rows were expected, %.0f came",
                         number_of(node, "Plan Rows", 0), number_of(node, "Actual Rows", 0)),
            "ANALYZE; where columns depend on each other, CREATE STATISTICS on them");
}

static void
judge_partitions(struct judge *judge, const json_t *node)
{
    size_t count = json_array_size(json_object_get(node, "Plans"));

    if ((is_type(node, "Append") || is_type(node, "Merge Append")) && count >= MANY_CHILDREN &&
        !judge->plan->has_parameters)
        add(judge, node, arena_printf(judge->arena, "reads %zu partitions", count),
            "a condition on the partition key would leave most of them out");
}

static void
judge_node(struct judge *judge, const json_t *node)
{
    static void (*const rules[])(struct judge * judge, const json_t *node) = {
        judge_relation, judge_loops, judge_memory, judge_estimate, judge_partitions};
    const json_t *children = json_object_get(node, "Plans");

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && judge->is_fine; i++)
        rules[i](judge, node);
    for (size_t i = 0; i < json_array_size(children) && judge->is_fine; i++)
        judge_node(judge, json_array_get(children, i));
}

static void
judge_whole(struct judge *judge)
{
    const json_t *root = judge->plan->root;
    const json_t *timing = json_object_get(json_object_get(root, "JIT"), "Timing");
    double jit_ms = number_of(timing, "Total", 0);
    double all_ms = number_of(root, "Execution Time", 0);

    if (jit_ms > 0 && jit_ms * 2 > all_ms)
        add(judge, json_object_get(root, "Plan"),
            arena_printf(judge->arena, "%.0f of %.0f ms were spent on compiling (jit)", jit_ms,
                         all_ms),
            "SET jit = off; for this query, or a higher jit_above_cost");
}

bool
explain_judge(struct arena *arena, PGconn *connection, struct explain_plan *plan, struct error *err)
{
    AUTO_PGRESULT result = NULL;
    struct judge judge = {
        .arena = arena, .connection = connection, .plan = plan, .err = err, .is_fine = true};

    if (!pg_query(connection, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'work_mem'",
                  0, NULL, &result, err))
        return false;
    judge.work_mem_bytes = (double)pg_integer(result, 0, "setting") * 1024;
    judge_node(&judge, json_object_get(plan->root, "Plan"));
    if (judge.is_fine)
        judge_whole(&judge);
    return judge.is_fine;
}
