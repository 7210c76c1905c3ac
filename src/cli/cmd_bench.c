// SPDX-License-Identifier: MIT
#include "cli/command.h"

#include "base/file.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/stock.h"
#include "cli/bench_history.h"
#include "cli/bench_table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench_command {
    const char *line; /* as it was typed, without passwords */
    const char *before, *environment, *output;
    const char *baseline;
    struct cli_list databases, queries, gates;
    long pairs, block_ms, timeout_ms, seed, scale, clients, rate, workers, run_ms, snapshot_s;
    bool has_suite[BENCH_SUITES], is_all, is_quick, is_stock, is_known_to_write;
};
enum {
    QUICK_BLOCK_MS = 60,
    QUICK_PGBENCH_BLOCK_MS = 300,
    QUICK_SCALE = 2,
    QUICK_AI_BLOCK_MS = 500,
    QUICK_AI_ROUNDS = 2,
    QUICK_POOL_BLOCK_MS = 1000, /* of 500 requests a second: their p95 is compared */
    QUICK_POOL_ROUNDS = 3
};

static void
show_progress(void *context, const char *line)
{
    cli_progress(context, "bench: %s", line);
}

/* --- what was typed, for the report --------------------------------------------------------- */

/* The length of a password that stands at at ("password = ..." of a conninfo, ":...@" of a URI); 0
 * when there is none. ret_kept: characters before it that may be shown. */
static size_t
secret_at(const char *at, size_t *ret_kept)
{
    static const char key[] = "password";
    size_t sign = sizeof(key) - 1;
    bool is_key = strncasecmp(at, key, sign) == 0;

    while (is_key && isspace((unsigned char)at[sign]))
        sign++;
    if (is_key && at[sign] == '=') {
        const char *value = at + sign + 1;
        while (isspace((unsigned char)*value))
            value++;
        size_t length = 0;
        bool is_quoted = *value == '\'';
        while (value[length] != '\0' && (is_quoted ? length == 0 || value[length] != '\''
                                                   : !isspace((unsigned char)value[length])))
            length += value[length] == '\\' && value[length + 1] != '\0' ? 2 : 1;
        *ret_kept = (size_t)(value - at);
        return length + (is_quoted && value[length] == '\'');
    }
    if (strncmp(at, "://", 3) != 0)
        return 0;
    size_t host = 3 + strcspn(at + 3, "@/?");
    size_t colon = 3 + strcspn(at + 3, ":@/?");
    *ret_kept = colon + 1;
    return at[host] == '@' && at[colon] == ':' ? host - colon - 1 : 0;
}

