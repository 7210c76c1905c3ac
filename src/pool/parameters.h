/* Sets of parameters (name = value), shared: equal sets are the same object, so that comparing two
 * sessions is comparing two pointers. Sorted by name, never changed once made, counted. Owner:
 * struct pool_parameter_table, one a worker. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POOL_PARAMETERS_MAX = 128, POOL_PARAMETERS_BYTES_MAX = 32768 };

struct pool_parameter {
    const char *name;
    const char *value;
};

/* A statement that was prepared by SQL is one of a session's too: its name is this and the
 * statement's, with case, its value the text of the PREPARE. */
#define POOL_PARAMETER_STATEMENT '\1'

static inline bool
pool_parameter_is_statement(const struct pool_parameter *one)
{
    return one->name[0] == POOL_PARAMETER_STATEMENT;
}

struct pool_parameters {
    struct pool_parameters *next; /* in its bucket */
    uint64_t hash;
    unsigned references;
    unsigned count;
    unsigned text_bytes;
    unsigned signs;                /* of its statements, when they are executed: POOL_SQL_... */
    bool has_backslashes;          /* standard_conforming_strings is off */
    struct pool_parameter items[]; /* and their texts behind them */
};

enum { POOL_PARAMETER_BUCKETS = 256 };
struct pool_parameter_table {
    struct pool_parameters *buckets[POOL_PARAMETER_BUCKETS];
    size_t count;
};

/* The set of these, names compared without case, the last one of a name wins; NULL when it is over
 * the limits or there is no memory. The caller owns a reference. */
const struct pool_parameters *pool_parameters_make(struct pool_parameter_table *table,
                                                   const struct pool_parameter *items,
                                                   size_t count);
/* The set with one more or another value; NULL as above. set stays as it is. */
const struct pool_parameters *pool_parameters_with(struct pool_parameter_table *table,
                                                   const struct pool_parameters *set,
                                                   const char *name, const char *value);
/* NULL when it is not in it. */
const char *pool_parameters_find(const struct pool_parameters *set, const char *name);
/* Whether it has a statement of that name that was prepared by SQL; NULL: any. */
bool pool_parameters_have_statement(const struct pool_parameters *set, const char *name);
/* How long they are as messages (ParameterStatus). */
static inline size_t
pool_parameters_wire_bytes(const struct pool_parameters *set)
{
    return set->text_bytes + (size_t)set->count * 5;
}
const struct pool_parameters *pool_parameters_keep(const struct pool_parameters *set);
void pool_parameters_drop(struct pool_parameter_table *table, const struct pool_parameters *set);
/* For another thread's table: a copy that is in none (NULL: no memory), and its way into one, which
 * takes it over. */
struct pool_parameters *pool_parameters_copy(const struct pool_parameters *set);
const struct pool_parameters *
pool_parameters_adopt(struct pool_parameter_table *table, struct pool_parameters *copy);
/* *target = set; takes over the reference to set, drops the old one. */
void pool_parameters_move(struct pool_parameter_table *table, const struct pool_parameters **target,
                          const struct pool_parameters *set);
