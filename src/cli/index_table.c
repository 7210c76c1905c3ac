// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* --- for people --------------------------------------------------------------------------- */

enum { COLUMNS = 8 };

struct cells {
    const char *texts[COLUMNS];
    const struct index_status *index;
};

static const char *const headings[COLUMNS] = {"INDEX",    "TABLE",  "SIZE",  "SCANS",
                                              "LAST USE", "WRITES", "BLOAT", "VERDICT"};

static const char *
size_text(struct arena *arena, int64_t size_bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    size_t unit = 0;

    for (size_bytes /= 1024; size_bytes >= 10240 && unit < 3; unit++)
        size_bytes /= 1024;
    return arena_printf(arena, "%lld %s", (long long)size_bytes, units[unit]);
}

static const char *
qualified(struct arena *arena, const char *schema, const char *name)
{
    return strcmp(schema, "public") == 0 ? name : arena_printf(arena, "%s.%s", schema, name);
}

/* All verdicts on one index. */
static const char *
verdicts_text(struct arena *arena, const struct index_report *report,
              const struct index_status *index)
{
    const char *text = index->is_being_built ? "being built" : "";

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct index_finding *finding = &report->findings.items[i];
        if (finding->index == index)
            text = arena_printf(arena, "%s%s%s", text, text[0] == '\0' ? "" : ", ",
                                index_verdict_name(finding->verdict));
    }
    return text;
}

static const char *
last_use_text(const struct index_status *index)
{
    if (index->last_scan == NULL)
        return "?";
    return index->last_scan[0] == '\0' ? "never" : index->last_scan;
}

static const char *
bloat_text(struct arena *arena, const struct index_status *index)
{
    if (index->bloat < 0)
        return "?";
    return arena_printf(arena, "%s%.0f %%", index->is_bloat_measured ? "" : "about ",
                        index->bloat * 100);
}

static void
fill_cells(const struct cli *cli, const struct index_report *report,
           const struct index_status *index, struct cells *cells)
{
    struct arena *arena = cli->arena;
    const char *writes =
        index->write_share < 0 ? "-" : arena_printf(arena, "%.0f %%", index->write_share * 100);
    const struct cells filled = {
        .texts = {qualified(arena, index->schema, index->name),
                  qualified(arena, index->table_schema, index->table),
                  size_text(arena, index->size_bytes),
                  arena_printf(arena, "%lld", (long long)index->scans), last_use_text(index),
                  writes, bloat_text(arena, index), verdicts_text(arena, report, index)},
        .index = index,
    };
    *cells = filled;
}

/* Letters, not bytes, of UTF-8. */
static size_t
width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void
add_row(struct text *text, const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        bool is_number = i == 2 || i == 3 || i == 5 || i == 6;
        size_t width = width_of(cells[i]);
        text_append(text, i == 0 ? "  " : "");
        if (is_number)
            text_appendf(text, "%*s", (int)(widths[i] - width), "");
        text_append_visible(text, cells[i]);
        if (!is_number && i + 1 < COLUMNS)
            text_appendf(text, "%*s", (int)(widths[i] - width), "");
        text_append(text, i + 1 < COLUMNS ? "  " : "\n");
    }
}

static void
add_indexes(struct text *text, const struct cli *cli, const struct index_report *report)
{
    const struct cli_style *style = cli_style(cli);
    struct cells *rows = ARENA_ARRAY(cli->arena, struct cells, report->indexes.count + 1);
    size_t widths[COLUMNS];
    size_t count = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        widths[i] = width_of(headings[i]);
    for (size_t i = 0; i < report->indexes.count; i++) {
        const struct index_status *index = &report->indexes.items[i];
        if (index->is_hidden)
            continue;
        fill_cells(cli, report, index, &rows[count]);
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t width = width_of(rows[count].texts[j]);
            widths[j] = width > widths[j] ? width : widths[j];
        }
        count++;
    }
    if (count == 0)
        return;
    text_append(text, style->dim);
    add_row(text, headings, widths);
    text_append(text, style->reset);
    for (size_t i = 0; i < count; i++)
        add_row(text, rows[i].texts, widths);
}

