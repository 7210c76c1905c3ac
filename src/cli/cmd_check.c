// SPDX-License-Identifier: MIT
#include "cli/command.h"
#include "deck/json_schema.h"
#include "settings/check_deck.h"

#include <jansson.h>
#include <stdio.h>

/* What a deck holds, for the line that says it is fine. */
enum {
    COUNT_SERVERS,
    COUNT_ENVIRONMENTS,
    COUNT_DATABASES,
    COUNT_TABLES,
    COUNT_INDEXES,
    COUNT_PARTITIONED,
    COUNTS
};
static const char *const count_names[COUNTS][3] = {
    [COUNT_SERVERS] = {"servers", "server", "servers"},
    [COUNT_ENVIRONMENTS] = {"environments", "environment", "environments"},
    [COUNT_DATABASES] = {"databases", "database", "databases"},
    [COUNT_TABLES] = {"tables", "table", "tables"},
    [COUNT_INDEXES] = {"indexes", "index", "indexes"},
    [COUNT_PARTITIONED] = {"partitioned_tables", "partitioned table", "partitioned tables"},
};

static size_t
count_statements(const struct deck_sql_file *file, enum deck_statement_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < file->statements.count; i++)
        count += file->statements.items[i].kind == kind;
    return count;
}

/* Files and lists that databases share count once. */
static void
count_deck(const struct deck *deck, size_t counts[COUNTS])
{
    const struct deck_database *databases = deck->databases.items;

    counts[COUNT_SERVERS] = deck->servers.count;
    counts[COUNT_ENVIRONMENTS] = deck->environments.count;
    counts[COUNT_DATABASES] = deck->databases.count;
    for (size_t i = 0; i < deck->databases.count; i++) {
        bool is_new_schema = databases[i].schema != NULL;
        bool is_new_indexes = databases[i].indexes != NULL;
        bool is_new_partitions = databases[i].partitions != NULL;
        for (size_t j = 0; j < i; j++) {
            is_new_schema &= databases[j].schema != databases[i].schema;
            is_new_indexes &= databases[j].indexes != databases[i].indexes;
            is_new_partitions &= databases[j].partitions != databases[i].partitions;
        }
        if (is_new_schema)
            counts[COUNT_TABLES] += count_statements(databases[i].schema, STATEMENT_CREATE_TABLE);
        if (is_new_indexes)
            counts[COUNT_INDEXES] += count_statements(databases[i].indexes, STATEMENT_CREATE_INDEX);
        if (is_new_partitions)
            counts[COUNT_PARTITIONED] += databases[i].partitions->list.count;
    }
}

static void
print_fine(const struct deck *deck)
{
    size_t counts[COUNTS] = {0};

    count_deck(deck, counts);
    printf("%s: fine:", deck->file);
    for (int i = 0; i < COUNTS; i++)
        printf("%s %zu %s", i == 0 ? "" : ",", counts[i], count_names[i][counts[i] == 1 ? 1 : 2]);
    printf("\n");
}

static json_t *
fault_as_json(const struct error *fault)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s}", "file", fault->file, "line", fault->line,
                     "column", fault->column, "message", fault->message, "detail", fault->detail,
                     "hint", fault->hint);
}

static void
print_json(const char *path, const struct deck *deck, const struct deck_faults *faults)
{
    size_t counts[COUNTS] = {0};
    json_t *list = json_array();
    json_t *summary = json_object();

    for (size_t i = 0; i < faults->list.count; i++)
        json_array_append_new(list, fault_as_json(&faults->list.items[i]));
    if (deck != NULL)
        count_deck(deck, counts);
    for (int i = 0; i < COUNTS && deck != NULL; i++)
        json_object_set_new(summary, count_names[i][0], json_integer((json_int_t)counts[i]));
    json_t *root = json_pack("{s:s, s:b, s:o, s:o}", "deck", path, "fine", deck != NULL, "faults",
                             list, "counts", summary);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    printf("\n");
    json_decref(root);
}

int
cmd_check(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    bool is_schema = false;
    const struct cli_option options[] = {
        {"schema", 0, CLI_FLAG, NULL, "print the JSON Schema of decks, for editors", &is_schema},
    };
    struct cli_list operands = {0};
    struct deck_faults faults = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(options), argc, argv, &operands, err))
        return cli_failed(err);
    if (operands.values.count > 1) {
        error_set(err, ERROR_USAGE, "check takes one deck, got %zu", operands.values.count);
        return cli_failed(err);
    }
    if (is_schema) {
        deck_json_schema_print(stdout);
        return 0;
    }
    if (operands.values.count == 1)
        cli->deck_path = operands.values.items[0];
    const struct deck *deck =
        deck_load_checked(cli->arena, cli->deck_path, cli->sets.values.items,
                          cli->sets.values.count, settings_check_deck, &faults);
    if (cli->is_json)
        print_json(cli->deck_path, deck, &faults);
    else if (deck != NULL)
        print_fine(deck);
    for (size_t i = 0; i < faults.list.count && !cli->is_json; i++)
        cli_print_error(&faults.list.items[i]);
    return deck != NULL ? 0 : cli_failed(&faults.list.items[0]);
}
