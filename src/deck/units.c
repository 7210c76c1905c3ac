// SPDX-License-Identifier: MIT
#include "deck/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* PostgreSQL's own, 1024 times each (guc.c, memory_unit_conversion_table). */
static const struct unit size_units[] = {
    {"B", 1}, {"kB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1LL << 30}, {"TB", 1LL << 40},
};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000},
};

/* Units that people write and what they mean. */
struct slip {
    const char *written;
    const char *meant;
};
static const struct slip size_slips[] = {
    {"k", "kB"},   {"kib", "kB"}, {"m", "MB"},   {"mib", "MB"}, {"g", "GB"},
    {"gib", "GB"}, {"t", "TB"},   {"tib", "TB"}, {"byte", "B"}, {"bytes", "B"},
};
static const struct slip duration_slips[] = {
    {"sec", "s"},    {"secs", "s"},     {"second", "s"}, {"seconds", "s"},   {"m", "min"},
    {"mins", "min"}, {"minute", "min"}, {"hr", "h"},     {"minutes", "min"}, {"hour", "h"},
    {"hours", "h"},  {"day", "d"},      {"days", "d"},   {"msec", "ms"},     {"millis", "ms"},
};

struct family {
    const char *what; /* "a size" */
    const char *example;
    const char *units; /* for the hint */
    const struct unit *table;
    size_t count;
    const struct slip *slips;
    size_t slip_count;
};
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
static const struct family sizes = {"a size",
                                    "512MB",
                                    "kB, MB, GB, TB",
                                    size_units,
                                    COUNT_OF(size_units),
                                    size_slips,
                                    COUNT_OF(size_slips)};
static const struct family durations = {"a duration",
                                        "180s",
                                        "ms, s, min, h, d",
                                        duration_units,
                                        COUNT_OF(duration_units),
                                        duration_slips,
                                        COUNT_OF(duration_slips)};

/* Digits with an optional fraction; at most 15 digits, so that a double is exact. */
static bool
read_number(const char *text, double *ret_number, size_t *ret_length)
{
    size_t whole = strspn(text, "0123456789");
    size_t length = whole;

    if (text[whole] == '.')
        length += 1 + strspn(text + whole + 1, "0123456789");
    if (whole == 0 || length > 16 || text[length - 1] == '.')
        return false;
    *ret_number = strtod(text, NULL);
    *ret_length = length;
    return true;
}

static bool
unknown_unit(const struct family *family, const char *text, size_t number_length, const char *unit,
             struct error *err)
{
    error_set(err, ERROR_DECK, "\"%s\" has the unknown unit \"%s\"", text, unit);
    for (size_t i = 0; i < family->count; i++) {
        if (strcasecmp(unit, family->table[i].name) == 0)
            return error_hint(err, "Write %.*s%s.", (int)number_length, text,
                              family->table[i].name);
    }
    for (size_t i = 0; i < family->slip_count; i++) {
        if (strcasecmp(unit, family->slips[i].written) == 0)
            return error_hint(err, "Write %.*s%s.", (int)number_length, text,
                              family->slips[i].meant);
    }
    return error_hint(err, "Units are %s.", family->units);
}

static bool
read_amount(const struct family *family, const char *text, int64_t *ret_amount, struct error *err)
{
    double number;
    size_t length;

    if (!read_number(text, &number, &length)) {
        error_set(err, ERROR_DECK, "\"%s\" is not %s", text, family->what);
        return error_hint(err, "Write a number and a unit (%s), such as %s.", family->units,
                          family->example);
    }
    const char *name = text + length + strspn(text + length, " ");
    if (*name == '\0') {
        if (number == 0) {
            *ret_amount = 0;
            return true;
        }
        error_set(err, ERROR_DECK, "\"%s\" has no unit", text);
        return error_hint(err, "Units are %s: write such as %s.", family->units, family->example);
    }
    for (size_t i = 0; i < family->count; i++) {
        if (strcmp(name, family->table[i].name) != 0)
            continue;
        double amount = number * (double)family->table[i].factor;
        if (amount > 1e15)
            return error_set(err, ERROR_DECK, "\"%s\" is too large", text);
        if (amount != floor(amount)) {
            error_set(err, ERROR_DECK, "\"%s\" is not a whole number of %s", text,
                      family->table[0].name);
            return error_hint(err, "Use a smaller unit.");
        }
        *ret_amount = (int64_t)amount;
        return true;
    }
    return unknown_unit(family, text, length, name, err);
}

bool
deck_unit_size(const char *text, int64_t *ret_bytes, struct error *err)
{
    return read_amount(&sizes, text, ret_bytes, err);
}