static void
put_argument(struct text *out, const char *argument)
{
    bool is_plain = argument[0] != '\0' &&
                    argument[strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789-_=./,:@%+")] == '\0';

    text_append(out, is_plain ? " " : " '");
    while (*argument != '\0') {
        size_t kept = 0;
        size_t secret = secret_at(argument, &kept);
        if (secret > 0) {
            text_append_bytes(out, argument, kept);
            text_append(out, "***");
            argument += kept + secret;
        } else if (*argument == '\'') {
            text_append(out, "'\\''");
            argument++;
        } else {
            text_append_bytes(out, argument++, 1);
        }
    }
    text_append(out, is_plain ? "" : "'");
}

static const char *
command_line(struct cli *cli, int argc, char **argv)
{
    AUTO_TEXT out = {0};

    text_append(&out, "pgdeck");
    for (int i = 0; i < argc; i++)
        put_argument(&out, argv[i]);
    return arena_strdup(cli->arena, text_chars(&out));
}

/* --- what is asked for ---------------------------------------------------------------------- */

struct databases {
    LIST_OF(const struct deck_database *) list;
};

static bool
add_named(struct cli *cli, const struct deck *deck, const char *name, struct databases *databases,
          struct error *err)
{
    const char **names = ARENA_ARRAY(cli->arena, const char *, deck->databases.count + 1);

    for (size_t i = 0; i < deck->databases.count; i++) {
        names[i] = deck->databases.items[i].name;
        if (strcmp(names[i], name) != 0)
            continue;
        *LIST_ADD(cli->arena, &databases->list) = &deck->databases.items[i];
        return true;
    }
    error_set(err, ERROR_USAGE, "the deck has no database \"%s\"", name);
    const char *nearest = text_nearest(name, names);
    return nearest == NULL ? false : error_hint(err, "Did you mean \"%s\"?", nearest);
}

static bool
add_environment(struct cli *cli, const struct deck *deck, const char *name,
                struct databases *databases, struct error *err)
{
    for (size_t i = 0; i < deck->databases.count; i++) {
        const struct deck_database *database = &deck->databases.items[i];
        if (strcmp(database->environment->name, name) == 0)
            *LIST_ADD(cli->arena, &databases->list) = database;
    }
    return databases->list.count > 0 ||
           error_set(err, ERROR_USAGE, "the deck has no database in an environment \"%s\"", name);
}

static bool
find_databases(struct cli *cli, const struct bench_command *command, const struct deck *deck,
               struct databases *databases, struct error *err)
{
    size_t named = command->databases.values.count;

    if (named > 0 && command->environment != NULL)
        return error_set(err, ERROR_USAGE, "--database and --environment exclude each other");
    if (command->environment != NULL)
        return add_environment(cli, deck, command->environment, databases, err);
    for (size_t i = 0; i < named; i++) {
        if (!add_named(cli, deck, command->databases.values.items[i], databases, err))
            return false;
    }
    if (named == 0 && deck->databases.count == 1)
        *LIST_ADD(cli->arena, &databases->list) = &deck->databases.items[0];
    if (databases->list.count > 0)
        return true;
    error_set(err, ERROR_USAGE, "bench needs --database NAME,.. or --environment NAME");
    return error_hint(err, "The deck has %zu databases; the first is %s.", deck->databases.count,
                      deck->databases.count == 0 ? "none" : deck->databases.items[0].name);
}

static bool
check_numbers(const struct bench_command *command, struct error *err)
{
    const struct {
        const char *name;
        long value, low, high;
    } numbers[] = {
        {"pairs", command->pairs, 1, 1000},
        {"block-ms", command->block_ms, 0, 600000},
        {"timeout-ms", command->timeout_ms, 1, 86400000},
        {"seed", command->seed, 0, INT32_MAX},
        {"scale", command->scale, 0, 100000},
        {"clients", command->clients, 1, 1000},
        {"rate", command->rate, 0, 1000000},
        {"workers", command->workers, 1, 256},
        {"run-ms", command->run_ms, 0, 600000},
        {"snapshot-s", command->snapshot_s, 0, 86400},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value < numbers[i].low || numbers[i].value > numbers[i].high)
            return error_set(err, ERROR_USAGE, "--%s: %ld is not between %ld and %ld",
                             numbers[i].name, numbers[i].value, numbers[i].low, numbers[i].high);
    }
    return true;
}

/* Whether the conninfo says which database; else it is the one of the same name. */
static bool
read_before(const char *conninfo, bool *ret_has_database, struct error *err)
{
    char *fault = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &fault);

    *ret_has_database = false;
    if (options == NULL) {
        error_set(err, ERROR_USAGE, "--before: %.*s",
                  (int)strcspn(fault == NULL ? "" : fault, "\n"), fault == NULL ? "" : fault);
        PQfreemem(fault);
        return false;
    }
    for (PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "dbname") == 0 && option->val != NULL)
            *ret_has_database = true;
    }
    PQconninfoFree(options);
    return true;
}

/* No suite named: the queries. */
static unsigned
chosen_suites(const struct bench_command *command)
{
    unsigned suites = 0;

    for (size_t i = 0; i < BENCH_SUITES; i++)
        suites |= command->has_suite[i] || command->is_all ? 1U << i : 0;
    return suites == 0 ? 1U << BENCH_QUERIES : suites;
}

static bool
load_workload(struct cli *cli, const struct deck_database *database, struct bench_options *options,
              struct error *err)
{
    struct workload *workload = ARENA_NEW(cli->arena, struct workload);

    if ((options->suites & 1U << BENCH_QUERIES) == 0)
        return true;
    if (database->workload == NULL) {
        error_set(err, ERROR_DECK, "database \"%s\" has no workload", database->name);
        error_hint(err, "Name the folder of its queries: workload: workload");
        return error_place(err, database->place);
    }
    options->workload = workload;
    return workload_load(cli->arena, database->workload, workload, err);
}

