// SPDX-License-Identifier: MIT
#include "cli/plan_output.h"

#include "plan/render.h"

#include <stdio.h>

struct plan_filter
cli_plan_filter(const struct cli_list *databases, const struct cli_list *advisors)
{
    return (struct plan_filter){
        .databases = databases->values.items,
        .database_count = databases->values.count,
        .advisors = advisors->values.items,
        .advisor_count = advisors->values.count,
    };
}

void
cli_print_plan(struct cli *cli, const struct plan *plan, bool with_sql)
{
    const struct cli_style *style = cli_style(cli);
    const struct render_style render = {style->bold,  style->dim,    style->red,
                                        style->green, style->yellow, style->reset};
    AUTO_TEXT text = {0};

    plan_render(plan, &render, with_sql, &text);
    fputs(text_chars(&text), stdout);
    fflush(stdout);
}
