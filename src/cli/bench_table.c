// SPDX-License-Identifier: MIT
#include "cli/bench_table.h"

#include "base/text.h"
#include "bench/report.h"

#include <stdio.h>
#include <string.h>

enum { NAME_WIDTH = 28 };

static int
width_of(const char *text)
{
    int width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* printf pads by bytes; names and µ have more bytes than places. Control characters of a name must
 * not reach the terminal. */
static void
print_cell(const char *text, int width, bool is_left)
{
    int missing = width - width_of(text);

    if (!is_left && missing > 0)
        printf("%*s", missing, "");
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    if (is_left && missing > 0)
        printf("%*s", missing, "");
}

static void
print_duration(uint64_t duration_ns)
{
    char text[32];

    printf("  ");
    print_cell(duration_ns == 0 ? "-" : bench_duration(text, duration_ns), 8, false);
}

static const char *
times(char text[32], double ratio)
{
    int digits = ratio < 9.95 ? 2 : ratio < 99.5 ? 1 : 0;

    snprintf(text, 32, "%.*fx", digits, ratio);
    return text;
}

static void
print_ratio(const struct cli *cli, const struct bench_ratio *ratio)
{
    const struct cli_style *style = cli_style(cli);
    const char *color = ratio->verdict == BENCH_IMPROVED ? style->green
                        : ratio->verdict == BENCH_WORSE  ? style->red
                                                         : "";
    char value[32] = "-";
    char low[32];
    char high[32];
    char interval[80] = "";

    if (ratio->value > 0)
        times(value, ratio->value);
    if (ratio->low > 0)
        snprintf(interval, sizeof(interval), "%s - %s", times(low, ratio->low),
                 times(high, ratio->high));
    else if (ratio->value > 0)
        snprintf(interval, sizeof(interval), "%s", bench_verdict_name(BENCH_NO_VERDICT));
    printf("  %s", color);
    print_cell(value, 7, false);
    printf("%s  %s", color[0] == '\0' ? "" : style->reset, style->dim);
    print_cell(interval, 17, true);
    printf("%s", style->reset);
}

static void
print_query(const struct cli *cli, const struct bench_query *query, int name_width)
{
    const struct cli_style *style = cli_style(cli);
    const struct bench_side *before = &query->sides[BENCH_BEFORE];
    const struct bench_side *after = &query->sides[BENCH_AFTER];

    print_cell(query->query->name, name_width, true);
    print_duration(before->median_ns);
    print_duration(after->median_ns);
    print_ratio(cli, &query->ratio);
    print_duration(after->p95_ns);
    if (query->ratio.low > 0)
        printf("  %s by %s", bench_verdict_name(query->ratio.verdict),
               bench_quantity_name(query->judged_by));
    if (query->has_target)
        printf("  %s%s%s", query->is_target_met ? style->green : style->red,
               query->is_target_met ? "met" : "missed", style->reset);
    if (query->equality > BENCH_EQUAL)
        printf("  %sresults differ%s", style->yellow, style->reset);
    if (before->errors + after->errors > 0)
        printf("  %s%llu errors%s", style->red,
               (unsigned long long)(before->errors + after->errors), style->reset);
    putchar('\n');
}

static void
print_head(const struct cli *cli, const struct bench_results *results, int name_width)
{
    const struct cli_style *style = cli_style(cli);
    long long target_ms = (long long)results->options->target_p95_ms;

    printf("%s", style->bold);
    print_cell("query", name_width, true);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        printf("  ");
        print_cell(results->options->arms[arm].label, 8, false);
    }
    printf("  %7s  %-17s  %8s", "faster", "95 % interval", "p95");
    if (target_ms > 0)
        printf("  %lld ms", target_ms);
    printf("%s\n", style->reset);
}

static void
print_sums(const struct cli *cli, const struct bench_results *results, int name_width)
{
    const struct cli_style *style = cli_style(cli);

    if (results->total.value <= 0)
        return;
    printf("%s", style->bold);
    print_cell("geometric mean", name_width, true);
    printf("%s%20s", style->reset, "");
    print_ratio(cli, &results->total);
    if (results->total.low > 0)
        printf("  %s by %s", bench_verdict_name(results->total.verdict),
               bench_quantity_name(BENCH_MEDIAN));
    if (results->targets > 0)
        printf("  %zu of %zu (before: %zu) met", results->targets_met, results->targets,
               results->targets_before);
    putchar('\n');
}

/* --- suites ------------------------------------------------------------------------------- */

static void
print_rate(const struct bench_work_side *side)
{
    char text[32] = "-";

    if (side->seconds > 0)
        snprintf(text, sizeof(text), "%.0f", bench_rate_of(side));
    printf("  ");
    print_cell(text, 8, false);
}

