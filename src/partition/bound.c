// SPDX-License-Identifier: MIT
#include "partition/bound.h"

#include "partition/period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ------------------------------------------------------------------------------ */

static bool
skip(const char **at, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* A quoted literal, or a bare word up to a comma, blank or bracket. */
static char *
read_value(struct arena *arena, const char **at)
{
    const char *text = *at;
    char *value = arena_alloc(arena, strlen(text) + 1);
    size_t length = 0;

    if (*text != '\'') {
        length = strcspn(text, ",) ");
        memcpy(value, text, length);
        *at = text + length;
        return value;
    }
    for (text++; *text != '\0'; text++) {
        if (*text == '\'' && text[1] != '\'')
            break;
        text += *text == '\'';
        value[length++] = *text;
    }
    *at = text + (*text == '\'');
    return value;
}

static bool
is_integer(const char *value)
{
    const char *digits = value + (*value == '-');

    return *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0';
}

static bool
is_uuid(const char *value)
{
    enum { UUID_LENGTH = 36, FIRST_DASH = 8 };

    return strlen(value) == UUID_LENGTH && value[FIRST_DASH] == '-' &&
           strspn(value, "0123456789abcdef-") == UUID_LENGTH;
}

/* A moment as text that sorts: dates get their midnight, and UTC is left out. The same of ids. */
static const char *
read_moment(struct arena *arena, const char **at)
{
    enum { DATE_LENGTH = 10, MOMENT_LENGTH = 19, SORTED_SIZE = 64 };

    if (skip(at, "MINVALUE"))
        return "";
    if (skip(at, "MAXVALUE"))
        return "~";
    char *value = read_value(arena, at);
    char *sorted = arena_alloc(arena, SORTED_SIZE);
    if (is_integer(value)) {
        partition_id_text(strtoll(value, NULL, 10), sorted, SORTED_SIZE);
        return sorted;
    }
    if (is_uuid(value)) {
        partition_uuid_moment(value, sorted, SORTED_SIZE);
        return sorted;
    }
    size_t length = strlen(value);
    if (length == DATE_LENGTH)
        return arena_printf(arena, "%s 00:00:00", value);
    if (length >= MOMENT_LENGTH + 3 && strcmp(value + length - 3, "+00") == 0)
        value[length - 3] = '\0';
    return value;
}

static bool
read_range(struct arena *arena, const char *at, struct partition_bound *bound)
{
    bound->lower = read_moment(arena, &at);
    if (!skip(&at, ") TO ("))
        return false;
    bound->upper = read_moment(arena, &at);
    return strcmp(at, ")") == 0;
}

static bool
read_list(struct arena *arena, const char *at, struct partition_bound *bound)
{
    do {
        bool is_null = skip(&at, "NULL");
        *LIST_ADD(arena, &bound->values) = is_null ? NULL : read_value(arena, &at);
    } while (skip(&at, ", "));
    return strcmp(at, ")") == 0;
}

bool
partition_bound_parse(struct arena *arena, const char *text, struct partition_bound *ret_bound)
{
    struct partition_bound bound = {.is_default = strcmp(text, "DEFAULT") == 0};
    const char *at = text;
    bool is_fine = bound.is_default;

    if (skip(&at, "FOR VALUES FROM (")) {
        bound.kind = PARTITION_RANGE;
        is_fine = read_range(arena, at, &bound);
    } else if (skip(&at, "FOR VALUES IN (")) {
        bound.kind = PARTITION_LIST;
        is_fine = read_list(arena, at, &bound);
    } else if (!bound.is_default) {
        bound.kind = PARTITION_HASH;
        is_fine = sscanf(text, "FOR VALUES WITH (modulus %d, remainder %d)", &bound.modulus,
                         &bound.remainder) == 2;
    }
    if (is_fine)
        *ret_bound = bound;
    return is_fine;
}

/* --- comparing ---------------------------------------------------------------------------- */

static enum partition_relation
compare_ranges(const struct partition_bound *existing, const struct partition_bound *wanted)
{
    if (strcmp(existing->upper, wanted->lower) <= 0 || strcmp(wanted->upper, existing->lower) <= 0)
        return BOUND_APART;
    int lower = strcmp(existing->lower, wanted->lower);
    int upper = strcmp(existing->upper, wanted->upper);
    if (lower == 0 && upper == 0)
        return BOUND_SAME;
    return lower <= 0 && upper >= 0 ? BOUND_COVERS : BOUND_OVERLAPS;
}

static size_t
count_common(const struct partition_bound *existing, const struct partition_bound *wanted)
{
    size_t common = 0;

    for (size_t i = 0; i < wanted->values.count; i++) {
        for (size_t j = 0; j < existing->values.count; j++) {
            const char *value = existing->values.items[j];
            common += value != NULL && strcmp(value, wanted->values.items[i]) == 0;
        }
    }
    return common;
}

static enum partition_relation
compare_lists(const struct partition_bound *existing, const struct partition_bound *wanted)
{
    size_t common = count_common(existing, wanted);

    if (common == 0)
        return BOUND_APART;
    if (common < wanted->values.count)
        return BOUND_OVERLAPS;
    return existing->values.count == wanted->values.count ? BOUND_SAME : BOUND_COVERS;
}

enum partition_relation
partition_bound_compare(const struct partition_bound *existing,
                        const struct partition_bound *wanted)
{
    if (existing->is_default)
        return BOUND_APART;
    switch (wanted->kind) {
    case PARTITION_RANGE:
        return compare_ranges(existing, wanted);
    case PARTITION_LIST:
        return compare_lists(existing, wanted);
    case PARTITION_HASH:
        break;
    }
    if (existing->modulus != wanted->modulus)
        return BOUND_OVERLAPS;
    return existing->remainder == wanted->remainder ? BOUND_SAME : BOUND_APART;
}
