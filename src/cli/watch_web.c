// SPDX-License-Identifier: MIT
#include "cli/watch_web.h"

#include "base/file.h"

#include <string.h>

static bool
read_file(struct arena *arena, const char *path, bool is_secret, const char **ret_text,
          struct error *err)
{
    size_t length;
    char *text;

    *ret_text = NULL;
    if (path == NULL)
        return true;
    bool is_fine = is_secret ? file_read_secret(arena, path, &text, &length, err)
                             : file_read(arena, path, &text, &length, err);
    if (is_fine)
        *ret_text = text;
    return is_fine;
}

/* Its first line. */
static bool
read_token(struct arena *arena, const char *path, const char **ret_token, struct error *err)
{
    if (!read_file(arena, path, true, ret_token, err))
        return false;
    if (*ret_token != NULL)
        *ret_token = arena_strndup(arena, *ret_token, strcspn(*ret_token, "\r\n"));
    return true;
}

bool
watch_web_start(struct arena *arena, const struct watch_web *web, struct watch_board *board,
                struct web_server **ret_server, struct error *err)
{
    struct web_options options = {
        .listen = web->listen,
        .hosts = web->hosts.values.items,
        .host_count = web->hosts.values.count,
    };

    *ret_server = NULL;
    if (strcmp(web->listen, "none") == 0)
        return true;
    if (!read_token(arena, web->token_file, &options.token, err) ||
        !read_file(arena, web->certificate_file, false, &options.certificate, err) ||
        !read_file(arena, web->key_file, true, &options.key, err))
        return false;
    *ret_server = web_server_new(&options, board, err);
    return *ret_server != NULL;
}