static void
add_findings(struct text *text, const struct cli *cli, const struct index_report *report)
{
    const struct cli_style *style = cli_style(cli);

    for (size_t i = 0; i < report->findings.count; i++) {
        const struct index_finding *finding = &report->findings.items[i];
        text_appendf(text, "\n  %s%s%s  ", style->yellow, index_verdict_name(finding->verdict),
                     style->reset);
        text_append(text, finding->index == NULL ? "on foreign key " : "");
        text_append_visible(text, qualified(cli->arena, finding->schema, finding->name));
        text_append(text, " of ");
        text_append_visible(text, finding->table);
        text_append(text, "\n    ");
        text_append_visible(text, finding->evidence);
        for (const char *line = finding->sql; line != NULL;) {
            size_t length = strcspn(line, "\n");
            text_appendf(text, "\n    %s", style->dim);
            text_append_visible(text, arena_strndup(cli->arena, line, length));
            text_append(text, style->reset);
            line = line[length] == '\0' ? NULL : line + length + 1;
        }
        text_append(text, "\n");
    }
}

static void
add_heading(struct text *text, const struct cli *cli, const struct index_report *report)
{
    const struct cli_style *style = cli_style(cli);
    int64_t size_bytes = 0;

    for (size_t i = 0; i < report->indexes.count; i++)
        size_bytes += report->indexes.items[i].size_bytes;
    text_appendf(text, "%sdatabase ", style->bold);
    text_append_visible(text, report->database);
    text_appendf(text, "%s  %zu indexes, %s", style->reset, report->indexes.count,
                 size_text(cli->arena, size_bytes));
    if (report->replicas > 0)
        text_appendf(text, "; with the scans of %zu replica%s", report->replicas,
                     report->replicas == 1 ? "" : "s");
    if (report->lacks_replica)
        text_append(text, "; a replica could not be read: none is called unused\n");
    else if (report->since == NULL)
        text_append(text, "; since when the server counts is not known: none is called unused\n");
    else if (report->age_seconds * 1000 < report->review_ms)
        text_appendf(text,
                     "; counted since %s, not yet for %lld days (index_review): none is called "
                     "unused\n",
                     report->since, (long long)(report->review_ms / 86400000));
    else
        text_appendf(text, "; counted since %s\n", report->since);
}

void
index_print_tables(const struct cli *cli, const struct index_reports *reports)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < reports->list.count; i++) {
        const struct index_report *report = &reports->list.items[i];
        text_append(&text, i == 0 ? "" : "\n");
        add_heading(&text, cli, report);
        add_indexes(&text, cli, report);
        add_findings(&text, cli, report);
    }
    fputs(text_chars(&text), stdout);
}

/* --- for machines ------------------------------------------------------------------------- */

static json_t *
optional_text(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *
json_of_index(const struct index_status *index)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o}",
        "schema", index->schema, "name", index->name, "table_schema", index->table_schema, "table",
        index->table, "definition", index->definition, "size_bytes", (json_int_t)index->size_bytes,
        "scans", (json_int_t)index->scans, "last_scan", optional_text(index->last_scan),
        "write_share", index->write_share < 0 ? json_null() : json_real(index->write_share),
        "bloat", index->bloat < 0 ? json_null() : json_real(index->bloat), "bloat_source",
        index->bloat < 0           ? json_null()
        : index->is_bloat_measured ? json_string("pgstattuple")
                                   : json_string("estimate"),
        "is_unique", index->is_unique, "is_valid", index->is_valid, "is_partitioned",
        index->is_partitioned, "constraint", optional_text(index->constraint_name), "foreign_key",
        optional_text(index->foreign_key), "declared",
        index->declared.line == 0
            ? json_null()
            : json_sprintf("%s:%d", index->declared.file, index->declared.line));
}

static json_t *
json_of_report(const struct index_report *report)
{
    json_t *indexes = json_array();
    json_t *findings = json_array();

    for (size_t i = 0; i < report->indexes.count; i++) {
        if (!report->indexes.items[i].is_hidden)
            json_array_append_new(indexes, json_of_index(&report->indexes.items[i]));
    }
    for (size_t i = 0; i < report->findings.count; i++) {
        const struct index_finding *finding = &report->findings.items[i];
        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "verdict",
                                index_verdict_name(finding->verdict), "schema", finding->schema,
                                "table", finding->table, "index",
                                finding->index == NULL ? json_null() : json_string(finding->name),
                                "foreign_key",
                                finding->index == NULL ? json_string(finding->name) : json_null(),
                                "evidence", finding->evidence, "sql", finding->sql));
    }
    return json_pack("{s:s, s:o, s:i, s:b, s:o, s:o}", "database", report->database,
                     "counted_since", optional_text(report->since), "replicas",
                     (int)report->replicas, "lacks_replica", report->lacks_replica, "indexes",
                     indexes, "findings", findings);
}

bool
index_print_json(const struct index_reports *reports, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < reports->list.count; i++)
        json_array_append_new(list, json_of_report(&reports->list.items[i]));
    return cli_print_json(cli_json_whole(list, reports->list.count), err);
}
