// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "advise/input.h"
#include "base/file.h"
#include "base/text.h"
#include "deck/units.h"
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

struct advise_command {
    struct index_source source;
    const char *budget, *search_path, *since, *save;
    struct cli_list operands; /* files */
    struct cli_list logs;
    bool is_accepted;
    bool is_verified;
    const char *copy; /* how */
    long rows;
};

static bool
unknown_database(struct cli *cli, const struct deck *deck, const char *name, struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, deck->databases.count + 1);

    for (size_t i = 0; i < deck->databases.count; i++)
        names[i] = deck->databases.items[i].name;
    if (name == NULL) {
        error_set(err, ERROR_USAGE, "index advise: which database?");
        return error_hint(err, "Say --database %s.", names[0] == NULL ? "NAME" : names[0]);
    }
    error_set(err, ERROR_USAGE, "there is no database \"%s\" in the deck", name);
    const char *nearest = text_nearest(name, names);
    return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
}

bool
index_find_source(struct cli *cli, struct index_source *source, struct pg_target *ret_target,
                  struct error *err)
{
    if (source->from != NULL) {
        *ret_target = (struct pg_target){.conninfo = source->from, .database = source->database};
        return true;
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return false;
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        bool is_it = source->database == NULL ? deck->databases.count == 1
                                              : strcmp(database->name, source->database) == 0;
        if (!is_it)
            continue;
        source->declared = database;
        *ret_target = plan_target(database->environment->server, database->name);
        return true;
    }
    return unknown_database(cli, deck, source->database, err);
}

static void
show_progress(void *sink, const char *line)
{
    cli_progress(sink, "%s", line);
}

static bool
read_budget(const struct advise_command *options, struct advise *run, struct error *err)
{
    int64_t size_bytes;

    if (options->budget == NULL)
        return true;
    if (!deck_unit_size(options->budget, &size_bytes, err))
        return error_wrap(err, "--budget");
    run->budget_bytes = (double)size_bytes;
    return true;
}

/* What the server counted: since it was reset, or since a snapshot was saved. */
static bool
read_counted(struct cli *cli, const struct advise_command *options, struct advise *run,
             struct error *err)
{
    struct advise_snapshot now;
    struct advise_snapshot before;

    if (!advise_snapshot_read(cli->arena, run->catalog, &now, err))
        return false;
    if (options->save != NULL && !advise_snapshot_save(&now, options->save, err))
        return false;
    if (options->since != NULL) {
        if (!advise_snapshot_load(cli->arena, options->since, &before, err))
            return false;
        if (strcmp(before.database, now.database) != 0)
            return error_set(err, ERROR_USAGE, "--since: %s is of database \"%s\"", options->since,
                             before.database);
        advise_snapshot_subtract(&now, &before);
    }
    advise_input_snapshot(run, &now);
    return true;
}

static bool
accept_choices(struct cli *cli, const struct advise_command *options, const struct advise *run,
               struct error *err)
{
    const char *path = options->source.declared->indexes->path;
    AUTO_TEXT text = {0};
    char *old;
    size_t length;

    if (run->choices.count == 0)
        return true;
    if (!file_read(cli->arena, path, &old, &length, err))
        return false;
    text_append_bytes(&text, old, length);
    advise_write_accepted(run, &text);
    if (!file_write(path, text_chars(&text), text.length, 0644, err))
        return false;
    if (!cli->is_json)
        printf("\nAppended to %s; pgdeck plan shows them.\n", path);
    return true;
}

/* Whether what is proposed could be accepted, said before the work. */
static bool
check_accept(const struct advise_command *options, struct error *err)
{
    if (!options->is_accepted ||
        (options->source.declared != NULL && options->source.declared->indexes != NULL))
        return true;
    if (options->source.declared == NULL)
        return error_set(err, ERROR_USAGE, "--accept needs a deck");
    error_set(err, ERROR_USAGE, "--accept: the deck has no file of indexes");
    return error_hint(err, "Make an empty one and name it in the deck: indexes: indexes.sql");
}

/* --- the two verbs ------------------------------------------------------------------------ */

static bool
read_statements(struct cli *cli, const struct advise_command *options, struct advise *run,
                struct error *err)
{
    bool has_files = options->operands.values.count + options->logs.values.count > 0;

    for (size_t i = 0; i < options->operands.values.count; i++) {
        if (!advise_input_file(run, options->operands.values.items[i], err))
            return false;
    }
    for (size_t i = 0; i < options->logs.values.count; i++) {
        if (!advise_input_log(run, options->logs.values.items[i], err))
            return false;
    }
    bool is_counted = !has_files || options->since != NULL || options->save != NULL;
    return !is_counted || read_counted(cli, options, run, err);
}

/* copy NULL: there is none to compare on. */
static bool
find_faults(struct advise *run, struct advise_copy *copy, struct index_faults *ret_faults,
            struct error *err)
{
    struct advise_faults found;

    *ret_faults = (struct index_faults){0};
    advise_find_faults(run, &found);
    for (size_t i = 0; i < found.list.count; i++) {
        struct index_fault *fault = LIST_ADD(run->arena, &ret_faults->list);
        *fault = (struct index_fault){.fault = found.list.items[i],
                                      .equality = ADVISE_NOT_COMPARED,
                                      .why = "not compared; pgdeck index verify does, on a copy"};
        if (copy != NULL &&
            !advise_compare(run, copy, &fault->fault, &fault->equality, &fault->why, err))
            return false;
    }
    return true;
}

