// SPDX-License-Identifier: MIT
#include "settings/parameters.h"

#include "base/embed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum column {
    COLUMN_NAME,
    COLUMN_FIRST,
    COLUMN_LAST,
    COLUMN_VARTYPE,
    COLUMN_UNIT,
    COLUMN_CONTEXT,
    COLUMN_MIN,
    COLUMN_MAX,
    COLUMN_WORDS,
    COLUMN_DEFAULT,
    COLUMNS
};

/* Cuts the line up in place. */
static void
split(char *line, char *cells[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++) {
        cells[i] = line;
        line += strcspn(line, "\t");
        assert((*line == '\t') == (i + 1 < COLUMNS));
        if (*line == '\t')
            *line++ = '\0';
    }
}

/* One line of the table; false: it is of other versions, or a comment. */
static bool
read_line(struct arena *arena, const char *line, int major, struct catalog_setting *ret_setting)
{
    char *cells[COLUMNS];

    if (*line == '#')
        return false;
    split(arena_strndup(arena, line, strcspn(line, "\n")), cells);
    if (major < atoi(cells[COLUMN_FIRST]) || major > atoi(cells[COLUMN_LAST]))
        return false;
    *ret_setting = (struct catalog_setting){
        .name = cells[COLUMN_NAME],
        .setting = cells[COLUMN_DEFAULT],
        .boot_value = cells[COLUMN_DEFAULT],
        .reset_value = cells[COLUMN_DEFAULT],
        .unit = cells[COLUMN_UNIT],
        .context = cells[COLUMN_CONTEXT],
        .vartype = cells[COLUMN_VARTYPE],
        .min_value = cells[COLUMN_MIN],
        .max_value = cells[COLUMN_MAX],
        .enum_values = cells[COLUMN_WORDS],
        .source = "default",
        .source_file = "",
    };
    return true;
}

static const char *
next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end == NULL ? line + strlen(line) : end + 1;
}

void
settings_parameters(struct arena *arena, int major, struct catalog_server *catalog)
{
    const struct embedded_file *file = embedded_file("settings/parameters.tsv");
    struct catalog_setting setting;

    for (const char *line = file->text; *line != '\0'; line = next_line(line)) {
        if (read_line(arena, line, major, &setting))
            *LIST_ADD(arena, &catalog->settings) = setting;
    }
}

const struct catalog_setting *
settings_parameter(struct arena *arena, int major, const char *name)
{
    const struct embedded_file *file = embedded_file("settings/parameters.tsv");
    size_t length = strlen(name);
    struct catalog_setting setting;

    for (const char *line = file->text; *line != '\0'; line = next_line(line)) {
        if (strncasecmp(line, name, length) != 0 || line[length] != '\t' ||
            !read_line(arena, line, major, &setting))
            continue;
        struct catalog_setting *found = ARENA_NEW(arena, struct catalog_setting);
        *found = setting;
        return found;
    }
    return NULL;
}
