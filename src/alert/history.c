// SPDX-License-Identifier: MIT
/* history.jsonl: a line a change; at 1 MB it becomes history.jsonl.1 and the one before is gone. */
#include "alert/store.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HISTORY_BYTES = 1 << 20 };

bool
alert_history_add(const char *folder, const char *lines, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    char *path = arena_printf(arena, "%s/history.jsonl", folder);
    struct stat status;
    size_t length = strlen(lines), at = 0;

    if (stat(path, &status) == 0 && status.st_size >= HISTORY_BYTES &&
        rename(path, arena_printf(arena, "%s.1", path)) != 0)
        return error_errno(err, "cannot rename \"%s\"", path);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0)
        return error_errno(err, "cannot write \"%s\"", path);
    while (at < length) {
        ssize_t written = write(file, lines + at, length - at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            break;
        at += (size_t)written;
    }
    bool is_written = at == length || error_errno(err, "cannot write \"%s\"", path);
    close(file);
    return is_written;
}

static bool
add_lines(struct arena *arena, struct text *all, const char *path, struct error *err)
{
    char *text;
    size_t length;

    if (!file_exists(path))
        return true;
    if (!file_read(arena, path, &text, &length, err))
        return false;
    for (char *line = text; *line != '\0';) {
        size_t end = strcspn(line, "\n");
        /* A line that a crash cut short is left out. */
        if (line[end] == '\n' && end > 1 && line[0] == '{' && line[end - 1] == '}') {
            text_append(all, all->length > 1 ? "," : "");
            text_append_bytes(all, line, end);
        }
        line += end + (line[end] == '\n');
    }
    return true;
}

bool
alert_history_read(struct arena *arena, const char *folder, char **ret_lines, struct error *err)
{
    AUTO_TEXT all = {0};
    char *path = arena_printf(arena, "%s/history.jsonl", folder);

    text_append(&all, "[");
    if (!add_lines(arena, &all, arena_printf(arena, "%s.1", path), err) ||
        !add_lines(arena, &all, path, err))
        return false;
    text_append(&all, "]");
    *ret_lines = arena_strdup(arena, text_chars(&all));
    return true;
}
