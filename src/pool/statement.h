/* Prepared statements. A text with its parameter types is one object however many clients prepare
 * it (table, counted). A client knows statements by its names; a server has some of them, under
 * names of the pool's own that are never used twice on it. One worker's thread. */
#pragma once
#include "pool/sql.h"
#include "wire/extended.h"

struct pool_statement {
    struct pool_statement *next; /* in its bucket */
    uint64_t hash;
    unsigned references;
    struct pool_sql sql; /* its spans point into text */
    uint32_t types_bytes;
    uint32_t text_bytes; /* with the NUL */
    char text[];         /* and the types behind it */
};

enum { POOL_STATEMENT_BUCKETS = 1024, POOL_CLIENT_STATEMENTS_MAX = 10000 };
struct pool_statement_table {
    struct pool_statement *buckets[POOL_STATEMENT_BUCKETS];
    size_t count;
    size_t bytes;
};

/* The statement of a Parse; the caller owns a reference. NULL: no memory. */
struct pool_statement *pool_statement_make(struct pool_statement_table *table,
                                           const struct wire_parse *parse, bool has_backslashes);
struct pool_statement *pool_statement_keep(struct pool_statement *statement);
void pool_statement_drop(struct pool_statement_table *table, struct pool_statement *statement);
/* For another thread's table: a copy that is in none (NULL: no memory), and its way into one, which
 * takes it over. */
struct pool_statement *pool_statement_copy(const struct pool_statement *statement);
struct pool_statement *
pool_statement_adopt(struct pool_statement_table *table, struct pool_statement *copy);
static inline const uint8_t *
pool_statement_types(const struct pool_statement *statement)
{
    return (const uint8_t *)statement->text + statement->text_bytes;
}

/* --- which come again ---------------------------------------------------------------------- */

/* How often texts were seen lately, by their hashes: counters that are halved now and then, so that
 * texts that are all different stay rare. */
enum { POOL_SEEN_SLOTS = 4096, POOL_SEEN_OFTEN = 8 };
struct pool_seen {
    uint8_t counts[POOL_SEEN_SLOTS];
    uint32_t total; /* since the last halving */
};
/* Counts it; true: it comes often. */
bool pool_seen_often(struct pool_seen *seen, const struct pool_statement *statement);

/* --- a client's names ---------------------------------------------------------------------- */

struct pool_name {
    struct pool_name *next;
    struct pool_statement *statement;
    uint32_t number; /* never used twice by its client; from 1 */
    char text[];
};
enum { POOL_NAME_BUCKETS = 32 };
struct pool_names {
    struct pool_name **buckets; /* NULL until there is one */
    size_t count;
    uint32_t last_number;
};

struct pool_statement *pool_names_find(const struct pool_names *names, const char *name);
/* Takes over the reference to statement. Its number; 0 (statement dropped): no memory, too many. */
uint32_t pool_names_add(struct pool_names *names, struct pool_statement_table *table,
                        const char *name, struct pool_statement *statement);
void
pool_names_remove(struct pool_names *names, struct pool_statement_table *table, const char *name);
/* Out of the names, still owned by the caller; NULL: no such name. */
struct pool_name *pool_names_detach(struct pool_names *names, const char *name);
/* It is known again, as it was. */
void pool_names_attach(struct pool_names *names, struct pool_statement_table *table,
                       struct pool_name *name);
void pool_name_free(struct pool_statement_table *table, struct pool_name *name); /* NULL: nothing */
/* A hash of a name, never 0; the unnamed statement's name is "". */
uint32_t pool_name_key(const char *name);
/* The name of that number, if it is still there: its Parse has failed. */
void pool_names_undo(struct pool_names *names, struct pool_statement_table *table, uint32_t number);
void pool_names_clear(struct pool_names *names, struct pool_statement_table *table);

/* --- what a server has --------------------------------------------------------------------- */

struct pool_prepared {
    struct pool_statement *statement;
    uint32_t number; /* its name is POOL_PREPARED_PREFIX, the set's tag and this */
    uint32_t used;   /* when, by pool_prepared_set.clock */
};
#define POOL_PREPARED_PREFIX POOL_SQL_RESERVED_PREFIX
enum { POOL_PREPARED_NAME_BYTES = 32 };

struct pool_prepared_set {
    struct pool_prepared *items; /* capacity of them; NULL until there is one */
    uint32_t count, capacity, clock, last_number;
    uint32_t tag; /* by chance, in all of its names: so that nobody guesses them */
};

struct pool_prepared *
pool_prepared_find(struct pool_prepared_set *set, const struct pool_statement *statement);
/* All of them are copies from now on, or are taken over into the table. False: no memory, and all
 * is as it was. */
bool pool_prepared_copy(struct pool_prepared_set *set, struct pool_statement_table *table);
void pool_prepared_adopt(struct pool_prepared_set *set, struct pool_statement_table *table);
/* Adds it. When capacity of them are there the one that was not used for longest is replaced:
 * ret_evicted is its number, else 0. NULL: no memory. */
struct pool_prepared *pool_prepared_add(struct pool_prepared_set *set,
                                        struct pool_statement_table *table,
                                        struct pool_statement *statement, uint32_t *ret_evicted);
void pool_prepared_remove(struct pool_prepared_set *set, struct pool_statement_table *table,
                          uint32_t number);
void pool_prepared_clear(struct pool_prepared_set *set, struct pool_statement_table *table);
void pool_prepared_name(const struct pool_prepared_set *set, uint32_t number,
                        char ret_name[POOL_PREPARED_NAME_BYTES]);