static void
set_sizes(const struct bench_command *command, struct bench_options *options)
{
    options->pairs = (int)command->pairs;
    options->block_ms = command->block_ms > 0 ? (int)command->block_ms
                        : command->is_quick   ? QUICK_BLOCK_MS
                                              : options->block_ms;
    options->pgbench_block_ms = command->block_ms > 0 ? (int)command->block_ms
                                : command->is_quick   ? QUICK_PGBENCH_BLOCK_MS
                                                      : options->pgbench_block_ms;
    options->scale = command->scale > 0  ? (int)command->scale
                     : command->is_quick ? QUICK_SCALE
                                         : options->scale;
    if (command->is_quick) {
        options->ai_block_ms = QUICK_AI_BLOCK_MS;
        options->ai_rounds = QUICK_AI_ROUNDS;
        options->pool_block_ms = QUICK_POOL_BLOCK_MS;
        options->pool_rounds = QUICK_POOL_ROUNDS;
    }
    if (command->block_ms > 0) {
        options->ai_block_ms = (int)command->block_ms;
        options->pool_block_ms = (int)command->block_ms;
    }
    options->workers = (int)command->workers;
    options->run_ms = (int)command->run_ms;
    options->snapshot_s = (int)command->snapshot_s;
    options->are_optional = command->is_all;
    options->is_known_to_write = command->is_known_to_write;
    options->timeout_ms = (int)command->timeout_ms;
    options->seed = (uint64_t)command->seed;
    options->clients = (int)command->clients;
    options->rate = (int)command->rate;
    options->has_noise_run = true;
}

/* That suite compares two ways to one server. */
static bool
is_pool_only(const struct bench_command *command)
{
    return chosen_suites(command) == 1U << BENCH_POOL;
}

static bool
check_arms(const struct bench_command *command, struct error *err)
{
    if (command->queries.values.count > 0 && (chosen_suites(command) & 1U << BENCH_QUERIES) == 0) {
        error_set(err, ERROR_USAGE, "--query chooses among the queries, which are not to run");
        return error_hint(err, "Add --queries, or leave --query out.");
    }
    if (command->before != NULL && command->is_stock)
        return error_set(err, ERROR_USAGE, "--before and --stock exclude each other");
    if (command->before != NULL || command->is_stock || is_pool_only(command))
        return true;
    error_set(err, ERROR_USAGE, "bench needs --stock or --before CONNINFO");
    return error_hint(err, "What to compare with: --stock makes a private server with PostgreSQL's "
                           "defaults and a copy of the data.");
}

static bool
order_stock(struct cli *cli, const struct deck_database *database, struct bench_options *options,
            struct bench_stock_order *ret_order, struct error *err)
{
    *ret_order = (struct bench_stock_order){.source = options->arms[BENCH_AFTER].target,
                                            .database = database->name,
                                            .suites_megabytes = bench_needed_megabytes(options),
                                            .progress = show_progress,
                                            .progress_context = cli};
    options->arms[BENCH_AFTER].label = "deck";
    if ((options->suites & (1U << BENCH_QUERIES | 1U << BENCH_AI)) == 0)
        return true;
    if (database->schema == NULL) {
        error_set(err, ERROR_DECK, "database \"%s\" has no schema to make a stock server from",
                  database->name);
        error_hint(err, "Name its file (schema: schema.sql), or compare with a server that is "
                        "there: --before.");
        return error_place(err, database->place);
    }
    ret_order->schema_path = database->schema->path;
    return true;
}

/* The one to compare with; with --stock what it is made from, and looks whether it can be. */
static bool
set_before(struct cli *cli, const struct bench_command *command,
           const struct deck_database *database, struct bench_options *options,
           struct bench_stock_order *ret_order, struct error *err)
{
    struct bench_arm *arm = &options->arms[BENCH_BEFORE];
    bool has_database = true;

