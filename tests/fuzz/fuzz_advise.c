// SPDX-License-Identifier: MIT
#include "advise/read.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct advise_column columns[] = {{.name = "a", .type = "text", .category = 'S'},
                                         {.name = "b", .type = "jsonb", .category = 'U'},
                                         {.name = "c", .type = "integer", .category = 'N'}};

/* The conditions of a statement of any text, in which every name is a table: each of a table that
 * the statement names, by a column that it has. */
static void
read_statement(struct arena *arena, const json_t *tree)
{
    struct advise_table table = {
        .oid = 1, .schema = "s", .name = "t", .kind = 'r', .columns = {columns, 3, 3}};
    struct advise_names names = {0};
    struct advise_tables tables = {0};
    struct advise_statement statement = {0};

    advise_read_names(arena, tree, &names);
    (void)advise_no_table(&names);
    for (size_t i = 0; i < names.list.count; i++) {
        *LIST_ADD(arena, &tables.written) = names.list.items[i];
        *LIST_ADD(arena, &tables.list) = &table;
    }
    advise_read_statement(arena, tree, &tables, &statement);
    for (size_t i = 0; i < statement.references.count; i++) {
        const struct advise_reference *reference = &statement.references.items[i];
        assert(reference->table == &table && reference->alias != NULL);
        for (size_t k = 0; k < reference->clauses.count; k++) {
            const struct advise_clause *clause = &reference->clauses.items[k];
            assert(clause->key != NULL && clause->key[0] != '\0');
            assert(advise_find_column(&table, clause->column) != NULL);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *text = arena_alloc(arena, size + 1);
    struct error err;
    json_t *tree;

    memcpy(text, data, size);
    text[size] = '\0';
    if (tree_parse(text, &tree, &err)) {
        read_statement(arena, tree);
        (void)tree_rewrite(arena, text);
        json_decref(tree);
    }
    arena_free(arena);
    return 0;
}
