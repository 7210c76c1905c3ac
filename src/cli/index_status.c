// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "base/text.h"
#include "plan/plan.h"

#include <string.h>

struct status_command {
    struct cli_list databases, verdicts;
    struct cli_list operands; /* indexes */
    bool has_drop, is_yes, is_waiting;
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

/* --- what is asked for -------------------------------------------------------------------- */

static bool
check_databases(struct cli *cli, const struct status_command *options, const struct deck *deck,
                struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, deck->databases.count + 1);
    struct cli_list known = {0};

    for (size_t i = 0; i < deck->databases.count; i++)
        *LIST_ADD(cli->arena, &known.values) = names[i] = deck->databases.items[i].name;
    for (size_t i = 0; i < options->databases.values.count; i++) {
        const char *name = options->databases.values.items[i];
        if (is_among(&known, name))
            continue;
        error_set(err, ERROR_USAGE, "there is no database \"%s\" in the deck", name);
        const char *nearest = text_nearest(name, names);
        return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
    }
    return true;
}

static bool
check_verdicts(const struct status_command *options, struct error *err)
{
    const char *names[INDEX_VERDICTS + 1] = {NULL};

    for (size_t i = 0; i < INDEX_VERDICTS; i++)
        names[i] = index_verdict_name((enum index_verdict)i);
    for (size_t i = 0; i < options->verdicts.values.count; i++) {
        const char *word = options->verdicts.values.items[i];
        bool is_known = false;
        for (size_t j = 0; j < INDEX_VERDICTS; j++)
            is_known = is_known || strcmp(names[j], word) == 0;
        if (is_known)
            continue;
        error_set(err, ERROR_USAGE, "--verdict: \"%s\" is none", word);
        return error_hint(err, "Verdicts: unused, duplicate, overlapping, invalid, missing.");
    }
    return true;
}

static bool
is_asked_for(const struct cli *cli, const struct status_command *options, const char *schema,
             const char *name)
{
    return options->operands.values.count == 0 || is_among(&options->operands, name) ||
           is_among(&options->operands, arena_printf(cli->arena, "%s.%s", schema, name));
}

/* Keeps what was asked for. With --verdict the indexes without one are left out, too. */
static void
filter(const struct cli *cli, const struct status_command *options, struct index_report *report)
{
    size_t kept = 0;

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct index_finding *finding = &report->findings.items[i];
        const char *verdict = index_verdict_name(finding->verdict);
        if (is_asked_for(cli, options, finding->schema, finding->name) &&
            (options->verdicts.values.count == 0 || is_among(&options->verdicts, verdict)))
            report->findings.items[kept++] = *finding;
    }
    report->findings.count = kept;
    for (size_t i = 0; i < report->indexes.count; i++) {
        struct index_status *index = &report->indexes.items[i];
        bool has_finding = false;
        for (size_t j = 0; j < kept; j++)
            has_finding = has_finding || report->findings.items[j].index == index;
        index->is_hidden = !is_asked_for(cli, options, index->schema, index->name) ||
                           (options->verdicts.values.count > 0 && !has_finding);
    }
}

/* An index that was named and is nowhere: a slip of the finger. */
static bool
check_found(const struct status_command *options, const struct index_reports *reports,
            struct error *err)
{
    for (size_t i = 0; i < options->operands.values.count; i++) {
        const char *name = options->operands.values.items[i];
        const char *dot = strchr(name, '.');
        bool is_found = false;
        for (size_t j = 0; j < reports->list.count; j++) {
            const struct index_report *report = &reports->list.items[j];
            for (size_t k = 0; k < report->indexes.count; k++) {
                const struct index_status *index = &report->indexes.items[k];
                size_t length = strlen(index->schema);
                is_found = is_found || strcmp(index->name, name) == 0 ||
                           (dot != NULL && strncmp(name, index->schema, length) == 0 &&
                            name[length] == '.' && strcmp(name + length + 1, index->name) == 0);
            }
        }
        if (!is_found)
            return error_set(err, ERROR_USAGE, "there is no index \"%s\"", name);
    }
    return true;
}

/* --- reading ------------------------------------------------------------------------------ */

struct reading {
    struct cli *cli;
    const struct deck *deck;
    const struct deck_server *server; /* of the database under work */
    const struct deck_replica *told;  /* that it could not be read */
};

