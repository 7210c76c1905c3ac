// SPDX-License-Identifier: MIT
#include "settings/drift.h"

#include "base/embed.h"
#include "base/text.h"
#include "settings/obstacle.h"
#include "settings/statement.h"
#include "settings/value.h"
#include "settings/wanted.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- evidence ----------------------------------------------------------------------------- */

/* One value of one row; NULL when there is none, or the role may not ask: evidence is welcome,
 * never needed. */
static const char *
ask(const struct settings_evidence *evidence, const char *file, const char *parameter,
    const char *column)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (evidence->advice->catalog->connection == NULL ||
        !pg_query(evidence->advice->catalog->connection, embedded_file(file)->text,
                  parameter == NULL ? 0 : 1, &parameter, &result, &ignored) ||
        PQntuples(result) == 0 || pg_value(result, 0, column) == NULL)
        return NULL;
    return arena_strdup(evidence->advice->arena, pg_value(result, 0, column));
}

static void
read_own_log(struct settings_evidence *evidence)
{
    AUTO_PGRESULT result = NULL;
    struct error ignored;

    if (!pg_query(evidence->advice->catalog->connection,
                  embedded_file("settings/sql/log_lines.sql")->text, 0, NULL, &result, &ignored))
        return;
    for (int row = 0; row < PQntuples(result); row++)
        *LIST_ADD(evidence->advice->arena, &evidence->lines) =
            arena_strdup(evidence->advice->arena, pg_value(result, row, "line"));
}

/* Where the server's log goes when it does not keep one itself: its standard error. */
static FILE *
open_standard_error(const char *data_directory)
{
    char path[4200], line[64] = "";

    snprintf(path, sizeof(path), "%s/postmaster.pid", data_directory);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    if (fgets(line, sizeof(line), file) == NULL)
        line[0] = '\0';
    fclose(file);
    snprintf(path, sizeof(path), "/proc/%ld/fd/2", strtol(line, NULL, 10));
    file = fopen(path, "re");
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) /* only a regular file can */
        return file;
    if (file != NULL)
        fclose(file);
    return NULL;
}

static void
read_host_log(struct settings_evidence *evidence)
{
    enum { LINE_BYTES = 8192 };
    const long most = 4L << 20;
    char *line = arena_alloc(evidence->advice->arena, LINE_BYTES);
    regex_t about;
    FILE *file = open_standard_error(evidence->advice->catalog->data_directory);

    if (file == NULL)
        return;
    if (regcomp(&about,
                "ALTER[[:space:]]+(SYSTEM|DATABASE|ROLE|USER)[[:space:]].*(SET|RESET)[[:space:]]|"
                "parameter \"[^\"]+\" (changed to|removed from)",
                REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        fclose(file);
        return;
    }
    long end = ftell(file);
    if (fseek(file, end > most ? end - most : 0, SEEK_SET) == 0) {
        while (fgets(line, LINE_BYTES, file) != NULL) {
            line[strcspn(line, "\n")] = '\0';
            if (regexec(&about, line, 0, NULL, 0) == 0)
                *LIST_ADD(evidence->advice->arena, &evidence->lines) =
                    arena_strdup(evidence->advice->arena, line);
        }
    }
    regfree(&about);
    fclose(file);
}

static void
read_evidence(struct settings_evidence *evidence)
{
    const struct catalog_server *catalog = evidence->advice->catalog;

    if (evidence->is_read || catalog->connection == NULL)
        return;
    evidence->is_read = true;
    evidence->loaded_at = ask(evidence, "settings/sql/load_time.sql", NULL, "loaded_at");
    read_own_log(evidence);
    if (evidence->lines.count == 0 && catalog->is_local)
        read_host_log(evidence);
}

static bool
is_name_character(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           character == '_';
}

static bool
names(const char *line, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strcasestr(line, name); at != NULL; at = strcasestr(at + 1, name)) {
        if ((at == line || !is_name_character(at[-1])) && !is_name_character(at[length]))
            return true;
    }
    return false;
}

