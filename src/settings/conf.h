/* The text of configuration files: pgdeck's own include file, and the line in postgresql.conf that
 * includes it. Pure. */
#pragma once
#include "base/arena.h"
#include <stdbool.h>

#define CONF_OWN_NAME "pgdeck.conf"

struct conf_entry {
    const char *name;
    const char *value; /* as it is, without quotes */
};
struct conf_entries {
    LIST_OF(struct conf_entry) list; /* in the file's order, a name once */
};

/* The entries of a file as pgdeck writes it (any that PostgreSQL takes, but for include lines). */
void conf_read(struct arena *arena, const char *text, struct conf_entries *ret_entries);
/* NULL: not there. */
const char *conf_value(const struct conf_entries *entries, const char *name);
/* Replaces the value, or adds the entry at its place by name. */
void
conf_set(struct arena *arena, struct conf_entries *entries, const char *name, const char *value);
void conf_unset(struct conf_entries *entries, const char *name);
/* The way back of a change in the journal: a line for conf_read, or that the name was not there. */
const char *conf_undo_line(struct arena *arena, const char *name, const char *former);
void conf_undo(struct arena *arena, const char *line, struct conf_entries *entries);
/* The whole file; title: what the deck calls the server. */
const char *conf_write(struct arena *arena, const char *title, const struct conf_entries *entries);
/* One line of it: name = 'value' */
const char *conf_line(struct arena *arena, const char *name, const char *value);

/* Whether some line includes pgdeck.conf, ours or one that somebody else has written so. */
bool conf_has_include(struct arena *arena, const char *text);
/* postgresql.conf with the lines that include pgdeck.conf at its end; unchanged when it includes
 * it already. */
const char *conf_add_include(struct arena *arena, const char *text);
/* Without the lines that conf_add_include has added, to the byte, wherever they stand now;
 * unchanged when they are not there. */
const char *conf_remove_include(struct arena *arena, const char *text);
