// SPDX-License-Identifier: MIT
#include "security/script.h"

void
security_script_init(struct security_script *script, struct arena *arena)
{
    *script = (struct security_script){.arena = arena, .undo = ""};
}

void
security_script_release(struct security_script *script)
{
    text_release(&script->sql);
}

static const char *
statement(struct arena *arena, const char *name, const struct pg_variable *variables, size_t count)
{
    const char *path = arena_printf(arena, "security/sql/%s.sql", name);

    return pg_script(arena, path, variables, count);
}

void
security_script_add(struct security_script *script, const char *name, const char *undo_name,
                    const struct pg_variable *variables, size_t count)
{
    struct arena *arena = script->arena;

    text_appendf(&script->sql, "%s;\n", statement(arena, name, variables, count));
    if (undo_name != NULL)
        script->undo = arena_printf(arena, "%s;\n%s", statement(arena, undo_name, variables, count),
                                    script->undo);
}

bool
security_script_is_empty(const struct security_script *script)
{
    return script->sql.length == 0;
}
