/* A statement's parse tree, as libpg_query gives it in JSON: reading it, and writing parts of it
 * back as SQL. */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include <jansson.h>
#include <stdint.h>

static inline void
tree_cleanup(json_t **tree)
{
    json_decref(*tree);
}
#define AUTO_TREE __attribute__((cleanup(tree_cleanup))) json_t *

/* The one statement of sql: {"SelectStmt": {...}}. Errors: ERROR_SQL: it does not parse, or is
 * none or several. */
bool tree_parse(const char *sql, json_t **ret_statement, struct error *err) MUST_CHECK;
/* Statements as pg_stat_statements shows them may be ones that no server takes: INTERVAL $1 becomes
 * $1::interval, and EXTRACT($1 FROM x) a call. NULL: it does not parse. */
char *tree_rewrite(struct arena *arena, const char *sql);

/* The member of node when node is {kind: {...}}; else NULL. */
const json_t *tree_as(const json_t *node, const char *kind);
const char *tree_text(const json_t *node, const char *key); /* NULL: not there */
/* The operator of an A_Expr, the name of a FuncCall: the last part. */
const char *tree_name(const json_t *list);
/* n of $n, also when it is cast; 0: it is something else. */
int tree_parameter(const json_t *node);
/* SQL of an expression of columns, constants, operators, casts and calls; columns without their
 * table. False: there is something else in it, or a parameter. */
bool tree_write(struct arena *arena, const json_t *node, struct text *text) MUST_CHECK;
/* The same without parentheses around the whole; NULL: there is something else in it. */
const char *tree_sql(struct arena *arena, const json_t *node);
/* A name as SQL takes it, in quotes only where they are needed. */
const char *tree_identifier(struct arena *arena, const char *name);
