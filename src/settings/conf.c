// SPDX-License-Identifier: MIT
#include "settings/conf.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* In front of the others when the file's last line was open, to be opened again. */
#define CLOSING_LINES "\n# The line above had no line break.\n"
#define INCLUDE_LINES                                                                              \
    "# The next line is pgdeck's (pgdeck rollback removes it); keep it the last.\n"                \
    "include_if_exists = '" CONF_OWN_NAME "'\n"

static const char *
skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

static bool
is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$' || (unsigned char)c >= 128;
}

/* 'it''s', with PostgreSQL's backslash escapes but octal ones, which pgdeck does not write. */
static const char *
read_quoted(const char *at, struct text *value)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

    for (; *at != '\0' && *at != '\n'; at++) {
        if (*at == '\'' && at[1] != '\'')
            return at + 1;
        const char *escape = NULL;
        if (*at == '\'' || (*at == '\\' && at[1] != '\0' && at[1] != '\n')) {
            escape = *at == '\\' ? strchr(from, at[1]) : NULL;
            at++;
        }
        text_append_bytes(value, escape != NULL ? &to[escape - from] : at, 1);
    }
    return at;
}

/* One line: false when it sets nothing. */
static bool
read_line(struct arena *arena, const char *line, struct conf_entry *ret_entry)
{
    AUTO_TEXT value = {0};
    const char *name = skip_blanks(line);
    const char *at = name;

    while (is_name_character(*at))
        at++;
    if (at == name)
        return false;
    size_t length = (size_t)(at - name);
    at = skip_blanks(at);
    at = skip_blanks(*at == '=' ? at + 1 : at);
    if (*at == '\'')
        read_quoted(at + 1, &value);
    else
        text_append_bytes(&value, at, strcspn(at, " \t\r\n#"));
    ret_entry->name = arena_strndup(arena, name, length);
    ret_entry->value = arena_strdup(arena, text_chars(&value));
    return true;
}

static struct conf_entry *
find(const struct conf_entries *entries, const char *name)
{
    for (size_t i = 0; i < entries->list.count; i++) {
        if (strcasecmp(entries->list.items[i].name, name) == 0)
            return &entries->list.items[i];
    }
    return NULL;
}

const char *
conf_value(const struct conf_entries *entries, const char *name)
{
    const struct conf_entry *entry = find(entries, name);

    return entry == NULL ? NULL : entry->value;
}

void
conf_set(struct arena *arena, struct conf_entries *entries, const char *name, const char *value)
{
    struct conf_entry *entry = find(entries, name);
    size_t at = entries->list.count;

    if (entry != NULL) {
        entry->value = value;
        return;
    }
    LIST_ADD(arena, &entries->list);
    for (; at > 0 && strcasecmp(entries->list.items[at - 1].name, name) > 0; at--)
        entries->list.items[at] = entries->list.items[at - 1];
    entries->list.items[at] = (struct conf_entry){name, value};
}

void
conf_unset(struct conf_entries *entries, const char *name)
{
    struct conf_entry *entry = find(entries, name);

    if (entry == NULL)
        return;
    size_t rest = (size_t)(entries->list.items + entries->list.count - (entry + 1));
    memmove(entry, entry + 1, rest * sizeof(*entry));
    entries->list.count--;
}

void
conf_read(struct arena *arena, const char *text, struct conf_entries *ret_entries)
{
    struct conf_entries entries = {0};
    struct conf_entry entry;

    for (const char *line = text; *line != '\0';) {
        if (read_line(arena, line, &entry))
            conf_set(arena, &entries, entry.name, entry.value);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    *ret_entries = entries;
}

const char *
conf_line(struct arena *arena, const char *name, const char *value)
{
    AUTO_TEXT line = {0};

    text_appendf(&line, "%s = '", name);
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n')
            text_append(&line, "\\n");
        else if (*at == '\'' || *at == '\\')
            text_appendf(&line, "%c%c", *at, *at);
        else
            text_append_bytes(&line, at, 1);
    }
    text_append(&line, "'");
    return arena_strdup(arena, text_chars(&line));
}

#define NOT_SET " not set"

const char *
conf_undo_line(struct arena *arena, const char *name, const char *former)
{
    return former != NULL ? conf_line(arena, name, former)
                          : arena_printf(arena, "%s%s", name, NOT_SET);
}

void
conf_undo(struct arena *arena, const char *line, struct conf_entries *entries)
{
    struct conf_entry former;
    size_t length = strlen(line);
    size_t mark = strlen(NOT_SET);

    if (length <= mark || strcmp(line + length - mark, NOT_SET) != 0) {
        if (read_line(arena, line, &former))
            conf_set(arena, entries, former.name, former.value);
        return;
    }
    conf_unset(entries, arena_strndup(arena, line, length - mark));
}

const char *
conf_write(struct arena *arena, const char *title, const struct conf_entries *entries)
{
    AUTO_TEXT text = {0};

    text_appendf(
        &text,
        "# Written by pgdeck apply for the deck's server %s. What is changed here by hand\n"
        "# is drift to pgdeck plan, and replaced by the next apply: change the deck.\n"
        "# pgdeck rollback takes the newest apply back.\n",
        title);
    for (size_t i = 0; i < entries->list.count; i++)
        text_appendf(&text, "%s\n",
                     conf_line(arena, entries->list.items[i].name, entries->list.items[i].value));
    return arena_strdup(arena, text_chars(&text));
}

bool
conf_has_include(struct arena *arena, const char *text)
{
    struct conf_entry entry;

    for (const char *line = text; *line != '\0';) {
        if (read_line(arena, line, &entry) && strncasecmp(entry.name, "include", 7) == 0 &&
            strcmp(entry.value, CONF_OWN_NAME) == 0)
            return true;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}

const char *
conf_add_include(struct arena *arena, const char *text)
{
    size_t length = strlen(text);
    bool is_open = length > 0 && text[length - 1] != '\n';

    if (conf_has_include(arena, text))
        return text;
    return arena_printf(arena, "%s%s%s", text, is_open ? CLOSING_LINES : "", INCLUDE_LINES);
}

const char *
conf_remove_include(struct arena *arena, const char *text)
{
    const char *at = strstr(text, INCLUDE_LINES);

    if (at == NULL)
        return text;
    const char *rest = at + strlen(INCLUDE_LINES);
    size_t closing = strlen(CLOSING_LINES);
    if ((size_t)(at - text) >= closing && memcmp(at - closing, CLOSING_LINES, closing) == 0) {
        /* When something has been added behind, the line stays closed. */
        at -= *rest == '\0' ? closing : closing - 1;
    }
    return arena_printf(arena, "%.*s%s", (int)(at - text), text, rest);
}
