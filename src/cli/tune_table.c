// SPDX-License-Identifier: MIT
#include "cli/tune.h"

#include "base/text.h"
#include "settings/statement.h"
#include "settings/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
tune_is_of(const struct settings_row *row, const char *environment)
{
    if (row->environment == NULL || environment == NULL)
        return row->environment == environment;
    return strcmp(row->environment, environment) == 0;
}

/* Pads to width; what is longer keeps one blank. Names and values come from the server. */
static void
add_cell(struct text *text, const char *cell, size_t width)
{
    size_t begin = text->length;

    text_append_visible(text, cell);
    do {
        text_append(text, " ");
    } while (text->length - begin < width);
}

static const char *
file_name(const char *where)
{
    const char *slash = strrchr(where, '/');

    return slash == NULL ? where : slash + 1;
}

static void
print_heading(const struct cli *cli, const struct tune_server *server)
{
    const struct cli_style *style = cli_style(cli);
    const struct catalog_server *catalog = server->advice.catalog;

    if (server->is_offline)
        printf("%swithout a server%s  PostgreSQL %d, now: its defaults\n", style->bold,
               style->reset, catalog->major);
    else
        printf("%sserver %s%s  PostgreSQL %d.%d\n", style->bold, catalog->name, style->reset,
               catalog->major, catalog->version % 10000);
}

enum { WIDTH_NAME = 40, WIDTH_VALUE = 16, WIDTH_WHERE = 28, WIDTH_NEED = 14 };

static void
add_row(struct text *text, const struct cli *cli, const struct settings_row *row)
{
    const struct cli_style *style = cli_style(cli);

    text_appendf(text, "  %s", row->is_change ? style->yellow : "");
    add_cell(text, row->rule->name, WIDTH_NAME);
    text_append(text, row->is_change ? style->reset : "");
    add_cell(text, row->current, WIDTH_VALUE);
    add_cell(text, row->proposed == NULL ? "-" : row->proposed, WIDTH_VALUE);
    add_cell(text, file_name(row->where), WIDTH_WHERE);
    add_cell(text, settings_need_name(row->need), WIDTH_NEED);
    text_append(text, style->dim);
    if (row->database != NULL) {
        text_append_visible(text, row->database);
        text_append(text, ": ");
    }
    text_append_visible(text, row->why);
    text_appendf(text, "%s\n", style->reset);
    if (row->warning != NULL)
        text_appendf(text, "      %swarning:%s %s\n", style->yellow, style->reset, row->warning);
    if (row->overrides[0] != '\0')
        text_appendf(text, "      %soverridden by%s %s\n", style->yellow, style->reset,
                     row->overrides);
}

static void
add_group(struct text *text, const struct cli *cli, const struct tune_server *server,
          const char *environment)
{
    const struct cli_style *style = cli_style(cli);

    text_appendf(text, "\n%s%s%s%s\n", style->bold, environment == NULL ? "" : "environment ",
                 environment == NULL ? "server-wide" : environment, style->reset);
    text_append(text, "  ");
    add_cell(text, "PARAMETER", WIDTH_NAME);
    add_cell(text, "NOW", WIDTH_VALUE);
    add_cell(text, "PROPOSED", WIDTH_VALUE);
    add_cell(text, "SET IN", WIDTH_WHERE);
    add_cell(text, "NEEDS", WIDTH_NEED);
    text_append(text, "WHY\n");
    for (size_t i = 0; i < server->survey.rows.count; i++) {
        if (tune_is_of(&server->survey.rows.items[i], environment))
            add_row(text, cli, &server->survey.rows.items[i]);
    }
}