bool
deck_unit_duration(const char *text, int64_t *ret_ms, struct error *err)
{
    return read_amount(&durations, text, ret_ms, err);
}

bool
deck_unit_share(const char *text, double *ret_share, struct error *err)
{
    double number;
    size_t length;

    if (!read_number(text, &number, &length) ||
        (text[length] != '\0' && strcmp(text + length, "%") != 0)) {
        error_set(err, ERROR_DECK, "\"%s\" is not a share", text);
        return error_hint(err, "Write a percentage, such as 95%%.");
    }
    if (text[length] == '\0') {
        error_set(err, ERROR_DECK, "\"%s\" has no percent sign", text);
        return error_hint(err, "Write %g%%.", number <= 1 ? number * 100 : number);
    }
    if (number > 100)
        return error_set(err, ERROR_DECK, "\"%s\" is more than the whole", text);
    *ret_share = number / 100;
    return true;
}

bool
deck_unit_count(const char *text, int64_t min, int64_t max, int64_t *ret_count, struct error *err)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t length = strlen(digits);

    if (length == 0 || strspn(digits, "0123456789") != length)
        return error_set(err, ERROR_DECK, "\"%s\" is not a whole number", text);
    errno = 0;
    long long count = strtoll(text, NULL, 10);
    if (errno != 0 || count < min || count > max) {
        error_set(err, ERROR_DECK, "%s is out of range", text);
        return error_hint(err, "It must be from %lld to %lld.", (long long)min, (long long)max);
    }
    *ret_count = count;
    return true;
}

bool
deck_unit_range(const char *text, int *ret_min, int *ret_max, struct error *err)
{
    const char *dash = strchr(text, '-');
    char low_text[16];
    int64_t low;
    int64_t high;
    size_t length = dash == NULL ? 0 : (size_t)(dash - text);

    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (length == 0 || length >= sizeof(low_text)) {
        error_set(err, ERROR_DECK, "\"%s\" is not a range", text);
        return error_hint(err, "Write two numbers with a dash, such as 50-100.");
    }
    memcpy(low_text, text, length);
    low_text[length] = '\0';
    dash += 1 + strspn(dash + 1, " ");
    if (!deck_unit_count(low_text, 0, 1000000, &low, err) ||
        !deck_unit_count(dash, 0, 1000000, &high, err))
        return false;
    if (low > high) {
        error_set(err, ERROR_DECK, "\"%s\" ends before it begins", text);
        return error_hint(err, "Write %lld-%lld.", (long long)high, (long long)low);
    }
    *ret_min = (int)low;
    *ret_max = (int)high;
    return true;
}

static const char *const period_names[] = {[UNIT_DAY] = "day",
                                           [UNIT_WEEK] = "week",
                                           [UNIT_MONTH] = "month",
                                           [UNIT_YEAR] = "year",
                                           [UNIT_ID] = "id"};

const char *
deck_unit_name(enum deck_unit unit)
{
    return period_names[unit];
}

bool
deck_unit_period(const char *text, struct deck_period *ret_period, struct error *err)
{
    enum { MOST_PERIOD_DIGITS = 6, MOST_ID_DIGITS = 9 };
    size_t length = strspn(text, "0123456789");
    long count = length == 0 || length > MOST_ID_DIGITS ? 0 : strtol(text, NULL, 10);
    const char *name = text + length + strspn(text + length, " ");

    for (size_t unit = 0; unit < COUNT_OF(period_names) && count > 0; unit++) {
        size_t name_length = strlen(period_names[unit]);
        if (strncmp(name, period_names[unit], name_length) != 0)
            continue;
        if (name[name_length] != '\0' && strcmp(name + name_length, "s") != 0)
            continue;
        if (unit != UNIT_ID && length > MOST_PERIOD_DIGITS)
            break;
        *ret_period = (struct deck_period){(int)count, (enum deck_unit)unit};
        return true;
    }
    error_set(err, ERROR_DECK, "\"%s\" is not a period", text);
    return error_hint(
        err, "Write a number of days, weeks, months or years, such as 1 month, or of ids.");
}

int
deck_period_days(struct deck_period period)
{
    static const int days[] = {
        [UNIT_DAY] = 1, [UNIT_WEEK] = 7, [UNIT_MONTH] = 28, [UNIT_YEAR] = 365, [UNIT_ID] = 1};

    return period.count * days[period.unit];
}

enum deck_level_unit
deck_unit_of_level(const char *text)
{
    size_t length = strlen(text);

    if (strchr(text, '%') != NULL)
        return LEVEL_SHARE;
    if (length > 0 && text[length - 1] == 'B')
        return LEVEL_SIZE;
    return length > 0 && strspn(text, "0123456789") == length ? LEVEL_COUNT : LEVEL_DURATION;
}