    if (command->is_stock)
        return order_stock(cli, database, options, ret_order, err) &&
               bench_check(cli->arena, options, err) &&
               bench_stock_check(cli->arena, ret_order, err);
    if (command->before == NULL) {
        *arm = options->arms[BENCH_AFTER];
        return true;
    }
    if (!read_before(command->before, &has_database, err))
        return false;
    arm->target = (struct pg_target){.conninfo = command->before,
                                     .database = has_database ? NULL : database->name};
    return true;
}

/* A made one goes with bench_stock_remove. */
static bool
make_before(struct cli *cli, const struct bench_stock_order *order, struct bench_options *options,
            struct bench_stock *stock, struct error *err)
{
    if (order->database == NULL)
        return true;
    if (!bench_stock_make(cli->arena, order, stock, err))
        return false;
    options->arms[BENCH_BEFORE] =
        (struct bench_arm){.label = "stock", .target = {.conninfo = stock->conninfo}};
    return true;
}

static bool
set_up(struct cli *cli, const struct bench_command *command, const struct deck_database *database,
       struct bench_options *options, struct error *err)
{
    const struct deck_server *server = database->environment->server;

    options->suites = chosen_suites(command);
    if (!load_workload(cli, database, options, err))
        return false;
    options->database = database->name;
    options->environment = database->environment->name;
    options->target_p95_ms = database->environment->targets.query_p95_ms;
    options->target_ai_task_ms = database->environment->targets.ai_task_ms;
    options->target_cache_hit = database->environment->targets.cache_hit;
    options->names = command->queries.values.items;
    options->name_count = command->queries.values.count;
    set_sizes(command, options);
    options->arms[BENCH_AFTER].target = (struct pg_target){.conninfo = server->conninfo,
                                                           .database = database->name,
                                                           .password_file = server->password_file,
                                                           .place = server->conninfo_place};
    return true;
}

/* --- outcome -------------------------------------------------------------------------------- */

static const char *
default_folder(struct cli *cli)
{
    time_t now = time(NULL);
    struct tm parts;
    char stamp[32];

    gmtime_r(&now, &parts);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &parts);
    return arena_printf(cli->arena, "pgdeck-bench/%s", stamp);
}

/* Of several databases each gets a folder below it, whatever its name. */
static const char *
folder_of(struct cli *cli, const char *folder, const char *database, bool is_one)
{
    AUTO_TEXT path = {0};

    text_appendf(&path, "%s/", folder);
    for (const char *at = database; *at != '\0'; at++) {
        bool is_other = *at == '/' || *at == '%' || (*at == '.' && at == database);
        text_appendf(&path, is_other ? "%%%02X" : "%c", (unsigned char)*at);
    }
    return is_one ? folder : arena_strdup(cli->arena, text_chars(&path));
}

/* What cannot be written is said before hours of measuring. */
static bool
make_output(const char *folder, struct error *err)
{
    if (!file_make_folder(folder, 0755, err))
        return error_wrap(err, "cannot write the report");
    return access(folder, W_OK | X_OK) == 0 ||
           error_errno(err, "cannot write the report into \"%s\"", folder);
}

/* The results.json of a run that is named by it or by its folder. */
static bool
find_results(const char *run, struct stat *ret_status)
{
    AUTO_TEXT path = {0};

    text_appendf(&path, "%s/results.json", run);
    return stat(text_chars(&path), ret_status) == 0 || stat(run, ret_status) == 0;
}

/* A run must not replace what it is held against. */
static bool
check_overwritten(const char *baseline, const char *folder, struct error *err)
{
    struct stat older;
    struct stat newer;

    if (baseline == NULL || !find_results(baseline, &older) || !find_results(folder, &newer) ||
        older.st_ino != newer.st_ino || older.st_dev != newer.st_dev)
        return true;
    error_set(err, ERROR_USAGE, "the report would replace the baseline \"%s\"", baseline);
    return error_hint(err, "Choose another folder: --output.");
}

static bool
hand_over(struct cli *cli, const struct bench_results *results, const char *folder,
          struct error *err)
{
    if (!bench_write_report(results, folder, err))
        return false;
    if (cli->is_json) {
        char *json = bench_json(results);
        puts(json == NULL ? "{}" : json);
        free(json);
        return true;
    }
    cli_print_bench(cli, results);
    printf("\nreport: %s/report.html\n", folder);
    return true;
}

