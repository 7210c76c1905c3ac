// SPDX-License-Identifier: MIT
#include "cli/door.h"

#include "base/text.h"
#include "maintenance/rescue.h"

#include <stdio.h>

void
cli_say_door(const struct cli *cli, const struct deck_server *server)
{
    struct rescue_report report;
    struct error ignored = {0};
    AUTO_TEXT text = {0};

    if (cli->is_quiet || cli->is_json || !rescue_check(cli->arena, server, &report, &ignored))
        return;
    const struct rescue_line *line = &report.lines.items[0];
    text_append_visible(&text, line->text);
    printf("When all connections of server %s are taken: %s\n", server->name, text_chars(&text));
    if (line->sql != NULL) {
        text_clear(&text);
        text_append_visible(&text, line->sql);
        printf("    %s;\n", text_chars(&text));
    }
}
