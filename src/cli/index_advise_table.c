// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include "base/json_text.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_WIDTH = 66, MAX_PROBLEMS = 20 };

static const char *
size_text(struct arena *arena, double size_bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    for (; size_bytes >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        size_bytes /= 1024;
    return arena_printf(arena, "%.0f %s", size_bytes, units[unit]);
}

const char *
index_one_line(struct arena *arena, const char *sql)
{
    AUTO_TEXT text = {0};
    bool is_space = true;

    for (; *sql != '\0' && text.length < TEXT_WIDTH; sql++) {
        bool is_now = strchr(" \t\r\n", *sql) != NULL;
        if (!is_now)
            text_append_bytes(&text, sql, 1);
        else if (!is_space)
            text_append(&text, " ");
        is_space = is_now;
    }
    text.length = text_utf8_length(text_chars(&text), text.length);
    AUTO_TEXT shown = {0};
    text_append_visible(&shown, arena_strndup(arena, text_chars(&text), text.length));
    text_append(&shown, *sql == '\0' ? "" : "...");
    return arena_strdup(arena, text_chars(&shown));
}

static double
percent(double before, double after)
{
    return before > 0 ? 100 * (after - before) / before : 0;
}

static void
print_choice(const struct cli *cli, const struct advise *run, const struct advise_choice *choice)
{
    const struct cli_style *style = cli_style(cli);
    const struct advise_candidate *candidate = &run->candidates.items[choice->candidate];

    printf("\n%s%s%s;\n", style->bold, choice->create_sql, style->reset);
    printf("  size %s%s, about %.2f of cost per row inserted",
           size_text(run->arena, candidate->size_bytes),
           candidate->is_sampled ? " (by a build on a sample)" : "", candidate->entry_cost);
    if (candidate->charge > 0)
        printf(", %.0f for the writes of this workload", candidate->charge);
    putchar('\n');
    for (size_t i = 0; i < choice->helped.count; i++) {
        const struct advise_statement *statement = &run->statements.items[choice->helped.items[i]];
        printf("  %10.0f -> %-10.0f %s\n", statement->before, statement->after,
               index_one_line(run->arena, statement->text));
    }
    for (size_t i = 0; i < choice->unhot.count; i++) {
        const struct advise_statement *statement = &run->statements.items[choice->unhot.items[i]];
        printf("  slows %.0f calls, no longer HOT, writing into all indexes of the table: %s\n",
               statement->calls, index_one_line(run->arena, statement->text));
    }
    if (candidate->extension != NULL)
        printf("  needs CREATE EXTENSION IF NOT EXISTS %s;\n", candidate->extension);
    for (size_t i = 0; i < choice->replaced.count; i++)
        printf("  instead of %s, which may be dropped then: %s;\n", choice->replaced.items[i].name,
               choice->replaced.items[i].drop_sql);
    printf("  %stake back: %s;%s\n", style->dim, choice->drop_sql, style->reset);
}

static void
print_problems(const struct advise *run)
{
    size_t count = 0;
    size_t aside = 0;

    for (size_t i = 0; i < run->statements.count; i++) {
        count += run->statements.items[i].problem != NULL;
        aside += run->statements.items[i].is_aside;
    }
    if (count == 0)
        return;
    printf("\nNot advised for %zu statements:\n", count);
    size_t shown = 0;
    for (size_t i = 0; i < run->statements.count && shown < MAX_PROBLEMS; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        if (statement->problem == NULL || statement->is_aside)
            continue;
        printf("  %s: %s: %s\n", statement->source, statement->problem,
               index_one_line(run->arena, statement->text));
        shown++;
    }
    if (count - aside > shown)
        printf("  %zu more, which --json lists\n", count - aside - shown);
    if (aside > 0)
        printf("  %zu that name no table, or system catalogs only\n", aside);
}

static void
print_hints(const struct advise *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        if (statement->problem != NULL || statement->hint == NULL)
            continue;
        if (count++ == 0)
            printf("\nConstants:\n");
        if (count <= MAX_PROBLEMS)
            printf("  %s: %s: %s\n", statement->source, statement->hint,
                   index_one_line(run->arena, statement->text));
    }
    if (count > MAX_PROBLEMS)
        printf("  %zu more, which --json lists\n", count - MAX_PROBLEMS);
}

