// SPDX-License-Identifier: MIT
#include "cli/maintain.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static size_t
count_of(const struct maintenance_report *report, enum maintenance_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < report->tasks.count; i++)
        count += report->tasks.items[i].state == state;
    return count;
}

static void
print_visible(const char *before, const char *chars, const char *after)
{
    AUTO_TEXT text = {0};

    text_append_visible(&text, chars);
    printf("%s%s%s", before, text_chars(&text), after);
}

static void
print_task(const struct cli *cli, const struct maintenance_task *task)
{
    const struct cli_style *style = cli_style(cli);
    static const char *const marks[] = {">", "+", "!", "x", "-"};
    const char *const colors[] = {"", style->green, style->red, style->yellow, style->dim};

    printf("  %s%s%s", colors[task->state], marks[task->state], style->reset);
    print_visible(" ", task->what, "");
    if (task->why != NULL && task->why[0] != '\0')
        print_visible(": ", task->why, "");
    puts("");
    if (task->state == MAINTENANCE_DONE) {
        printf("      %.1f s", task->took_s);
        print_visible(task->gained[0] == '\0' ? "" : "; ", task->gained, "\n");
    } else if (task->state != MAINTENANCE_PLANNED) {
        printf("      %s", maintenance_state_name(task->state));
        print_visible(": ", task->error, "\n");
    } else if (task->sql != NULL && task->sql[0] != '\0' && strchr(task->sql, '\n') == NULL) {
        print_visible(style->dim, task->sql, "");
        printf("%s\n", style->reset);
    }
}

static void
print_findings(const struct cli *cli, const struct maintenance_report *report)
{
    const struct cli_style *style = cli_style(cli);
    const char *const colors[] = {"", style->yellow, style->red};

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct maintenance_finding *finding = &report->findings.items[i];
        printf("  %s%s%s", colors[finding->severity], maintenance_severity_name(finding->severity),
               style->reset);
        print_visible(": ", finding->text, "\n");
        if (finding->sql != NULL) {
            print_visible("      ", finding->sql, ";\n");
        }
    }
}

void
maintain_print(const struct cli *cli, const struct maintenance_report *report, bool is_dry_run)
{
    const struct cli_style *style = cli_style(cli);

    printf("%s%s%s (%s), %s: ", style->bold, report->database, style->reset, report->environment,
           maintenance_kind_name(report->kind));
    if (report->is_held) {
        print_visible("somebody is at it: ", report->holder, "\n");
        return;
    }
    if (report->is_before) {
        puts("this window's run has been done");
        return;
    }
    if (is_dry_run)
        printf("%zu to do", count_of(report, MAINTENANCE_PLANNED));
    else
        printf("%zu done, %zu failed, %zu stopped, %.1f s", count_of(report, MAINTENANCE_DONE),
               count_of(report, MAINTENANCE_FAILED), count_of(report, MAINTENANCE_STOPPED),
               report->took_s);
    puts("");
    for (size_t i = 0; i < report->tasks.count; i++)
        print_task(cli, &report->tasks.items[i]);
    print_findings(cli, report);
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *
tasks_json(const struct maintenance_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->tasks.count; i++) {
        const struct maintenance_task *task = &report->tasks.items[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:s, s:f, s:s, s:s}", "task", task->task,
                            "relation", task->relation, "what", task->what, "why", task->why, "sql",
                            task->sql, "state", maintenance_state_name(task->state), "seconds",
                            task->took_s, "gained", task->gained, "error", task->error));
    }
    return list;
}

static json_t *
findings_json(const struct maintenance_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct maintenance_finding *finding = &report->findings.items[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "severity",
                                              maintenance_severity_name(finding->severity), "text",
                                              finding->text, "sql", finding->sql));
    }
    return list;
}

json_t *
maintain_report_json(const struct maintenance_report *report, bool is_dry_run)
{
    return json_pack(
        "{s:s, s:s, s:s, s:b, s:b, s:b, s:f, s:s?, s:o, s:o}", "environment", report->environment,
        "database", report->database, "kind", maintenance_kind_name(report->kind), "dry_run",
        is_dry_run, "held", report->is_held, "before", report->is_before, "seconds", report->took_s,
        "page", report->page, "tasks", tasks_json(report), "findings", findings_json(report));
}

bool
maintain_print_json(const struct maintain_reports *reports, bool is_dry_run, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < reports->list.count; i++)
        json_array_append_new(list, maintain_report_json(&reports->list.items[i], is_dry_run));
    return cli_print_json(cli_json_whole(list, reports->list.count), err);
}

int
maintain_exit_status(const struct maintain_reports *reports)
{
    enum { CRITICAL = 2, STOPPED = 3 };
    int status = 0;

    for (size_t i = 0; i < reports->list.count; i++) {
        const struct maintenance_report *report = &reports->list.items[i];
        if (count_of(report, MAINTENANCE_FAILED) > 0)
            return error_exit_status(ERROR_SQL);
        if (status == 0 && count_of(report, MAINTENANCE_STOPPED) > 0)
            status = STOPPED;
        for (size_t j = 0; j < report->findings.count; j++) {
            if (report->findings.items[j].severity == MAINTENANCE_CRITICAL)
                status = CRITICAL;
        }
    }
    return status;
}
