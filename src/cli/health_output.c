// SPDX-License-Identifier: MIT
#include "cli/health.h"

#include "base/json_text.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *
color_of(const struct cli_style *style, enum health_severity severity)
{
    switch (severity) {
    case HEALTH_CRITICAL:
        return style->red;
    case HEALTH_WARNING:
    case HEALTH_UNKNOWN:
        return style->yellow;
    case HEALTH_OK:
        return style->green;
    default:
        return style->blue;
    }
}

/* Names come from databases: control characters are made visible. */
static void
print_line(const char *label, const char *value)
{
    AUTO_TEXT line = {0};

    if (value == NULL)
        return;
    text_append_visible(&line, value);
    printf("  %-9s %s\n", label, text_chars(&line));
}

static void
print_finding(const struct cli_style *style, const struct health_finding *finding)
{
    AUTO_TEXT line = {0};

    text_append_visible(&line, finding->finding);
    printf("%s%s%s%s  %s, %s: %s\n", style->bold, color_of(style, finding->severity),
           health_severity_name(finding->severity), style->reset,
           finding->database != NULL ? finding->database : finding->server, finding->check,
           text_chars(&line));
    print_line("evidence", finding->evidence);
    print_line("certainty", finding->confidence);
    print_line("mend", finding->fix_sql);
}

static void
append_counts(const struct health_report *report, struct text *line)
{
    text_appendf(line, "%zu critical, %zu warning, %zu not measurable",
                 report->counts[HEALTH_CRITICAL], report->counts[HEALTH_WARNING],
                 report->counts[HEALTH_UNKNOWN]);
}

void
health_print_text(const struct cli *cli, const struct health_report *report, bool has_all)
{
    const struct cli_style *style = cli_style(cli);
    AUTO_TEXT counts = {0};

    for (size_t i = 0; i < report->findings.count; i++) {
        if (report->findings.items[i].severity != HEALTH_OK || has_all)
            print_finding(style, &report->findings.items[i]);
    }
    append_counts(report, &counts);
    printf("%s%s, %zu to know; %zu database%s on %zu server%s, %zu checks, %.1f s%s\n", style->dim,
           text_chars(&counts), report->counts[HEALTH_INFO], report->database_count,
           report->database_count == 1 ? "" : "s", report->server_count,
           report->server_count == 1 ? "" : "s", report->check_count, report->took_s, style->reset);
}

bool
health_print_json(const struct health_report *report, struct error *err)
{
    json_t *findings = json_array();

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct health_finding *finding = &report->findings.items[i];
        json_array_append_new(
            findings,
            json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:s?, s:o, s:o}", "severity",
                      health_severity_name(finding->severity), "server", finding->server,
                      "database", json_text(finding->database), "check", finding->check, "finding",
                      json_text(finding->finding), "evidence", json_text(finding->evidence),
                      "certainty", finding->confidence, "fix_sql", json_text(finding->fix_sql),
                      "fix_database", json_text(finding->fix_database)));
    }
    findings = cli_json_whole(findings, report->findings.count);
    json_t *all = json_pack("{s:o, s:i, s:i, s:i, s:f}", "findings", findings, "servers",
                            (int)report->server_count, "databases", (int)report->database_count,
                            "checks", (int)report->check_count, "took_s", report->took_s);
    return cli_print_json(all, err);
}

/* A bar would begin the figures. */
static void
print_plain(const char *text)
{
    AUTO_TEXT visible = {0};

    text_append_visible(&visible, text);
    for (const char *at = text_chars(&visible); *at != '\0'; at++)
        putchar(*at == '|' ? '/' : *at);
}

void
health_print_nagios(const struct health_report *report)
{
    const size_t *counts = report->counts;
    const char *state = counts[HEALTH_CRITICAL] > 0                         ? "CRITICAL"
                        : counts[HEALTH_WARNING] > 0                        ? "WARNING"
                        : counts[HEALTH_UNKNOWN] > report->role_limit_count ? "UNKNOWN"
                                                                            : "OK";
    AUTO_TEXT line = {0};

    append_counts(report, &line);
    printf("PGDECK %s - %s", state, text_chars(&line));
    if (strcmp(state, "OK") != 0) {
        printf("; %s: ", report->findings.items[0].database != NULL
                             ? report->findings.items[0].database
                             : report->findings.items[0].server);
        print_plain(report->findings.items[0].finding);
    }
    printf(" | critical=%zu;;;0 warning=%zu;;;0 unknown=%zu;;;0 time=%.3fs;;;0\n",
           counts[HEALTH_CRITICAL], counts[HEALTH_WARNING], counts[HEALTH_UNKNOWN], report->took_s);
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct health_finding *finding = &report->findings.items[i];
        if (finding->severity > HEALTH_UNKNOWN)
            continue;
        printf("%s %s: ", health_severity_name(finding->severity),
               finding->database != NULL ? finding->database : finding->server);
        print_plain(finding->finding);
        putchar('\n');
    }
}