void
index_print_advice(const struct cli *cli, const struct advise *run,
                   const struct index_faults *faults)
{
    size_t count = 0;

    for (size_t i = 0; i < run->statements.count; i++)
        count += run->statements.items[i].problem == NULL;
    printf("%s: %zu statements", run->database, count);
    if (run->choices.count == 0)
        printf("; no index would help\n");
    else
        printf("; %zu indexes would lower their cost by %.1f %% (estimated, %.0f -> %.0f)\n",
               run->choices.count, -percent(run->before, run->after), run->before, run->after);
    for (size_t i = 0; i < run->choices.count; i++)
        print_choice(cli, run, &run->choices.items[i]);
    index_print_faults(cli, run, faults);
    print_hints(run);
    print_problems(run);
    for (size_t i = 0; i < run->notes.count; i++)
        printf("%s%s\n", i == 0 ? "\n" : "", run->notes.items[i]);
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *
statement_json(const struct advise_statement *statement)
{
    json_t *object =
        json_pack("{s:o, s:s, s:f, s:f}", "sql", json_text(statement->text), "source",
                  statement->source, "calls", statement->calls, "total_ms", statement->total_ms);

    if (statement->problem != NULL)
        json_object_set_new(object, "problem", json_text(statement->problem));
    else
        json_object_update_new(object, json_pack("{s:f, s:f}", "before", statement->before, "after",
                                                 statement->after));
    if (statement->hint != NULL)
        json_object_set_new(object, "hint", json_text(statement->hint));
    return object;
}

static json_t *
choice_json(const struct advise *run, const struct advise_choice *choice)
{
    const struct advise_candidate *candidate = &run->candidates.items[choice->candidate];
    json_t *helped = json_array();
    json_t *replaced = json_array();
    json_t *unhot = json_array();

    for (size_t i = 0; i < choice->helped.count; i++)
        json_array_append_new(helped, json_integer((json_int_t)choice->helped.items[i]));
    for (size_t i = 0; i < choice->unhot.count; i++)
        json_array_append_new(unhot, json_integer((json_int_t)choice->unhot.items[i]));
    for (size_t i = 0; i < choice->replaced.count; i++)
        json_array_append_new(replaced, json_string(choice->replaced.items[i].name));
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:o, s:o, s:s?, s:b, s:o}", "name",
        choice->name, "schema", candidate->table->schema, "table", candidate->table->name,
        "definition", candidate->definition, "create", choice->create_sql, "drop", choice->drop_sql,
        "size_bytes", candidate->size_bytes, "entry_cost", candidate->entry_cost, "write_charge",
        candidate->charge, "helps", helped, "replaces", replaced, "needs_extension",
        candidate->extension, "is_sampled", candidate->is_sampled, "breaks_hot", unhot);
}

bool
index_print_advice_json(const struct advise *run, const struct index_faults *faults,
                        struct error *err)
{
    json_t *statements = json_array();
    json_t *indexes = json_array();
    json_t *notes = json_array();

    for (size_t i = 0; i < run->statements.count; i++)
        json_array_append_new(statements, statement_json(&run->statements.items[i]));
    for (size_t i = 0; i < run->choices.count; i++)
        json_array_append_new(indexes, choice_json(run, &run->choices.items[i]));
    for (size_t i = 0; i < run->notes.count; i++)
        json_array_append_new(notes, json_string(run->notes.items[i]));
    json_t *all = json_pack("{s:s, s:s, s:I, s:f, s:f, s:o, s:o, s:o, s:o}", "database",
                            run->database, "estimated_by", run->hypopg != NULL ? "hypopg" : "rules",
                            "plans", (json_int_t)run->plan_count, "before", run->before, "after",
                            run->after, "indexes", indexes, "statements", statements, "notes",
                            notes, "faults", index_faults_json(run, faults));
    return cli_print_json(all, err);
}