/* What pgdeck does not set itself: each obstacle once, with all that it stands in the way of. */
static void
add_obstacles(struct text *text, const struct cli *cli, const struct tune_server *server)
{
    const struct cli_style *style = cli_style(cli);
    const struct settings_row *rows = server->survey.rows.items;

    for (size_t i = 0; i < server->survey.rows.count; i++) {
        bool is_shown = rows[i].obstacle == NULL;
        for (size_t j = 0; j < i && !is_shown; j++)
            is_shown = rows[j].obstacle != NULL && strcmp(rows[j].obstacle, rows[i].obstacle) == 0;
        if (is_shown)
            continue;
        text_appendf(text, "\n%sLeft to you%s, as ", style->yellow, style->reset);
        text_append_visible(text, rows[i].obstacle);
        text_append(text, "\n ");
        for (size_t j = i; j < server->survey.rows.count; j++) {
            if (rows[j].obstacle != NULL && strcmp(rows[j].obstacle, rows[i].obstacle) == 0 &&
                (j == i || rows[j].rule != rows[j - 1].rule))
                text_appendf(text, " %s", rows[j].rule->name);
        }
        text_append(text, "\n");
    }
}

static void
add_memory(struct text *text, const struct cli *cli, const struct tune_server *server)
{
    const struct cli_style *style = cli_style(cli);
    const struct settings_input *input = &server->survey.input;
    struct settings_memory memory;

    if (!settings_memory_read(input, &memory)) {
        text_append(text, "\nThe server's memory is not known: give it in the deck.\n");
        return;
    }
    const char *budget = setting_size(input->arena, input->memory_bytes);
    bool is_over[] = {memory.expected_bytes > input->memory_bytes,
                      memory.worst_bytes > input->memory_bytes};
    text_appendf(text, "\nExpected memory: %s%s of %s%s (%s)\n  = %s\n",
                 is_over[0] ? style->red : style->green,
                 setting_rounded_size(input->arena, memory.expected_bytes), budget, style->reset,
                 input->memory_from, memory.expected_terms);
    text_appendf(text, "In the worst case: %s%s of %s%s%s\n  = %s\n",
                 is_over[1] ? style->yellow : style->green,
                 setting_rounded_size(input->arena, memory.worst_bytes), budget, style->reset,
                 is_over[1] ? ", more than there is (a warning: all connections at once)" : "",
                 memory.worst_terms);
}

void
tune_print_table(const struct cli *cli, const struct tune_server *server)
{
    AUTO_TEXT text = {0};

    print_heading(cli, server);
    add_group(&text, cli, server, NULL);
    for (size_t i = 0; i < server->survey.input.environments.count; i++)
        add_group(&text, cli, server, server->survey.input.environments.items[i].deck->name);
    add_obstacles(&text, cli, server);
    add_memory(&text, cli, server);
    fputs(text_chars(&text), stdout);
}

/* --- one parameter ------------------------------------------------------------------------ */

static void
add_line(struct text *text, const char *label, const char *value)
{
    enum { WIDTH_LABEL = 14 };

    text_append(text, "  ");
    add_cell(text, label, WIDTH_LABEL);
    text_append_visible(text, value);
    text_append(text, "\n");
}

static void
add_explanation(struct text *text, const struct cli *cli, const struct settings_row *row)
{
    const struct cli_style *style = cli_style(cli);
    const struct catalog_setting *setting = row->setting;

    text_appendf(text, "%s%s%s", style->bold, row->rule->name, style->reset);
    text_append(text, row->environment == NULL ? "  server-wide" : "  environment ");
    text_append_visible(text, row->environment == NULL ? "" : row->environment);
    if (row->database != NULL) {
        text_append(text, ", database ");
        text_append_visible(text, row->database);
    }
    text_append(text, "\n");
    add_line(text, "now", row->current);
    add_line(text, "set in", row->where);
    if (row->overrides[0] != '\0')
        add_line(text, "overridden by", row->overrides);
    if (row->obstacle != NULL)
        add_line(text, "left to you", row->obstacle);
    add_line(text, "proposed", row->proposed == NULL ? "left as it is" : row->proposed);
    add_line(text, "why", row->why);
    if (row->why != row->rule->reason)
        add_line(text, "what it is", row->rule->reason);
    if (row->warning != NULL)
        add_line(text, "warning", row->warning);
    add_line(text, "needs", settings_need_name(row->need));
    if (setting->min_value[0] != '\0')
        text_appendf(text, "  limits        %s to %s%s%s\n", setting->min_value, setting->max_value,
                     setting->unit[0] == '\0' ? "" : " x ", setting->unit);
    if (setting->enum_values[0] != '\0')
        add_line(text, "one of", setting->enum_values);
}

