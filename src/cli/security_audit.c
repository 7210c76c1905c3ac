// SPDX-License-Identifier: MIT
/* pgdeck security audit: who changed what, out of the servers' own logs. */
#include "cli/security.h"

#include "base/embed.h"
#include "base/text.h"
#include "plan/plan.h"
#include "security/redact.h"

#include <stdio.h>

static bool
print_server(const struct deck_server *server, bool *ret_has_log, struct error *err)
{
    const struct pg_target target = plan_target(server, NULL);
    AUTO_PGCONN connection = NULL;
    AUTO_PGRESULT lines = NULL;

    if (!pg_connect(&target, &connection, err) ||
        !pg_query(connection, embedded_file("security/sql/audit_lines.sql")->text, 0, NULL, &lines,
                  err))
        return error_wrap(err, "server \"%s\"", server->name);
    *ret_has_log = PQntuples(lines) > 0 && pg_value(lines, 0, "file") != NULL;
    for (int row = 0; row < PQntuples(lines); row++) {
        const char *line = pg_value(lines, row, "line");
        AUTO_TEXT safe = {0};
        AUTO_TEXT visible = {0};
        if (line == NULL)
            continue;
        security_redact(&safe, line);
        text_append_visible(&visible, text_chars(&safe));
        printf("%s: %s\n", server->name, text_chars(&visible));
    }
    return true;
}

int
security_audit(struct cli *cli, const struct cli_command *command, int argc, char **argv,
               struct error *err)
{
    struct cli_list operands = {0};
    bool has_log;

    if (!cli_parse(cli, command, CLI_NO_OPTIONS, argc, argv, &operands, err))
        return cli_failed(err);
    const struct deck *deck = cli_load_deck(cli, err);
    for (size_t i = 0; deck != NULL && i < deck->servers.count; i++) {
        const struct deck_server *server = &deck->servers.items[i];
        if (!print_server(server, &has_log, err))
            return cli_failed(err);
        if (has_log)
            continue;
        error_set(err, ERROR_REFUSED, "server \"%s\" keeps no log itself", server->name);
        error_hint(err, "With logging_collector it does; for syslog see pgdeck security render "
                        "rsyslog.");
        return cli_failed(err);
    }
    return deck == NULL ? cli_failed(err) : 0;
}