/* The run that has just been written against the baseline. */
static bool
pass_gates(struct cli *cli, const struct bench_command *command, const char *folder,
           struct error *err)
{
    struct bench_record older;
    struct bench_record newer;

    if (command->baseline == NULL)
        return true;
    if (!bench_record_read(cli->arena, command->baseline, &older, err) ||
        !bench_record_read(cli->arena, folder, &newer, err))
        return false;
    return cli_bench_gate(cli, &older, &newer, &command->gates, err);
}

static bool
check_baseline(struct cli *cli, const struct bench_command *command, struct error *err)
{
    struct bench_record ignored;
    bool has_gate = command->gates.values.count > 0;

    if (has_gate != (command->baseline != NULL))
        return error_set(err, ERROR_USAGE, "--baseline and --gate go together");
    return cli_bench_check_gates(cli, &command->gates, err) &&
           (!has_gate || bench_record_read(cli->arena, command->baseline, &ignored, err));
}

/* bench list [FOLDER], bench compare A B */
static bool
look_back(struct cli *cli, const struct bench_command *command, const struct cli_list *operands,
          struct error *err)
{
    const char *const *words = operands->values.items;
    size_t count = operands->values.count;

    if (strcmp(words[0], "list") == 0 && count <= 2)
        return cli_bench_list(cli, count == 2 ? words[1] : "pgdeck-bench");
    if (strcmp(words[0], "compare") == 0 && count == 3)
        return cli_bench_check_gates(cli, &command->gates, err) &&
               cli_bench_compare(cli, words[1], words[2], &command->gates, err);
    error_set(err, ERROR_USAGE, "bench: \"%s\" is not understood", words[0]);
    return error_hint(err, "bench [OPTIONS], bench list [FOLDER] or bench compare A B.");
}

/* What can be said of a database before the first of several is measured. */
static bool
check(struct cli *cli, const struct bench_command *command, const struct deck_database *database,
      const char *folder, struct error *err)
{
    struct bench_options options;
    struct bench_stock_order order = {0};

    bench_options_init(&options);
    return check_overwritten(command->baseline, folder, err) &&
           set_up(cli, command, database, &options, err) &&
           set_before(cli, command, database, &options, &order, err) &&
           (command->is_stock || bench_check(cli->arena, &options, err));
}

/* Measures one database; err is set to what ended it early, too. */
static bool
measure(struct cli *cli, const struct bench_command *command, const struct deck_database *database,
        const char *folder, struct error *err)
{
    struct bench_options *options = ARENA_NEW(cli->arena, struct bench_options);
    struct bench_results *results = ARENA_NEW(cli->arena, struct bench_results);
    struct bench_stock_order order = {0};
    struct bench_stock stock = {0};

    if (!check_overwritten(command->baseline, folder, err) || !make_output(folder, err))
        return false;
    bench_options_init(options);
    options->command = command->line;
    options->progress = show_progress;
    options->progress_context = cli;
    bool is_fine = set_up(cli, command, database, options, err) &&
                   set_before(cli, command, database, options, &order, err) &&
                   make_before(cli, &order, options, &stock, err) &&
                   bench_run(cli->arena, options, results, err);
    cli_progress_end(cli);
    bench_stock_remove(&stock);
    if (!is_fine) {
        (void)rmdir(folder); /* nothing of ours is in it */
        return false;
    }
    if (!hand_over(cli, results, folder, err))
        return false;
    *err = results->stopped;
    return err->code == ERROR_NONE && pass_gates(cli, command, folder, err);
}

static bool
measure_all(struct cli *cli, const struct bench_command *command, struct error *err)
{
    struct databases databases = {0};
    const char *folder = command->output == NULL ? default_folder(cli) : command->output;

    if (!check_numbers(command, err) || !check_arms(command, err) ||
        !check_baseline(cli, command, err))
        return false;
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !find_databases(cli, command, deck, &databases, err))
        return false;
    bool is_one = databases.list.count == 1;
    for (size_t i = 0; i < databases.list.count && !is_one; i++) {
        const struct deck_database *database = databases.list.items[i];
        if (!check(cli, command, database, folder_of(cli, folder, database->name, false), err))
            return error_wrap(err, "%s", database->name);
    }
    for (size_t i = 0; i < databases.list.count; i++) {
        const struct deck_database *database = databases.list.items[i];
        if (!is_one && !cli->is_json)
            printf("%s%s\n\n", i == 0 ? "" : "\n", database->name);
        if (!measure(cli, command, database, folder_of(cli, folder, database->name, is_one), err))
            return is_one ? false : error_wrap(err, "%s", database->name);
    }
    return true;
}

