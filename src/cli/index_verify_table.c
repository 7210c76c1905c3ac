// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include <stdio.h>
#include <string.h>

static const char *
verdict_of(const struct advise_timing *timing)
{
    static const char *const words[] = {[ADVISE_SAME] = "same",
                                        [ADVISE_GAIN] = "faster",
                                        [ADVISE_LOSS] = "slower",
                                        [ADVISE_UNCLEAR] = "unclear"};

    return timing->problem != NULL ? "not run" : words[advise_effect_of(timing)];
}

static bool
is_used(const struct advise *run, const struct advise_proof *proof, size_t choice)
{
    for (size_t i = 0; i < run->statements.count; i++) {
        for (size_t j = 0; j < proof->timings[i].used.count; j++) {
            if (proof->timings[i].used.items[j] == choice)
                return true;
        }
    }
    return false;
}

void
index_print_proof(const struct cli *cli, const struct advise *run, const struct advise_proof *proof,
                  const struct index_faults *faults)
{
    const struct cli_style *style = cli_style(cli);

    printf("%s%10s %10s %10s %10s  %-7s  STATEMENT%s\n", style->bold, "BEFORE", "AFTER", "PAGES",
           "AFTER", "", style->reset);
    for (size_t i = 0; i < run->statements.count; i++) {
        const struct advise_statement *statement = &run->statements.items[i];
        const struct advise_timing *timing = &proof->timings[i];
        if (statement->problem != NULL)
            continue;
        if (timing->problem != NULL)
            printf("%43s  %-7s  %s (%s)\n", "", verdict_of(timing),
                   index_one_line(run->arena, statement->text), timing->problem);
        else
            printf("%7.2f ms %7.2f ms %10.0f %10.0f  %-7s  %s\n", timing->before_ms,
                   timing->after_ms, timing->before_pages, timing->after_pages, verdict_of(timing),
                   index_one_line(run->arena, statement->text));
    }
    putchar('\n');
    for (size_t i = 0; i < run->choices.count; i++) {
        const struct advise_built *built = &proof->built[i];
        if (built->problem != NULL)
            printf("%s\n  cannot be built: %s\n", run->choices.items[i].create_sql, built->problem);
        else
            printf("%s\n  %s, built in %.0f ms, %.1f MB\n", run->choices.items[i].create_sql,
                   is_used(run, proof, i) ? "used" : "not used: leave it out", built->build_ms,
                   built->size_bytes / (1 << 20));
    }
    index_print_faults(cli, run, faults);
    for (size_t i = 0; i < run->notes.count; i++)
        printf("%s%s\n", i == 0 ? "\n" : "", run->notes.items[i]);
}

static json_t *
timing_json(const struct advise *run, const struct advise_proof *proof, size_t at)
{
    const struct advise_statement *statement = &run->statements.items[at];
    const struct advise_timing *timing = &proof->timings[at];
    const char *problem = statement->problem != NULL ? statement->problem : timing->problem;
    json_t *used = json_array();

    for (size_t i = 0; i < timing->used.count; i++)
        json_array_append_new(used, json_string(run->choices.items[timing->used.items[i]].name));
    return json_pack(
        "{s:s, s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:s, s:o, s:s?}", "sql", statement->text,
        "before_ms", timing->before_ms, "after_ms", timing->after_ms, "before_pages",
        timing->before_pages, "after_pages", timing->after_pages, "pairs", (int)timing->pairs,
        "faster_pairs", (int)timing->faster, "slower_pairs", (int)timing->slower, "verdict",
        problem != NULL ? "not run" : verdict_of(timing), "uses", used, "problem", problem);
}

bool
index_print_proof_json(const struct advise *run, const struct advise_proof *proof,
                       const struct index_faults *faults, struct error *err)
{
    json_t *statements = json_array();
    json_t *indexes = json_array();
    json_t *notes = json_array();

    for (size_t i = 0; i < run->statements.count; i++)
        json_array_append_new(statements, timing_json(run, proof, i));
    for (size_t i = 0; i < run->choices.count; i++)
        json_array_append_new(
            indexes,
            json_pack("{s:s, s:s, s:b, s:f, s:f, s:s?}", "name", run->choices.items[i].name,
                      "create", run->choices.items[i].create_sql, "is_used", is_used(run, proof, i),
                      "build_ms", proof->built[i].build_ms, "size_bytes",
                      proof->built[i].size_bytes, "problem", proof->built[i].problem));
    for (size_t i = 0; i < run->notes.count; i++)
        json_array_append_new(notes, json_string(run->notes.items[i]));
    json_t *all = json_pack("{s:s, s:o, s:o, s:o, s:o}", "database", run->database, "indexes",
                            indexes, "statements", statements, "notes", notes, "faults",
                            index_faults_json(run, faults));
    return cli_print_json(all, err);
}
