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

static bool
is_of_with(const struct advise_names *names, const char *name)
{
    for (size_t i = 0; i < names->with.count; i++) {
        if (strcmp(names->with.items[i], name) == 0)
            return true;
    }
    return false;
}

const char *
advise_no_table(const struct advise_names *names)
{
    static const char *const starts[] = {"pg_", "information_schema."};
    bool has_catalog = false;

    for (size_t i = 0; i < names->list.count; i++) {
        bool is_catalog = false;
        if (is_of_with(names, names->list.items[i]))
            continue;
        for (size_t k = 0; k < sizeof(starts) / sizeof(starts[0]); k++)
            is_catalog |= strncmp(names->list.items[i], starts[k], strlen(starts[k])) == 0;
        if (!is_catalog)
            return NULL;
        has_catalog = true;
    }
    return has_catalog ? ADVISE_CATALOGS_ONLY : ADVISE_TABLELESS;
}

void
advise_read_names(struct arena *arena, const json_t *tree, struct advise_names *names)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(tree)) {
        const char *with = tree_text(tree, "ctename");
        if (tree_text(tree, "relname") != NULL)
            add_name(arena, advise_written_name(arena, tree), names);
        if (with != NULL)
            *LIST_ADD(arena, &names->with) = pg_identifier(arena, with);
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
