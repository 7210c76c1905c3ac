// SPDX-License-Identifier: MIT
/* pgdeck maintain VERB: hands over to the verb's own function, and those that tend at once. */
#include "cli/maintain.h"

#include "base/text.h"
#include "cli/verbs.h"

#include <string.h>

enum { MOST_MINUTES = 24 * 60 };

struct maintain {
    struct cli *cli;
    struct cli_list databases;
    bool is_dry_run, has_drop;
    long minutes; /* 0: as the deck says */
    const char *page;
    struct maintain_reports reports;
};

static void
print_progress(void *sink, const char *line)
{
    cli_progress(sink, "%s", line);
}

static bool
is_wanted(const struct maintain *maintain, const char *name)
{
    for (size_t i = 0; i < maintain->databases.values.count; i++) {
        if (strcmp(maintain->databases.values.items[i], name) == 0)
            return true;
    }
    return maintain->databases.values.count == 0;
}

static bool
check_databases(const struct maintain *maintain, const struct deck *deck, struct error *err)
{
    const char **names = ARENA_ARRAY(maintain->cli->arena, const char *, deck->databases.count + 1);

    for (size_t i = 0; i < deck->databases.count; i++)
        names[i] = deck->databases.items[i].name;
    for (size_t i = 0; i < maintain->databases.values.count; i++) {
        const char *name = maintain->databases.values.items[i];
        bool is_known = false;
        for (size_t j = 0; j < deck->databases.count; j++)
            is_known = is_known || strcmp(names[j], name) == 0;
        if (is_known)
            continue;
        error_set(err, ERROR_USAGE, "there is no database \"%s\" in the deck", name);
        const char *nearest = text_nearest(name, names);
        return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
    }
    return true;
}

/* A database that cannot be reached is told, and the others are tended all the same. */
static bool
tend_all(struct maintain *maintain, const struct deck *deck, enum maintenance_kind kind,
         bool *ret_all_reached, struct error *err)
{
    struct cli *cli = maintain->cli;

    *ret_all_reached = true;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        const struct deck_maintenance *wanted = &database->environment->maintenance;
        const struct maintenance_options options = {
            .deck = deck,
            .kind = kind,
            .is_dry_run = maintain->is_dry_run,
            .has_drop = maintain->has_drop,
            .page = maintain->page,
            .window_ms = maintain->minutes > 0 ? maintain->minutes * 60000 : wanted->window_ms,
            .on_progress = print_progress,
            .sink = cli,
        };
        if (!is_wanted(maintain, database->name))
            continue;
        struct maintenance_report *report = LIST_ADD(cli->arena, &maintain->reports.list);
        bool is_tended = maintenance_tend(cli->arena, &options, database, report, err);
        cli_progress_end(cli);
        if (!cli->is_json)
            maintain_print(cli, report, maintain->is_dry_run);
        if (is_tended)
            continue;
        if (err->code == ERROR_INTERRUPTED)
            return false;
        cli_print_error(err);
        error_clear(err);
        *ret_all_reached = false;
    }
    return true;
}

static int
run(struct maintain *maintain, enum maintenance_kind kind, struct error *err)
{
    const struct deck *deck = cli_load_deck(maintain->cli, err);
    bool all_reached;

    if (deck == NULL || !check_databases(maintain, deck, err) ||
        !tend_all(maintain, deck, kind, &all_reached, err) ||
        (maintain->cli->is_json &&
         !maintain_print_json(&maintain->reports, maintain->is_dry_run, err)))
        return cli_failed(err);
    int status = maintain_exit_status(&maintain->reports);
    return status == 0 && !all_reached ? error_exit_status(ERROR_UNREACHABLE) : status;
}

static int
maintain_kind(enum maintenance_kind kind, struct cli *cli, const struct cli_command *command,
              int argc, char **argv, struct error *err)
{
    struct maintain maintain = {.cli = cli};
    struct cli_list operands = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &maintain.databases},
        {"dry-run", 'n', CLI_FLAG, NULL, "only tell what would be done", &maintain.is_dry_run},
        {"minutes", 0, CLI_NUMBER, "N", "stop after this for each database; default: the window",
         &maintain.minutes},
        {"drop", 0, CLI_FLAG, NULL, "drop partitions that retain lets go", &maintain.has_drop},
        {"page", 0, CLI_TEXT, "FOLDER", "where the page goes; default: the state folder",
         &maintain.page},
    };
    /* the last two are monthly's */
    struct cli_options options = {table, kind == MAINTENANCE_MONTHLY ? 5 : 3};

    if (!cli_parse(cli, command, options, argc, argv, &operands, err))
        return cli_failed(err);
    if (maintain.minutes < 0 || maintain.minutes > MOST_MINUTES) {
        error_set(err, ERROR_USAGE, "--minutes: from 1 to %d", MOST_MINUTES);
        return cli_failed(err);
    }
    return run(&maintain, kind, err);
}

int
maintain_daily(struct cli *cli, const struct cli_command *command, int argc, char **argv,
               struct error *err)
{
    return maintain_kind(MAINTENANCE_DAILY, cli, command, argc, argv, err);
}

int
maintain_weekly(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                struct error *err)
{
    return maintain_kind(MAINTENANCE_WEEKLY, cli, command, argc, argv, err);
}

int
maintain_monthly(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                 struct error *err)
{
    return maintain_kind(MAINTENANCE_MONTHLY, cli, command, argc, argv, err);
}

static const struct cli_command verbs[] = {
    {"maintain daily", "", "statistics, vacuum, leftovers of builds, partitions made ahead", "",
     maintain_daily},
    {"maintain weekly", "", "daily's, and indexes rebuilt where that gives room back", "",
     maintain_weekly},
    {"maintain monthly", "", "daily's, partitions dropped past their time, and a page to read", "",
     maintain_monthly},
    {"maintain calendar", "", "which windows have begun, what became of them; does what is due", "",
     maintain_calendar},
};

int
cmd_maintain(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    return cli_run_verb(cli, command, &CLI_VERBS(verbs), argc, argv, err);
}
