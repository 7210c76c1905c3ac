// SPDX-License-Identifier: MIT
#include "advise/input.h"

#include "base/file.h"
#include "deck/sql_tokens.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct file_reading {
    struct advise *run;
    const char *path;
    const char *text;
    size_t counted; /* bytes whose lines are in line */
    int line;
};

static int
line_of(struct file_reading *reading, size_t offset)
{
    for (; reading->counted < offset; reading->counted++)
        reading->line += reading->text[reading->counted] == '\n';
    return reading->line;
}

/* "-- calls: 1000" between the statement before and this one. */
static double
calls_of(const struct file_reading *reading, size_t from, size_t to)
{
    const char *remarks = arena_strndup(reading->run->arena, reading->text + from, to - from);
    const char *at = strstr(remarks, "-- calls:");
    double calls = at == NULL ? 0 : strtod(at + strlen("-- calls:"), NULL);

    return calls > 0 ? calls : 1;
}

static void
add_statement(struct file_reading *reading, size_t from, size_t start, size_t end)
{
    struct arena *arena = reading->run->arena;

    advise_add(reading->run,
               &(struct advise_statement){
                   .text = arena_strndup(arena, reading->text + start, end - start),
                   .source = arena_printf(arena, "%s:%d", reading->path, line_of(reading, start)),
                   .calls = calls_of(reading, from, start)});
}

static bool
read_file(struct advise *run, const char *path, struct error *err)
{
    struct file_reading reading = {.run = run, .path = path, .line = 1};
    struct sql_tokens tokens;
    struct error fault = {0};
    char *text;
    size_t length;
    size_t behind = 0;

    if (!file_read(run->arena, path, &text, &length, err))
        return false;
    reading.text = text;
    if (!sql_tokens_read(run->arena, text, &tokens, &fault)) {
        advise_add(run, &(struct advise_statement){.text = text, .source = path, .calls = 1});
        return true;
    }
    for (size_t first = 0; first < tokens.list.count;) {
        size_t end = sql_statement_end(&tokens, first);
        size_t start = tokens.list.items[first].start;
        if (end > first)
            add_statement(&reading, behind, start, tokens.list.items[end - 1].end);
        behind = end > first ? tokens.list.items[end - 1].end : behind;
        first = end + 1;
    }
    return true;
}

static int
is_sql_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 4 && strcmp(entry->d_name + length - 4, ".sql") == 0;
}

bool
advise_input_file(struct advise *run, const char *path, struct error *err)
{
    struct stat status;
    struct dirent **entries;
    bool is_fine = true;

    if (stat(path, &status) != 0)
        return error_errno(err, "cannot read %s", path);
    if (!S_ISDIR(status.st_mode))
        return read_file(run, path, err);
    int count = scandir(path, &entries, is_sql_file, alphasort);
    if (count < 0)
        return error_errno(err, "cannot read %s", path);
    for (int i = 0; i < count; i++) {
        const char *file = arena_printf(run->arena, "%s/%s", path, entries[i]->d_name);
        is_fine = is_fine && read_file(run, file, err);
        free(entries[i]);
    }
    free(entries);
    return is_fine;
}
