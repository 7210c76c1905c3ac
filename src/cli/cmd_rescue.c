// SPDX-License-Identifier: MIT
/* pgdeck rescue: shows what hurts, asks, ends it, looks again. */
#include "cli/command.h"

#include "base/text.h"
#include "maintenance/rescue.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    struct cli *cli;
    bool is_yes, is_dry_run, is_check, has_pool_kill;
    long idle_minutes, query_minutes;
    struct cli_list servers;
    json_t *reports;
};

static void
print_visible(const char *before, const char *chars, const char *after)
{
    AUTO_TEXT text = {0};

    text_append_visible(&text, chars);
    printf("%s%s%s", before, text_chars(&text), after);
}

static void
print_line(void *sink, const struct rescue_line *line)
{
    const struct command *command = sink;
    const struct cli_style *style = cli_style(command->cli);
    const char *color = strcmp(line->severity, "critical") == 0  ? style->red
                        : strcmp(line->severity, "warning") == 0 ? style->yellow
                                                                 : "";

    if (command->cli->is_json)
        return;
    printf("%s%-11s %-8s%s", color, line->sight, line->severity, style->reset);
    print_visible(" ", line->text, "\n");
    if (line->sql != NULL)
        print_visible("                     ", line->sql, ";\n");
    fflush(stdout);
}

static void
print_offers(const struct command *command, const struct rescue_report *report, size_t first)
{
    if (command->cli->is_json)
        return;
    for (size_t i = first; i < report->offers.count; i++) {
        print_visible("  > ", report->offers.items[i].what, "");
        print_visible(": ", report->offers.items[i].why, "\n");
    }
    fflush(stdout);
}

static bool
ask_one(const struct rescue_offer *offer)
{
    AUTO_TEXT question = {0};

    text_append(&question, "  > ");
    text_append_visible(&question, offer->what);
    text_append(&question, "?");
    return cli_confirm(text_chars(&question));
}

static void
confirm(void *sink, struct rescue_report *report, size_t first)
{
    const struct command *command = sink;
    size_t count = report->offers.count - first;
    enum cli_answer answer = command->is_yes ? CLI_YES : CLI_NO;

    print_offers(command, report, first);
    if (!command->is_yes && !command->cli->is_json)
        answer = count > 1                 ? cli_confirm_many("Do this?")
                 : cli_confirm("Do this?") ? CLI_YES
                                           : CLI_NO;
    for (size_t i = first; i < report->offers.count; i++) {
        struct rescue_offer *offer = &report->offers.items[i];
        offer->is_wanted = answer == CLI_YES || (answer == CLI_EACH && ask_one(offer));
    }
}

static json_t *
report_json(const struct rescue_report *report)
{
    json_t *lines = json_array();
    json_t *offers = json_array();

    for (size_t i = 0; i < report->lines.count; i++) {
        const struct rescue_line *line = &report->lines.items[i];
        json_array_append_new(lines,
                              json_pack("{s:s, s:s, s:s, s:s?}", "sight", line->sight, "severity",
                                        line->severity, "text", line->text, "sql", line->sql));
    }
    for (size_t i = 0; i < report->offers.count; i++) {
        const struct rescue_offer *offer = &report->offers.items[i];
        json_array_append_new(offers,
                              json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:b, s:s}", "sight",
                                        offer->sight, "what", offer->what, "why", offer->why, "how",
                                        offer->how, "pid", offer->pid, "sql", offer->sql, "done",
                                        offer->is_done, "outcome", offer->outcome));
    }
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:s, s:b}", "server", report->server, "lines",
                     lines, "offers", offers, "done", (json_int_t)report->done, "failed",
                     (json_int_t)report->failed, "record", report->record, "recorded_in_server",
                     report->is_recorded);
}

static void
print_end(const struct command *command, const struct rescue_report *report)
{
    if (command->cli->is_json)
        return;
    if (command->is_dry_run)
        print_offers(command, report, 0);
    else if (report->offers.count == 0)
        puts("There is nothing to offer.");
    else
        printf("Done: %zu of %zu%s. Record: %s%s\n", report->done, report->offers.count,
               report->failed > 0 ? ", some failed" : "", report->record,
               report->is_recorded ? " and pgdeck.rescue" : "");
}

