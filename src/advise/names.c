// SPDX-License-Identifier: MIT
#include "advise/read.h"

#include <string.h>

const char *
advise_written_name(struct arena *arena, const json_t *range)
{
    const char *schema = tree_text(range, "schemaname");
    const char *name = tree_text(range, "relname");

    return schema == NULL ? pg_identifier(arena, name) : pg_qualified(arena, schema, name);
}

static void
add_name(struct arena *arena, const char *name, struct advise_names *names)
{
    for (size_t i = 0; i < names->list.count; i++) {
        if (strcmp(names->list.items[i], name) == 0)
            return;
    }
    *LIST_ADD(arena, &names->list) = name;
}

void
advise_read_names(struct arena *arena, const json_t *tree, struct advise_names *names)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(tree)) {
        if (tree_text(tree, "relname") != NULL)
            add_name(arena, advise_written_name(arena, tree), names);
        json_object_foreach((json_t *)(uintptr_t)tree, key, value)
        {
            advise_read_names(arena, value, names);
        }
    }
    json_array_foreach(tree, i, value)
    {
        advise_read_names(arena, value, names);
    }
}

struct advise_table *
advise_find_table(const struct advise_tables *tables, const char *written)
{
    for (size_t i = 0; i < tables->written.count; i++) {
        if (strcmp(tables->written.items[i], written) == 0)
            return tables->list.items[i];
    }
    return NULL;
}

const struct advise_column *
advise_find_column(const struct advise_table *table, const char *name)
{
    for (size_t i = 0; i < table->columns.count; i++) {
        if (strcmp(table->columns.items[i].name, name) == 0)
            return &table->columns.items[i];
    }
    return NULL;
}
