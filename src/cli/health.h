/* The three forms of what `pgdeck health` found, on stdout. */
#pragma once
#include "cli/command.h"
#include "health/health.h"

void health_print_text(const struct cli *cli, const struct health_report *report, bool has_all);
bool health_print_json(const struct health_report *report, struct error *err);
void health_print_nagios(const struct health_report *report);
