// SPDX-License-Identifier: MIT
#include "settings/statement.h"

#include "base/text.h"
#include "pg/script.h"
#include "settings/value.h"

#include <string.h>

bool
settings_is_equal(const struct settings_rule *rule, const struct catalog_setting *setting,
                  const char *a, const char *b)
{
    if (!rule->is_list)
        return setting_is_equal(setting, a, b);
    AUTO_ARENA arena = arena_new();
    char **words_a, **words_b;
    size_t count = setting_words(arena, a, &words_a);
    bool is_same = setting_words(arena, b, &words_b) == count;

    for (size_t i = 0; is_same && i < count; i++)
        is_same = strcmp(words_a[i], words_b[i]) == 0;
    return is_same;
}

/* Words of a list are quoted one by one: one literal would be one library with commas in it. */
static const char *
literals_of(struct arena *arena, const char *name, const char *value)
{
    AUTO_TEXT literals = {0};
    char **words = NULL;
    bool is_list = setting_is_list(name);
    size_t count = is_list ? setting_words(arena, value, &words) : 0;

    for (size_t i = 0; i < count; i++)
        text_appendf(&literals, "%s%s", i > 0 ? ", " : "", pg_literal(arena, words[i]));
    if (count == 0)
        text_append(&literals, pg_literal(arena, is_list ? "" : value));
    return arena_strdup(arena, text_chars(&literals));
}

const char *
settings_alter_system(struct arena *arena, const struct settings_rule *rule, const char *value)
{
    return pg_script(
        arena, "settings/sql/alter_system.sql",
        PG_VARIABLES({"name", rule->name}, {"values", literals_of(arena, rule->name, value)}));
}

const char *
settings_alter_database(struct arena *arena, const char *database, const char *name,
                        const char *value)
{
    if (value == NULL)
        return pg_script(arena, "settings/sql/alter_database_reset.sql",
                         PG_VARIABLES({"database", database}, {"name", name}));
    return pg_script(arena, "settings/sql/alter_database.sql",
                     PG_VARIABLES({"database", database}, {"name", name},
                                  {"values", literals_of(arena, name, value)}));
}
