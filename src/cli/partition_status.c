// SPDX-License-Identifier: MIT
#include "cli/partition.h"

#include "base/text.h"
#include "partition/status.h"
#include "plan/plan.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct status_command {
    struct cli *cli;
    struct cli_list databases;
    struct cli_list operands; /* tables */
    json_t *document;
    bool is_found;
};

static bool
is_among(const struct cli_list *list, const char *word)
{
    for (size_t i = 0; i < list->values.count; i++) {
        if (strcmp(list->values.items[i], word) == 0)
            return true;
    }
    return false;
}

static bool
is_asked_for(const struct status_command *command, const struct partition_status *status)
{
    return command->operands.values.count == 0 || is_among(&command->operands, status->root) ||
           is_among(&command->operands,
                    arena_printf(command->cli->arena, "%s.%s", status->root_schema, status->root));
}

static void
print_root(struct text *text, const struct cli_style *style, const struct partition_status *root)
{
    text_append(text, style->bold);
    text_append_visible(text, root->root_schema);
    text_append(text, ".");
    text_append_visible(text, root->root);
    text_appendf(text, "%s  by ", style->reset);
    text_append_visible(text, root->key);
    text_appendf(text, ", managed by %s%s%s\n", root->manager == NULL ? "nobody" : root->manager,
                 root->last_analyze == NULL ? ", never analyzed as a whole" : ", analyzed ",
                 root->last_analyze == NULL ? "" : root->last_analyze);
    if (root->made_next != NULL)
        text_appendf(text, "  made next:    %s\n", root->made_next);
    if (root->dropped_next != NULL)
        text_appendf(text, "  dropped next: %s\n", root->dropped_next);
    text_appendf(text, "  %s%12s %10s %12s  %-19s  %s%s\n", style->dim, "ROWS", "SIZE", "WRITES",
                 "LAST WRITE", "PARTITION", style->reset);
}

static void
print_partition(struct text *text, const struct partition_status *status)
{
    enum { KB = 1024 };

    text_appendf(text, "  %12lld %7lld kB %12lld  %-19s  %*s", status->rows, status->bytes / KB,
                 status->writes, status->last_write == NULL ? "" : status->last_write,
                 2 * (status->level - 1), "");
    text_append_visible(text, status->name);
    text_append(text, "  ");
    text_append_visible(text, status->bound);
    if (status->key != NULL) {
        text_append(text, ", by ");
        text_append_visible(text, status->key);
    }
    text_append(text, status->is_pending ? "  (its detach was broken off)\n" : "\n");
}

static void
add_json(struct status_command *command, const char *database,
         const struct partition_status *status)
{
    json_array_append_new(
        command->document,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s?, s:s?, s:b, s:b, s:I, s:I, s:I, s:s?, s:s?, "
                  "s:s?, s:s?, s:s?}",
                  "database", database, "table_schema", status->root_schema, "table", status->root,
                  "schema", status->schema, "name", status->name, "level", status->level, "key",
                  status->key, "bound", status->bound, "leaf", status->is_leaf, "detach_pending",
                  status->is_pending, "rows", (json_int_t)status->rows, "bytes",
                  (json_int_t)status->bytes, "writes", (json_int_t)status->writes, "last_write",
                  status->last_write, "last_analyze", status->last_analyze, "manager",
                  status->manager, "made_next", status->made_next, "dropped_next",
                  status->dropped_next));
}

static bool
show_database(struct status_command *command, const struct deck_database *database,
              struct error *err)
{
    struct pg_target target = plan_target(database->environment->server, database->name);
    const struct cli_style *style = cli_style(command->cli);
    struct partition_statuses statuses;
    AUTO_PGCONN connection = NULL;
    AUTO_TEXT text = {0};

    if (!pg_connect(&target, &connection, err) ||
        !partition_read_statuses(command->cli->arena, connection, database, &statuses, err))
        return error_wrap(err, "database \"%s\"", database->name);
    for (size_t i = 0; i < statuses.list.count; i++) {
        const struct partition_status *status = &statuses.list.items[i];
        if (!is_asked_for(command, status))
            continue;
        command->is_found = true;
        if (command->cli->is_json)
            add_json(command, database->name, status);
        else if (status->level == 0)
            print_root(&text, style, status);
        else
            print_partition(&text, status);
    }
    if (text.length > 0)
        printf("%sdatabase %s%s\n%s\n", style->bold, database->name, style->reset,
               text_chars(&text));
    return true;
}

/* A database that cannot be read is told, and the others go on; err is left with the last. */
static bool
show_databases(struct status_command *command, const struct deck *deck, struct error *err)
{
    for (size_t i = 0; i < deck->databases.count && err->code != ERROR_INTERRUPTED; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        struct error fault = {0};
        if (command->databases.values.count > 0 && !is_among(&command->databases, database->name))
            continue;
        if (show_database(command, database, &fault))
            continue;
        if (err->code != ERROR_NONE)
            cli_print_error(err);
        *err = fault;
    }
    return err->code == ERROR_NONE;
}

int
partition_status(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                 struct error *err)
{
    struct status_command status = {.cli = cli};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &status.databases},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &status.operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    status.document = json_array();
    bool is_whole = show_databases(&status, deck, err);
    if (is_whole && cli->is_json) {
        json_dumpf(status.document, stdout, JSON_INDENT(2));
        puts("");
    } else if (is_whole && !status.is_found) {
        puts(status.operands.values.count > 0 ? "No such partitioned table."
                                              : "No partitioned tables.");
    }
    json_decref(status.document);
    return is_whole ? 0 : cli_failed(err);
}