int
cmd_bench(struct cli *cli, const struct cli_command *command, int argc, char **argv,
          struct error *err)
{
    struct bench_command asked = {
        .pairs = 10, .timeout_ms = 60000, .seed = 1, .clients = 8, .workers = 16, .run_ms = 50};
    const struct cli_option table[] = {
        {"database", 'D', CLI_LIST, "NAME,..", "the deck's databases to measure", &asked.databases},
        {"environment", 'E', CLI_TEXT, "NAME", "all databases of that environment",
         &asked.environment},
        {"stock", 0, CLI_FLAG, NULL, "compare with a private server: defaults, a copy of the data",
         &asked.is_stock},
        {"before", 0, CLI_TEXT, "CONNINFO", "the server to compare with; same data, no deck",
         &asked.before},
        {"queries", 0, CLI_FLAG, NULL, "suite: the deck's workload; the default",
         &asked.has_suite[BENCH_QUERIES]},
        {"pgbench", 0, CLI_FLAG, NULL, "suite: pgbench, in a database of its own",
         &asked.has_suite[BENCH_PGBENCH]},
        {"ai", 0, CLI_FLAG, NULL, "suite: AI tasks from enqueue to done; writes",
         &asked.has_suite[BENCH_AI]},
        {"pool", 0, CLI_FLAG, NULL, "suite: the deck's server directly and through pgdeck pool",
         &asked.has_suite[BENCH_POOL]},
        {"all", 0, CLI_FLAG, NULL, "all suites", &asked.is_all},
        {"quick", 0, CLI_FLAG, NULL, "shorter blocks, less data", &asked.is_quick},
        {"query", 0, CLI_LIST, "NAME,..", "only these of the workload", &asked.queries},
        {"pairs", 0, CLI_NUMBER, "N", "pairs of blocks for each query; default 10", &asked.pairs},
        {"block-ms", 0, CLI_NUMBER, "N", "length of a block; default 300, pgbench 2000",
         &asked.block_ms},
        {"timeout-ms", 0, CLI_NUMBER, "N", "limit of one execution; default 60000",
         &asked.timeout_ms},
        {"scale", 0, CLI_NUMBER, "N", "of pgbench's data, 100 000 rows each; default 10",
         &asked.scale},
        {"clients", 0, CLI_NUMBER, "N", "of pgbench and of the queries under load; default 8",
         &asked.clients},
        {"rate", 0, CLI_NUMBER, "N", "a second by a schedule: queries, transactions, AI tasks",
         &asked.rate},
        {"workers", 0, CLI_NUMBER, "N", "of AI tasks; default 16", &asked.workers},
        {"run-ms", 0, CLI_NUMBER, "N", "mean run time of an AI task; default 50", &asked.run_ms},
        {"snapshot-s", 0, CLI_NUMBER, "N", "AI tasks also beside a snapshot open for so long",
         &asked.snapshot_s},
        {"i-know", 0, CLI_FLAG, NULL, "may write into a database that is not pgdeck's own",
         &asked.is_known_to_write},
        {"seed", 0, CLI_NUMBER, "N", "of values and orders; default 1", &asked.seed},
        {"baseline", 0, CLI_TEXT, "RUN", "an earlier run's folder or results.json",
         &asked.baseline},
        {"gate", 0, CLI_LIST, "p95:+5%,..",
         "fail (24) where it is worse than that; also of compare", &asked.gates},
        {"output", 'o', CLI_TEXT, "FOLDER", "for the report; default pgdeck-bench/TIME",
         &asked.output},
    };
    struct cli_list operands = {0};

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    asked.line = command_line(cli, argc, argv);
    bool is_fine = operands.values.count > 0 ? look_back(cli, &asked, &operands, err)
                                             : measure_all(cli, &asked, err);
    return is_fine ? 0 : cli_failed(err);
}
