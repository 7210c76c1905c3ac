// SPDX-License-Identifier: MIT
/* The dashboard's server with documents from files, for tests/server/test_web*.py:
 *   web_board FOLDER [LISTEN [TOKEN CERTIFICATE KEY]]
 * FOLDER/query/1f.json is the document query/1f, FOLDER/metrics.txt the metrics. Prints its URL, or
 * what is wrong. A line on stdin: the files are read again; its end: the program ends. */
#include "base/arena.h"
#include "base/file.h"
#include "web/web.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static void
put_file(struct arena *arena, struct watch_board *board, const char *folder, const char *path)
{
    const char *name = path + strlen(folder) + 1;
    char *kept = arena_strndup(arena, name, (size_t)(strrchr(name, '.') - name));
    AUTO_TEXT text = {0};
    struct error err;
    size_t length;
    char *chars;

    if (!file_read(arena, path, &chars, &length, &err))
        return;
    text_append_bytes(&text, chars, length);
    watch_board_put_text(
        board, kept,
        strcmp(kept, "metrics") == 0 ? "text/plain; version=0.0.4" : "application/json", &text);
}

static void
put_files(struct watch_board *board, const char *folder)
{
    static const char *const patterns[] = {"%s/*.json", "%s/*.txt", "%s/*/*.json"};
    AUTO_ARENA arena = arena_new();

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        glob_t found;
        if (glob(arena_printf(arena, patterns[i], folder), 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++)
            put_file(arena, board, folder, found.gl_pathv[j]);
        globfree(&found);
    }
}

static const char *
read_text(struct arena *arena, const char *path)
{
    struct error err;
    size_t length;
    char *text;

    return file_read(arena, path, &text, &length, &err) ? text : NULL;
}

int
main(int argc, char **argv)
{
    AUTO_ARENA arena = arena_new();
    struct web_options options = {.listen = argc > 2 ? argv[2] : "127.0.0.1:0"};
    struct watch_board *board = watch_board_new();
    struct error err = {0};
    char line[16];

    if (argc < 2)
        return 64;
    options.token = argc > 3 ? argv[3] : NULL;
    options.certificate = argc > 5 ? read_text(arena, argv[4]) : NULL;
    options.key = argc > 5 ? read_text(arena, argv[5]) : NULL;
    put_files(board, argv[1]);
    struct web_server *server = web_server_new(&options, board, &err);
    puts(server == NULL ? err.message : web_server_url(server));
    fflush(stdout);
    while (server != NULL && fgets(line, sizeof(line), stdin) != NULL) {
        put_files(board, argv[1]);
        puts("read");
        fflush(stdout);
    }
    web_server_free(server);
    watch_board_free(board);
    return server == NULL ? error_exit_status(err.code) : 0;
}
