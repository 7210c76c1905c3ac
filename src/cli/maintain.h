/* The verbs of pgdeck maintain, and how their reports are shown. */
#pragma once
#include "cli/command.h"
#include "maintenance/maintenance.h"

cli_run maintain_daily, maintain_weekly, maintain_monthly, maintain_calendar;

struct maintain_reports {
    LIST_OF(struct maintenance_report) list;
};

void
maintain_print(const struct cli *cli, const struct maintenance_report *report, bool is_dry_run);
bool maintain_print_json(const struct maintain_reports *reports, bool is_dry_run,
                         struct error *err) MUST_CHECK;
struct json_t *maintain_report_json(const struct maintenance_report *report, bool is_dry_run);
/* 0; 2: a critical finding; that of ERROR_SQL when tasks failed. */
int maintain_exit_status(const struct maintain_reports *reports);
