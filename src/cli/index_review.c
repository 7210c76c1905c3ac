// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "advise/review.h"

#include <stdio.h>
#include <string.h>

struct review_command {
    struct index_source source;
    const char *since, *until;
};

static const char *const verdicts[] = {
    [ADVISE_FASTER] = "faster",
    [ADVISE_UNKNOWN] = "used; nothing to compare with",
    [ADVISE_NOT_FASTER] = "used, and not faster",
    [ADVISE_UNUSED] = "not used",
};

static void
print_review(const struct cli *cli, const struct advise *run, const struct advise_review *review)
{
    const struct cli_style *style = cli_style(cli);

    printf("%s: from %s to %s\n", run->database, review->since, review->until);
    if (review->list.count == 0)
        puts("no index was built in that time");
    for (size_t i = 0; i < review->list.count; i++) {
        const struct advise_reviewed *index = &review->list.items[i];
        printf("\n%s%s%s on %s: %s, %.0f scans\n", style->bold, index->name, style->reset,
               index->table, verdicts[index->verdict], index->scans);
        for (size_t j = 0; j < index->statements.count; j++) {
            const struct advise_change *change = &index->statements.items[j];
            const char *sql = index_one_line(run->arena, change->sql);
            if (change->before_ms == 0)
                printf("  %11s    %8.2f ms  %8.0f calls  %s\n", "new", change->after_ms,
                       change->calls, sql);
            else
                printf("  %8.2f -> %8.2f ms  %8.0f calls  %s\n", change->before_ms,
                       change->after_ms, change->calls, sql);
        }
        if (index->drop_sql != NULL)
            printf(
                "  proposed: pgdeck rollback, when the newest apply built it; else take it out of "
                "the deck,\n  and %s;\n",
                index->drop_sql);
    }
}

static bool
print_json(const struct advise *run, const struct advise_review *review, struct error *err)
{
    static const char *const words[] = {"faster", "unknown", "not faster", "unused"};
    json_t *indexes = json_array();

    for (size_t i = 0; i < review->list.count; i++) {
        const struct advise_reviewed *index = &review->list.items[i];
        json_t *statements = json_array();
        for (size_t j = 0; j < index->statements.count; j++) {
            const struct advise_change *change = &index->statements.items[j];
            json_array_append_new(statements, json_pack("{s:s, s:f, s:f, s:f}", "sql", change->sql,
                                                        "before_ms", change->before_ms, "after_ms",
                                                        change->after_ms, "calls", change->calls));
        }
        json_array_append_new(
            indexes, json_pack("{s:s, s:s, s:s, s:s, s:s, s:f, s:o, s:s?}", "schema", index->schema,
                               "name", index->name, "table", index->table, "definition",
                               index->definition, "verdict", words[index->verdict], "scans",
                               index->scans, "statements", statements, "drop", index->drop_sql));
    }
    json_t *all = json_pack("{s:s, s:s, s:s, s:o}", "database", run->database, "since",
                            review->since, "until", review->until, "indexes", indexes);
    return cli_print_json(all, err);
}

static bool
check_database(const struct advise_snapshot *snapshot, const struct advise *run, const char *path,
               struct error *err)
{
    return strcmp(snapshot->database, run->database) == 0 ||
           error_set(err, ERROR_USAGE, "%s is of database \"%s\"", path, snapshot->database);
}

/* Two snapshots; without --since what the history of the database has. */
static bool
read_both(struct cli *cli, const struct review_command *options, const struct advise *run,
          struct advise_snapshot *before, struct advise_snapshot *now, struct error *err)
{
    if (options->since == NULL)
        return advise_history_read(cli->arena, run->catalog, before, now, err);
    if (!advise_snapshot_load(cli->arena, options->since, before, err) ||
        !check_database(before, run, options->since, err))
        return false;
    if (options->until == NULL ? !advise_snapshot_read(cli->arena, run->catalog, now, err)
                               : !advise_snapshot_load(cli->arena, options->until, now, err) ||
                                     !check_database(now, run, options->until, err))
        return false;
    advise_snapshot_subtract(now, before);
    return true;
}

static bool
review(struct cli *cli, struct review_command *options, struct advise *run, struct error *err)
{
    struct advise_snapshot before;
    struct advise_snapshot now;
    struct advise_review found;

    if (options->since == NULL && options->until != NULL)
        return error_set(err, ERROR_USAGE, "index review: --until needs --since");
    if (!index_find_source(cli, &options->source, &run->target, err) || !advise_open(run, err) ||
        !read_both(cli, options, run, &before, &now, err) ||
        !advise_review(run, &before, &now, &found, err))
        return false;
    if (cli->is_json)
        return print_json(run, &found, err);
    print_review(cli, run, &found);
    return true;
}

int
index_review(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    struct review_command options = {0};
    struct advise run = {.arena = cli->arena};
    const struct cli_option table[] = {
        {"database", 'D', CLI_TEXT, "NAME", "the database; of the deck, unless there is only one",
         &options.source.database},
        {"from", 0, CLI_TEXT, "CONNINFO", "a database that is in no deck", &options.source.from},
        {"since", 0, CLI_TEXT, "SNAPSHOT",
         "saved by pgdeck index advise before they were built; default: the database's history",
         &options.since},
        {"until", 0, CLI_TEXT, "SNAPSHOT", "saved later; default: what is counted now",
         &options.until},
    };
    struct cli_list operands = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    bool is_fine = review(cli, &options, &run, err);
    advise_close(&run);
    return is_fine ? 0 : cli_failed(err);
}