bool
tune_print_explanation(const struct cli *cli, const struct tune_server *server,
                       const char *parameter)
{
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < server->survey.rows.count; i++) {
        const struct settings_row *row = &server->survey.rows.items[i];
        if (strcmp(row->rule->name, parameter) == 0)
            add_explanation(&text, cli, row);
    }
    if (text.length == 0)
        return false;
    print_heading(cli, server);
    fputs(text_chars(&text), stdout);
    return true;
}

/* --- pgtune ------------------------------------------------------------------------------- */

struct pgtune_input
tune_pgtune_input(const struct tune_server *server)
{
    const struct settings_input *input = &server->survey.input;
    struct pgtune_input pgtune = {
        .major = input->catalog->major,
        .workload = WORKLOAD_MIXED,
        .storage = input->deck->storage,
        .memory_bytes = input->memory_bytes,
        .cpus = input->cpus,
        .database_bytes = input->databases_bytes,
    };

    for (size_t i = 0; i < input->environments.count; i++) {
        pgtune.connections += input->environments.items[i].connections;
        if (settings_sole(input) != NULL)
            pgtune.workload = input->environments.items[i].deck->workload;
    }
    return pgtune;
}

static void
add_comparison(struct text *text, const struct cli *cli, const struct settings_row *row,
               const char *pgtune)
{
    const struct cli_style *style = cli_style(cli);
    const char *ours = row->proposed != NULL ? row->proposed : row->current;
    bool is_same = pgtune != NULL && settings_is_equal(row->rule, row->setting, ours, pgtune);

    text_append(text, "  ");
    add_cell(text, row->rule->name, WIDTH_NAME);
    add_cell(text, ours, WIDTH_VALUE);
    add_cell(text, pgtune == NULL ? "-" : pgtune, WIDTH_VALUE);
    if (is_same) {
        text_appendf(text, "%ssame%s\n", style->dim, style->reset);
        return;
    }
    text_appendf(text, "pgdeck%s: ", row->proposed == NULL ? ", left as it is" : "");
    text_append_visible(text, row->why);
    const char *way = pgtune == NULL ? "not set" : pgtune_way(row->rule->name);
    text_appendf(text, " | pgtune: %s\n", way);
}

/* What pgtune sets, and what pgdeck sets beyond it. */
void
tune_print_comparison(const struct cli *cli, const struct tune_server *server)
{
    AUTO_TEXT text = {0};
    struct pgtune_input input = tune_pgtune_input(server);

    print_heading(cli, server);
    if (input.memory_bytes == 0) {
        puts("The server's memory is not known: give it in the deck.");
        return;
    }
    text_append(&text, "  ");
    add_cell(&text, "PARAMETER", WIDTH_NAME);
    add_cell(&text, "PGDECK", WIDTH_VALUE);
    add_cell(&text, "PGTUNE", WIDTH_VALUE);
    text_append(&text, "WHY THEY DIFFER\n");
    for (size_t i = 0; i < server->survey.rows.count; i++) {
        const struct settings_row *row = &server->survey.rows.items[i];
        const char *pgtune = pgtune_value(server->survey.input.arena, &input, row->rule->name);
        if (pgtune != NULL || row->proposed != NULL)
            add_comparison(&text, cli, row, pgtune);
    }
    fputs(text_chars(&text), stdout);
}
