// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "cli/init.h"

#include <ctype.h>
#include <string.h>

/* "indexes/app.sql": letters, digits and .-_ stay; different names get different files. */
static const char *
file_name(struct arena *arena, const struct init_deck *deck, const char *database)
{
    char *stem = arena_strdup(arena, database);
    const char *path;
    bool is_new = false;

    for (char *c = stem; *c != '\0'; c++) {
        bool is_good = isascii((unsigned char)*c) && (isalnum((unsigned char)*c) || *c == '_' ||
                                                      *c == '-' || (*c == '.' && c != stem));
        *c = is_good ? *c : '_';
    }
    path = arena_printf(arena, "indexes/%s.sql", stem);
    for (int suffix = 2; !is_new; suffix++) {
        is_new = true;
        for (size_t i = 0; i < deck->files.count; i++)
            is_new &= strcasecmp(deck->files.items[i].path, path) != 0;
        if (!is_new)
            path = arena_printf(arena, "indexes/%s-%d.sql", stem, suffix);
    }
    return path;
}

static bool
is_utf8(const char *text)
{
    return text_utf8_length(text, strlen(text)) == strlen(text);
}

/* Appends the statement of an index; false with a remark when it is not taken over. */
static bool
append_index(struct arena *arena, struct init_deck *deck, const struct catalog_database *database,
             const struct catalog_index *index, struct text *text)
{
    const struct catalog_table *table = catalog_table_by_oid(database, index->table_oid);

    if (index->is_constraint || index->is_partition || table == NULL)
        return false; /* comes with its constraint, or with the partitioned index */
    if (!index->is_valid) {
        init_remark(arena, deck, "%s: index %s is invalid", database->name, index->name);
        return false;
    }
    if (!is_utf8(index->name) || !is_utf8(table->name) || !is_utf8(table->schema) ||
        !is_utf8(index->definition)) {
        init_remark(arena, deck, "%s: an index with a name that is not UTF-8", database->name);
        return false;
    }
    text_appendf(text, "CREATE %sINDEX %s ON %s %s;\n", index->is_unique ? "UNIQUE " : "",
                 pg_identifier(arena, index->name), pg_qualified(arena, table->schema, table->name),
                 index->definition);
    return true;
}

void
init_read_indexes(struct arena *arena, struct init_deck *deck)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        struct init_database *database = &deck->databases.items[i];
        const struct catalog_database *catalog = database->catalog;
        AUTO_TEXT text = {0};
        size_t count = 0;
        text_append(&text,
                    "-- Written by pgdeck init: the indexes that come with no constraint.\n");
        for (size_t j = 0; j < catalog->indexes.count; j++)
            count += append_index(arena, deck, catalog, &catalog->indexes.items[j], &text);
        if (count == 0)
            continue;
        database->indexes_path = file_name(arena, deck, catalog->name);
        *LIST_ADD(arena, &deck->files) =
            (struct init_file){database->indexes_path, arena_strdup(arena, text_chars(&text))};
        deck->index_count += count;
    }
}