static bool
is_wanted(const struct command *command, const char *name)
{
    for (size_t i = 0; i < command->servers.values.count; i++) {
        if (strcmp(command->servers.values.items[i], name) == 0)
            return true;
    }
    return command->servers.values.count == 0;
}

static bool
rescue_one(struct command *command, const struct deck *deck, const struct deck_server *server,
           size_t *failed, struct error *err)
{
    const struct rescue_options options = {
        .deck = deck,
        .idle_minutes = command->idle_minutes,
        .query_minutes = command->query_minutes,
        .is_dry_run = command->is_dry_run,
        .has_pool_kill = command->has_pool_kill,
        .confirm = confirm,
        .on_line = print_line,
        .sink = command,
    };
    struct rescue_report report;
    bool is_fine = command->is_check
                       ? rescue_check(command->cli->arena, server, &report, err)
                       : rescue_server(command->cli->arena, &options, server, &report, err);

    for (size_t i = 0; command->is_check && is_fine && i < report.lines.count; i++)
        print_line(command, &report.lines.items[i]);
    if (!command->is_check && is_fine)
        print_end(command, &report);
    *failed += report.failed;
    json_array_append_new(command->reports, report_json(&report));
    return is_fine;
}

/* A server that is not there does not keep it from the others. */
static int
rescue_all(struct command *command, const struct deck *deck, struct error *err)
{
    size_t failed = 0, matched = 0;
    int status = 0;

    for (size_t i = 0; i < deck->servers.count; i++) {
        const struct deck_server *server = &deck->servers.items[i];
        if (!is_wanted(command, server->name))
            continue;
        matched++;
        if (rescue_one(command, deck, server, &failed, err))
            continue;
        if (err->code == ERROR_INTERRUPTED)
            return cli_failed(err);
        cli_print_error(err);
        status = status == 0 ? cli_failed(err) : status;
        *err = (struct error){0};
    }
    if (matched == 0) {
        error_set(err, ERROR_USAGE, "there is no such server in the deck");
        return cli_failed(err);
    }
    if (command->cli->is_json) {
        json_dumpf(command->reports, stdout, JSON_INDENT(2));
        puts("");
    }
    return status == 0 && failed > 0 ? error_exit_status(ERROR_SQL) : status;
}

int
cmd_rescue(struct cli *cli, const struct cli_command *row, int argc, char **argv, struct error *err)
{
    struct command command = {.cli = cli, .idle_minutes = 60, .query_minutes = 5};
    struct cli_list operands = {0};
    const struct cli_option table[] = {
        {"yes", 'y', CLI_FLAG, NULL, "do what is offered without asking", &command.is_yes},
        {"dry-run", 'n', CLI_FLAG, NULL, "only show it", &command.is_dry_run},
        {"check", 0, CLI_FLAG, NULL, "only tell which way in there is when all is taken",
         &command.is_check},
        {"server", 0, CLI_LIST, "NAME,..", "only these servers", &command.servers},
        {"idle-minutes", 0, CLI_NUMBER, "N", "idle sessions go from then on; default 60",
         &command.idle_minutes},
        {"query-minutes", 0, CLI_NUMBER, "N", "queries run away from then on; default 5",
         &command.query_minutes},
        {"pool-kill", 0, CLI_FLAG, NULL, "offer KILL of a pool, not RECONNECT",
         &command.has_pool_kill},
    };

    if (!cli_parse(cli, row, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    if (command.idle_minutes < 0 || command.query_minutes < 0) {
        error_set(err, ERROR_USAGE, "minutes are 0 or more");
        return cli_failed(err);
    }
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL)
        return cli_failed(err);
    command.reports = json_array();
    int status = rescue_all(&command, deck, err);
    json_decref(command.reports);
    return status;
}
