/* Advice on indexes from the statements that run: what is read of them and of the tables, and what
 * is proposed. Everything lives in the arena of the command. Nothing of the workload is ever run:
 * statements are planned (EXPLAIN) in a session that is read-only, with short timeouts. */
#pragma once
#include "base/arena.h"
#include "pg/connection.h"
#include <stdint.h>

enum { ADVISE_MAX_KEYS = 8 };

struct json_t;

struct advise_column {
    const char *name;
    const char *type; /* as format_type writes it */
    char category;    /* pg_type.typcategory: 'S' text, 'A' array, 'D' time ... */
    bool is_not_null;
    bool is_c_collated; /* a btree of it can find LIKE 'prefix%' */
    double distinct;    /* values in the table; 0: unknown */
    double null_share;
    double width_bytes;
    double correlation; /* of physical and logical order, -1 to 1 */
    char **values;      /* the most frequent, as text */
    double *shares;     /* of each, 0 to 1 */
    size_t value_count;
    char **bounds; /* of the histogram, as text */
    size_t bound_count;
};

struct advise_index { /* that is there */
    uint32_t oid;
    const char *name;
    const char *method;
    const char *predicate; /* as PostgreSQL writes it; "" : none */
    char **keys;           /* as PostgreSQL writes them, with opclass and DESC */
    size_t key_count;
    char **included;
    size_t included_count;
    bool is_unique, is_constraint;
    double size_bytes;
    double scans;
};

struct advise_table {
    uint32_t oid;
    const char *schema, *name;
    char kind; /* 'r' ordinary, 'p' partitioned, 'm' materialized view */
    double rows, pages, row_bytes;
    double inserts, updates, deletes, hot_updates; /* since statistics were reset */
    LIST_OF(struct advise_column) columns;
    LIST_OF(struct advise_index) indexes;
    char **leaves; /* of a partitioned table: qualified names, the largest first */
    size_t leaf_count;
    struct json_t *query; /* of a view: its parse tree; NULL */
};

/* What a condition can be answered with. */
enum advise_use {
    ADVISE_EQUAL,            /* key = constant; key IS NULL; a boolean */
    ADVISE_IN,               /* key IN (...), key = ANY (...) */
    ADVISE_JOIN,             /* key = column of another table */
    ADVISE_RANGE,            /* < <= > >= BETWEEN */
    ADVISE_PREFIX,           /* LIKE that may begin with letters */
    ADVISE_INFIX,            /* LIKE '%...', ILIKE, regular expressions: trigrams */
    ADVISE_CONTAINS,         /* @> */
    ADVISE_HAS_KEY,          /* ? ?| ?& */
    ADVISE_CONTAINED,        /* <@ */
    ADVISE_CONTAINS_ELEMENT, /* constant = ANY (key), which no index answers */
    ADVISE_OVERLAPS,         /* && */
    ADVISE_MATCHES,          /* @@ */
};

struct advise_clause {
    enum advise_use use;
    const char *key;       /* as in CREATE INDEX: "status", "lower(task_name)" */
    const char *column;    /* its first column */
    bool is_expression;    /* key is more than a column */
    const char *predicate; /* SQL of the condition when it has no parameter; NULL */
    int parameter;         /* n of $n when the other side is one alone; 0 */
    bool is_in_or;         /* an index helps only beside those of the other arms */
};

struct advise_order {
    const char *key;
    bool is_descending;
    bool is_nulls_first;
};

struct advise_output { /* a column that is read somewhere in the statement */
    const char *name;
    size_t mentions;
};

/* One table in one query block. */
struct advise_reference {
    const struct advise_table *table;
    const char *alias;
    LIST_OF(struct advise_clause) clauses;
    LIST_OF(struct advise_order) order; /* of the block, when it is by this table alone */
    LIST_OF(const char *) row;          /* keys of (a, b) > (1, 2) */
    LIST_OF(const char *) grouped;
    LIST_OF(struct advise_output) outputs;
    bool is_whole_row; /* all of them (*) */
    bool has_limit;
};

