// SPDX-License-Identifier: MIT
#include "settings/parameters.h"

#include "base/embed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

void
settings_parameters(struct arena *arena, int major, struct catalog_server *catalog)
{
    const struct embedded_file *file = embedded_file("settings/parameters.tsv");
    size_t length;

    for (const char *line = file->text; *line != '\0'; line += length + (line[length] == '\n')) {
        char *cells[COLUMNS];
        length = strcspn(line, "\n");
        if (*line == '#')
            continue;
        split(arena_strndup(arena, line, length), cells);
        if (major < atoi(cells[COLUMN_FIRST]) || major > atoi(cells[COLUMN_LAST]))
            continue;
        struct catalog_setting *setting = LIST_ADD(arena, &catalog->settings);
        *setting = (struct catalog_setting){
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
    }
}
