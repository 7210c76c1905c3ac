// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "cli/init.h"
#include "partition/part.h"

#include <ctype.h>
#include <string.h>

enum { MAX_PAST = 10000, MAX_PREMAKE = 1000, MAX_MODULUS = 1024 };

/* A partitioned table and its partitions. */
struct partitioned {
    struct arena *arena;
    const struct catalog_table *table;
    LIST_OF(const struct catalog_table *) children;
    LIST_OF(struct partition_bound) bounds; /* of the children, in the same order */
    long long today;
};

/* --- the key ------------------------------------------------------------------------------ */

static bool
is_simple(const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (!islower((unsigned char)*c) && *c != '_' && !(c > name && isdigit((unsigned char)*c)))
            return false;
    }
    return true;
}

/* The column of a key such as RANGE (created_at); NULL when it is not just a column. */
static const char *
key_column(struct arena *arena, const struct catalog_table *table)
{
    const char *open = strchr(table->partition_key, '(');

    for (size_t i = 0; open != NULL && i < table->column_count; i++) {
        const char *column = table->columns[i];
        const char *quoted = arena_printf(arena, "(%s)", pg_identifier(arena, column));
        const char *bare = arena_printf(arena, "(%s)", column);
        if (strcmp(open, quoted) == 0 || (is_simple(column) && strcmp(open, bare) == 0))
            return column;
    }
    return NULL;
}

/* --- each kind ---------------------------------------------------------------------------- */

/* Whether a partition is there for exactly what the advisor would want at that distance. */
static bool
has_period(const struct partitioned *partitioned, const struct deck_partition *partition, int past,
           int premake)
{
    struct deck_partition one = *partition;
    struct partition_parts parts;

    one.past = past;
    one.premake = premake;
    partition_parts_wanted(partitioned->arena, &one, partitioned->today, &parts);
    const struct partition_part *part = &parts.list.items[past > 0 ? 0 : parts.list.count - 1];
    for (size_t i = 0; i < partitioned->bounds.count; i++) {
        if (partition_bound_compare(&partitioned->bounds.items[i], &part->bound) == BOUND_SAME)
            return true;
    }
    return false;
}

/* The period that today's partition has, and how many there are before and after it in a row. */
static const char *
find_range(const struct partitioned *partitioned, struct deck_partition *partition)
{
    static const struct {
        int every;
        enum deck_unit unit;
    } candidates[] = {{1, UNIT_DAY},   {1, UNIT_WEEK},  {1, UNIT_MONTH},
                      {1, UNIT_YEAR},  {2, UNIT_WEEK},  {2, UNIT_MONTH},
                      {3, UNIT_MONTH}, {4, UNIT_MONTH}, {6, UNIT_MONTH}};
    size_t limit = partitioned->bounds.count; /* there cannot be more in a row */

    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        partition->every = candidates[i].every;
        partition->unit = candidates[i].unit;
        if (!has_period(partitioned, partition, 0, 0))
            continue;
        partition->past = 0;
        partition->premake = 0;
        while ((size_t)partition->past < limit && partition->past < MAX_PAST &&
               has_period(partitioned, partition, partition->past + 1, 0))
            partition->past++;
        while ((size_t)partition->premake < limit && partition->premake < MAX_PREMAKE &&
               has_period(partitioned, partition, 0, partition->premake + 1))
            partition->premake++;
        return NULL;
    }
    return "it has no partition for today that is a day, week, month or year of UTC";
}

/* "ai_tasks_active" is the part active of ai_tasks. */
static const char *
part_name(const struct catalog_table *table, const struct catalog_table *child)
{
    size_t length = strlen(table->name);
    bool has_prefix = strncmp(child->name, table->name, length) == 0 &&
                      child->name[length] == '_' && child->name[length + 1] != '\0';

    return has_prefix ? child->name + length + 1 : child->name;
}

