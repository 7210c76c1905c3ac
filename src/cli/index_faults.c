// SPDX-License-Identifier: MIT
#include "cli/index.h"

#include <jansson.h>
#include <stdio.h>

/* What running both told. */
static const char *
outcome(const struct index_fault *found)
{
    if (found->equality == ADVISE_EQUAL_ROWS)
        return found->fault.changes_rows ? "the same rows on the copy: no row was joined twice yet"
                                         : "the same rows on the copy";
    if (found->equality == ADVISE_OTHER_ROWS)
        return found->fault.changes_rows ? "other figures on the copy: those of today are too high"
                                         : "OTHER rows on the copy: do not take it";
    return found->why;
}

void
index_print_faults(const struct cli *cli, const struct advise *run,
                   const struct index_faults *faults)
{
    const struct cli_style *style = cli_style(cli);

    if (faults->list.count > 0)
        puts("\nIn the statements themselves:");
    for (size_t i = 0; i < faults->list.count; i++) {
        const struct index_fault *found = &faults->list.items[i];
        const struct advise_statement *statement = &run->statements.items[found->fault.statement];
        printf("\n  %s%s%s: %s\n  %s\n", style->bold, advise_fault_word(found->fault.kind),
               style->reset, index_one_line(run->arena, statement->text), found->fault.text);
        if (found->fault.rewritten != NULL)
            printf("  instead: %s\n  (%s)\n", found->fault.rewritten, outcome(found));
    }
}

json_t *
index_faults_json(const struct advise *run, const struct index_faults *faults)
{
    static const char *const words[] = {"equal", "differs", "not compared"};
    json_t *list = json_array();

    for (size_t i = 0; i < faults->list.count; i++) {
        const struct index_fault *found = &faults->list.items[i];
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:s, s:s, s:s?, s:s, s:b, s:s?}", "kind",
                            advise_fault_word(found->fault.kind), "statement",
                            (json_int_t)found->fault.statement, "sql",
                            run->statements.items[found->fault.statement].text, "text",
                            found->fault.text, "rewritten", found->fault.rewritten, "result",
                            words[found->equality], "changes_rows", found->fault.changes_rows,
                            "why", found->equality == ADVISE_NOT_COMPARED ? found->why : NULL));
    }
    return list;
}
