// SPDX-License-Identifier: MIT
#include "cli/maintain.h"

#include "maintenance/calendar.h"

#include <stdio.h>

static void
print_progress(void *sink, const char *line)
{
    cli_progress(sink, "%s", line);
}

static bool
print_json(const struct maintenance_calendar *calendar, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < calendar->list.count; i++) {
        const struct maintenance_appointment *item = &calendar->list.items[i];
        const struct deck_environment *environment = item->database->environment;
        json_t *report =
            item->report == NULL ? json_null() : maintain_report_json(item->report, false);
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:o}", "environment",
                      environment->name, "database", item->database->name, "kind",
                      maintenance_kind_name(item->kind), "turn", maintenance_turn_name(item->turn),
                      "begin", item->begin, "local_begin", item->local_begin, "local_next",
                      item->local_next, "time_zone", environment->maintenance.time_zone, "now",
                      item->is_now, "outcome", item->outcome, "report", report));
    }
    return cli_print_json(cli_json_whole(list, calendar->list.count), err);
}

/* Quiet: what was done just now, and what cannot be reached. */
static bool
is_told(const struct cli *cli, const struct maintenance_appointment *item)
{
    return !cli->is_quiet || item->turn == MAINTENANCE_UNREACHABLE ||
           (item->report != NULL && !item->report->is_held && !item->report->is_before);
}

static void
print_text(const struct cli *cli, const struct deck *deck,
           const struct maintenance_calendar *calendar)
{
    const struct cli_style *style = cli_style(cli);

    if (calendar->list.count == 0 && !cli->is_quiet)
        puts((deck->advisors & ADVISOR_MAINTENANCE) == 0
                 ? "The deck's advisors leave maintenance out."
                 : "The deck has no calendar: no environment has maintenance.daily, weekly or "
                   "monthly.");
    for (size_t i = 0; i < calendar->list.count; i++) {
        const struct maintenance_appointment *item = &calendar->list.items[i];
        const char *name = item->database->name;
        if (!is_told(cli, item))
            continue;
        if (item->turn == MAINTENANCE_UNREACHABLE) {
            printf("%s%s%s: %s\n", style->red, name, style->reset, item->outcome);
            continue;
        }
        printf("%s%-24s%s %-8s %-8s %-8s since %s, next %s %s\n", style->bold, name, style->reset,
               maintenance_kind_name(item->kind), maintenance_turn_name(item->turn), item->outcome,
               item->local_begin, item->local_next,
               item->database->environment->maintenance.time_zone);
        if (item->report != NULL)
            maintain_print(cli, item->report, false);
    }
}

/* As maintain daily's, for what was done just now. */
static int
exit_status(struct cli *cli, const struct maintenance_calendar *calendar)
{
    struct maintain_reports reports = {0};
    bool is_unreachable = false;

    for (size_t i = 0; i < calendar->list.count; i++) {
        const struct maintenance_appointment *item = &calendar->list.items[i];
        is_unreachable = is_unreachable || item->turn == MAINTENANCE_UNREACHABLE;
        if (item->report != NULL)
            *LIST_ADD(cli->arena, &reports.list) = *item->report;
    }
    int status = maintain_exit_status(&reports);
    return status == 0 && is_unreachable ? error_exit_status(ERROR_UNREACHABLE) : status;
}

int
maintain_calendar(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                  struct error *err)
{
    struct maintenance_clock clock = {.on_progress = print_progress, .sink = cli};
    struct maintenance_calendar calendar;
    struct cli_list operands = {0};
    const struct cli_option table[] = {
        {"run", 0, CLI_FLAG, NULL, "do what is due now (for cron and timers)", &clock.is_running},
        {"now", 0, CLI_TEXT, "TIME", "as if it were that time, such as 2026-03-29T01:30Z",
         &clock.now},
    };

    if (!cli_parse(cli, command, CLI_OPTIONS(table), argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    if (deck == NULL || !maintenance_keep(cli->arena, deck, &clock, &calendar, err))
        return cli_failed(err);
    cli_progress_end(cli);
    if (!cli->is_json)
        print_text(cli, deck, &calendar);
    else if (!print_json(&calendar, err))
        return cli_failed(err);
    return exit_status(cli, &calendar);
}
