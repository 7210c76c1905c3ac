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
    if (partition->history != HISTORY_AUTO && !is_range)
        partition_fault(loader, partition, "history belongs to a range");
    if (partition->is_uuidv7 && !has_range)
        partition_fault(loader, partition, "uuidv7 belongs to a range");
    if (partition->is_uuidv7 && partition->every > 0 && partition->unit == UNIT_ID)
        error_hint(partition_fault(loader, partition, "uuidv7 ids are divided by time"),
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

    if (retain.count <= 0 || every.count <= 0)
        return;
    if ((retain.unit == UNIT_ID) != (every.unit == UNIT_ID)) {
        error_hint(partition_fault(loader, partition, "retain and every are not of one kind"),
                   "Both are periods of time, or both are numbers of ids.");
        return;
    }
    if (deck_period_days(retain) >= deck_period_days(every))
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

static bool
is_table(const char *schema, const char *table, const struct deck_partition *partition)
{
    return table != NULL && strcmp(table, partition->table) == 0 &&
           strcmp(schema == NULL ? "public" : schema, partition->schema) == 0;
}

/* Likewise for unique indexes. */
static void
check_unique_indexes(struct deck_loader *loader, const struct deck_partition *partition,
                     const struct deck_sql_file *file)
{
    for (size_t i = 0; i < file->statements.count; i++) {
        const struct deck_statement *statement = &file->statements.items[i];
        if (statement->kind != STATEMENT_CREATE_INDEX || !statement->is_unique ||
            !is_table(statement->table_schema, statement->table, partition))
            continue;
        const char *columns[2] = {partition->column, partition->then_range};
        for (size_t j = 0; j < 2; j++) {
            bool is_in = columns[j] == NULL;
            for (size_t k = 0; k < statement->keys.items[0].columns.count; k++) {
                const char *name = statement->keys.items[0].columns.items[k];
                is_in = is_in || (name != NULL && strcmp(name, columns[j]) == 0);
            }
            if (!is_in)
                error_hint(deck_loader_fault(loader, statement->place,
                                             "unique index %s of %s lacks the partition column "
                                             "\"%s\"",
                                             statement->name, partition->table, columns[j]),
                           "PostgreSQL wants it there: with it the index promises less.");
        }
    }
}

/* What the primary key of a table will be, or the columns that a foreign key names. */
static bool
refers_to(const struct deck_reference *reference, const struct deck_statement *table,
          const char *column)
{
    for (size_t i = 0; i < reference->columns.count; i++) {
        if (strcmp(reference->columns.items[i], column) == 0)
            return true;
    }
    for (size_t i = 0; reference->columns.count == 0 && i < table->keys.count; i++) {
        const struct deck_key_columns *key = &table->keys.items[i];
        for (size_t j = 0; key->is_primary && j < key->columns.count; j++) {
            if (strcmp(key->columns.items[j], column) == 0)
                return true;
        }
    }
    return false;
}

/* A foreign key needs a unique key of just the columns that it points at, which a partitioned table
 * has only with its partition columns in it. */
static void
check_references(struct deck_loader *loader, const struct deck_partition *partition,
                 const struct deck_sql_file *schema, const struct deck_statement *table)
{
    const char *columns[2] = {partition->column, partition->then_range};

    for (size_t i = 0; i < schema->statements.count; i++) {
        const struct deck_statement *statement = &schema->statements.items[i];
        for (size_t j = 0; j < statement->references.count; j++) {
            const struct deck_reference *reference = &statement->references.items[j];
            if (!is_table(reference->schema, reference->table, partition) ||
                ((columns[0] == NULL || refers_to(reference, table, columns[0])) &&
                 (columns[1] == NULL || refers_to(reference, table, columns[1]))))
                continue;
            struct error *fault = deck_loader_fault(
                loader, statement->place, "a foreign key of %s points at %s, which is partitioned",
                statement->name, partition->table);
            error_hint(fault,
                       "The keys of %s get the partition column \"%s\": point at it, too, or drop "
                       "the foreign key.",
                       partition->table, partition->column);
        }
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
        check_references(loader, partition, schema, statement);
        return;
    }
    struct error *fault =
        deck_loader_fault(loader, partition->place, "partition of %s: %s has no such table",
                          partition->table, schema->path);
    deck_fault_nearest(fault, partition->table, names);
}

void
deck_check_partitions(struct deck_loader *loader, const struct deck_database *database)
{
    const struct deck_partitions *partitions = database->partitions;

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
        if (database->schema != NULL)
            check_table(loader, partition, database->schema);
        if (database->schema != NULL && partition->column != NULL)
            check_unique_indexes(loader, partition, database->schema);
        if (database->indexes != NULL && partition->column != NULL)
            check_unique_indexes(loader, partition, database->indexes);
    }
}
