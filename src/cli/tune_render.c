// SPDX-License-Identifier: MIT
#include "cli/tune.h"

#include "base/json_text.h"
#include "base/text.h"
#include "settings/provider.h"
#include "settings/statement.h"
#include "settings/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With one environment its values hold for the whole server. */
static bool
is_for_all(const struct tune_server *server, const struct settings_row *row)
{
    return row->environment == NULL || settings_sole(&server->survey.input) != NULL;
}

/* The first row of each parameter and environment: databases that differ get the same. */
static bool
is_repeated(const struct tune_server *server, size_t at)
{
    const struct settings_row *rows = server->survey.rows.items;

    return at > 0 && rows[at].rule == rows[at - 1].rule &&
           tune_is_of(&rows[at], rows[at - 1].environment);
}

/* As a comment: no line of it may begin anything else. */
static void
add_comment(struct text *text, const char *comment)
{
    text_append(text, "# ");
    text_append_visible(text, comment);
    text_append(text, "\n");
}

static void
add_conf_line(struct text *text, const struct settings_row *row)
{
    text_appendf(text, "%s = '", row->rule->name);
    for (const char *at = row->proposed; *at != '\0'; at++) {
        char both[] = {*at, '\0'};
        text_append(text, *at == '\'' ? "''" : both);
    }
    text_append(text, "'\n");
}

void
tune_render_conf(const struct tune_server *server)
{
    AUTO_TEXT text = {0};

    text_appendf(&text, "# pgdeck tune, for PostgreSQL %d, server %s\n",
                 server->advice.catalog->major, server->advice.server->name);
    for (size_t i = 0; i < server->survey.rows.count; i++) {
        const struct settings_row *row = &server->survey.rows.items[i];
        if (row->proposed == NULL || is_repeated(server, i))
            continue;
        add_comment(&text, row->why);
        if (row->warning != NULL)
            add_comment(&text,
                        arena_printf(server->survey.input.arena, "warning: %s", row->warning));
        if (is_for_all(server, row)) {
            add_conf_line(&text, row);
        } else { /* not a server's to set */
            add_comment(&text, arena_printf(server->survey.input.arena,
                                            "by ALTER DATABASE in environment %s: %s = %s",
                                            row->environment, row->rule->name, row->proposed));
        }
    }
    fputs(text_chars(&text), stdout);
}

static void
add_databases(struct text *text, const struct tune_server *server, const struct settings_row *row)
{
    const struct deck *deck = server->advice.deck;

    for (size_t i = 0; i < deck->databases.count; i++) {
        if (strcmp(deck->databases.items[i].environment->name, row->environment) == 0)
            text_appendf(text, "%s;\n",
                         settings_alter_database(server->survey.input.arena,
                                                 deck->databases.items[i].name, row->rule->name,
                                                 row->proposed));
    }
}

/* A script for psql; ALTER SYSTEM cannot run in a transaction. */
void
tune_render_alter_system(const struct tune_server *server)
{
    AUTO_TEXT text = {0};
    bool has_databases = server->advice.deck->databases.count > 0;

    text_appendf(&text, "-- pgdeck tune, for PostgreSQL %d, server %s\n",
                 server->advice.catalog->major, server->advice.server->name);
    for (size_t i = 0; i < server->survey.rows.count; i++) {
        const struct settings_row *row = &server->survey.rows.items[i];
        if (row->proposed == NULL || is_repeated(server, i))
            continue;
        if (row->environment != NULL && has_databases)
            add_databases(&text, server, row);
        else
            text_appendf(
                &text, "%s;\n",
                settings_alter_system(server->survey.input.arena, row->rule, row->proposed));
    }
    text_append(&text, "SELECT pg_reload_conf();\n");
    fputs(text_chars(&text), stdout);
}

/* What ALTER DATABASE cannot do there: the server's parameters, and those of its one environment
 * that only a superuser may set. */
