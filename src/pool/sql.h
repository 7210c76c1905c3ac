/* Looks at the text of statements for what outlives a transaction. A light scanner, not a parser:
 * it knows comments, quotes and where statements begin. It may see too much, which costs a probe
 * of the server, or pins; what it cannot read for certain counts as all that it could be. What
 * functions do inside is not in the text. No allocation; any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pool_sql_sign {
    POOL_SQL_PARAMETERS = 1 << 0, /* SET, RESET, set_config(..., false) */
    POOL_SQL_LOCKS = 1 << 1,      /* pg_advisory_... */
    POOL_SQL_LISTEN = 1 << 2,     /* LISTEN, UNLISTEN */
    POOL_SQL_CURSORS = 1 << 3,    /* DECLARE ... WITH HOLD */
    POOL_SQL_TEMPORARY = 1 << 4,  /* CREATE TEMP, SELECT ... INTO TEMP, pg_temp */
    POOL_SQL_STATEMENTS = 1 << 5, /* PREPARE name AS */
    POOL_SQL_FORGET = 1 << 6,     /* DEALLOCATE ALL, DISCARD */
    POOL_SQL_LIBRARY = 1 << 7,    /* LOAD */
    POOL_SQL_ROLE = 1 << 8,       /* SET SESSION AUTHORIZATION */
    POOL_SQL_UNNAMED = 1 << 9,    /* set_config of a parameter that is not named in the text */
    POOL_SQL_RELEASE = 1 << 10,   /* CLOSE, DROP, UNLISTEN ...: may end what pins */
    POOL_SQL_OPAQUE = 1 << 11,    /* DO, CALL, or a text that was not seen whole: ask for all, and
                                   * discard all before another client has the server */
    POOL_SQL_BLOCK = 1 << 12,     /* BEGIN: a transaction may be open afterwards */
    POOL_SQL_CREATES = 1 << 13,   /* CREATE, SELECT INTO: by search_path it may be temporary */
    POOL_SQL_EXECUTES = 1 << 14,  /* EXECUTE: also what was prepared says what it does */
    POOL_SQL_RESERVED = 1 << 15,  /* names a prepared statement as the pool does */
    /* What pins a session to its server if it is there afterwards. */
    POOL_SQL_PINS = POOL_SQL_LOCKS | POOL_SQL_LISTEN | POOL_SQL_CURSORS | POOL_SQL_TEMPORARY |
                    POOL_SQL_STATEMENTS | POOL_SQL_LIBRARY | POOL_SQL_ROLE | POOL_SQL_UNNAMED,
    POOL_SQL_OPAQUE_ASKS = POOL_SQL_PARAMETERS | POOL_SQL_LOCKS | POOL_SQL_LISTEN |
                           POOL_SQL_CURSORS | POOL_SQL_TEMPORARY | POOL_SQL_STATEMENTS |
                           POOL_SQL_ROLE,
};

enum { POOL_SQL_NAMES_MAX = 8 };
/* Of the pool's names for prepared statements. */
#define POOL_SQL_RESERVED_PREFIX "_pgdeck_"

struct pool_sql_span {
    const char *at;
    size_t length;
};

struct pool_sql {
    unsigned signs;
    /* Parameters with a dot in their names, which pg_settings does not show. */
    struct pool_sql_span names[POOL_SQL_NAMES_MAX];
    size_t name_count;
    /* The one statement is EXECUTE or DEALLOCATE of this name; at is NULL otherwise. */
    struct pool_sql_span prepared;
    bool is_deallocate;
    uint64_t hash; /* of the text without constants, comments and space; never 0 */
};

/* has_backslashes: plain literals take backslash escapes (standard_conforming_strings is off). */
void pool_sql_scan(const char *sql, size_t length, bool has_backslashes, struct pool_sql *ret_sql);
/* The PREPARE of that name in a text: as far as the statement goes, without what is in front of it
 * and behind. False: it has none, or more than one. */
bool pool_sql_find_prepare(struct pool_sql_span text, bool has_backslashes,
                           struct pool_sql_span name, struct pool_sql_span *ret_statement);
/* The text with ? for constants, and one for lists of them, without comments; cut to size. */
void pool_sql_normalize(const char *sql, size_t length, char *ret_text, size_t size);
