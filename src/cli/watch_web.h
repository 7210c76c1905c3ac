/* The options of `pgdeck watch` that are about its dashboard. */
#pragma once
#include "cli/command.h"
#include "web/web.h"

struct watch_web {
    const char *listen; /* "none": no dashboard */
    const char *token_file, *certificate_file, *key_file;
    struct cli_list hosts;
};

#define WATCH_WEB_LISTEN "127.0.0.1:8765"

/* Starts it; *ret_server is NULL when none is wanted. */
bool watch_web_start(struct arena *arena, const struct watch_web *web, struct watch_board *board,
                     struct web_server **ret_server, struct error *err) MUST_CHECK;