static const char *
find_list(const struct partitioned *partitioned, struct deck_partition *partition)
{
    struct arena *arena = partitioned->arena;

    for (size_t i = 0; i < partitioned->children.count; i++) {
        const struct partition_bound *bound = &partitioned->bounds.items[i];
        struct deck_partition_part part = {
            .name = part_name(partitioned->table, partitioned->children.items[i])};
        for (size_t j = 0; j < bound->values.count; j++) {
            if (bound->values.items[j] != NULL) /* the deck has no word for null */
                *LIST_ADD(arena, &part.values) = bound->values.items[j];
        }
        for (size_t j = 0; j < partition->parts.count; j++) {
            if (strcmp(partition->parts.items[j].name, part.name) == 0)
                return "two partitions would have the same name";
        }
        if (part.values.count > 0)
            *LIST_ADD(arena, &partition->parts) = part;
    }
    return partition->parts.count > 0 ? NULL : "none of its partitions has values";
}

static const char *
find_hash(const struct partitioned *partitioned, struct deck_partition *partition)
{
    size_t count = partitioned->bounds.count;

    for (size_t i = 0; i < count; i++) {
        if ((size_t)partitioned->bounds.items[i].modulus != count)
            return "its partitions are not equal parts, or not all there";
    }
    partition->modulus = (int)count;
    return count >= 2 && count <= MAX_MODULUS ? NULL : "it has too few or too many parts";
}

/* --- all ---------------------------------------------------------------------------------- */

/* Collects the partitions but the default one; NULL, or why the table cannot be taken over. */
static const char *
collect_children(struct partitioned *partitioned, const struct catalog_database *database)
{
    for (size_t i = 0; i < database->tables.count; i++) {
        const struct catalog_table *child = &database->tables.items[i];
        struct partition_bound bound;
        if (child->parent_oid != partitioned->table->oid)
            continue;
        if (child->kind == 'p')
            return "its partitions are partitioned themselves";
        if (!partition_bound_parse(partitioned->arena, child->partition_bound, &bound))
            return "the bounds of a partition are not understood";
        if (bound.is_default)
            continue;
        *LIST_ADD(partitioned->arena, &partitioned->children) = child;
        *LIST_ADD(partitioned->arena, &partitioned->bounds) = bound;
    }
    return NULL;
}

static const char *
find_partitions(struct partitioned *partitioned, const struct catalog_database *database,
                struct deck_partition *partition)
{
    const struct catalog_table *table = partitioned->table;
    const char *problem = collect_children(partitioned, database);

    *partition = (struct deck_partition){.schema = table->schema, .table = table->name};
    if (problem != NULL)
        return problem;
    partition->column = key_column(partitioned->arena, table);
    if (partition->column == NULL)
        return "its key is not one column";
    if (text_utf8_length(table->name, strlen(table->name)) < strlen(table->name) ||
        text_utf8_length(table->schema, strlen(table->schema)) < strlen(table->schema) ||
        text_utf8_length(partition->column, strlen(partition->column)) < strlen(partition->column))
        return "its name is not UTF-8";
    switch (table->partition_strategy) {
    case 'r':
        partition->kind = PARTITION_RANGE;
        return find_range(partitioned, partition);
    case 'l':
        partition->kind = PARTITION_LIST;
        return find_list(partitioned, partition);
    default:
        partition->kind = PARTITION_HASH;
        return find_hash(partitioned, partition);
    }
}

void
init_read_partitions(struct arena *arena, struct init_deck *deck, long long today)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        struct init_database *database = &deck->databases.items[i];
        for (size_t j = 0; j < database->catalog->tables.count; j++) {
            const struct catalog_table *table = &database->catalog->tables.items[j];
            struct partitioned partitioned = {.arena = arena, .table = table, .today = today};
            struct deck_partition partition;
            if (table->kind != 'p' || table->parent_oid != 0)
                continue;
            const char *problem = find_partitions(&partitioned, database->catalog, &partition);
            if (problem != NULL) {
                init_remark(arena, deck, "%s: how %s.%s is partitioned (%s): %s",
                            database->catalog->name, table->schema, table->name,
                            table->partition_key, problem);
                continue;
            }
            *LIST_ADD(arena, &database->partitions.list) = partition;
            deck->partitioned_count++;
        }
    }
}
