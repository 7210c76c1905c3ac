/* SQL whose text outlives its running: shown in a plan, kept in the journal, run later. Such files
 * use psql's variables in place of parameters, so that psql -v runs them as they are. */
#pragma once
#include "base/arena.h"

struct pg_variable {
    const char *name;
    const char *value;
};

/* The text of an embedded file, without its header lines and the semicolon at its end. :"name"
 * becomes an identifier, :'name' a literal, :name is put in as it is. Asserts that a quoted one is
 * given. */
char *
pg_script(struct arena *arena, const char *path, const struct pg_variable *variables, size_t count);
/* Shorthand: pg_script(arena, path, PG_VARIABLES({"schema", schema}, {"name", name})). */
#define PG_VARIABLES(...)                                                                          \
    (const struct pg_variable[]){__VA_ARGS__},                                                     \
        sizeof((const struct pg_variable[]){__VA_ARGS__}) / sizeof(struct pg_variable)

/* The items as a text[] in its input form, for a parameter. NULL items become SQL nulls. */
char *pg_text_array(struct arena *arena, const char *const *items, size_t count);
