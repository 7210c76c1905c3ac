/* A change's SQL and its undo, put together statement by statement: the undo runs backwards. */
#pragma once
#include "base/text.h"
#include "pg/script.h"

struct security_script {
    struct arena *arena;
    struct text sql;
    const char *undo; /* "" : nothing to take back */
};

void security_script_init(struct security_script *script, struct arena *arena);
void security_script_release(struct security_script *script);
/* name: of a file below security/sql/, without .sql. undo_name: NULL for none. */
void security_script_add(struct security_script *script, const char *name, const char *undo_name,
                         const struct pg_variable *variables, size_t count);
bool security_script_is_empty(const struct security_script *script);
