// SPDX-License-Identifier: MIT
#include "cli/security.h"

#include "base/embed.h"
#include "plan/plan.h"
#include "security/hba_file.h"

#include <stdio.h>
#include <string.h>

static bool
render(struct cli *cli, struct error *err)
{
    const struct deck *deck = cli_load_deck(cli, err);
    struct plan plan;
    bool is_fine = true;

    if (deck == NULL || !plan_read(cli->arena, deck, &plan, err))
        return false;
    for (size_t i = 0; is_fine && i < plan.servers.count; i++) {
        const struct plan_server *server = &plan.servers.items[i];
        struct advice advice = {.arena = cli->arena,
                                .deck = deck,
                                .server = server->deck,
                                .catalog = &server->catalog,
                                .changes = &plan.changes};
        const char *text;
        is_fine = security_render_hba(&advice, &text, err);
        if (is_fine)
            printf("# server %s\n%s", server->deck->name, text);
    }
    plan_release(&plan);
    return is_fine;
}

int
security_render(struct cli *cli, const struct cli_command *command, int argc, char **argv,
                struct error *err)
{
    struct cli_list operands = {0};

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    const char *form = operands.values.count == 1 ? operands.values.items[0] : "";
    if (strcmp(form, "rsyslog") == 0) {
        fputs(embedded_file("security/rsyslog.conf")->text, stdout);
        return 0;
    }
    if (strcmp(form, "hba") != 0) {
        error_set(err, ERROR_USAGE, "security render takes one of: hba, rsyslog");
        return cli_failed(err);
    }
    return render(cli, err) ? 0 : cli_failed(err);
}
