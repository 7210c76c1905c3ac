// SPDX-License-Identifier: MIT
#include "cli/plan_output.h"

#include "plan/lock.h"
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

void
cli_release_locks(struct cli_locks *locks)
{
    for (size_t i = 0; i < locks->count; i++)
        PQfinish(locks->connections[i]);
    locks->count = 0;
}

bool
cli_take_locks(struct cli *cli, const struct deck *deck, bool is_waiting, struct cli_locks *locks,
               struct error *err)
{
    locks->connections = ARENA_ARRAY(cli->arena, PGconn *, deck->servers.count + 1);
    for (size_t i = 0; i < deck->servers.count; i++) {
        if (!plan_lock(&deck->servers.items[i], "apply", is_waiting, &locks->connections[i], err))
            return false;
        locks->count++;
    }
    return true;
}