static bool
is_of_provider(const struct tune_server *server, size_t at)
{
    const struct settings_row *row = &server->survey.rows.items[at];
    bool is_users = strcmp(row->setting->context, "user") == 0;

    return row->proposed != NULL && !is_repeated(server, at) &&
           (row->environment == NULL || (is_for_all(server, row) && !is_users));
}

bool
tune_render_provider(const struct tune_server *server)
{
    struct arena *arena = server->survey.input.arena;
    struct settings_provider_item *items =
        ARENA_ARRAY(arena, struct settings_provider_item, server->survey.rows.count + 1);
    struct settings_managed managed;
    size_t count = 0;
    AUTO_TEXT text = {0};

    if (!settings_find_provider(arena, server->advice.server, server->advice.catalog, &managed))
        return false;
    text_appendf(&text, "# pgdeck tune, for PostgreSQL %d, server %s, provider %s\n",
                 server->advice.catalog->major, server->advice.server->name,
                 managed.provider->name);
    for (size_t i = 0; i < server->survey.rows.count; i++) {
        const struct settings_row *row = &server->survey.rows.items[i];
        if (!is_of_provider(server, i))
            continue;
        const char *refusal = settings_provider_refusal(managed.provider, row->rule->name);
        if (refusal != NULL)
            add_comment(&text, arena_printf(arena, "left out: %s: %s", row->rule->name, refusal));
        else
            items[count++] = (struct settings_provider_item){row->setting, row->proposed};
    }
    settings_provider_script(arena, managed.provider, items, count, &text);
    fputs(text_chars(&text), stdout);
    return true;
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *
json_row(const struct settings_row *row)
{
    return json_pack("{s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:b, s:s}", "name",
                     row->rule->name, "environment", json_text(row->environment), "database",
                     json_text(row->database), "current", row->current, "proposed",
                     json_text(row->proposed), "where", row->where, "overrides", row->overrides,
                     "why", row->why, "warning", json_text(row->warning), "obstacle",
                     json_text(row->obstacle), "is_change", row->is_change, "needs",
                     settings_need_name(row->need));
}

static json_t *
json_memory(const struct settings_input *input)
{
    struct settings_memory memory;

    if (!settings_memory_read(input, &memory))
        return json_null();
    return json_pack("{s:I, s:s, s:I, s:s, s:I, s:s}", "budget_bytes",
                     (json_int_t)input->memory_bytes, "budget_from", input->memory_from,
                     "expected_bytes", (json_int_t)memory.expected_bytes, "expected",
                     memory.expected_terms, "worst_bytes", (json_int_t)memory.worst_bytes, "worst",
                     memory.worst_terms);
}

/* NULL: pgtune does not set it, or is not asked. */
static const char *
pgtune_of(const struct tune_server *server, const struct settings_row *row)
{
    const struct pgtune_input input = tune_pgtune_input(server);

    return input.memory_bytes == 0
               ? NULL
               : pgtune_value(server->survey.input.arena, &input, row->rule->name);
}

void
tune_render_json(const struct tune_server *servers, size_t count, bool with_pgtune)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *rows = json_array();
        for (size_t j = 0; j < servers[i].survey.rows.count; j++)
            json_array_append_new(rows, json_row(&servers[i].survey.rows.items[j]));
        for (size_t j = 0; with_pgtune && j < servers[i].survey.rows.count; j++)
            json_object_set_new(
                json_array_get(rows, j), "pgtune",
                json_text(pgtune_of(&servers[i], &servers[i].survey.rows.items[j])));
        json_array_append_new(list, json_pack("{s:s, s:i, s:b, s:o, s:o}", "server",
                                              servers[i].advice.server->name, "version",
                                              servers[i].advice.catalog->major, "is_offline",
                                              servers[i].is_offline, "settings", rows, "memory",
                                              json_memory(&servers[i].survey.input)));
    }
    json_t *all = json_pack("{s:o}", "servers", list);
    char *chars = json_dumps(all, JSON_INDENT(2));
    puts(chars == NULL ? "" : chars);
    free(chars);
    json_decref(all);
}
