// SPDX-License-Identifier: MIT
#include "base/embed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_path(const void *path, const void *file)
{
    return strcmp(path, ((const struct embedded_file *)file)->path);
}

const struct embedded_file *
embedded_file(const char *path)
{
    /* tools/embed writes the table sorted by path. */
    const struct embedded_file *file =
        bsearch(path, embedded_files, embedded_file_count, sizeof(*embedded_files), compare_path);

    if (file == NULL) {
        fprintf(stderr, "pgdeck: internal error: no embedded file %s\n", path);
        abort();
    }
    return file;
}

const char *
embedded_header(const struct embedded_file *file, const char *key, char *value, size_t size)
{
    size_t key_length = strlen(key);

    for (const char *line = file->text; strncmp(line, "--", 2) == 0;) {
        const char *end = strchr(line, '\n');
        if (end == NULL)
            end = line + strlen(line);
        if (strncmp(line, "-- ", 3) == 0 && strncmp(line + 3, key, key_length) == 0 &&
            line[3 + key_length] == ':') {
            const char *start = line + 3 + key_length + 1;
            while (start < end && *start == ' ')
                start++;
            snprintf(value, size, "%.*s", (int)(end - start), start);
            return value;
        }
        line = *end == '\n' ? end + 1 : end;
    }
    return NULL;
}