static bool
show(struct cli *cli, const struct advise_command *options, struct advise *run, struct error *err)
{
    struct index_faults faults;

    if (!find_faults(run, NULL, &faults, err) ||
        (cli->is_json && !index_print_advice_json(run, &faults, err)))
        return false;
    if (!cli->is_json)
        index_print_advice(cli, run, &faults);
    return !options->is_accepted || accept_choices(cli, options, run, err);
}

static bool
verify(struct cli *cli, const struct advise_command *options, struct advise *run, struct error *err)
{
    struct advise_copy copy = {.kind = options->copy != NULL && options->copy[0] == 't'
                                           ? ADVISE_COPY_TEMPLATE
                                           : ADVISE_COPY_PRIVATE,
                               .max_rows = (double)options->rows};
    struct advise_proof proof;
    struct error ignored;

    if (!advise_copy_make(run, &copy, err))
        return false;
    struct index_faults faults;
    bool is_fine = advise_verify(run, &copy, &proof, err) && find_faults(run, &copy, &faults, err);
    if (copy.is_sampled)
        advise_note(run, "The copy has at most about %ld rows of a table (--rows).", options->rows);
    if (!advise_copy_remove(run, &copy, is_fine ? err : &ignored) || !is_fine)
        return false;
    cli_progress_end(cli);
    if (cli->is_json)
        return index_print_proof_json(run, &proof, &faults, err);
    index_print_proof(cli, run, &proof, &faults);
    return true;
}

static bool
advise(struct cli *cli, struct advise_command *options, struct advise *run, struct error *err)
{
    if (!index_find_source(cli, &options->source, &run->target, err) ||
        !check_accept(options, err) || !read_budget(options, run, err) || !advise_open(run, err) ||
        !read_statements(cli, options, run, err) || !advise_run(run, err))
        return false;
    if (options->is_verified)
        return verify(cli, options, run, err);
    cli_progress_end(cli);
    return show(cli, options, run, err);
}

/* What both have; the last are of one alone. */
enum { SHARED_OPTIONS = 7, OPTIONS = SHARED_OPTIONS + 2 };

static void
make_options(struct advise_command *options, struct cli_option table[OPTIONS])
{
    const struct cli_option shared[SHARED_OPTIONS] = {
        {"database", 'D', CLI_TEXT, "NAME", "the database; of the deck, unless there is only one",
         &options->source.database},
        {"from", 0, CLI_TEXT, "CONNINFO", "a database that is in no deck", &options->source.from},
        {"log", 0, CLI_LIST, "FILE,..", "statements from a server's log: text, .csv or .json",
         &options->logs},
        {"since", 0, CLI_TEXT, "SNAPSHOT", "only what was counted since that file was saved",
         &options->since},
        {"save", 0, CLI_TEXT, "SNAPSHOT", "keep what is counted so far in that file",
         &options->save},
        {"budget", 0, CLI_TEXT, "SIZE", "of all proposed indexes together; default: no limit",
         &options->budget},
        {"search-path", 0, CLI_TEXT, "SCHEMA,..",
         "where statements find their tables; default: as for an application",
         &options->search_path},
    };
    memcpy(table, shared, sizeof(shared));
}

static int
run_verb(struct cli *cli, const struct cli_command *command, struct advise_command *options,
         struct cli_options table, int argc, char **argv, struct error *err)
{
    struct advise run = {.arena = cli->arena, .progress = show_progress, .progress_sink = cli};

    if (!cli_parse(cli, command, table, argc, argv, &options->operands, err))
        return cli_failed(err);
    if (options->copy != NULL && strcmp(options->copy, "private") != 0 &&
        strcmp(options->copy, "template") != 0) {
        error_set(err, ERROR_USAGE, "--copy: \"%s\" is none of private, template", options->copy);
        return cli_failed(err);
    }
    if (options->is_verified && options->rows < 1) {
        error_set(err, ERROR_USAGE, "--rows: %ld is less than one row", options->rows);
        return cli_failed(err);
    }
    run.search_path = options->search_path;
    bool is_fine = advise(cli, options, &run, err);
    advise_close(&run);
    return is_fine ? 0 : cli_failed(err);
}

int
index_propose(struct cli *cli, const struct cli_command *command, int argc, char **argv,
              struct error *err)
{
    struct advise_command options = {0};
    struct cli_option table[OPTIONS];

    make_options(&options, table);
    table[SHARED_OPTIONS] = (struct cli_option){"accept",
                                                0,
                                                CLI_FLAG,
                                                NULL,
                                                "append them to the deck's file of indexes",
                                                &options.is_accepted};
    return run_verb(cli, command, &options, (struct cli_options){table, SHARED_OPTIONS + 1}, argc,
                    argv, err);
}

int
index_verify(struct cli *cli, const struct cli_command *command, int argc, char **argv,
             struct error *err)
{
    enum { DEFAULT_ROWS = 1000000 };
    struct advise_command options = {.is_verified = true, .rows = DEFAULT_ROWS};
    struct cli_option table[OPTIONS];

    make_options(&options, table);
    table[SHARED_OPTIONS] = (struct cli_option){
        "copy",
        0,
        CLI_TEXT,
        "KIND",
        "private (default): the tables, on a server of its own; template: the whole database",
        &options.copy};
    table[SHARED_OPTIONS + 1] =
        (struct cli_option){"rows",
                            0,
                            CLI_NUMBER,
                            "N",
                            "private: of larger tables a sample of about N rows; default 1000000",
                            &options.rows};
    return run_verb(cli, command, &options, (struct cli_options){table, OPTIONS}, argc, argv, err);
}
