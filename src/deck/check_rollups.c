// SPDX-License-Identifier: MIT
#include "deck/loader.h"

#include "deck/fault.h"

#include <string.h>

enum { NAME_MAX_BYTES = 40, DAY_MS = 24 * 60 * 60 * 1000 };

/* It becomes part of names of functions, triggers and of a setting. */
static bool
is_plain_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";

    return strlen(name) <= NAME_MAX_BYTES && strchr(letters, name[0]) != NULL &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789")] == '\0';
}

static const struct deck_statement *
find_table(const struct deck_sql_file *schema, const struct deck_rollup *rollup)
{
    for (size_t i = 0; i < schema->statements.count; i++) {
        const struct deck_statement *statement = &schema->statements.items[i];
        const char *in = statement->schema == NULL ? "public" : statement->schema;
        if (statement->kind == STATEMENT_CREATE_TABLE && strcmp(in, rollup->schema) == 0 &&
            strcmp(statement->name, rollup->table) == 0)
            return statement;
    }
    return NULL;
}

static bool
has_column(const struct deck_statement *table, const char *name)
{
    for (size_t i = 0; i < table->columns.count; i++) {
        if (strcmp(table->columns.items[i], name) == 0)
            return true;
    }
    return false;
}

static void
check_columns(struct deck_loader *loader, const struct deck *deck, const struct deck_rollup *rollup,
              const struct deck_statement *table)
{
    const char *tenant = deck->tenants.column;

    if (!table->has_other_columns && !has_column(table, rollup->time))
        deck_fault_nearest(deck_loader_fault(loader, rollup->place,
                                             "rollup %s: table %s has no column \"%s\"",
                                             rollup->name, rollup->table, rollup->time),
                           rollup->time, table->columns.items);
    if (tenant == NULL || !has_column(table, tenant))
        return;
    for (size_t i = 0; i < rollup->by.count; i++) {
        if (strcmp(rollup->by.items[i], tenant) == 0)
            return;
    }
    error_hint(deck_loader_fault(loader, rollup->place,
                                 "rollup %s would show each tenant the figures of all: it is not "
                                 "by %s",
                                 rollup->name, tenant),
               "Add %s to its \"by\".", tenant);
}

static void
check_table(struct deck_loader *loader, const struct deck *deck, const struct deck_rollup *rollup)
{
    const struct deck_sql_file *last = NULL;
    bool is_somewhere = false;

    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_sql_file *schema = deck->databases.items[i].schema;
        const struct deck_statement *table = schema == NULL ? NULL : find_table(schema, rollup);
        is_somewhere = is_somewhere || schema == NULL || table != NULL;
        if (table != NULL && schema != last)
            check_columns(loader, deck, rollup, table);
        last = schema;
    }
    if (!is_somewhere)
        deck_loader_fault(loader, rollup->place, "rollup %s: no database's schema has the table %s",
                          rollup->name, rollup->table);
}

void
deck_check_rollups(struct deck_loader *loader, const struct deck *deck)
{
    for (size_t i = 0; i < deck->rollups.count; i++) {
        const struct deck_rollup *rollup = &deck->rollups.items[i];
        if (rollup->table == NULL || rollup->time == NULL)
            continue;
        if (!is_plain_name(rollup->name))
            error_hint(deck_loader_fault(loader, rollup->place, "\"%.60s\" cannot name a rollup",
                                         rollup->name),
                       "At most %d small letters, digits and underscores, such as tasks_by_hour.",
                       NAME_MAX_BYTES);
        if (strcmp(rollup->name, rollup->table) == 0)
            deck_loader_fault(loader, rollup->place, "rollup %s has the name of its table",
                              rollup->name);
        if (rollup->every_ms > 31LL * DAY_MS || rollup->every_ms % 1000 != 0)
            deck_loader_fault(loader, rollup->place,
                              "rollup %s: every wants whole seconds, at most 31d", rollup->name);
        if (rollup->figures.count == 0)
            deck_loader_fault(loader, rollup->place, "rollup %s has no figures", rollup->name);
        check_table(loader, deck, rollup);
    }
}
