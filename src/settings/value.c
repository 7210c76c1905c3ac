// SPDX-License-Identifier: MIT
#include "settings/value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum unit_kind { UNIT_NONE, UNIT_BYTES, UNIT_MICROSECONDS };

struct unit {
    const char *name;
    enum unit_kind kind;
    double factor;
};

/* PostgreSQL's own names of units; they are case-sensitive. */
static const struct unit units[] = {
    {"B", UNIT_BYTES, 1},
    {"kB", UNIT_BYTES, 1024.0},
    {"MB", UNIT_BYTES, 1024.0 * 1024},
    {"GB", UNIT_BYTES, 1024.0 * 1024 * 1024},
    {"TB", UNIT_BYTES, 1024.0 * 1024 * 1024 * 1024},
    {"us", UNIT_MICROSECONDS, 1},
    {"ms", UNIT_MICROSECONDS, 1e3},
    {"s", UNIT_MICROSECONDS, 1e6},
    {"min", UNIT_MICROSECONDS, 60e6},
    {"h", UNIT_MICROSECONDS, 3600e6},
    {"d", UNIT_MICROSECONDS, 86400e6},
};

/* "8kB" as in pg_settings.unit: a factor before the name. */
static bool
read_unit(const char *text, enum unit_kind *ret_kind, double *ret_factor)
{
    char *name;
    double count = strtod(text, &name);

    if (name == text)
        count = 1;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, name) == 0) {
            *ret_kind = units[i].kind;
            *ret_factor = units[i].factor * count;
            return true;
        }
    }
    return false;
}

/* As the server reads it: 010 is 8 where an integer is wanted; "inf" and "nan" are none. Where the
 * number ends goes to *ret_end. */
static bool
parse_number(const char *text, bool is_integer, double *ret_number, char **ret_end)
{
    double number = strtod(text, ret_end);

    if (*ret_end == text || !isfinite(number))
        return false;
    if (is_integer) {
        char *end;
        long integer = strtol(text, &end, 0);
        if (*end != '.' && *end != 'e' && *end != 'E') {
            number = (double)integer;
            *ret_end = end;
        }
    }
    *ret_number = number;
    return true;
}

/* Of the next smaller unit of that kind; 0: there is none. */
static double
smaller_factor(enum unit_kind kind, double factor)
{
    double smaller = 0;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].kind == kind && units[i].factor < factor && units[i].factor > smaller)
            smaller = units[i].factor;
    }
    return smaller;
}

static bool
read_amount(const char *text, const char *unit, bool is_integer, double *ret_number)
{
    enum unit_kind kind = UNIT_NONE, base_kind = UNIT_NONE;
    double factor = 1, base_factor = 1, number;
    char *end, name[8];

    if (!parse_number(text, is_integer, &number, &end))
        return false;
    end += strspn(end, " \t");
    size_t length = strcspn(end, " \t");
    if (end[length + strspn(end + length, " \t")] != '\0' || length >= sizeof(name))
        return false;
    memcpy(name, end, length);
    name[length] = '\0';
    if (length > 0) {
        if (!isalpha((unsigned char)name[0]) || !read_unit(name, &kind, &factor) ||
            !read_unit(unit, &base_kind, &base_factor) || kind != base_kind)
            return false;
        /* 30.1GB: the server rounds a fraction to the next smaller unit. */
        double smaller = smaller_factor(kind, factor);
        number *= factor;
        if (smaller > 0)
            number = rint(number / smaller) * smaller;
        number /= base_factor;
    }
    *ret_number = number;
    return true;
}

bool
setting_number(const char *text, const char *unit, double *ret_number)
{
    return read_amount(text, unit, false, ret_number);
}

bool
setting_boolean(const char *text, bool *ret_value)
{
    static const struct {
        const char *word;
        size_t least; /* letters that are enough */
        bool value;
    } words[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
                 {"on", 2, true},   {"off", 2, false},   {"1", 1, true},   {"0", 1, false}};
    size_t length = strlen(text);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (length >= words[i].least && length <= strlen(words[i].word) &&
            strncasecmp(text, words[i].word, length) == 0) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

/* Integers are rounded as the server rounds them. */
static bool
read_number(const struct catalog_setting *setting, const char *text, double *ret_number)
{
    bool is_integer = strcmp(setting->vartype, "integer") == 0;

    if (!read_amount(text, setting->unit, is_integer, ret_number))
        return false;
    if (is_integer)
        *ret_number = rint(*ret_number);
    return true;
}

bool
setting_bytes(const struct catalog_setting *setting, const char *value, int64_t *ret_bytes)
{
    enum unit_kind kind;
    double number, factor;

    if (!read_unit(setting->unit, &kind, &factor) || kind != UNIT_BYTES ||
        !read_number(setting, value, &number))
        return false;
    *ret_bytes = (int64_t)(number * factor);
    return true;
}

static bool
is_number(const struct catalog_setting *setting)
{
    return strcmp(setting->vartype, "integer") == 0 || strcmp(setting->vartype, "real") == 0;
}

bool
setting_is_equal(const struct catalog_setting *setting, const char *a, const char *b)
{
    double number_a, number_b;
    bool truth_a, truth_b;

    if (is_number(setting) && read_number(setting, a, &number_a) &&
        read_number(setting, b, &number_b))
        return fabs(number_a - number_b) <= 1e-9 * fmax(fabs(number_a), 1);
    bool is_word = strcmp(setting->vartype, "bool") == 0 || strcmp(setting->vartype, "enum") == 0;
    if (is_word && setting_boolean(a, &truth_a) && setting_boolean(b, &truth_b))
        return truth_a == truth_b;
    return is_word ? strcasecmp(a, b) == 0 : strcmp(a, b) == 0;
}

bool
setting_allows(const struct catalog_setting *setting, const char *word)
{
    AUTO_ARENA arena = arena_new();
    char **words;
    size_t count = pg_array(arena, setting->enum_values, &words);

    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(words[i], word) == 0)
            return true;
    }
    return false;
}

