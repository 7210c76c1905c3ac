// SPDX-License-Identifier: MIT
/* What PostgreSQL says of a value, said before it is asked. */
#include "base/text.h"
#include "settings/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const memory_units[] = {"B", "kB", "MB", "GB", "TB", NULL};
static const char *const time_units[] = {"us", "ms", "s", "min", "h", "d", NULL};

/* Words that a server knows or not by how it was built. */
static const char *const words_of_builds[] = {"lz4", "zstd", "io_uring", NULL};

static bool
is_among(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcasecmp(*words, word) == 0)
            return true;
    }
    return false;
}

bool
setting_is_of_sessions(const struct catalog_setting *setting)
{
    return strcmp(setting->context, "user") == 0 || strcmp(setting->context, "superuser") == 0;
}

bool
setting_is_list(const char *name)
{
    static const char *const lists[] = {"local_preload_libraries",
                                        "search_path",
                                        "session_preload_libraries",
                                        "shared_preload_libraries",
                                        "temp_tablespaces",
                                        "unix_socket_directories",
                                        NULL};
    return is_among(name, lists);
}

/* The units of the parameter's kind; NULL: it has none. */
static const char *const *
units_of(const struct catalog_setting *setting)
{
    const char *unit = setting->unit + strspn(setting->unit, "0123456789");

    if (unit[0] == '\0')
        return NULL;
    return is_among(unit, memory_units) ? memory_units : time_units;
}

static void
hint_words(struct error *err, const char *before, const char *const *words)
{
    AUTO_TEXT all = {0};

    for (size_t i = 0; words[i] != NULL; i++)
        text_appendf(&all, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " and " : ", ", words[i]);
    error_hint(err, "%s %s.", before, text_chars(&all));
}

/* What begins like a number and is none. */
static bool
fault_of_number(const struct catalog_setting *setting, const char *value, struct error *err)
{
    const char *const *units = units_of(setting);
    const char *const *others = units == memory_units ? time_units : memory_units;
    char *end;
    double number = strtod(value, &end);

    (void)number;
    if (end == value || !isalpha((unsigned char)end[strspn(end, " ")])) {
        error_set(err, ERROR_DECK, "\"%s\" is no number", value);
        return units == NULL ? false
                             : (hint_words(err, "It may have one of the units", units), false);
    }
    end += strspn(end, " ");
    if (units == NULL) {
        error_set(err, ERROR_DECK, "\"%s\" has a unit, and this parameter has none", value);
        return error_hint(err, "Write %.*s.",
                          (int)strcspn(value, " abcdefghijklmnopqrstuvwxyz"
                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                          value);
    }
    for (size_t i = 0; units[i] != NULL; i++) {
        if (strcasecmp(units[i], end) != 0)
            continue;
        error_set(err, ERROR_DECK, "\"%s\" has no unit that PostgreSQL knows", end);
        return error_hint(err, "Units are case-sensitive: write %.*s%s.", (int)(end - value), value,
                          units[i]);
    }
    if (is_among(end, others))
        error_set(err, ERROR_DECK, "\"%s\" is a unit of %s, and this is an amount of %s", end,
                  others == time_units ? "time" : "memory",
                  units == time_units ? "time" : "memory");
    else
        error_set(err, ERROR_DECK, "\"%s\" has no unit that PostgreSQL knows", end);
    hint_words(err, "Its units are", units);
    return false;
}

static const char *
limit(struct arena *arena, const struct catalog_setting *setting, const char *value)
{
    return value[0] == '\0' ? "any" : setting_readable(arena, setting, value);
}

static bool
verify_number(const struct catalog_setting *setting, const char *value, struct error *err)
{
    AUTO_ARENA arena = arena_new();
    bool is_limited;

    if (setting_clamp(arena, setting, value, &is_limited) == NULL)
        return fault_of_number(setting, value, err);
    if (!is_limited)
        return true;
    error_set(err, ERROR_DECK, "%s is out of range", value);
    return error_hint(err, "It must be from %s to %s.", limit(arena, setting, setting->min_value),
                      limit(arena, setting, setting->max_value));
}

static bool
verify_word(const struct catalog_setting *setting, const char *value, bool is_any_build,
            struct error *err)
{
    AUTO_ARENA arena = arena_new();
    char **words;
    size_t count = pg_array(arena, setting->enum_values, &words);
    const char **all = ARENA_ARRAY(arena, const char *, count + 1);
    bool truth;

    memcpy(all, words, count * sizeof(*all));
    bool is_truth = is_among("on", all) && setting_boolean(value, &truth);
    bool is_of_builds =
        is_among(value, words_of_builds) &&
        (strcmp(value, "io_uring") == 0) == (strcmp(setting->name, "io_method") == 0) &&
        (is_among("pglz", all) || is_among("worker", all));
    if (setting_allows(setting, value) || is_truth || (is_of_builds && is_any_build))
        return true;
    if (is_of_builds) {
        error_set(err, ERROR_DECK, "this server was built without %s", value);
        hint_words(err, "It knows", all);
        return false;
    }
    error_set(err, ERROR_DECK, "it cannot be \"%s\"", value);
    const char *nearest = text_nearest(value, all);
    if (nearest != NULL)
        return error_hint(err, "Did you mean \"%s\"?", nearest);
    hint_words(err, "It may be", all);
    if (is_any_build && is_among("pglz", all))
        error_hint(err, "%.*s, or lz4 where the server was built with it.",
                   (int)strcspn(err->hint, "."), arena_strdup(arena, err->hint));
    return false;
}

bool
setting_verify(const struct catalog_setting *setting, const char *value, bool is_any_build,
               struct error *err)
{
    bool truth;

    if (strcmp(setting->vartype, "string") == 0)
        return true;
    if (strcmp(setting->vartype, "enum") == 0)
        return verify_word(setting, value, is_any_build, err);
    if (strcmp(setting->vartype, "bool") != 0)
        return verify_number(setting, value, err);
    if (setting_boolean(value, &truth))
        return true;
    error_set(err, ERROR_DECK, "\"%s\" is neither on nor off", value);
    return false;
}