static void
print_work(const struct cli *cli, const struct bench_work *work, int name_width)
{
    const struct cli_style *style = cli_style(cli);
    uint64_t failed = 0;

    print_cell(work->name, name_width, true);
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        print_rate(&work->sides[arm]);
        failed += work->sides[arm].failed;
    }
    for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
        char p95[40];
        printf("  ");
        print_cell(bench_side_percentile(p95, &work->sides[arm], 0.95), 8, false);
    }
    print_ratio(cli, &work->ratio);
    if (work->ratio.low > 0)
        printf("  %s", bench_verdict_name(work->ratio.verdict));
    if (failed > 0)
        printf("  %s%llu errors%s", style->red, (unsigned long long)failed, style->reset);
    putchar('\n');
}

/* What the server did for one of it: this holds when the machine is busy. */
static void
print_costs(const struct cli *cli, const struct bench_work *work)
{
    const struct cli_style *style = cli_style(cli);
    const struct bench_work_side *before = &work->sides[BENCH_BEFORE];
    const struct bench_work_side *after = &work->sides[BENCH_AFTER];
    const struct {
        const char *name, *unit;
        double before, after; /* sums */
    } costs[] = {{"server CPU", "ns", before->cost.cpu_ns, after->cost.cpu_ns},
                 {"WAL", "B", before->cost.wal_bytes, after->cost.wal_bytes},
                 {"pages", "", before->cost.buffers, after->cost.buffers},
                 {"temporary", "B", before->cost.temp_bytes, after->cost.temp_bytes}};
    const char *separator = "  each:";
    char text[32];

    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        double old = bench_each(costs[i].before, before->done);
        double new = bench_each(costs[i].after, after->done);
        if (old < 0 && new < 0)
            continue;
        printf("%s%s %s %s", style->dim, separator, costs[i].name,
               bench_amount(text, old, costs[i].unit));
        printf(" / %s%s", bench_amount(text, new, costs[i].unit), style->reset);
        separator = ",";
    }
    if (separator[0] == ',')
        putchar('\n');
}

static void
print_rows(const struct bench_table *table)
{
    printf("%s\n", table->title);
    for (size_t i = 0; i < table->rows.count; i++) {
        const struct bench_row *row = &table->rows.items[i];
        printf("  ");
        print_cell(row->name, NAME_WIDTH, true);
        for (size_t arm = 0; arm < BENCH_ARMS; arm++) {
            printf("  ");
            print_cell(row->values[arm], 12, false);
        }
        printf("  ");
        print_cell(row->note == NULL ? "" : row->note, 0, true);
        putchar('\n');
    }
}

static void
print_suite(const struct cli *cli, const struct bench_results *results,
            const struct bench_suite *suite)
{
    const struct cli_style *style = cli_style(cli);
    const char *labels[BENCH_ARMS];

    for (size_t arm = 0; arm < BENCH_ARMS; arm++)
        labels[arm] =
            suite->labels[arm] != NULL ? suite->labels[arm] : results->options->arms[arm].label;
    if (suite->works.count == 0) {
        printf("%s%s%s  %s\n", style->bold, suite->name, style->reset, suite->what);
        for (size_t i = 0; i < suite->tables.count; i++)
            print_rows(&suite->tables.items[i]);
        return;
    }
    printf("%s", style->bold);
    print_cell(suite->name, NAME_WIDTH, true);
    printf("  %8s  %8s  %8s  %8s  %7s  %s\n", "per s", "", "p95", "", "faster", "95 % interval");
    print_cell("", NAME_WIDTH, true);
    for (size_t i = 0; i < 2 * (size_t)BENCH_ARMS; i++) {
        printf("  ");
        print_cell(labels[i % BENCH_ARMS], 8, false);
    }
    printf("%s\n", style->reset);
    for (size_t i = 0; i < suite->works.count; i++) {
        print_work(cli, &suite->works.items[i], NAME_WIDTH);
        print_costs(cli, &suite->works.items[i]);
    }
    printf("faster: by the medians; a change within %.1f %% is none%s\n", suite->noise * 100,
           suite->has_noise_run ? " (measured by an A/A run)" : "");
    for (size_t i = 0; i < suite->tables.count; i++)
        print_rows(&suite->tables.items[i]);
}

static void
print_queries(const struct cli *cli, const struct bench_results *results)
{
    int name_width = 14; /* "geometric mean" */

    for (size_t i = 0; i < results->queries.count; i++) {
        int width = width_of(results->queries.items[i].query->name);
        name_width = width > name_width ? width : name_width;
    }
    if (name_width > NAME_WIDTH)
        name_width = NAME_WIDTH;
    print_head(cli, results, name_width);
    for (size_t i = 0; i < results->queries.count; i++)
        print_query(cli, &results->queries.items[i], name_width);
    print_sums(cli, results, name_width);
}

void
cli_print_bench(const struct cli *cli, const struct bench_results *results)
{
    if (results->queries.count > 0)
        print_queries(cli, results);
    for (size_t i = 0; i < results->suites.count; i++) {
        if (i > 0 || results->queries.count > 0)
            putchar('\n');
        print_suite(cli, results, results->suites.items[i]);
    }
    for (size_t i = 0; i < results->limits.count; i++)
        printf("%sBeware: %s\n", i == 0 ? "\n" : "", results->limits.items[i]);
}
