/* The reading of one statement, on which read.c (queries), clause.c (conditions) and side.c (what
 * is compared) work. Nobody else includes it. */
#pragma once
#include "advise/read.h"

enum { NO_REFERENCE = -1, SEVERAL_REFERENCES = -2, READING_PARAMETERS = 200 };

/* A name in FROM. */
struct item {
    const char *alias;
    long reference;       /* in the statement; NO_REFERENCE: a subquery, a function, a CTE */
    const json_t *select; /* of a subquery or view whose columns are looked for behind it; NULL */
    const struct block *inner;
};

/* One query block. */
struct block {
    const struct block *outer;
    LIST_OF(struct item) items;
    LIST_OF(const char *) hidden;    /* names of WITH */
    LIST_OF(const json_t *) filters; /* WHERE, ON */
    LIST_OF(const json_t *) shared;  /* USING */
};

struct reading {
    struct arena *arena;
    const struct advise_tables *tables;
    struct advise_statement *statement;
};

/* What one side of a condition is. */
struct side {
    const json_t *node;
    long reference;     /* whose columns of this block are in it */
    const char *column; /* the first of them */
    const char *key;    /* as in CREATE INDEX; NULL: it cannot be indexed */
    bool is_expression;
    bool is_renamed; /* the column has another name where it is from */
};

struct advise_reference *reading_at(struct reading *reading, long at);
void reading_output(struct reading *reading, long at, const char *column);
/* Every column that is read anywhere below, and the queries in it. */
void reading_columns(struct reading *reading, const struct block *block, const json_t *node);
struct side reading_side(struct reading *reading, const struct block *block, const json_t *node);
/* What the parameters of node are compared with; key NULL: with something else. */
void reading_parameters(struct reading *reading, const json_t *node, const struct side *key,
                        enum advise_use use);
/* Parameters below node, which is in an expression on the key's column: an index on that needs
 * their values. */
void reading_unknowns(struct reading *reading, const struct side *key, const json_t *node);
/* The conditions of WHERE, ON or HAVING. */
void
reading_conditions(struct reading *reading, struct block *block, const json_t *node, bool is_in_or);
void reading_query(struct reading *reading, const json_t *node, const struct block *outer);