/* About the value that pgdeck set: it writes all values in quotes, the server's report too. */
static bool
is_of_pgdeck(const struct settings_evidence *evidence, const char *line, const char *value)
{
    struct arena *arena = evidence->advice->arena;

    return strstr(line, pg_literal(arena, value)) != NULL ||
           strstr(line, arena_printf(arena, "changed to \"%s\"", value)) != NULL;
}

/* The newest statement and the newest report of the server that name it. */
static void
add_log_lines(const struct settings_evidence *evidence, const char *name, const char *value,
              const char *database, struct text *text)
{
    const char *newest[2] = {NULL, NULL};

    for (size_t i = 0; i < evidence->lines.count; i++) {
        const char *line = evidence->lines.items[i];
        bool is_report = strstr(line, "parameter \"") != NULL;
        if (!names(line, name) || is_of_pgdeck(evidence, line, value) ||
            (database != NULL && (is_report || strstr(line, database) == NULL)) ||
            (database == NULL && !is_report && strcasestr(line, "ALTER SYSTEM") == NULL))
            continue;
        newest[is_report] = line;
    }
    for (size_t i = 0; i < 2; i++) {
        if (newest[i] == NULL)
            continue;
        text_append(text, "; the log: ");
        text_append_visible(text, newest[i]);
    }
}

/* --- what was and what is ----------------------------------------------------------------- */

static const char *
where_now(const struct settings_evidence *evidence, const struct catalog_setting *setting)
{
    const struct catalog_file_setting *entry = setting->in_files;
    struct arena *arena = evidence->advice->arena;

    if (strcmp(setting->source, "command line") == 0)
        return "on the server's command line";
    if (entry == NULL)
        return evidence->advice->catalog->can_read_files ? "no file sets it any more"
                                                         : setting->source;
    const char *written_at = ask(evidence, "settings/sql/file_time.sql", entry->file, "written_at");
    return arena_printf(arena, "%s:%d%s%s", entry->file, entry->line,
                        written_at == NULL ? "" : ", a file last written on ",
                        written_at == NULL ? "" : written_at);
}

const char *
settings_server_drift(struct settings_evidence *evidence, const struct settings_rule *rule,
                      const struct catalog_setting *setting)
{
    const struct catalog_server *catalog = evidence->advice->catalog;
    struct arena *arena = evidence->advice->arena;
    const char *key = arena_printf(arena, "setting %s", rule->name);
    const struct catalog_memo *memo = catalog_find_memo(catalog, NULL, key);
    const char *next = setting_next_value(setting);
    AUTO_TEXT text = {0};

    if (memo == NULL || settings_is_equal(rule, setting, next, memo->declared))
        return NULL;
    read_evidence(evidence);
    text_appendf(&text, "pgdeck set %s on %s, now it is %s (%s)", memo->declared, memo->done_at,
                 setting_readable(arena, setting, next), where_now(evidence, setting));
    if (evidence->loaded_at != NULL)
        text_appendf(&text, "; the server read its files last on %.19s UTC", evidence->loaded_at);
    add_log_lines(evidence, rule->name, memo->declared, NULL, &text);
    return arena_strdup(arena, text_chars(&text));
}

const char *
settings_declared_line(struct arena *arena, const char *name, const char *value)
{
    return arena_printf(arena, "%s=%s\n", name, value);
}

/* The value of that name in the lines; NULL: there is none. */
static const char *
declared_value(struct arena *arena, const char *lines, const char *name)
{
    size_t length = strlen(name);

    while (*lines != '\0') {
        size_t end = strcspn(lines, "\n");
        if (strncmp(lines, name, length) == 0 && lines[length] == '=')
            return arena_strndup(arena, lines + length + 1, end - length - 1);
        lines += end + (lines[end] == '\n');
    }
    return NULL;
}

