/* The statements of a deck's SQL files: schema.sql and indexes.sql. Made by deck_sql_read,
 * constant, in the deck's arena. */
#pragma once
#include "base/arena.h"
#include "base/error.h"

/* What a statement of schema.sql or indexes.sql creates, read with libpg_query. */
enum deck_statement_kind {
    STATEMENT_CREATE_TABLE,
    STATEMENT_CREATE_INDEX,
    STATEMENT_CREATE_TYPE, /* enum, composite, domain, range */
    STATEMENT_CREATE_FUNCTION,
    STATEMENT_CREATE_TRIGGER,
    STATEMENT_CREATE_EXTENSION,
    STATEMENT_CREATE_VIEW,
    STATEMENT_CREATE_SEQUENCE,
    STATEMENT_CREATE_SCHEMA,
    STATEMENT_COMMENT,
};

struct deck_key_columns {
    bool is_primary; /* or UNIQUE */
    LIST_OF(const char *) columns;
};

struct deck_reference { /* a foreign key */
    const char *schema; /* of the table that it points at; NULL: unqualified */
    const char *table;
    LIST_OF(const char *) columns; /* none: its primary key */
};

struct deck_statement {
    enum deck_statement_kind kind;
    struct place place;
    const char *sql;          /* its text without the final semicolon and leading comments */
    const char *schema;       /* as written; NULL: unqualified */
    const char *name;         /* object; of an index: may not be missing (error at load) */
    const char *table_schema; /* CREATE INDEX, CREATE TRIGGER, COMMENT ON COLUMN; else NULL */
    const char *table;
    bool is_concurrent;    /* CREATE INDEX CONCURRENTLY was written; sql is without the word */
    bool is_if_not_exists; /* likewise removed from sql of an index */
    bool is_unique;
    bool is_partitioned;    /* CREATE TABLE ... PARTITION BY was written */
    bool has_other_columns; /* CREATE TABLE ... (LIKE ...), INHERITS, OF: columns is not all */
    LIST_OF(const char *) columns; /* CREATE TABLE: names of its columns, in order */
    /* CREATE TABLE: its primary and unique keys; CREATE UNIQUE INDEX: its columns, NULL: expression
     */
    LIST_OF(struct deck_key_columns) keys;
    LIST_OF(struct deck_reference) references; /* CREATE TABLE */
};

struct deck_sql_file {
    const char *path;
    LIST_OF(struct deck_statement) statements;
};