/* A replica that cannot be read is told, once a run, and the others count all the same; but then
 * no index is called unused. */
static void
add_replica(struct reading *reading, const struct deck_replica *replica, PGconn *primary,
            struct index_report *report)
{
    const struct deck_server *server = reading->server;
    struct pg_target target = plan_target(server, report->database);
    AUTO_PGCONN connection = NULL;
    struct error fault = {0};

    target.conninfo = replica->conninfo;
    target.place = replica->conninfo_place;
    if (pg_connect(&target, &connection, &fault) &&
        index_report_add_replica(reading->cli->arena, connection, primary, report, &fault))
        return;
    report->lacks_replica = true;
    if (reading->told == replica)
        return;
    reading->told = replica;
    error_place(&fault, replica->conninfo_place);
    error_wrap(&fault, "replica \"%s\" of server \"%s\"", replica->name, server->name);
    cli_print_error(&fault);
}

static bool
read_database(struct reading *reading, const struct deck_database *database,
              struct index_report *ret_report, struct error *err)
{
    struct pg_target target = plan_target(database->environment->server, database->name);
    struct arena *arena = reading->cli->arena;
    AUTO_PGCONN connection = NULL;

    reading->server = database->environment->server;
    if (!pg_connect(&target, &connection, err) ||
        !index_report_read(arena, connection, reading->deck, database, ret_report, err))
        return false;
    for (size_t i = 0; i < reading->server->replicas.count; i++)
        add_replica(reading, &reading->server->replicas.items[i], connection, ret_report);
    return index_report_judge(arena, connection, ret_report, err);
}

/* A database that cannot be read is told, and the others go on; err is left with the last. */
static bool
read_databases(struct cli *cli, const struct status_command *options, const struct deck *deck,
               struct index_reports *reports, struct error *err)
{
    struct reading reading = {.cli = cli, .deck = deck};

    for (size_t i = 0; i < deck->databases.count && err->code != ERROR_INTERRUPTED; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        struct index_report report;
        struct error fault = {0};
        if (options->databases.values.count > 0 && !is_among(&options->databases, database->name))
            continue;
        if (read_database(&reading, database, &report, &fault)) {
            *LIST_ADD(cli->arena, &reports->list) = report;
            continue;
        }
        if (err->code != ERROR_NONE)
            cli_print_error(err);
        *err = fault;
        error_wrap(err, "database \"%s\"", database->name);
    }
    return err->code == ERROR_NONE;
}

static bool
show(struct cli *cli, const struct status_command *options, const struct deck *deck,
     const struct cli_locks *locks, struct error *err)
{
    const struct index_consent consent = {
        .is_yes = options->is_yes,
        .is_named = options->operands.values.count > 0,
        .locks = locks,
    };
    struct index_reports reports = {0};
    struct error fault;

    bool is_whole = read_databases(cli, options, deck, &reports, err);
    if (is_whole && !check_found(options, &reports, err))
        return false;
    for (size_t i = 0; i < reports.list.count; i++)
        filter(cli, options, &reports.list.items[i]);
    if (!cli->is_json) {
        index_print_tables(cli, &reports);
    } else if (!options->has_drop && !index_print_json(&reports, &fault)) {
        *err = fault;
        return false;
    }
    if (!options->has_drop || !is_whole)
        return is_whole;
    return index_drop(cli, deck, &reports, &consent, err);
}

int
index_status(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    struct status_command options = {0};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "only these databases", &options.databases},
        {"verdict", 0, CLI_LIST, "VERDICT,..",
         "only unused, duplicate, overlapping, invalid, missing", &options.verdicts},
        {"drop", 0, CLI_FLAG, NULL, "drop those that are shown, where that is the remedy",
         &options.has_drop},
        {"yes", 'y', CLI_FLAG, NULL, "do not ask", &options.is_yes},
        {"wait", 0, CLI_FLAG, NULL, "wait for another apply to end", &options.is_waiting},
    };
    struct cli_locks locks = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &options.operands, err) ||
        !check_verdicts(&options, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !check_databases(cli, &options, deck, err))
        return cli_failed(err);
    bool is_fine =
        (!options.has_drop || cli_take_locks(cli, deck, options.is_waiting, &locks, err)) &&
        show(cli, &options, deck, &locks, err);
    cli_release_locks(&locks);
    return is_fine ? 0 : cli_failed(err);
}