struct advise_parameter {
    const char *type;
    const struct advise_table *table; /* compared with a column of it; NULL: with something else */
    const struct advise_column *column;
    enum advise_use use;
    bool is_limit, is_offset;
};

/* What a parameter in an expression on a column is, whose value an index on that would need. */
enum advise_unknown_kind { ADVISE_ANY_CONSTANT, ADVISE_DOCUMENT_KEY, ADVISE_WORDS };
struct advise_unknown {
    size_t parameter;
    enum advise_unknown_kind kind;
    const struct advise_table *table;
    const char *column;
};

enum advise_kind { ADVISE_SELECT, ADVISE_INSERT, ADVISE_UPDATE, ADVISE_DELETE };

/* A scan of a table in a plan made without any of the candidates. */
struct advise_node {
    const struct advise_reference *reference;
    double cost;
    double rows;       /* that come out of it */
    double table_rows; /* of the table, or of the partition that is scanned */
    double table_pages;
    double outer_rows; /* of what it is joined with; 0: nothing */
};

/* One plan of a statement: generic, or with sampled values in place of parameters. */
struct advise_plan {
    const char *sql; /* NULL: generic */
    double weight;   /* how many sets of values have this plan */
    double cost;
    double limit; /* rows that LIMIT leaves; 0: none */
    LIST_OF(const char *) indexes;
    LIST_OF(struct advise_node) nodes;
};

struct advise_cost { /* of one statement with one set of indexes */
    uint64_t set;
    double cost;
};

struct advise_values { /* of $1, $2 ... in one run; NULL: it was */
    const char **items;
    size_t count;
};

struct advise_statement {
    const char *text;   /* as it was read */
    const char *source; /* "pg_stat_statements", "queries.sql:12" */
    const char *sql;    /* as the server takes it */
    uint64_t fingerprint;
    double calls, total_ms, rows;
    const char *problem;      /* why nothing is advised for it; NULL */
    bool is_bound;            /* prepared in the session */
    bool is_counted;          /* by the server, among whatever else ran there */
    bool is_aside;            /* counted, but of no table of people: told as a number */
    const char *hint;         /* what was taken for granted, or is missing for more advice; NULL */
    const char *example;      /* the same in other words, so perhaps with constants; NULL */
    const char *counted_text; /* before constants were put into it; NULL: it is the same */
    LIST_OF(struct advise_values) seen; /* what it ran with, in a log; no more than are sampled */
    LIST_OF(struct advise_unknown) unknowns;
    struct json_t *tree; /* NULL: not parsed */
    enum advise_kind kind;
    LIST_OF(struct advise_reference) references;
    const struct advise_table *target; /* of INSERT, UPDATE, DELETE */
    LIST_OF(const char *) assigned;    /* UPDATE: columns */
    LIST_OF(struct advise_parameter) parameters;
    LIST_OF(struct advise_plan) plans;
    const char *prepared; /* name of the prepared statement; NULL: no parameters */
    LIST_OF(struct advise_cost) costs;
    double before, after; /* estimated, one run */
};

struct advise_candidate {
    const struct advise_table *table;
    const char *method; /* btree, gin, brin */
    const char *keys[ADVISE_MAX_KEYS];
    size_t key_count;
    LIST_OF(const char *) included;
    const char *predicate;              /* NULL: none */
    const char *definition;             /* "(a, b DESC) INCLUDE (c) WHERE d", "USING gin (e)" */
    const struct advise_clause *clause; /* GIN: what it answers */
    const char *extension;              /* that must be created first; NULL */
    LIST_OF(uint32_t) live;             /* hypothetical ones of hypopg */
    double size_bytes;
    double entry_cost;          /* of one more entry, in the planner's units */
    double charge;              /* of all writes of the workload */
    bool is_sampled;            /* its size is from a build on a sample of the rows */
    bool is_bad;                /* the server does not take it */
    LIST_OF(size_t) statements; /* that it may help */
};