const char *
settings_database_drift(struct settings_evidence *evidence, const struct settings_rule *rule,
                        const struct catalog_setting *setting, const char *database)
{
    const struct catalog_server *catalog = evidence->advice->catalog;
    struct arena *arena = evidence->advice->arena;
    const struct catalog_database *snapshot = catalog_find_database(catalog, database);
    const struct catalog_memo *memo =
        snapshot == NULL ? NULL : catalog_find_memo(catalog, snapshot, SETTINGS_DATABASE_KEY);
    const char *set = memo == NULL ? NULL : declared_value(arena, memo->declared, rule->name);
    const char *own = catalog_role_setting_value(catalog, database, "", rule->name);
    const char *now = settings_database_value(catalog, database, setting);
    AUTO_TEXT text = {0};

    if (set == NULL || settings_is_equal(rule, setting, now, set))
        return NULL;
    read_evidence(evidence);
    text_appendf(&text, "pgdeck set %s %s on %s, now it is %s (%s", rule->name, set, memo->done_at,
                 setting_readable(arena, setting, now),
                 own != NULL ? "by ALTER DATABASE" : "the database's own value was RESET");
    const char *changed_at = ask(evidence, "settings/sql/set_times.sql", database, "changed_at");
    text_appendf(&text, "%s%s)", changed_at == NULL ? "" : ", on ",
                 changed_at == NULL ? "" : changed_at);
    add_log_lines(evidence, rule->name, set, database, &text);
    return arena_strdup(arena, text_chars(&text));
}

/* --- what waits in the files -------------------------------------------------------------- */

/* A value in the files that the server does not have yet. */
static bool
is_waiting(const struct settings_input *input, const struct catalog_setting *setting)
{
    const struct catalog_file_setting *entry = setting->in_files;
    const struct settings_rule *rule = settings_find_rule(input, setting->name, SETTINGS_OF_SERVER);
    struct settings_case of = {.input = input, .current = setting};
    struct settings_proposal proposal;
    bool is_valid, is_limited;

    if (entry == NULL || strcmp(setting->source, "command line") == 0 ||
        strcmp(setting->source, "override") == 0 ||
        (rule != NULL && settings_propose(rule, &of, &proposal)))
        return false;
    is_valid = setting_clamp(input->arena, setting, entry->setting, &is_limited) != NULL;
    return is_valid && !is_limited &&
           !setting_is_equal(setting, entry->setting, setting_server_value(setting));
}

static void
note_waiting(struct advice *advice, const struct settings_input *input, bool by_restart,
             bool is_planned)
{
    const struct catalog_server *catalog = advice->catalog;
    AUTO_TEXT text = {0};

    for (size_t i = 0; i < catalog->settings.count; i++) {
        const struct catalog_setting *setting = &catalog->settings.items[i];
        bool is_postmaster = strcmp(setting->context, "postmaster") == 0;
        if (is_postmaster != by_restart || !is_waiting(input, setting))
            continue;
        const struct catalog_file_setting *entry = setting->in_files;
        text_appendf(&text, "%s%s = %s, now %s (%s:%d)", text.length > 0 ? ", " : "", setting->name,
                     setting_readable(advice->arena, setting, entry->setting),
                     setting_readable(advice->arena, setting, setting_server_value(setting)),
                     entry->file, entry->line);
    }
    if (text.length > 0)
        change_list_note(advice->changes, advice->server->name, NULL, advice->server->place,
                         "changed by hand in the files: %s. The %s%s brings it into effect%s.",
                         text_chars(&text), is_planned ? "" : "next ",
                         by_restart ? "restart" : "reload", is_planned ? " as well" : "");
}

void
settings_note_waiting(struct advice *advice, const struct settings_input *input, bool has_reload,
                      bool has_restart)
{
    if (settings_faulty_line(advice->catalog) != NULL)
        return; /* then nothing of it will come into effect */
    note_waiting(advice, input, false, has_reload);
    note_waiting(advice, input, true, has_restart);
}
