// SPDX-License-Identifier: MIT
#include "base/text.h"
#include "deck/loader.h"
#include "deck/units.h"

#include <string.h>

static struct error *
partition_fault(struct deck_loader *loader, const struct deck_partition *partition,
                const char *message)
{
    return deck_loader_fault(loader, partition->place, "partition of %s: %s", partition->table,
                             message);
}

/* What belongs to the kind is there, and nothing of another kind. */
static void
check_kind(struct deck_loader *loader, const struct deck_partition *partition)
{
    bool is_range = partition->kind == PARTITION_RANGE;
    bool has_range = is_range || partition->then_range != NULL;

    if (is_range && partition->then_range != NULL)
        error_hint(partition_fault(loader, partition, "then_range belongs to a list or hash"),
                   "Its periods are divided no further.");
    if (has_range && partition->every == 0)
        error_hint(partition_fault(loader, partition, "a range wants \"every\""),
                   "Such as every: 1 month.");
    if (!has_range && (partition->every != 0 || partition->retain != 0))
        partition_fault(loader, partition, "every and retain belong to a range");
    if (is_range && (partition->modulus != 0 || partition->parts.count != 0))
        error_hint(partition_fault(loader, partition, "a range has no parts"),
                   "Its partitions come of \"every\".");
    if (partition->kind == PARTITION_HASH && partition->modulus == 0)
        error_hint(partition_fault(loader, partition, "a hash wants the number of its parts"),
                   "Such as parts: 4.");
    if (partition->kind == PARTITION_LIST && partition->parts.count == 0)
        error_hint(partition_fault(loader, partition, "a list wants parts with their values"),
                   "Such as parts: {open: [new, running], closed: [done]}.");
}

static void
check_retain(struct deck_loader *loader, const struct deck_partition *partition)
{
    struct deck_period every = {partition->every, partition->unit};
    struct deck_period retain = {partition->retain, partition->retain_unit};

    if (retain.count <= 0 || every.count <= 0 ||
        deck_period_days(retain) >= deck_period_days(every))
        return;
    deck_loader_fault(loader, partition->place,
                      "partition of %s: retain (%d %s%s) is shorter than a partition (%d %s%s)",
                      partition->table, retain.count, deck_unit_name(retain.unit),
                      retain.count == 1 ? "" : "s", every.count, deck_unit_name(every.unit),
                      every.count == 1 ? "" : "s");
}

/* Whether the value is in a part before the given one, or earlier in that part. */
static const struct deck_partition_part *
find_value(const struct deck_partition *partition, size_t part, size_t at)
{
    const char *value = partition->parts.items[part].values.items[at];

    for (size_t i = 0; i <= part; i++) {
        const struct deck_partition_part *other = &partition->parts.items[i];
        for (size_t j = 0; j < (i == part ? at : other->values.count); j++) {
            if (strcmp(other->values.items[j], value) == 0)
                return other;
        }
    }
    return NULL;
}

static void
check_values(struct deck_loader *loader, const struct deck_partition *partition)
{
    for (size_t i = 0; i < partition->parts.count; i++) {
        const struct deck_partition_part *part = &partition->parts.items[i];
        for (size_t j = 0; j < part->values.count; j++) {
            const struct deck_partition_part *other = find_value(partition, i, j);
            if (other != NULL)
                deck_loader_fault(loader, part->place,
                                  "partition of %s: the value \"%s\" of part \"%s\" is in part "
                                  "\"%s\" already",
                                  partition->table, part->values.items[j], part->name, other->name);
        }
    }
}

static void
check_column(struct deck_loader *loader, const struct deck_partition *partition, const char *column,
             const struct deck_statement *table)
{
    const char **names = ARENA_ARRAY(loader->arena, const char *, table->columns.count + 1);

    for (size_t i = 0; i < table->columns.count; i++) {
        names[i] = table->columns.items[i];
        if (strcmp(names[i], column) == 0)
            return;
    }
    if (table->has_other_columns)
        return;
    struct error *fault = deck_loader_fault(loader, partition->place,
                                            "partition of %s: the table has no column \"%s\"",
                                            partition->table, column);
    deck_fault_nearest(fault, column, names);
}

/* PostgreSQL's rule: every unique key of a partitioned table contains the partition column. The
 * primary key gets it from the advisor, and plan shows that; a UNIQUE would silently promise less
 * than was written. */
static void
check_keys(struct deck_loader *loader, const struct deck_partition *partition, const char *column,
           const struct deck_statement *table)
{
    for (size_t i = 0; i < table->keys.count; i++) {
        const struct deck_key_columns *key = &table->keys.items[i];
        AUTO_TEXT columns = {0};
        bool is_in = false;
        for (size_t j = 0; j < key->columns.count; j++) {
            is_in |= strcmp(key->columns.items[j], column) == 0;
            text_appendf(&columns, "%s%s", j == 0 ? "" : ", ", key->columns.items[j]);
        }
        if (is_in || key->is_primary)
            continue;
        struct error *fault = deck_loader_fault(
            loader, table->place, "UNIQUE (%s) of %s lacks the partition column \"%s\"",
            text_chars(&columns), partition->table, column);
        error_hint(fault, "PostgreSQL wants it there: UNIQUE (%s, %s), which promises less.",
                   text_chars(&columns), column);
    }
}

static void
check_table(struct deck_loader *loader, const struct deck_partition *partition,
            const struct deck_sql_file *schema)
{
    const char **names = ARENA_ARRAY(loader->arena, const char *, schema->statements.count + 1);
    size_t count = 0;

    for (size_t i = 0; i < schema->statements.count; i++) {
        const struct deck_statement *statement = &schema->statements.items[i];
        const char *in = statement->schema == NULL ? "public" : statement->schema;
        if (statement->kind != STATEMENT_CREATE_TABLE || strcmp(in, partition->schema) != 0)
            continue;
        names[count++] = statement->name;
        if (strcmp(statement->name, partition->table) != 0)
            continue;
        if (statement->is_partitioned)
            partition_fault(loader, partition, "the schema file says PARTITION BY as well");
        if (partition->column != NULL) {
            check_column(loader, partition, partition->column, statement);
            check_keys(loader, partition, partition->column, statement);
        }
        if (partition->then_range != NULL) {
            check_column(loader, partition, partition->then_range, statement);
            check_keys(loader, partition, partition->then_range, statement);
        }
        return;
    }
    struct error *fault =
        deck_loader_fault(loader, partition->place, "partition of %s: %s has no such table",
                          partition->table, schema->path);
    deck_fault_nearest(fault, partition->table, names);
}

void
deck_check_partitions(struct deck_loader *loader, const struct deck_partitions *partitions,
                      const struct deck_sql_file *schema)
{
    for (size_t i = 0; i < partitions->list.count; i++) {
        const struct deck_partition *partition = &partitions->list.items[i];
        if (partition->table == NULL)
            continue;
        if (partition->column == NULL) {
            error_hint(partition_fault(loader, partition, "how it is partitioned is not said"),
                       "Add range: COLUMN, list: COLUMN or hash: COLUMN.");
        } else {
            check_kind(loader, partition);
            check_retain(loader, partition);
            check_values(loader, partition);
        }
        for (size_t j = 0; j < i; j++) {
            const struct deck_partition *other = &partitions->list.items[j];
            if (other->table != NULL && strcmp(other->table, partition->table) == 0 &&
                strcmp(other->schema, partition->schema) == 0)
                partition_fault(loader, partition, "the table is there already");
        }
        if (schema != NULL)
            check_table(loader, partition, schema);
    }
}