const char *
setting_clamp(struct arena *arena, const struct catalog_setting *setting, const char *value,
              bool *ret_is_limited)
{
    double number, limit;
    bool truth;

    *ret_is_limited = false;
    if (strcmp(setting->vartype, "bool") == 0)
        return setting_boolean(value, &truth) ? value : NULL;
    if (strcmp(setting->vartype, "enum") == 0)
        return setting_allows(setting, value) ? value : NULL;
    if (!is_number(setting))
        return value;
    if (!read_number(setting, value, &number))
        return NULL;
    /* The limits are in the parameter's own unit, and so is a bare number. */
    if (setting_number(setting->min_value, setting->unit, &limit) && number < limit) {
        *ret_is_limited = true;
        return arena_strdup(arena, setting->min_value);
    }
    if (setting_number(setting->max_value, setting->unit, &limit) && number > limit) {
        *ret_is_limited = true;
        return arena_strdup(arena, setting->max_value);
    }
    return value;
}

bool
setting_is_in_files(const struct catalog_setting *setting)
{
    return setting->auto_value != NULL || setting->in_files != NULL;
}

static const char *
value_in_files(const struct catalog_setting *setting)
{
    return setting->auto_value != NULL ? setting->auto_value : setting->in_files->setting;
}

bool
setting_is_hidden(const struct catalog_setting *setting)
{
    static const char *const of_session[] = {"global", "database", "user",        "database user",
                                             "client", "session",  "interactive", "test"};

    for (size_t i = 0; i < sizeof(of_session) / sizeof(of_session[0]); i++) {
        if (strcmp(setting->source, of_session[i]) == 0)
            return true;
    }
    return false;
}

const char *
setting_server_value(const struct catalog_setting *setting)
{
    if (!setting_is_hidden(setting))
        return setting->setting;
    return setting_is_in_files(setting) ? value_in_files(setting) : setting->boot_value;
}

const char *
setting_next_value(const struct catalog_setting *setting)
{
    if (setting_is_in_files(setting) && strcmp(setting->source, "command line") != 0)
        return value_in_files(setting);
    if (setting->is_line_gone)
        return setting->boot_value;
    return setting_server_value(setting);
}

size_t
setting_words(struct arena *arena, const char *list, char ***ret_words)
{
    LIST_OF(char *) words = {0};

    for (const char *at = list; *at != '\0';) {
        while (*at == ' ' || *at == ',')
            at++;
        char mark = *at == '"' ? *at++ : '\0';
        char *word = arena_alloc(arena, strlen(at) + 1);
        size_t length = 0;
        while (*at != '\0' && (mark ? (*at != mark || at[1] == mark) : *at != ',')) {
            at += mark && *at == mark; /* doubled inside of quotes */
            word[length++] = *at++;
        }
        at += *at != '\0';
        while (!mark && length > 0 && word[length - 1] == ' ')
            word[--length] = '\0';
        if (length > 0)
            *LIST_ADD(arena, &words) = word;
    }
    *ret_words = words.items;
    return words.count;
}

static const char *
in_largest_unit(struct arena *arena, int64_t count, enum unit_kind kind, const char *smallest)
{
    const struct unit *best = NULL;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].kind == kind && count % (int64_t)units[i].factor == 0 && count != 0)
            best = &units[i];
    }
    if (best == NULL || best->factor < 1)
        return arena_printf(arena, "%lld%s", (long long)count, smallest);
    return arena_printf(arena, "%lld%s", (long long)(count / (int64_t)best->factor), best->name);
}

const char *
setting_size(struct arena *arena, int64_t bytes)
{
    return in_largest_unit(arena, bytes, UNIT_BYTES, "B");
}

const char *
setting_rounded_size(struct arena *arena, int64_t bytes)
{
    return setting_size(arena, bytes >= 10 << 20 ? bytes >> 20 << 20 : bytes);
}

const char *
setting_duration(struct arena *arena, int64_t milliseconds)
{
    return milliseconds == 0 ? "0"
                             : in_largest_unit(arena, milliseconds * 1000, UNIT_MICROSECONDS, "us");
}

const char *
setting_readable(struct arena *arena, const struct catalog_setting *setting, const char *value)
{
    enum unit_kind kind;
    double number, factor;

    if (value[0] == '\0')
        return "empty";
    if (!setting_number(value, setting->unit, &number) || number <= 0 || setting->unit[0] == '\0' ||
        !read_unit(setting->unit, &kind, &factor))
        return value;
    return in_largest_unit(arena, (int64_t)(number * factor), kind,
                           kind == UNIT_BYTES ? "B" : "us");
}
